"""Export of checkpoints in Hugging Face format, with model card and data card from the records."""
