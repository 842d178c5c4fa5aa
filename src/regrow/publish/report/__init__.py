"""`regrow report`: one page about the run, for people. A view, not an artifact."""
