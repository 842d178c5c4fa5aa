"""The training engine: one loop, objectives as objects."""
