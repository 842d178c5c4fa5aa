"""Verifiers: pure functions that say whether a completion is right, and why not."""
