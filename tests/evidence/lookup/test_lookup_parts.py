"""Trees, rows, sorting and order against plain Python."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.data.tokens.order import Order
from regrow.evidence.lookup import grow, keys, rows, sort
from regrow.evidence.lookup.damaged import Damaged
from regrow.evidence.lookup.feistel import Bijection, Positions
from regrow.evidence.lookup.tree import BLOCK, FULL, HEAD, BTree
from regrow.numerics.permutation import Permutation

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(calm, max_examples=40)
number = st.integers(0, 40) | st.integers(0, keys.HIGHEST)


@few
@given(
    st.lists(number, max_size=60),
    st.lists(st.tuples(number, number), min_size=1, max_size=8),
    st.sampled_from([1, 30, 900]),
    st.integers(2, 5000),
)
def test_a_tree_gives_what_a_list_gives(
    held: list[int], asked: list[tuple[int, int]], times: int, room: int
) -> None:
    """Equal keys in many blocks, several levels, runs on disk: the answers of a scan."""
    stream = [(key, place) for place, key in enumerate(held * times)]
    wanted = sorted(stream)
    chunks = [stream[i : i + 700] for i in range(0, len(stream), 700)]
    arrays = [
        (np.array([k for k, _ in c], np.uint64), np.array([v for _, v in c], np.uint64))
        for c in chunks
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.tree"
        made = grow.grow(path, "number", sort.ordered(arrays, path.parent, room))
        assert made == len(stream) and [p.name for p in Path(folder).iterdir()] == ["a.tree"]
        tree = BTree(path)
        assert list(tree.between(0, keys.HIGHEST)) == wanted
        for low, high in [*asked, *((key, key) for key in held[:8])]:
            assert list(tree.between(low, high)) == [e for e in wanted if low <= e[0] <= high]
            below = [e for e in wanted if e[0] <= low]
            assert tree.floor(low) == (below[-1] if below else None)
        tree.close()


def test_sorting_on_disk_with_more_keys_than_a_sample_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that repeat across the cuts between pieces, in runs longer than what is sampled."""
    monkeypatch.setattr(sort, "_EVERY", 7)
    made = np.random.default_rng(0).integers(0, 50, 5000).astype(np.uint64)
    values = np.arange(5000, dtype=np.uint64)
    found = list(sort.ordered([(made, values)], tmp_path, 300))
    order = np.argsort(made, kind="stable")
    assert np.concatenate([keys for keys, _ in found]).tolist() == made[order].tolist()
    assert np.concatenate([held for _, held in found]).tolist() == order.tolist()
    assert max(len(keys) for keys, _ in found) < 5000 / 4 and list(tmp_path.iterdir()) == []


def test_a_tree_of_three_levels_reads_three_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = FULL * FULL + 5
    ascending = np.arange(count, dtype=np.uint64) * np.uint64(3)
    grow.grow(tmp_path / "t", "number", [(ascending, ascending // np.uint64(3))])
    tree = BTree(tmp_path / "t")
    reads = []
    whole = tree._checked
    monkeypatch.setattr(tree, "_block", lambda n: (reads.append(n), whole(n))[1])
    for place in (0, 1, FULL, FULL * FULL - 1, count - 1):
        reads.clear()
        assert tree.find(3 * place) == [place]
        assert len(reads) <= 4, "a level each, and one more where a key may go on in the next leaf"
        assert tree.floor(3 * place + 2) == (3 * place, place)
    assert tree.find(1) == [] and tree.find(3 * count) == []


texts = st.text(max_size=12)
hexes = st.text("0123456789abcdef", max_size=32)


@calm
@given(st.sampled_from(["hex", "text"]), st.data())
def test_a_prefix_spans_the_keys_of_what_begins_so(kind: keys.Kind, data: st.DataObject) -> None:
    value = data.draw(hexes if kind == "hex" else texts)
    cut = data.draw(st.integers(0, len(value)))
    found = keys.span(kind, value[:cut])
    assert found is not None
    (key,) = keys.keys(kind, [value]).tolist()
    assert found[0] <= key <= found[1] and keys.key(kind, value) == key


@calm
@given(texts)
def test_what_is_no_hex_has_no_hex_key(value: str) -> None:
    plain = set(value) <= set("0123456789abcdef")
    assert (keys.key("hex", value) is not None) == plain
    assert keys.key("hash", value) == keys.keys("hash", [value]).tolist()[0]


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://a.example/b/#c", "a.example/b"),
        ("http://a.example/b", "a.example/b"),
        ("a.example/b/", "a.example/b"),
        ("file:notes.md", "file:notes.md"),
    ],
)
def test_a_bare_url(url: str, bare: str) -> None:
    assert keys.bare(url) == bare == keys.bare(bare)


value = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text()
)


