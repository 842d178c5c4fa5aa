"""Learning from verified answers: preference pairs, difficulty of prompts, reinforcement learning."""
