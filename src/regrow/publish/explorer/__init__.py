"""`regrow explore`: one page to walk from the sources to a checkpoint. A view, not an artifact."""
