"""Examples of supervised fine-tuning: where they come from and which are dropped."""
