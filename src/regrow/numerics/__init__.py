"""Exact arithmetic: products, elementary functions, reductions, random streams."""
