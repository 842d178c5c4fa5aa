"""Used by clean and tokenize."""


def squeeze(text: str) -> str:
    """Runs of white space to one space."""
    return " ".join(text.split())
