"""Verification by segments: rerun a random part of a run; find where two runs part."""
