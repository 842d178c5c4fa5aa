"""The entries of `sources` in a params file: where the documents of pretraining come from."""

from __future__ import annotations

from pydantic import Field

from regrow.params.base import Block
from regrow.params.stages import Name


class Paths(Block):
    """Some of the files that a list of paths names, one in each line, as Common Crawl's `warc.paths.gz` does."""

    list: str
    """its address"""
    prefix: str = ""
    """what stands in front of each path; default: scheme and host of the list"""
    segments: tuple[str, ...] = ()
    """paths with one of these folders among their own (`1707947473347.0`); default: all"""
    every: int = Field(default=1, ge=1)
    """of those, every n-th, in the order of the list"""
    first: int = Field(default=0, ge=0)
    """the place of the first that is chosen, counted from 0"""


class Source(Block):
    """A corpus: files of one kind, with their licence and origin."""

    name: Name
    kind: str
    """of its files, one of the modules of `regrow.params.readers`; default: what their endings say"""
    files: tuple[str, ...] = ()
    """files, folders or patterns (`dumps/**/*.jsonl.zst`) below the repository; or addresses (`https://`, `http://`,
    `s3://`), which `regrow sources freeze` lists with their bytes"""
    packages: tuple[str, ...] = ()
    """instead of `files`: packages (`debian:python3.11-doc`, `pypi:sqlalchemy==2.0.36`, `pypi-sdist:NAME==VERSION`),
    which `regrow sources freeze` lists with their bytes"""
    paths: Paths | None = None
    """instead of `files`: files that a list of paths names (`{list: https://…/warc.paths.gz, every: 1000}`), which
    `regrow sources freeze` lists with their bytes"""
    select: tuple[str, ...] = ()
    """of packages, and of archives that `files` names by address: patterns of the files in them
    (`usr/share/doc/**/*.html`); default: of a package all, and an address is one file"""
    licence: str = Field(min_length=1)
    """of the documents that name none: an SPDX identifier, LicenseRef-..., or `unknown`, which must be written"""
    origin: str = Field(min_length=1)
    """where the files come from: an address, a package, or a sentence"""
    fields: dict[str, str] = {}
    """jsonl, parquet: text, id, url, title, date, licence, language -> the field that holds it (`meta.url` for one
    inside another); default: the field of that name, and its usual other names"""
    metadata: tuple[str, ...] = ()
    """jsonl, parquet: further fields to carry along"""
    ocr: str = ""
    """pdf: a file or folder of what OCR read on scanned pages (`ocr/NAME.jsonl`, written by `regrow sources ocr`)"""
    shards: int = Field(default=1, ge=1, le=10_000)
    """jobs that read and filter it, each a part of its files; decides no byte"""
    max_row_bytes: int = Field(default=64_000_000, ge=1_000)
    """jsonl: longer lines are dropped (`row_too_large`), bytes"""
    max_document_bytes: int = Field(default=8_000_000, ge=1_000)
    """larger documents are dropped (`too_large`), bytes of text or of the file"""
