"""Suffix arrays over training tokens: where a run of tokens stands, in the order of a dictionary."""
