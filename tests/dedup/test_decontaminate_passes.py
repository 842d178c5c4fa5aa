"""Decontamination in passes: what one pass over everything would do, at any size, holding little."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from held import most_held
from regrow.data.dedup import choice, decontaminate, holdout, notes, words
from regrow.data.dedup.shingles import Shingler
from regrow.data.tables import stream
from regrow.params.data import Decontaminate

SCHEMA = {
    "id": pl.String, "url": pl.String, "source": pl.String, "text": pl.String, "score": pl.Float64,
}  # fmt: skip
Row = dict[str, object]


def rows(count: int, seed: int = 0, length: int = 60) -> list[Row]:
    """Documents of four sources, parts of which are copies of parts of others, in no order."""
    rng = random.Random(seed)
    parts = [" ".join(f"w{rng.randrange(10**6)}" for _ in range(20)) for _ in range(count)]
    footer = " ".join(f"foot{n}" for n in range(16))
    made: list[Row] = []
    for n in range(count):
        own = " ".join(f"own{n}x{k}" for k in range(rng.randrange(length)))
        text = f"{own} {' '.join(rng.sample(parts, rng.randrange(3)))} {footer * rng.randrange(2)}"
        made.append(
            {
                "id": f"{n * 7919 % 100_003:06d}",
                "url": f"http://h{n % 4}/v{n % 3}.{n % 2}/p{n // 3}" if n % 11 else None,
                "source": f"s{n % 4}-1.{n % 2}",
                "text": text if n % 17 else None,
                "score": n / 7 if n % 5 else None,
            }
        )
    made += [made[5], {**made[6], "url": "http://else/6"}]
    return rng.sample(made, len(made))


def prepared(folder: Path, given_rows: list[Row]) -> Path:
    """A folder with the inputs of the step."""
    for name in ("dedup", "evals", "tasks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    pl.DataFrame(given_rows, SCHEMA).write_parquet(folder / "dedup/documents.parquet")
    (folder / "evals/a.jsonl").write_text('{"id": "e", "text": "Sort the words own7x1 own7x2."}\n')
    questions = pl.DataFrame({"id": ["t"], "question": ["own8x0 own8x1 own8x2"]})
    for split in ("dev", "test"):
        questions.write_parquet(folder / f"tasks/{split}.parquet")
    return folder


def step(folder: Path, params: Decontaminate) -> dict:
    inputs = {name: folder / name for name in ("dedup", "evals", "tasks")}
    return decontaminate.run(inputs, SimpleNamespace(decontaminate=params), folder / "out")


def run(folder: Path, given_rows: list[Row], params: Decontaminate) -> tuple[dict, dict[str, list]]:
    counts = step(prepared(folder, given_rows), params)
    names = ("train", "heldout", "drops")
    assert {path.name for path in (folder / "out").iterdir()} == {f"{n}.parquet" for n in names}
    return counts, {n: pl.read_parquet(folder / f"out/{n}.parquet").to_dicts() for n in names}


def in_one_pass(given_rows: list[Row], p: Decontaminate) -> tuple[dict, dict[str, list]]:
    """The rule, written down without a thought for memory; items of evals and tasks left to the caller."""
    table = sorted(given_rows, key=lambda row: (row["id"], row["url"] or ""))
    for row in table:
        row["domain"] = holdout.domain(row["url"] or "", row["source"], p.domains)
    groups: dict[str, Counter[str]] = {}
    for row in table:
        name = holdout.group(row["url"] or "", row["domain"])
        groups.setdefault(row["domain"], Counter())[name] += 1
    chosen = set()
    for found in groups.values():
        chosen |= holdout.choose(found, p.heldout_share, p.heldout_min, p.seed)
    shingler = Shingler(p.ngram)
    grams = [set(shingler.sequence(row["text"] or "").tolist()) for row in table]
    is_held = [holdout.group(row["url"] or "", row["domain"]) in chosen for row in table]
    times = Counter(g for own, held in zip(grams, is_held, strict=True) if not held for g in own)
    sets = {
        n: {g for g in grams[n] if times[g] <= p.common_ngram} for n, h in enumerate(is_held) if h
    }
    train, drops, seen = [], [], set()
    for n, row in enumerate(table):
        drop = {"id": row["id"], "url": row["url"], "step": "decontaminate"}
        if is_held[n]:
            same = {"reason": "held_out", "value": None, "threshold": None, "detail": row["domain"]}
            drops.append(drop | same)
            continue
        if found := item_in(row["text"] or ""):
            drops.append(drop | found)
            continue
        best, whose = 0.0, -1
        for k, own in sets.items():
            shared = len(own & grams[n]) / max(min(len(own), len(grams[n])), 1)
            if shared > best:
                best, whose = shared, k
        if best > p.max_overlap:
            named = {"value": best, "threshold": p.max_overlap, "detail": table[whose]["id"]}
            drops.append(drop | {"reason": "overlaps_heldout"} | named)
        else:
            train.append(row)
            seen |= grams[n]
    domains = {}
    for name in sorted(groups):
        mine = [own for k, own in sets.items() if table[k]["domain"] == name]
        domains[name] = {
            "train": sum(row["domain"] == name for row in train),
            "heldout": len(mine),
            "heldout_ngrams": sum(map(len, mine)),
            "heldout_ngrams_seen": sum(len(own & seen) for own in mine),
        }
    reasons = Counter(row["reason"] for row in drops)
    counts = {"in": len(table), "kept": len(train), "dropped": dict(sorted(reasons.items()))}
    held = [row for n, row in enumerate(table) if is_held[n]]
    drops.sort(key=lambda row: (row["id"], row["reason"], row["detail"]))
    return counts | {"domains": domains}, {"train": train, "heldout": held, "drops": drops}


def item_in(text: str) -> dict[str, object] | None:
    """The one task, which the documents hold as it stands, or not at all."""
    if "own8x0 own8x1 own8x2" not in text:
        return None
    return {"reason": "holds_task", "value": 1.0, "threshold": 1.0, "detail": "t"}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("small", [False, True], ids=["one piece", "many pieces"])
def test_passes_do_what_one_pass_would(tmp_path, monkeypatch, seed, small):
    if small:
        monkeypatch.setattr(stream, "SMALL", 4_000)
        monkeypatch.setattr(stream, "GROUP_ROWS", 9)
        monkeypatch.setattr(stream, "BATCH", 2_000)
        monkeypatch.setattr(choice, "GROUPS", 5)
        monkeypatch.setattr(words, "REMEMBERED", 50)
    made, seen = rows(130, seed), 0
    for common in (1, 10):
        params = Decontaminate(common_ngram=common, ngram=8, heldout_share=0.1, max_overlap=0.2)
        counts, tables = run(tmp_path / f"{common}", made, params)
        expected_counts, expected = in_one_pass([dict(row) for row in made], params)
        assert counts == expected_counts
        assert tables == expected
        assert {"held_out", "holds_task", "overlaps_heldout"} == set(counts["dropped"])
        seen += sum(found["heldout_ngrams_seen"] for found in counts["domains"].values())
    assert seen


def test_the_order_of_rows_decides_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "SMALL", 4_000)
    monkeypatch.setattr(stream, "GROUP_ROWS", 9)
    made = rows(120)
    made += [{**made[3], "text": "the same id and address, another text"}]
    files = []
    for seed in range(2):
        run(tmp_path / str(seed), random.Random(seed).sample(made, len(made)), Decontaminate())
        paths = sorted((tmp_path / str(seed) / "out").iterdir())
        files.append({path.name: path.read_bytes() for path in paths})
    assert files[0] == files[1]


LIMITS = {"SMALL": 60_000, "GROUP_SIZE": 20_000, "GROUP_ROWS": 64, "BATCH": 20_000, "FAN_IN": 4}


class Nothing:
    """No items: their tables, the same for every table of documents, would hide what documents take."""

    def __init__(self, *given: object) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def find(self, text: str, words: object = None) -> None:
        return None


def test_what_is_held_does_not_grow_with_the_table(tmp_path, monkeypatch):
    for name, value in LIMITS.items():
        monkeypatch.setattr(stream, name, value)
    monkeypatch.setattr(stream.sorted_runs, "__defaults__", (LIMITS["SMALL"],))
    monkeypatch.setattr(choice, "GROUPS", 50)
    monkeypatch.setattr(choice, "MOST", 20_000)
    monkeypatch.setattr(words, "REMEMBERED", 1_000)
    monkeypatch.setattr(decontaminate, "Unwanted", Nothing)
    held = []
    for count in (150, 1_200):
        made = sorted(rows(count, length=90), key=lambda row: (row["id"], row["url"] or ""))
        folder = prepared(tmp_path / str(count), made)
        step(folder, Decontaminate())  # libraries load once, and not while it is counted
        held.append(most_held(lambda folder=folder: step(folder, Decontaminate()), monkeypatch))
    assert held[1].batches > 6 * held[0].batches
    assert held[1].batch_bytes < (LIMITS["FAN_IN"] + 4) * LIMITS["BATCH"]
    assert held[1].bytes < 1.3 * held[0].bytes


def test_the_hold_out_of_a_large_table_is_bounded(tmp_path, monkeypatch):
    made = rows(400)
    _, free = run(tmp_path / "free", made, Decontaminate(heldout_share=0.3))
    monkeypatch.setattr(choice, "MOST", 24_000)
    counts, bound = run(tmp_path / "bound", made, Decontaminate(heldout_share=0.3))
    assert all(found["heldout"] >= 4 for found in counts["domains"].values())
    sizes = sum(len(row["text"] or "") + choice.PER_DOCUMENT for row in bound["heldout"])
    assert 12_000 < sizes <= 24_000
    ids = [{row["id"] for row in found["heldout"]} for found in (free, bound)]
    assert ids[1] < ids[0]


def test_a_new_source_leaves_the_hold_out_of_others_unless_the_bound_cuts_it(tmp_path, monkeypatch):
    """A mix search finds its old proxies by this: their packs are of the documents that are not held out."""
    made = [row for row in rows(400) if row["url"]]
    few, all_ = tmp_path / "few.parquet", tmp_path / "all.parquet"
    pl.DataFrame([r for r in made if r["source"] < "s3"], SCHEMA).write_parquet(few)
    pl.DataFrame(made, SCHEMA).write_parquet(all_)

    def kept(most: int, share: float) -> bool:
        monkeypatch.setattr(choice, "MOST", most)
        asked = Decontaminate(heldout_share=share)
        old, new = (choice.choose(table, asked, tmp_path).groups for table in (few, all_))
        assert old
        return old == {name for name in new if not name.startswith("s3")}

    assert kept(10**7, 0.3)
    assert not kept(24_000, 0.3)
    assert kept(24_000, 0.02)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 300)), max_size=30),
    st.integers(0, 5), st.integers(1, 1_500),
)  # fmt: skip
def test_the_bound_holds_for_any_groups(sizes, least, most):
    groups = [(f"g{n}", *found) for n, found in enumerate(sizes)]
    total = sum(documents for _, documents, _ in groups)
    free = set(holdout.first(groups, total, 0.3, least, 10**9))
    names = set(holdout.first(groups, total, 0.3, least, most))
    found = [group for group in groups if group[0] in names]
    documents = sum(group[1] for group in found)
    assert documents <= least or sum(group[2] for group in found) <= most
    assert 2 * documents <= total
    if sum(group[2] for group in groups if group[0] in free) <= most // 2:
        assert sum(2 * group[2] > most for group in groups) or names == free


def test_parts_of_the_bound_sum_to_it():
    sizes = Counter({"a": 10**9, "b": 5, "c": 10**6})
    parts = [choice.part(name, sizes) for name in sizes]
    assert choice.MOST - 3 <= sum(parts) <= choice.MOST
    assert parts[0] > parts[2] > parts[1] > choice.MOST // 7


def test_words_are_forgotten_and_n_grams_stay(monkeypatch):
    monkeypatch.setattr(words, "REMEMBERED", 100)
    forgetful, faithful = words.Forgetful(3), Shingler(3)
    reader = words.ForgetfulReader(forgetful)
    for n in range(50):
        text = " ".join(f"word{n * k % 97}x{n}" for k in range(40))
        assert (forgetful.sequence(text) == faithful.sequence(text)).all()
        reader.read(text)
        assert forgetful.held <= 100 + 40


def test_notes_come_back_as_they_were(tmp_path):
    hits = notes.Note().hits
    given_notes = [
        notes.Note(held=True), notes.Note(size=7), notes.Note(size=9, hits=hits + 0),
        notes.Note(drop=("quotes_eval", 0.1 + 0.2, 13.0, "ein\u00fc\udc80")),
    ]  # fmt: skip
    with notes.Notes(tmp_path / "notes") as written:
        for note in given_notes:
            written.add(note)
    found = list(notes.read(tmp_path / "notes"))
    assert [(n.held, n.size, n.hits.tolist(), n.drop) for n in found] == [
        (n.held, n.size, n.hits.tolist(), n.drop) for n in given_notes
    ]
