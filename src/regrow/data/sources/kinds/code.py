"""Source code. A file is a document, if a person wrote it for its project: see `regrow.data.sources.code`.

The licence is looked for in the file and in the licence files of the folders above it, which are read as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from regrow.data.sources.code import authored, languages, licences
from regrow.data.sources.decoding import clean, decoded
from regrow.data.sources.item import Item, Refused
from regrow.data.sources.opening import HEAD_BYTES
from regrow.data.sources.step import reading
from regrow.data.sources.whole import address, content
from regrow.params.source import Source

SUFFIXES = (*languages.ENDINGS, *languages.NAMES)


def read(path: Path, name: str, source: Source) -> Iterator[Item | Refused]:
    """The document of a file; its `language` is that of the code ("Python", "C++"), as GitHub linguist calls it."""
    yield _read(path, name, source)


def _read(path: Path, name: str, source: Source) -> Item | Refused:
    said = clean(name)
    body = content(path, name, source)
    if isinstance(body, Refused):
        return body
    if verdict := authored.by_name(said):
        return _refused(body, said, verdict)
    found = decoded(body, said, said)
    if isinstance(found, Refused):
        return found
    language = languages.language(said, found.text)
    if not language:
        detail = "neither its name nor its first line names a language"
        return Refused(body[:HEAD_BYTES], "unknown_language", detail, said, said)
    text = found.text.replace("\r\n", "\n").replace("\r", "\n")
    if verdict := authored.by_content(language, text):
        return _refused(body, said, verdict)
    licence, where = licences.in_head(text), "SPDX-License-Identifier"
    if not licence:
        licence, where = ("", "") if _alone(path, source) else licences.above(path, name)
    return Item(
        text=found.text, payload=body, name=said, url=address(name, source), licence=licence, language=language,
        charset=found.charset, repaired=found.repaired, mime=_mime(language),
        metadata={"code": language} | ({"licence_from": where} if licence else {}),
    )  # fmt: skip


def _alone(path: Path, source: Source) -> bool:
    """Whether the source names this very file: then no folder above it is within the source, nor counted by its key."""
    return any(path.as_posix().endswith(f"/{named}") for named in source.files)


def _mime(language: str) -> str:
    """`text/x-python`: the code filters go by it."""
    return f"text/x-{language.lower().replace(' ', '-')}"


def _refused(body: bytes, said: str, verdict: authored.Verdict) -> Refused:
    return Refused(
        body[:HEAD_BYTES], verdict.reason, verdict.detail, said, said, "", verdict.value, verdict.threshold
    )  # fmt: skip


run = reading(SUFFIXES, read)
