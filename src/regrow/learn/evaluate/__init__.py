"""Evaluation of checkpoints through lm-eval with local tasks: bits per byte, and text samples."""
