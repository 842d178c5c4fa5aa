"""combination: two different responses; the prompt repeated before the answer."""

from __future__ import annotations

from regrow.learn.verifiers.ifeval.instruction import TEXT, Instruction


def two_responses(text: str) -> bool:
    """Exactly two different responses between dividers `******`; only outer parts may be empty."""
    parts = [part.strip() for part in text.split("******")]
    if not all(parts[1:-1]):
        return False
    said = [part for part in parts if part]
    return len(said) == 2 and said[0] != said[1]


def repeat_prompt(text: str, prompt_to_repeat: str) -> bool:
    """It begins with the prompt, in any case."""
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


INSTRUCTIONS = {
    "combination:two_responses": Instruction(two_responses),
    "combination:repeat_prompt": Instruction(repeat_prompt, {"prompt_to_repeat": TEXT}),
}