@few
@given(st.lists(st.dictionaries(st.sampled_from("abc"), value), max_size=150))
def test_rows_come_back_by_number(table: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        assert rows.write(path, table) == len(table)
        found = rows.Rows(path)
        order = sorted(range(len(table)), key=lambda n: (n * 7919) % 151)
        assert [found.row(n) for n in order] == [table[n] for n in order]
        with pytest.raises(IndexError):
            found.row(len(table))


@calm
@given(st.integers(1, 5000), st.text(max_size=8), st.data())
def test_the_order_of_one_position_is_that_of_arrays(n: int, key: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, n - 1))
    one, many = Bijection(n, key), Permutation(n, key)
    assert one.forward(at) == int(many.forward(at)) and one.inverse(at) == int(many.inverse(at))
    assert one.inverse(one.forward(at)) == at
    mine, theirs = Positions(n, 3, key), Order(n, 3, key)
    end = data.draw(st.integers(0, 4 * n))
    assert mine.key == theirs.key
    assert mine.positions(at, end) == theirs.positions(at, end)
    assert mine.at(at + 2 * n) == int(theirs.at(at + 2 * n)[0])


@pytest.mark.parametrize("n", [1, 2, 10**9, 2**61 + 1])
def test_the_order_of_large_counts(n: int) -> None:
    one, many = Bijection(n, "k"), Permutation(n, "k")
    for at in {0, n // 3, n - 1}:
        assert (one.forward(at), one.inverse(at)) == (int(many.forward(at)), int(many.inverse(at)))
    with pytest.raises(IndexError):
        one.inverse(n)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    ascending = np.arange(3000, dtype=np.uint64)
    grow.grow(tmp_path / "x.tree", "number", [(ascending, ascending)])
    return tmp_path / "x.tree"


@pytest.mark.parametrize(
    "at", [0, 20, 100, HEAD, HEAD + 8200, HEAD + BLOCK - 3, HEAD + 3 * BLOCK + 9]
)
def test_a_changed_byte_of_a_tree_is_noticed(tree: Path, at: int) -> None:
    content = bytearray(tree.read_bytes())
    content[at] ^= 1
    tree.write_bytes(content)
    if at == 100:  # behind the header: nothing is read there
        assert BTree(tree).find(7) == [7]
        return
    with pytest.raises(Damaged):
        found = BTree(tree)
        assert list(found.between(0, 3000)) == [(n, n) for n in range(3000)]


@pytest.mark.parametrize("keep", [0, 10, HEAD, HEAD + BLOCK, -1])
def test_a_tree_cut_off_is_noticed(tree: Path, keep: int) -> None:
    tree.write_bytes(tree.read_bytes()[:keep])
    with pytest.raises(Damaged):
        BTree(tree)


def test_every_changed_byte_of_rows_is_noticed_or_harmless(tmp_path: Path) -> None:
    table = [{"id": str(n)} for n in range(150)]
    path = tmp_path / "r"
    rows.write(path, table)
    content = path.read_bytes()
    for at in range(0, len(content), 3):
        changed = bytearray(content)
        changed[at] ^= 4
        path.write_bytes(changed)
        try:
            found = rows.Rows(path)
            assert [found.row(n) for n in range(150)] == table
        except Damaged:
            continue
    path.write_bytes(content[:-30])
    with pytest.raises(Damaged):
        rows.Rows(path)
