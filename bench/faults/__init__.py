"""What faults do to a study on each engine, for real; see ``python -m bench.faults``."""
