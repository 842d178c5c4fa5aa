"""Proof that an artifact is what its record says: rebuild, replayed segments, signed statements."""
