"""The analysis: from a ledger alone to typed results. Free of torch."""
