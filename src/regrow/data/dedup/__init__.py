"""Exact and near-duplicate removal, hold-out, decontamination."""
