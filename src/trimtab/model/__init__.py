"""The encoder, its heads and its sizes."""
