"""Forms of personal data and secrets: each function yields where its kind is in a text."""
