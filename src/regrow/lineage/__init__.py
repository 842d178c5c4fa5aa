"""Questions over records: audit, trace, rebuild, verify, report."""
