"""The first answer of a checkpoint to a prompt, as the tokens that it drew."""

from __future__ import annotations

from dataclasses import dataclass

from regrow.cli.chat.place import Place, starting_form, starting_temperature
from regrow.cli.chat.session import TEXT, load
from regrow.data.tokens import chat
from regrow.learn.rollout.sampler import Request, sample


@dataclass(frozen=True)
class Drawn:
    """An answer."""

    prompt: str
    form: str
    temperature: float
    seed: int
    tokens: list[int]
    ended: bool
    """by itself, not by the limit"""


def drawn(
    place: Place, prompt: str, form: str | None, *, temperature: float | None, seed: int, most: int
) -> Drawn:
    """The answer that `regrow chat --once` gives under the same settings (its first turn).

    Raises:
        ValueError: the prompt does not fit, or the files do not fit each other.
    """
    form = form or starting_form(place)
    temperature = starting_temperature(form, temperature)
    session = load(
        place.folder, place.tokenizer, form, temperature=temperature, seed=seed, max_new_tokens=most
    )

    def stop(tokens: list[int]) -> bool:
        return form == "plain" and chat.finished(chat.decode(session.tokenizer, tokens), "plain")

    rollout = sample(
        session.model,
        [Request(prompt=session.prompt(prompt), name=("chat", seed, 1))],
        max_new_tokens=most,
        temperature=temperature,
        end_tokens=chat.end_tokens(session.tokenizer, "plain" if form == TEXT else form),
        stop=stop,
    )[0]
    return Drawn(prompt, form, temperature, seed, rollout.tokens, rollout.ended)
