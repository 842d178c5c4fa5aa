"""Questions about artifacts: audit, batch, trace, explain, diff, evals, doctor, scale, funnel, and the guards."""
