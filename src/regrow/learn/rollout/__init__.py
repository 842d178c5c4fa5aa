"""Text from a model: batched sampling whose log-probabilities equal the trainer's bit for bit."""
