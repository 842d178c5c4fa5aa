"""The funnel of documents: per source, step and reason what was kept and dropped, and what was lost with it."""
