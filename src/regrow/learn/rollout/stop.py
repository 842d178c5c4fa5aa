"""When an answer in the plain form, which has no end token of its own, is complete."""

from __future__ import annotations

from collections.abc import Callable

from tokenizers import Tokenizer

from regrow.data.tokens import chat

Stop = Callable[[list[int]], bool]


def stopping(tokenizer: Tokenizer, form: str) -> Stop | None:
    """The `stop` of `sampler.sample` for a form; None for those that end at an end token.

    An answer can only become complete with a token that holds a line break, so the others are
    not decoded.
    """
    if form != "plain":
        return None
    breaks = frozenset(
        token
        for token in range(tokenizer.get_vocab_size())
        if "\n" in tokenizer.decode([token], skip_special_tokens=False)
    )

    def stop(tokens: list[int]) -> bool:
        return tokens[-1] in breaks and chat.finished(chat.decode(tokenizer, tokens), form)

    return stop
