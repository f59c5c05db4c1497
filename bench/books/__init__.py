"""How long a large ledger takes: thousands of simulated trials; see ``python -m bench.books``."""
