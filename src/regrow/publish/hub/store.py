"""`published/store`: the small DVC remote that the repository carries.

It holds the last release of every branch of the run and the tables that questions about them read,
under DVC's own names for objects, so that `dvc pull data/release/NAME` works in a fresh clone
without a server. An object is named by its content: what stays the same is never added to git again.

A run never takes from it (`regrow.engine.store`): `make demo` would prove nothing if it fetched what
it is to regrow.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regrow.engine.hashing import digest_bytes, digest_file
from regrow.engine.store import Store, dir_object
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.publish.hub.revisions import Revision, revisions

FOLDER = "published/store"
"""below the root of the repository; `.dvc/config` names it as the default remote"""
CEILING = 30_000_000
"""bytes: git carries the store, and a clone downloads it"""
CHECKPOINT = ("metrics.parquet", "rollouts.parquet", "state.json")
"""of a checkpoint on the way: what it saw and how it went, not its weights"""
_PACK = ("documents.parquet", "drops.parquet", "index.parquet", "meta.json", "tokens.bin")
EVIDENCE: dict[str, tuple[str, ...] | None] = {
    "regrow.data.crawl.step:crawl": ("fetches.parquet",),
    "regrow.data.text.step:extract": ("drops.parquet",),
    "regrow.data.filters.step:run": ("drops.parquet",),
    "regrow.data.sources.gather:text": ("drops.parquet",),
    "regrow.data.sources.gather:filtered": ("drops.parquet",),
    "regrow.data.dedup.step:run": ("drops.parquet",),
    "regrow.data.dedup.decontaminate:run": ("drops.parquet", "train.parquet"),
    "regrow.data.mix.step:run": None,
    "regrow.data.tokens.train:run": None,
    "regrow.learn.tasks.step:run": None,
    "regrow.data.tokens.pack:run": _PACK,
    "regrow.learn.tasks.midtrain_data:run": _PACK,
    "regrow.learn.tasks.longcontext_data:run": _PACK,
    "regrow.learn.tasks.sft_data:run": None,
    "regrow.learn.rl.pairs:run": None,
    "regrow.learn.rl.difficulty:run": None,
    "regrow.data.tokens.given:run": None,
    "regrow.learn.tasks.chats:run": None,
    "regrow.data.tokens.joined:run": (*_PACK, "joined.parquet"),
    "regrow.learn.tasks.joined:run": None,
}
"""function of a step -> the files of its output that questions about a release read; None: all of them"""


@dataclass(frozen=True)
class Item:
    """One object of the store."""

    md5: str
    """its address, `.dir` included"""
    sha256: str
    size: int
    path: str
    """what it is, below the root of the repository"""


def finals(ledger: Ledger) -> list[Revision]:
    """The last release of every branch: those from which no other release was made.

    Raises:
        Unanswerable: nothing is released.
    """
    found = revisions(ledger)
    continued = {parent for revision in found for parent in revision.parents}
    return [revision for revision in found if revision.name not in continued]


def chosen(ledger: Ledger) -> list[tuple[Record, list[str]]]:
    """The records that the store serves, and which of their files, in flow order.

    Every final release is there whole; questions can be asked of the last one of the flow.

    Raises:
        Unanswerable: nothing is released.
    """
    picked = {
        r.record.file: (r.record, [str(f["path"]) for f in r.record.files]) for r in finals(ledger)
    }
    last = ledger.final
    for record in ledger.ancestry(last) if last else ():
        if record.makes_checkpoint:
            wanted: tuple[str, ...] | None = CHECKPOINT
        elif record.function in EVIDENCE:
            wanted = EVIDENCE[record.function]
        else:
            continue
        names = [str(f["path"]) for f in record.files if wanted is None or f["path"] in wanted]
        picked[record.file] = (record, names)
    return sorted(picked.values(), key=lambda pair: ledger.order(pair[0]))


def targets(ledger: Ledger) -> list[str]:
    """What to name to `dvc pull` for all that the store holds: folders that are whole, else files."""
    found = []
    for record, names in chosen(ledger):
        whole = len(names) == len(record.files)
        found += [record.path] if whole else [f"{record.path}/{name}" for name in names]
    return found


def items(ledger: Ledger) -> list[Item]:
    """What the store holds, by address: files of the chosen records, and listings of folders.

    DVC finds a file by the listing of its step's whole folder, all instances together; so the
    listings of all steps of which a file is here are here as well.
    """
    found: dict[str, Item] = {}
    steps = {f"data/{record.step}" for record, _ in chosen(ledger)}
    for record, names in chosen(ledger):
        for entry in record.files:
            if entry["path"] in names:
                path = f"{record.path}/{entry['path']}"
                found[entry["md5"]] = Item(entry["md5"], entry["sha256"], entry["size"], path)
    for address, (path, content) in listings_by_address(ledger).items():
        if path not in steps:
            continue
        found[address] = Item(address, digest_bytes(content).sha256, len(content), path)
    return [found[address] for address in sorted(found)]


def listings(ledger: Ledger) -> Iterator[tuple[str, bytes]]:
    """The folder of each step of dvc.lock -> DVC's listing of it."""
    from regrow.engine.dvcfiles import step_files
    from regrow.recipe.table import is_repetition

    for step in dict.fromkeys(record.step for record in ledger.records):
        if not is_repetition(step):
            records = [record.raw for record in ledger.of_step(step)]
            yield f"data/{step}", dir_object(step_files(step, records))


