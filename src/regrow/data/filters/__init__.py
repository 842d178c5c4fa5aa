"""Quality filters: one small module per filter, each keeps a document or says why not."""
