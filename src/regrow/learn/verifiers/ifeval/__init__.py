"""Constraints that a program can check: the 25 instructions of IFEval (arXiv 2311.07911)."""
