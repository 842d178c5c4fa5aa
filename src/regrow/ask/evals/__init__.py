"""Evaluations of checkpoints side by side, and what each stage gained."""