def listings_by_address(ledger: Ledger) -> dict[str, tuple[str, bytes]]:
    """The address of each listing -> its folder and its bytes."""
    found = listings(ledger)
    return {f"{digest_bytes(content).md5}.dir": (path, content) for path, content in found}


def fill(ledger: Ledger) -> tuple[int, int, int]:
    """Make the store hold exactly `items`, from workspace and cache: objects added, removed, bytes in all.

    Raises:
        Unanswerable: a file is nowhere here with the recorded bytes, or the store would exceed
            `CEILING`. Nothing is changed then.
    """
    if other := _unlisted(ledger):
        raise Unanswerable(
            f"dvc.lock names another listing of {', '.join(other)} than the records give: run "
            "`snakemake --cores all`, which also removes records that nobody asks for any more."
        )
    wanted = items(ledger)
    total = sum(item.size for item in wanted)
    if total > CEILING:
        raise Unanswerable(
            f"{FOLDER} would hold {total:,} bytes; git shall carry at most {CEILING:,}. "
            "Leave files out in EVIDENCE (src/regrow/publish/hub/store.py)."
        )
    content = listings_by_address(ledger)
    cache = Store(ledger.root)
    sources = {i.md5: _source(ledger.root, cache, i) for i in wanted if i.md5 not in content}
    folder, keep = _places(ledger.root, wanted)
    added = 0
    for place, item in keep.items():
        if _holds(place, item):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        if item.md5 in content:
            place.write_bytes(content[item.md5][1])
        else:
            shutil.copyfile(sources[item.md5], place)
        place.chmod(0o644)
        added += 1
    stale = [path for path in _objects(folder) if path not in keep]
    for path in stale:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return added, len(stale), total


def faults(ledger: Ledger) -> list[str]:
    """What is wrong with the store: objects that are missing, other than recorded, or not of it."""
    folder, keep = _places(ledger.root, items(ledger))
    found = []
    for path, item in keep.items():
        if not path.is_file():
            found.append(f"{item.path}: object {item.md5} is missing")
        elif not _holds(path, item):
            found.append(f"{item.path}: object {item.md5} holds other bytes than recorded")
    found += [f"{path}: dvc.lock names another listing of it" for path in _unlisted(ledger)]
    strays = [path for path in _objects(folder) if path not in keep]
    return found + [f"{path.relative_to(ledger.root)}: of no record" for path in strays]


def _places(root: Path, wanted: list[Item]) -> tuple[Path, dict[Path, Item]]:
    """The folder of all objects, and where each is in it (DVC's layout)."""
    folder = root / FOLDER / "files" / "md5"
    return folder, {folder / item.md5[:2] / item.md5[2:]: item for item in wanted}


def _unlisted(ledger: Ledger) -> list[str]:
    """Folders of which dvc.lock names another listing than the records: DVC would ask for that one."""
    from regrow import yaml12

    try:
        lock = yaml12.load((ledger.root / "dvc.lock").read_text(encoding="utf-8"))
    except OSError:
        return []
    named = {out["path"]: out["md5"] for s in lock["stages"].values() for out in s["outs"]}
    ours = {path: address for address, (path, _) in listings_by_address(ledger).items()}
    return sorted(path for path in named if path in ours and named[path] != ours[path])


def _source(root: Path, cache: Store, item: Item) -> Path:
    for path in (root / item.path, cache.object_path(item.md5)):
        if path.is_file() and digest_file(path).sha256 == item.sha256:
            return path
    raise Unanswerable(
        f"{item.path} is neither in the workspace nor in DVC's cache with its recorded bytes. "
        "Run `snakemake --cores all`, then publish again."
    )


def _holds(path: Path, item: Item) -> bool:
    return path.is_file() and digest_file(path).sha256 == item.sha256


def _objects(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
