"""Regrow: an open language model that you can regrow, bit for bit, from its hash."""
