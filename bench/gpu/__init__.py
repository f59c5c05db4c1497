"""What trimtab reaches on a GPU, and whether its results there are right."""
