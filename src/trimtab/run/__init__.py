"""Running a study: its missing trials, in worker processes, into its ledger."""
