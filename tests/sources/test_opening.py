"""Packed files come unpacked in bounded pieces, and a broken one gives what came before."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from regrow.data.sources.opening import BrokenError, chunks, opened
from source_files import write

TEXT = b"".join(b"%d a line of text\n" % n for n in range(60_000))
ZEROS = bytes(48 << 20)
NOISE = random.Random(1).randbytes(400_000)
PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, 6, mtime=0),
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def taken(path: Path) -> tuple[bytes, str]:
    """What comes before the end, and the reason if that is too early."""
    parts = []
    try:
        for part in chunks(path):
            parts.append(part)
    except BrokenError as error:
        return b"".join(parts), error.reason
    return b"".join(parts), ""


@pytest.mark.parametrize("kind", PACK)
def test_members_one_after_another_are_one_file(kind: str, tmp_path: Path):
    half = len(TEXT) // 2
    data = PACK[kind](TEXT[:half]) + PACK[kind](b"") + PACK[kind](TEXT[half:])
    assert taken(write(tmp_path / f"a{kind}", data)) == (TEXT, "")


def test_a_file_without_packing_is_given_as_it_is(tmp_path: Path):
    packed = PACK[".gz"](TEXT)
    assert taken(write(tmp_path / "a.txt", packed)) == (packed, "")
    assert taken(write(tmp_path / "b.txt", b"")) == (b"", "")


@pytest.mark.parametrize("kind", PACK)
def test_a_truncated_file_gives_its_beginning_and_says_so(kind: str, tmp_path: Path):
    data = PACK[kind](NOISE[:200_000] + TEXT)
    whole, _ = taken(write(tmp_path / f"a{kind}", data))
    for cut in (len(data) - 1, len(data) // 2):
        start, reason = taken(write(tmp_path / f"b{kind}", data[:cut]))
        assert reason == "cut_short"
        assert whole.startswith(start) and (start or kind == ".bz2")
    assert taken(write(tmp_path / f"c{kind}", b"")) == (b"", "cut_short")


@pytest.mark.parametrize("kind", PACK)
def test_bytes_that_are_not_what_the_ending_says_are_bad_compression(kind: str, tmp_path: Path):
    assert taken(write(tmp_path / f"a{kind}", b"plain text, not packed")) == (
        b"",
        "bad_compression",
    )
    start, reason = taken(write(tmp_path / f"b{kind}", PACK[kind](TEXT) + b"garbage behind it, 32 bytes"))  # fmt: skip
    assert (start, reason) == (TEXT, "bad_compression")
    damaged = bytearray(PACK[kind](NOISE[:400_000]))
    damaged[len(damaged) // 2] ^= 0xFF
    assert taken(write(tmp_path / f"c{kind}", bytes(damaged)))[1] in (
        "bad_compression",
        "cut_short",
    )


def test_zeros_behind_gzip_are_padding(tmp_path: Path):
    assert taken(write(tmp_path / "a.gz", PACK[".gz"](TEXT) + b"\0" * 700)) == (TEXT, "")


@pytest.mark.parametrize("packed", [False, True])
def test_zstandard_with_a_dictionary_in_the_first_frame(packed: bool, tmp_path: Path):
    lines = [b'{"id": %d, "text": "the same words again and again"}\n' % n for n in range(2_000)]
    words = zstandard.train_dictionary(2_000, lines)
    raw = PACK[".zst"](words.as_bytes()) if packed else words.as_bytes()
    frames = [zstandard.ZstdCompressor(dict_data=words).compress(line) for line in lines[:50]]
    head = b"\x5d\x2a\x4d\x18" + len(raw).to_bytes(4, "little") + raw
    assert taken(write(tmp_path / "a.zst", head + b"".join(frames))) == (b"".join(lines[:50]), "")
    assert taken(write(tmp_path / "b.zst", head[:-5] + b"".join(frames)))[1] == "bad_compression"


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_is_never_held(kind: str, tmp_path: Path):
    path = tmp_path / f"bomb{kind}"
    path.write_bytes(PACK[kind](ZEROS) * 2)
    tracemalloc.start()
    try:
        size = sum(map(len, chunks(path)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 2 * len(ZEROS)
    assert peak < 24 << 20 < len(ZEROS)


def test_folders_pipes_and_missing_files_are_unreadable(tmp_path: Path):
    (tmp_path / "a.gz").mkdir()
    os.mkfifo(tmp_path / "b.gz")
    for name in ("a.gz", "b.gz", "missing.gz"):
        assert taken(tmp_path / name) == (b"", "unreadable")
    with pytest.raises(BrokenError) as error:
        opened(tmp_path / "missing")
    assert error.value.detail == "ENOENT"
    assert str(tmp_path) not in error.value.detail
