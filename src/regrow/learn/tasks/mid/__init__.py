"""The components of the midtraining mix."""
