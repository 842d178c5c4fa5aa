"""Tokens and the bytes that they spell: where a text's tokens are, and how far a match goes beyond them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from regrow.data.tokens import bpe, chat

REACH = 64
"""bytes that a match may go beyond its tokens: no word is longer"""


class Spelling:
    """The bytes of every token of a tokenizer (byte-level BPE)."""

    def __init__(self, folder: Path) -> None:
        """Read the tokenizer in `folder`."""
        self.tokenizer: Tokenizer = bpe.load(folder)[0]
        added = self.tokenizer.get_added_tokens_decoder()
        byte_of = {character: byte for byte, character in _characters().items()}
        self._bytes: dict[int, bytes] = {}
        for token, number in self.tokenizer.get_vocab().items():
            if number in added:
                self._bytes[number] = added[number].content.encode()
            else:
                self._bytes[number] = bytes(byte_of[character] for character in token)
        self.controls = frozenset(added)
        """ids of control tokens"""
        self.end: int | None = self.tokenizer.token_to_id(chat.END_OF_TEXT)
        """the one that ends a document"""

    def bytes_of(self, token: int) -> bytes:
        """The bytes of a token, of a control token its name."""
        return self._bytes.get(token, b"")

    def spell(self, tokens: Sequence[int]) -> bytes:
        """The bytes of tokens, one behind the other."""
        return b"".join(map(self.bytes_of, tokens))

    def text(self, text: str) -> Text:
        """A text as the flow tokenises it; control tokens are not read in it."""
        found = [part for part in bpe.encode(self.tokenizer, [text])]
        return Text(self, np.concatenate(found) if found else np.empty(0, dtype=np.uint16))


@dataclass
class Text:
    """Tokens as somebody wrote or drew them."""

    spelling: Spelling
    tokens: NDArray[np.uint16]
    pieces: list[bytes] = field(init=False)
    ends: list[int] = field(init=False)
    """in the bytes, of each token; [0] is 0, so token i spells bytes ends[i] .. ends[i + 1]"""

    def __post_init__(self) -> None:
        self.pieces = [self.spelling.bytes_of(token) for token in self.tokens.tolist()]
        self.ends = [0, *np.cumsum([len(piece) for piece in self.pieces]).astype(int).tolist()]

    @cached_property
    def data(self) -> bytes:
        """The whole text, in bytes."""
        return b"".join(self.pieces)

    @cached_property
    def _characters(self) -> list[int]:
        """Characters that begin before each byte."""
        begins = (np.frombuffer(self.data, dtype=np.uint8) & 0xC0) != 0x80
        return [0, *np.cumsum(begins).tolist()]

    def character(self, byte: int) -> int:
        """The number of the character at a byte, of a text that is UTF-8."""
        return self._characters[byte]

    def whole(self, begin: int, end: int) -> tuple[int, int]:
        """The whole characters inside a range of bytes."""
        while begin < end and self.data[begin] & 0xC0 == 0x80:
            begin += 1
        while begin < end < len(self.data) and self.data[end] & 0xC0 == 0x80:
            end -= 1
        return begin, end

    def extent(self, begin: int, end: int, row: Sequence[int], offset: int) -> tuple[int, int]:
        """The bytes of the text that a row has word for word around a match of whole tokens.

        Tokens are pieces of words: where a text begins or ends inside one, or with another space, the
        neighbour's tokens differ though letters agree. So both sides go on by bytes; control tokens stop them.

        Args:
            begin: first token of the match; `end`: behind its last.
            end: see `begin`.
            row: the tokens of the row.
            offset: of the match in the row.
        """
        beyond = offset + end - begin
        left = _common(
            self._near(self.tokens[:begin].tolist(), -1)[::-1],
            self._near(list(row[:offset]), -1)[::-1],
        )
        right = _common(
            self._near(self.tokens[end:].tolist(), 1), self._near(list(row[beyond:]), 1)
        )
        return self.ends[begin] - left, self.ends[end] + right

    def _near(self, tokens: Sequence[int], way: int) -> bytes:
        """What tokens spell at their beginning (way 1) or end (-1), up to a control token or REACH."""
        found: list[bytes] = []
        size = 0
        for token in tokens[::way]:
            if token in self.spelling.controls or size >= REACH:
                break
            found.append(self.spelling.bytes_of(token))
            size += len(found[-1])
        return b"".join(found[::way])


def _common(left: bytes, right: bytes) -> int:
    for n, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return n
    return min(len(left), len(right))


def _characters() -> dict[int, str]:
    """Byte -> the character that byte-level BPE writes for it (Radford et al. 2019, GPT-2's encoder)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + n) for n, b in enumerate(rest)}
