"""`regrow sources`: the corpora of a recipe that are not on this machine, frozen, checked and listed."""
