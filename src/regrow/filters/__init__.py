"""One filter a module, each returning keep or a reason."""
