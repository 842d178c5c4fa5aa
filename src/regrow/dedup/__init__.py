"""Exact and near-duplicate removal, hold-out and decontamination."""
