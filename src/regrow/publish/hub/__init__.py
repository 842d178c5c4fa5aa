"""`regrow release`: released checkpoints as revisions, laid out as folders or as a git repository."""
