"""Sampling from a model with the numerics of the trainer."""
