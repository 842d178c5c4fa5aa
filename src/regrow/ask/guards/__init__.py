"""Guards: named findings about what a run loses, repeats or trains on without a word."""
