"""Training a trial: recipe, loop, precision."""
