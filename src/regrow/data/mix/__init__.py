"""Topic and quality classifiers, and quality-aware repetition."""
