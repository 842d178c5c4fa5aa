"""What a reader of sources declares: how its files are called, and what a recipe may say of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Files:
    """Files of one kind of source."""

    endings: tuple[str, ...] = ()
    """of their names, in small letters; where all patterns of an entry of the recipe end so, it may leave `kind` out"""
    packed: tuple[str, ...] = ()
    """endings that packed files have besides"""
    rows: bool = False
    """a file holds rows, whose fields the recipe may name (`fields`, `metadata`)"""
    scans: bool = False
    """pages may be pictures, which OCR reads (`ocr`)"""
    beside: str = ""
    """what is read beside the files, as a pattern of `regrow.selection`"""
    often_empty: bool = False
    """empty files are nothing to look into"""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings, packed ones included."""
        return tuple(ending + packed for ending in self.endings for packed in ("", *self.packed))
