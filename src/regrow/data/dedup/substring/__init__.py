"""Substring deduplication: long byte strings that come again are cut out, and one copy of each stays."""
