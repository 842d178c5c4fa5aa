"""Parquet files whose bytes depend on their rows alone."""
