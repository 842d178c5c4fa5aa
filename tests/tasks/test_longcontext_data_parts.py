"""Packing, pieces, compressibility, word counts and facts."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_inputs
from regrow.data.tokens import bpe
from regrow.learn.tasks.long import aggregation, needles, retrieval
from regrow.learn.tasks.long.compress import ends, gzip_bytes
from regrow.learn.tasks.long.facts import Fact, Words, draw, vocabulary
from regrow.learn.tasks.long.packing import best_fit, fullest
from regrow.learn.tasks.long.pieces import MIN_PIECE, cut
from regrow.learn.tasks.long.pieces import draw as draw_pieces
from regrow.learn.tasks.long.segments import Source, fill, lines, segments


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tiny_inputs.tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return bpe.load(folder)[0]


@pytest.fixture(scope="module")
def texts():
    found = tiny_inputs.documents()
    return dict(zip(found["id"].to_list(), found["text"].to_list(), strict=True))


@pytest.fixture(scope="module")
def long_text(texts):
    return max(texts.values(), key=len)


@given(st.lists(st.integers(1, 64), max_size=80))
def test_best_fit_places_every_piece_once_within_the_length(sizes):
    bins = best_fit(sizes, 64)
    assert sorted(i for members in bins for i in members) == list(range(len(sizes)))
    assert all(sum(sizes[i] for i in members) <= 64 for members in bins)


@given(st.lists(st.integers(1, 64), max_size=80))
def test_best_fit_leaves_no_two_bins_that_fit_into_one(sizes):
    filled = sorted(sum(sizes[i] for i in members) for members in best_fit(sizes, 64))
    assert len(filled) < 2 or filled[0] + filled[1] > 64


def test_best_fit_takes_the_fullest_bin_that_has_room():
    # 50 and 40 open bins; 12 fits both and goes to the fuller one; 20 then fits the other only.
    assert best_fit([12, 50, 40, 20], 64) == [[1, 0], [2, 3]]
    assert best_fit([64, 64], 64) == [[0], [1]]
    with pytest.raises(ValueError, match="65"):
        best_fit([65], 64)


def test_fullest_keeps_order():
    assert fullest([[0], [1], [2]], [3, 9, 5], 2) == [[1], [2]]


@given(st.integers(1, 500), st.integers(40, 100))
def test_pieces_tile_the_document_but_for_a_short_rest(n, length):
    tokens = np.arange(n, dtype=np.uint16)
    pieces = cut("a", "long", tokens, length)
    joined = np.concatenate([piece.tokens for piece in pieces])
    assert joined.tolist() == list(range(len(joined)))
    assert n - len(joined) < MIN_PIECE
    assert [piece.offset for piece in pieces] == list(range(0, len(joined), length))
    assert all(len(piece.tokens) == length for piece in pieces[:-1])


def test_draw_gives_every_piece_once_and_sees_all_documents_first():
    documents = {f"d{i}": np.arange(300 + 100 * i, dtype=np.uint16) for i in range(5)}
    pieces = list(draw_pieces(documents, "long", length=100, at_once=2, seed=0))
    assert len({(piece.id, piece.offset) for piece in pieces}) == len(pieces) == 3 + 4 + 5 + 6 + 7
    assert {piece.id for piece in pieces[:10]} == set(documents)


def test_draw_of_one_document_does_not_depend_on_the_others():
    documents = {f"d{i}": np.arange(1_000, dtype=np.uint16) for i in range(5)}
    few = {k: v for k, v in documents.items() if k != "d2"}

    def offsets(of):
        drawn = draw_pieces(of, "long", length=100, at_once=1, seed=0)
        return [(p.id, p.offset) for p in drawn if p.id != "d2"]

    assert offsets(documents) == offsets(few)


def test_gzip_bytes_is_the_length_of_a_gzip_member():
    data = b"to be or not to be, " * 50 + bytes(range(256))
    n = gzip_bytes(data)
    # Another compressor at the same level differs by a few bytes at most.
    assert abs(n - len(gzip.compress(data, 6, mtime=0))) < 20
    assert gzip_bytes(b"a" * 10_000) < 60 < gzip_bytes(bytes(np.random.default_rng(0).bytes(1_000)))


def test_ends_are_the_same_share_on_both_sides():
    low, high = ends([0.5, 0.1, 0.9, 0.3, 0.7], list("abcde"), 0.2)
    assert (low, high) == ({1}, {2})
    assert ends([0.5, 0.5, 0.5], list("cab"), 0.34) == ({1}, {0})
    assert ends([0.5, 0.1], list("ab"), 0.2) == (set(), set())


def test_lines_put_together_have_the_tokens_of_the_text(tokenizer, texts):
    for text in texts.values():
        parts = segments(tokenizer, lines(text))
        whole = "".join(part.text for part in parts)
        (encoded,) = bpe.encode(tokenizer, [whole])
        assert [t for part in parts for t in part.tokens] == encoded.tolist()
        assert whole.split() == text.split()


@given(st.text(alphabet="a .,:\n\t\r☃1-", max_size=60))
@settings(max_examples=200)
def test_lines_of_any_text(text):
    tokenizer = _small()
    parts = segments(tokenizer, lines(text))
    (encoded,) = bpe.encode(tokenizer, ["".join(part.text for part in parts)])
    assert [t for part in parts for t in part.tokens] == encoded.tolist()


_SMALL = []


def _small():
    if not _SMALL:
        _SMALL.append(bpe.train(["a. \n\n  a,\n a: a.\n\n a"] * 4, 290, ["<|pad|>", "<|end|>"]))
    return _SMALL[0]


def test_fill_stays_in_its_budget_and_goes_on_behind(tokenizer, long_text):
    source = Source(tokenizer, lines(long_text))
    first, at = fill(source, 0, 200)
    second, _ = fill(source, at, 200)
    for part in (first, second):
        assert 100 < sum(len(s.tokens) for s in part) <= 200
    assert "".join(s.text for s in first + second) in "".join(source.texts)


def test_counts_are_those_of_the_section():
    text = "The session's row, a row; ROW rows row_id.\n"
    assert aggregation.count(text)["row"] == 3
    assert aggregation.telling(aggregation.count(text), {}, 9, 5) == ["row"]


def test_telling_words_are_rare_elsewhere():
    counts = aggregation.count("engine engine engine with with with with bind bind")
    chosen = aggregation.telling(counts, {"with": 10, "engine": 3, "bind": 1}, 20, 2)
    assert chosen == ["engine", "bind"]
    assert "with" not in aggregation.telling(counts, {"with": 11}, 20, 3)


def test_aggregation_answers_are_true(tokenizer, texts, long_text):
    frequencies, n = aggregation.frequencies(texts.values())
    made = 0
    for seed in range(12):
        found = aggregation.make(
            tokenizer,
            Source(tokenizer, lines(long_text)),
            "parent",
            frequencies,
            n,
            budget=1_500,
            sections=2,
            words_asked=4,
            name=("test", seed),
        )
        if not found:
            continue
        made += 1
        assert len(found.tokens) <= 1_500
        body, *asked = found.text.split("Question: ")
        sections = re.split(r"Section \d\n\n", body)[1:]
        assert len(asked) == len(sections) == 2
        for question in asked:
            number = int(re.search(r"section (\d)", question)[1])
            answer = re.search(r"Answer: (.*)\n", question)[1]
            pairs = dict(pair.rsplit(" ", 1) for pair in answer.split(", "))
            assert len(pairs) >= 2
            for word, times in pairs.items():
                own = re.findall(
                    rf"(?<!\w)(?<!\w['’]){word}(?!['’]?\w)", sections[number - 1].lower()
                )
                assert len(own) == int(times) >= aggregation.MIN_COUNT
    assert made >= 3


KNOWN = Words(
    keys=tuple(f"key{c}" for c in "abcdefghijklmnop"), values=tuple(["red", "blue", "old", "new"])
)


def test_facts_are_distinct_and_keyed():
    facts = draw(KNOWN, 4, ("a", 1))
    assert len({fact.key for fact in facts}) == len({fact.value for fact in facts}) == 4
    assert facts == draw(KNOWN, 4, ("a", 1)) != draw(KNOWN, 4, ("a", 2))
    with pytest.raises(ValueError, match="5 facts"):
        draw(KNOWN, 5, ("a", 1))


def test_vocabulary_prefers_words_of_one_token_and_says_when_there_are_too_few(tokenizer, texts):
    known = vocabulary(tokenizer, texts.values())
    assert min(len(known.keys), len(known.values)) >= 16
    assert not set(known.keys) & set(known.values)
    assert not {"code", "word", "with"} & {*known.keys, *known.values}
    few = vocabulary(tokenizer, list(texts.values())[::2])
    assert not set(few.keys) & set(known.values) and not set(few.values) & set(known.keys)
    with pytest.raises(ValueError, match="words for facts"):
        vocabulary(tokenizer, ["too little text"])


def test_retrieval_states_each_fact_once_and_asks_for_all(tokenizer, long_text):
    for seed in range(6):
        found = retrieval.make(
            tokenizer,
            Source(tokenizer, lines(long_text)),
            "parent",
            KNOWN,
            budget=900,
            facts=4,
            name=("test", seed),
        )
        if not found:
            continue
        assert len(found.tokens) <= 900
        (encoded,) = bpe.encode(tokenizer, [found.text])
        assert encoded.tolist() == list(found.tokens)
        body, *asked = found.text.split("Question: ")
        stated = dict(re.findall(r"^The code word for (\w+) is (\w+)\.$", body, re.M))
        answers = dict(re.findall(r"Answer: The code word for (\w+) is (\w+)\.", found.text))
        assert len(stated) == len(asked) == 4 and stated == answers
        break
    else:
        pytest.fail("no document was made")


def test_weave_finds_the_ends_of_statements(tokenizer, long_text):
    filler, _ = fill(Source(tokenizer, lines(long_text)), 0, 300)
    stated = segments(tokenizer, [fact.statement for fact in draw(KNOWN, 3, ("w",))])
    for seed in range(20):
        woven = retrieval.weave(filler, stated, ("w", seed))
        stream = [t for part in woven.parts for t in part.tokens]
        for fact, end in zip(stated, woven.ends, strict=True):
            assert tuple(stream[end - len(fact.tokens) : end]) == fact.tokens


def test_needle_distances_are_exact_and_vary(tokenizer, long_text):
    sources = {"doc": Source(tokenizer, lines(long_text))}
    known = Words(keys=KNOWN.keys, values=tuple(f"val{c}" for c in "abcdefghijklmnop"))
    distances = set()
    for number in range(30):
        for kind, facts in needles.KINDS.items():
            found = needles.make(
                tokenizer, sources, known, kind=kind, length=900, name=("n", kind, number)
            )
            if not found:
                continue
            assert len(found.prompt) + len(found.answer) <= 900
            at = len(found.prompt) - found.distance
            assert found.prompt[at : at + len(found.answer)] == found.answer
            text = tokenizer.decode(found.prompt)
            assert text.count("The code word for") == facts + 1
            assert text.endswith(" is")
            # the end of the prompt and the answer together are the tokens of the sentence
            question = Fact(**{k: json.loads(found.arguments)[k] for k in ("key", "value")})
            (whole,) = bpe.encode(tokenizer, [question.answered])
            joined = found.prompt + found.answer
            n = len(whole) - len(next(bpe.encode(tokenizer, [".\n\n"])))
            assert joined[-n:] == whole.tolist()[:n]
            distances.add(found.distance)
    assert len(distances) > 20 and max(distances) > 500 > 200 > min(distances)
