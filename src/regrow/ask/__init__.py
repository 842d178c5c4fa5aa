"""Questions about artifacts: audit, order, trace, explain, diff, evals, doctor, scale."""
