"""Export of checkpoints in Hugging Face format, with model and data cards."""
