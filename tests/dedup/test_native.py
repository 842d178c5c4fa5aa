"""The native code of deduplication gives what Python gives, and Python does the work where it is not built."""

import hashlib
import subprocess
import sys
import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regrow.data.dedup import exact, folding, minhash, sequences, shingles, signatures, splitting
from regrow.data.dedup.native import build, library, table
from regrow.data.dedup.native.library import Joined, Library
from regrow.data.dedup.shingles import Shingler, number
from regrow.params.data import Containment, Dedup

PIECES = [
    "a", "B", "z_y", "_", " ", "  ", "\n", "\t", "\x1c", "\x85", "\xa0", "\u3000", "'", "\u2019", "\u2018", "`", "\u00b4", "\u0149",
    "&", "&amp", "&amp;", "&#60;b>", "&;", "<", "< b>", "<b>", "</B >", "<br/>", "<a href='x'>", "<x.h>", "<x", "<b1>", "<3>", "</ b>", "<b\xa0>", "<strong>", "<strongs>", "<td", " x=y>", "<u/", "<blockquote>",
    "<!-- c -->", "<!", ">",
    "[", "](", "[x](y)", "*", "**", "***", "~", "~~", "1", "12", "000", "1,000", "1,0000", "10'000", "1\u2019000", "2\xa0000",
    "3\u202f000", "4_000", "\u0661,\u0660\u0660\u0660", "\ufb01", "\u0130", "\u00df", "\u1e9e", "\u00bd", "\u2026", "\u2122", "\u00a8",
    "\u00ad", "\u200f", "\x00", "e\u0301", "\u00e9", "\u212b", "\u2126", "\u65e5", "\u672c", "\u30ab\u3099", "\u30ac", "\uac00",
    "\u11a8", "\u0e01", "\u0627", "\U00020000", "\U0001f600", "\ud800", "\udc00", "sixteenbytesword", "a-word-of-more-than-sixteen",
    "W" * 129, "don't", ".", "\u2460", "\u24b6", "\u03c2", "\u03a3", "\u0345",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=12).map("".join)
TEXTS = st.lists(TEXT, max_size=5)


@pytest.fixture(scope="module")
def native() -> Library:
    return Library(str(build.build()))


@settings(max_examples=1_500, deadline=None)
@given(TEXTS, st.integers(1, 6))
@example(["a**b", "a*b", "1*b", "<b*c", "x~~y", "**b", "a~b"], 1)
@example(["1,000", "11'000,000", "a1\xa0000", "1,00", ",000"], 1)
def test_ngrams_are_those_of_one_text_alone(native, texts, n):
    alone = Shingler(n)
    for raw in (True, False):
        given_ = texts if raw else [*map(folding.fold, texts)]
        every, ends = native.ngrams(Joined.of(given_), n, raw)
        for text, found in zip(texts, sequences._cut(every, ends), strict=True):
            assert found is None or found.tolist() == alone.sequence(text).tolist(), (text, raw)


def test_the_tags_are_those_that_python_folds(native):
    names = [
        *folding._INLINE,
        "td",
        "B",
        "tT",
        "h1",
        "x" * 8,
        "strik",
        "abbrs",
        "1b",
        "a_b",
        "ab\u00e9",
    ]
    texts = [
        f"x{begin}{name}{end}y"
        for name in names
        for begin in ("<", "</", "</ ", "<<")
        for end in (">", " >", "/>", " a=b>", "\x1c>", "-x>", "\xa0>", "", " ")
    ]
    for size in (998, 999, 1_000, 1_001, 2_000):
        texts += [f"x<td {one * size}>y" for one in ("c", "\u00e9", "\u65e5")]
    every, ends = native.ngrams(Joined.of(texts), 1, True)
    alone = Shingler(1)
    for text, found in zip(texts, sequences._cut(every, ends), strict=True):
        assert found is None or found.tolist() == alone.sequence(text).tolist(), text
    assert (ends >= 0).mean() > 0.8


def test_every_character_folds_as_python_folds_it(native):
    characters = [chr(code) for code in range(1, 1 << 16)]
    texts = [f"x{one}y {one} {one}'z" for one in characters]
    alone = Shingler(1)
    left = {True: 0, False: 0}
    for raw in left:
        given_ = texts if raw else [*map(folding.fold, texts)]
        every, ends = native.ngrams(Joined.of(given_), 1, raw)
        for text, found in zip(texts, sequences._cut(every, ends), strict=True):
            if found is None:
                left[raw] += 1
            else:
                assert found.tolist() == alone.sequence(text).tolist(), ascii(text)
    assert 2_048 <= left[False] < 2_100  # surrogates, and what becomes a character beyond 16 bits
    assert left[True] < 1 << 15


