"""Evaluation of checkpoints through lm-eval with local tasks."""
