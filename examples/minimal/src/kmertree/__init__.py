"""A tree of species from the short words of their sequences: three steps on Regrow's engine."""
