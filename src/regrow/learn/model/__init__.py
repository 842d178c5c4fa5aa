"""The Olmo 3 model class of transformers, under exact arithmetic."""
