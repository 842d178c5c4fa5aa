"""`regrow trace`: where a document went, step by step."""