def test_no_character_that_may_change_stands_for_a_mark_or_joins_what_is_before_it():
    """NFKC of a text is then that of its characters: a primary composite's second part is none of them."""
    seconds = set()
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(int(parts[1], 16))
    known = np.flatnonzero(table.table(True) & (7 << 44))
    assert not seconds & set(known.tolist())
    for code in known.tolist():
        assert not unicodedata.combining(chr(code))
        assert code < 0x80 or not chr(code).isdecimal()
        assert not unicodedata.category(chr(code)).startswith("M")
        assert not 0x1100 <= code < 0x1200  # Hangul letters make syllables
        if chr(code) in folding.APOSTROPHES:
            continue  # replaced before
        for part in unicodedata.normalize(
            "NFKC", unicodedata.normalize("NFKC", chr(code)).casefold()
        ):
            assert ord(part) not in seconds and not unicodedata.combining(part)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_fingerprints_are_those_of_python(native, texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "library", lambda: native)
        assert exact.fingerprints(texts) == [*map(exact.fingerprint, texts)]


def test_words_of_every_length_have_their_numbers(native):
    said = ["w" * size for size in [*range(1, 40), 127, 128, 129, 255, 256, 257, 1_000]]
    found, _ = native.ngrams(Joined.of([" ".join(said)]), 1, True)
    digests = [hashlib.blake2b(one.encode(), digest_size=8).digest() for one in said]
    assert found.tolist() == shingles.mix(np.array([*map(number, said)], np.uint64)).tolist()
    assert [*map(number, said)] == [int.from_bytes(one, "little") for one in digests]


def test_a_full_memory_of_numbers_changes_none(monkeypatch):
    monkeypatch.setattr(library, "_BITS", 2)
    small = Library(str(build.build()))
    text = " ".join(f"word{i % 37}" * (i % 5 + 1) for i in range(500))
    assert (
        small.ngrams(Joined.of([text]), 3, True)[0].tolist() == Shingler(3).sequence(text).tolist()
    )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9) | st.integers(0, 2**64 - 1), max_size=40), min_size=1, max_size=5),
    st.integers(1, 9), st.integers(1, 9),
)  # fmt: skip
def test_keys_and_sizes_are_those_of_python(native, rows, bands, each):
    grams = np.array([one for row in rows for one in row], np.uint64)
    ends = np.cumsum([*map(len, rows)], dtype=np.int64)
    made = []
    for code in (native, None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(minhash, "library", lambda code=code: code)
            patch.setattr(shingles, "library", lambda code=code: code)
            keys = minhash.keys_of(grams, ends, bands, each, 7)
            made.append((keys.tolist(), shingles.sizes(grams, ends).tolist()))
    assert made[0] == made[1]
    assert made[1][1] == [len(set(row)) for row in rows]


@pytest.mark.parametrize("containment", [None, Containment()])
def test_the_table_of_signatures_has_the_same_bytes_without_it(native, containment, tmp_path):
    texts = [f"{one} {other} the same words again" for one in PIECES for other in PIECES[::9]]
    documents = [{"id": f"{at:05d}", "text": text} for at, text in enumerate(texts)]
    params = Dedup(bands=5, rows=3, containment=containment)
    made = []
    for code in (native, None):
        with pytest.MonkeyPatch.context() as patch:
            for module in (minhash, shingles, exact, sequences):
                patch.setattr(module, "library", lambda code=code: code)
            path = tmp_path / f"{code is None}.parquet"
            signatures.write(documents, params, path)
            made.append(path.read_bytes())
    assert made[0] == made[1]


def test_a_second_process_writes_the_same_signatures(tmp_path):
    code = (
        "import sys; from pathlib import Path; from regrow.data.dedup import signatures; from regrow.params.data import Dedup; "
        "signatures.write([{'id': str(i), 'text': f'caf\u00e9 {i} <b>x</b> words of a text'} for i in range(9)], Dedup(), Path(sys.argv[1]))"
    )
    made = []
    for name in ("one", "two"):
        path = tmp_path / name
        subprocess.run([sys.executable, "-c", code, path], check=True)
        made.append(path.read_bytes())
    assert made[0] == made[1]


def test_where_nothing_is_built_python_does_it(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "BUILT", tmp_path / "none")
    library.library.cache_clear()
    try:
        assert library.library() is None
        assert [one.tolist() for one in sequences.Sequences(2).of(["a b c"])] == [
            Shingler(2).sequence("a b c").tolist()
        ]
    finally:
        library.library.cache_clear()


def test_it_is_built_once_and_by_the_sources_names(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "BUILT", tmp_path / "odd %s" / "_native")
    (tmp_path / "odd %s").mkdir()
    made = build.build()
    assert made == build.target() == build.build()
    assert [path.name for path in build.BUILT.iterdir()] == [made.parent.name]


def test_without_the_compiler_it_says_what_to_do(monkeypatch, tmp_path):
    def none(name):
        raise build.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(build, "BUILT", tmp_path / "none")
    monkeypatch.setattr(build, "importlib", SimpleNamespace(metadata=SimpleNamespace(
        version=none, PackageNotFoundError=build.importlib.metadata.PackageNotFoundError,
    )))  # fmt: skip
    with pytest.raises(build.BuildError, match="ziglang"):
        build.build()


def test_what_parts_words_is_what_words_says():
    assert splitting.table()[ord("a")] == splitting.IN_WORD
    assert splitting.table()[ord("\u65e5")] == splitting.LONE
    assert splitting.table()[ord(".")] == splitting.PARTS
