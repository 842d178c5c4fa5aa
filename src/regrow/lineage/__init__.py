"""Questions over records: what went into an artifact, where a document went, does it rebuild."""
