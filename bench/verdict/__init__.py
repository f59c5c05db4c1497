"""Time to a verdict: what a study's core time goes into, from the command line to the report."""
