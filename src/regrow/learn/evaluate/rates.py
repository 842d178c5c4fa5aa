"""Replies to scores: exact match, pass rate, form, constraints, tool calls, length."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.questions import CONSTRAINTS
from regrow.learn.evaluate.replies import Reply


def pass_at(k: int, outcomes: Sequence[float]) -> float:
    """Probability that one of k answers drawn without replacement from these passes.

    The unbiased estimator 1 - C(n - c, k) / C(n, k) of Chen et al., arXiv 2107.03374, section 2.1.

    Raises:
        ValueError: fewer answers than k.
    """
    n, c = len(outcomes), sum(1 for outcome in outcomes if outcome)
    if not 0 < k <= n:
        raise ValueError(f"pass@{k} of {n} answers")
    return float(1 - Fraction(comb(n - c, k), comb(n, k)))


def greedy(replies: Sequence[Reply], end: str = "") -> list[Item]:
    """Items of greedy answers.

    `exact_match`; `format`; `tokens` (drawn); of instruction tasks `constraints_all` (all hold)
    and `constraints` (the share that holds). `end`: added to the names.
    """
    items = []
    for reply in replies:
        q = reply.question
        rows = {
            "exact_match": reply.exact_match,
            "format": reply.format,
            "tokens": float(reply.tokens),
        }
        if q.domain == CONSTRAINTS:
            rows |= {"constraints_all": reply.exact_match, "constraints": reply.score}
        items += [Item(f"{name}{end}", q.id, q.family, 0, v) for name, v in rows.items()]
    return items


def tools(replies: Sequence[Reply], end: str = "") -> list[Item]:
    """Items of questions asked with tools at hand: `tool_calls`, `format_tools`.

    A success is the right call, its result read back, and the right answer.
    """
    items = []
    for reply in replies:
        rows = {"tool_calls": reply.exact_match, "format_tools": reply.format}
        q = reply.question
        items += [Item(f"{name}{end}", q.id, q.family, 0, v) for name, v in rows.items()]
    return items


def drawn(replies: Sequence[Reply]) -> list[Item]:
    """Items of answers drawn at temperature 1: `pass_rate`, `format_drawn`, `tokens_drawn`."""
    items = []
    for reply in replies:
        rows = {
            "pass_rate": reply.exact_match,
            "format_drawn": reply.format,
            "tokens_drawn": float(reply.tokens),
        }
        q = reply.question
        items += [Item(name, q.id, q.family, reply.sample, v) for name, v in rows.items()]
    return items


def powers(n: int) -> list[int]:
    """1, 2, 4, ... up to n: the k of pass@k."""
    found = [1]
    while 2 * found[-1] <= n:
        found.append(2 * found[-1])
    return found
