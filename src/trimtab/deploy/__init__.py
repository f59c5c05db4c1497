"""A trained model out of its ledger, and in use."""
