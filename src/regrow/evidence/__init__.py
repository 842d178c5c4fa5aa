"""What records and artifacts say: ledger, names, verified tables, runs, lookups."""
