"""Attacks on the toy of tests/support/small_repository.py: what each changes, what must find it, what must repair it.

The tests in tests/engine/tamper carry each out and hold the found message against `FOUND`;
docs/reference/tamper.md prints the same list (`python tests/support/tamper_attacks.py` writes it there).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from small_repository import Repository

# What says no, and the sentence with which it does: {path} the file, {expected} and {found} SHA-256.
FOUND = {
    "reading before the run": "{path} differs from its record: expected sha256 {expected}, found sha256 {found}",
    "rereading before a step reads": "{path}: refused. Expected sha256 {expected}, found sha256 {found}",
    "listing the folder": "{path} is not in its record",
    "kind of file": "{path} differs from its record: expected sha256 {expected}, found no plain file",
    "copying out of the cache": "refused and removed. Expected sha256 {expected}, found {found}",
    "copying out of the cache (MD5 twin)": "is another file with the same MD5",
    "fetching": "for {path}: refused. Expected sha256 {expected}, found {found}",
    "the record's own digests": "{path} is damaged: its digests do not follow from its content",
    "git HEAD's record": "{path} says that its key gives {found}, and git HEAD that it gives {expected}",
    "the run cache": "{path} says that its key gives {found}, and the run cache that it gives {expected}",
    "git HEAD's record (counts)": "{path} has other counts than git HEAD has for the same key",
    "git HEAD's record (files)": "{path} has other files than git HEAD has for the same key",
    "the present code": "{path} says of code or inputs what its key does not stand for",
}

# The pair that X. Wang, D. Feng, X. Lai and H. Yu published with "Collisions for Hash Functions MD4,
# MD5, HAVAL-128 and RIPEMD" (IACR ePrint 2004/199): two blocks of 128 bytes with one MD5. The
# second is the first with the top bit of six bytes flipped.
MD5_BLOCK = bytes.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
)
MD5_TWIN = bytes(
    byte ^ 0x80 if at in (19, 45, 59, 83, 109, 123) else byte for at, byte in enumerate(MD5_BLOCK)
)


@dataclass(frozen=True)
class Struck:
    """What an attack did: the file that must be named, what belongs there and what lies there."""

    path: str
    expected: str = ""
    found: str = ""


@dataclass(frozen=True)
class Attack:
    """A row of the table."""

    place: str
    name: str
    found: str
    """a key of FOUND"""
    repaired: str
    strike: Callable[[Repository], Struck] | None = None


def record(repository: Repository, job: str) -> dict[str, Any]:
    """A record as it lies in the workspace."""
    found: dict[str, Any] = json.loads(repository.read(f"records/{job}.json"))
    return found


def entry(repository: Repository, job: str, path: str) -> dict[str, Any]:
    """What a record says of one file."""
    (found,) = [f for f in record(repository, job)["output"]["files"] if f["path"] == path]
    return dict(found)


def cached(repository: Repository, job: str, path: str) -> Path:
    """The cache object of a file, made writable."""
    md5 = entry(repository, job, path)["md5"]
    item = repository.path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    item.chmod(0o644)
    return item


def struck(repository: Repository, job: str, path: str, content: bytes) -> Struck:
    """The answer of an attack that put `content` where a file of a job is looked for."""
    place = record(repository, job)["output"]["path"]
    expected = entry(repository, job, path)["sha256"]
    return Struck(f"{place}/{path}", expected, hashlib.sha256(content).hexdigest())


def in_place(path: Path, content: bytes) -> None:
    """Write, keeping the inode, and put access and modification time back."""
    stat = path.stat()
    with path.open("r+b") as handle:
        handle.write(content)
        handle.truncate()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def flip(content: bytes) -> bytes:
    """One bit, in the middle."""
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


MIX = ("mix", "mix.txt")
MIX_PATH = "data/mix/mix.txt"


def _changed(change: Callable[[bytes], bytes]) -> Callable[[Repository], Struck]:
    def strike(repository: Repository) -> Struck:
        path = repository.path / MIX_PATH
        content = change(path.read_bytes())
        in_place(path, content)
        return struck(repository, *MIX, content)

    return strike


def _other_inode(repository: Repository) -> Struck:
    path = repository.path / MIX_PATH
    content = path.read_bytes().swapcase()
    stat = path.stat()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return struck(repository, *MIX, content)


def _swapped_files(repository: Repository) -> Struck:
    folder = repository.path / "data/tokenize"
    (folder / "vocabulary.txt").rename(folder / "x")
    (folder / "nested/tokens.txt").rename(folder / "vocabulary.txt")
    (folder / "x").rename(folder / "nested/tokens.txt")
    content = (folder / "vocabulary.txt").read_bytes()
    return struck(repository, "tokenize", "vocabulary.txt", content)


def _swapped_outputs(repository: Repository) -> Struck:
    folder = repository.path / "data/train"
    (folder / "000").rename(folder / "x")
    (folder / "001").rename(folder / "000")
    (folder / "x").rename(folder / "001")
    content = (folder / "000/weights.txt").read_bytes()
    return struck(repository, "train.000", "weights.txt", content)


def _link_elsewhere(repository: Repository) -> Struck:
    path = repository.path / MIX_PATH
    outside = repository.path.parent / "outside.txt"
    content = b"from outside\n" * 9
    outside.write_bytes(content)
    path.unlink()
    path.symlink_to(outside)
    return struck(repository, *MIX, content)


def _pipe(repository: Repository) -> Struck:
    path = repository.path / MIX_PATH
    path.unlink()
    os.mkfifo(path)
    return struck(repository, *MIX, b"")


def _foreign(repository: Repository) -> Struck:
    (repository.path / "data/mix/more.txt").write_text("read me too")
    return Struck("data/mix/more.txt")


def _linked_folder(repository: Repository) -> Struck:
    outside = repository.path.parent / "precious"
    outside.mkdir()
    (outside / "keep.txt").write_text("not of this repository")
    (repository.path / "data/mix/more").symlink_to(outside)
    return Struck("data/mix/more")


def forge_memory(repository: Repository, job: str, path: str) -> None:
    """Make the runner's memory of digests say of the file as it is what its record says."""
    place = record(repository, job)["output"]["path"]
    stat = (repository.path / place / path).stat()
    good = entry(repository, job, path)
    (memory,) = (repository.path / ".regrow/state").glob(f"*/{place.replace('/', '%2F')}.json")
    known = json.loads(memory.read_bytes())
    mark = [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    known[path] = [mark, good["sha256"], good["md5"]]
    memory.write_text(json.dumps(known))


def _object(change: Callable[[bytes], bytes]) -> Callable[[Repository], Struck]:
    def strike(repository: Repository) -> Struck:
        item = cached(repository, "evaluate.001", "score.txt")
        content = change(item.read_bytes())
        in_place(item, content)
        (repository.path / "data/evaluate/001/score.txt").unlink()
        return struck(repository, "evaluate.001", "score.txt", content)

    return strike


def _swapped_objects(repository: Repository) -> Struck:
    one = cached(repository, "evaluate.001", "score.txt")
    other = cached(repository, "evaluate.002", "score.txt")
    content = other.read_bytes()
    spare = one.with_name("spare")
    one.rename(spare)
    other.rename(one)
    spare.rename(other)
    (repository.path / "data/evaluate/001/score.txt").unlink()
    return struck(repository, "evaluate.001", "score.txt", content)


def hard_linked(repository: Repository) -> Struck:
    """The workspace's file and the cache's object are one inode; it is written in place."""
    item = cached(repository, *MIX)
    path = repository.path / MIX_PATH
    path.unlink()
    os.link(item, path)
    content = flip(path.read_bytes())
    in_place(path, content)
    return struck(repository, *MIX, content)


def soft_linked(repository: Repository) -> Struck:
    """The workspace's file is a link into the cache; what it points to is written in place."""
    item = cached(repository, *MIX)
    path = repository.path / MIX_PATH
    path.unlink()
    path.symlink_to(item)
    content = flip(path.read_bytes())
    in_place(item, content)
    return struck(repository, *MIX, content)


def write_record(repository: Repository, job: str, content: dict[str, Any]) -> None:
    """A record, spelled as the runner spells it."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (repository.path / f"records/{job}.json").write_text(text)


def redone(found: dict[str, Any], **change: Any) -> dict[str, Any]:
    """A record with something changed and every digest made to follow: nothing in it contradicts.

    `content`: of its first file; `path`, `md5`, `size`, `sha256`: of the first file's entry; `counts`,
    `params`: of the record. A changed part of the key changes the key.
    """
    from regrow.engine.definition import key_of
    from regrow.engine.store import dir_md5

    output = found["output"]
    entry = output["files"][0]
    if "content" in change:
        content = change["content"]
        entry["sha256"] = hashlib.sha256(content).hexdigest()
        entry["md5"] = hashlib.md5(content).hexdigest()
        entry["size"] = len(content)
    entry |= {name: change[name] for name in ("path", "sha256", "md5", "size") if name in change}
    if "counts" in change:
        found["counts"] = change["counts"]
    if "params" in change:
        found["parts"]["params"] = change["params"]
        found["key"] = key_of(found["parts"])
    if "path" not in change or "\n" not in change["path"]:
        output["files"].sort(key=lambda one: one["path"])
    lines = sorted((f["path"], f["sha256"]) for f in output["files"])
    text = "".join(
        f"{sha}  {path}\n" for path, sha in lines
    )  # as `tree_sha256`, which refuses names
    output["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    output["md5"] = dir_md5(output["files"])
    output["size"] = sum(f["size"] for f in output["files"])
    output["nfiles"] = len(output["files"])
    return found


def forged(repository: Repository, job: str, path: str, content: bytes) -> dict[str, Any]:
    """The record of a job with all digests as if a file had this content: nothing in it contradicts."""
    found = record(repository, job)
    first = found["output"]["files"]
    first.sort(key=lambda item: item["path"] != path)
    return redone(found, content=content)


def forge_everywhere(repository: Repository) -> Struck:
    """Bytes, cache object, record and `.dir` object, all agreeing with each other."""
    before = record(repository, "mix")["output"]["sha256"]
    content = flip((repository.path / MIX_PATH).read_bytes())
    (repository.path / MIX_PATH).write_bytes(content)
    lie = forged(repository, "mix", "mix.txt", content)
    md5 = hashlib.md5(content).hexdigest()
    item = repository.path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    item.parent.mkdir(parents=True, exist_ok=True)
    item.write_bytes(content)
    write_record(repository, "mix", lie)
    return Struck("records/mix.json", before, lie["output"]["sha256"])


def _purged(repository: Repository) -> Struck:
    found = forge_everywhere(repository)
    key = record(repository, "mix")["key"]
    for path in (repository.path / ".dvc/cache/runs" / key[:2] / key).iterdir():
        path.unlink()
    return found


def _uncommitted(repository: Repository) -> Struck:
    repository.git("rm", "-q", "--cached", "records/mix.json")
    repository.git("commit", "-q", "-m", "never published")
    return forge_everywhere(repository)


def _edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Repository], Struck]:
    def strike(repository: Repository) -> Struck:
        content = record(repository, "mix")
        change(content)
        write_record(repository, "mix", content)
        return Struck("records/mix.json")

    return strike


def _hash(content: dict[str, Any]) -> None:
    content["output"]["files"][0]["sha256"] = "0" * 64


def traversal(content: dict[str, Any]) -> None:
    redone(content, path="../../escaped.txt")


def _counts(content: dict[str, Any]) -> None:
    content["counts"]["kept"] = 1


def _md5(content: dict[str, Any]) -> None:
    redone(content, md5="0" * 32)


def _module(content: dict[str, Any]) -> None:
    content["parts"]["code"]["modules"]["toy.mix"]["definitions"]["run"] = "0" * 16


def _key(content: dict[str, Any]) -> None:
    content["key"] = "0" * 64


def exchanged(repository: Repository) -> Struck:
    one, other = (repository.path / f"records/train.{n}.json" for n in ("000", "001"))
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)
    return Struck("records/train.000.json")


REREAD = "reading before the run"
WORKSPACE = (
    Attack("workspace", "one bit flipped; size, times and inode kept", REREAD, "cache", _changed(flip)),
    Attack("workspace", "equal size, other content, times kept, new inode", REREAD, "cache", _other_inode),
    Attack("workspace", "cut short", REREAD, "cache", _changed(lambda b: b[:-7])),
    Attack("workspace", "emptied", REREAD, "cache", _changed(lambda b: b"")),
    Attack("workspace", "extended", REREAD, "cache", _changed(lambda b: b + b"more\n")),
    Attack("workspace", "two files of one output exchanged", REREAD, "cache", _swapped_files),
    Attack("workspace", "outputs of two jobs exchanged", REREAD, "cache", _swapped_outputs),
    Attack("workspace", "replaced by a link to a file elsewhere", REREAD, "cache", _link_elsewhere),
    Attack("workspace", "replaced by a named pipe that nobody writes", "kind of file", "cache", _pipe),
    Attack("workspace", "a foreign file beside it", "listing the folder", "removed", _foreign),
    Attack("workspace", "a link to a foreign folder beside it", "listing the folder", "the link is removed, what it points to is not touched", _linked_folder),
)  # fmt: skip
LINKED = (
    Attack("workspace and cache", "hard link to the cache, written in place (`cache.type hardlink`)", REREAD, "remote, or rebuild", hard_linked),
    Attack("workspace and cache", "symbolic link to the cache, written in place (`cache.type symlink`)", REREAD, "remote, or rebuild", soft_linked),
)  # fmt: skip
OUT = "copying out of the cache"
CACHE = (
    Attack("cache", "one bit of an object flipped, times kept", OUT, "remote, or rebuild", _object(flip)),
    Attack("cache", "an object of equal size with other content", OUT, "remote, or rebuild", _object(lambda b: b"9" * len(b))),
    Attack("cache", "an object cut short", OUT, "remote, or rebuild", _object(lambda b: b[:-2])),
    Attack("cache", "two objects exchanged", OUT, "remote, or rebuild", _swapped_objects),
)  # fmt: skip
OWN = "the record's own digests"
HEAD = "git HEAD's record"
RECORDS = (
    Attack("record", "a hash edited", OWN, "run cache", _edited(_hash)),
    Attack("record", "the key edited", OWN, "run cache", _edited(_key)),
    Attack("record", "a path edited to `../../escaped.txt`, digests made to agree", OWN, "run cache", _edited(traversal)),
    Attack("record", "digests, bytes and cache object forged to agree", HEAD, "git's record", forge_everywhere),
    Attack("record", "the same, the honest entry of the run cache removed", HEAD, "git's record", _purged),
    Attack("record", "the same for a record that was never committed", "the run cache", "rebuild", _uncommitted),
    Attack("record", "counts edited", "git HEAD's record (counts)", "git's record", _edited(_counts)),
    Attack("record", "the MD5 of a file, by which DVC fetches it", "git HEAD's record (files)", "git's record", _edited(_md5)),
    Attack("record", "the digest of a function edited", "the present code", "written again", _edited(_module)),
)  # fmt: skip
FETCH = "fetching"
REMOTE = tuple(
    Attack("remote (HTTP)", name, FETCH, "rebuild; refetched once the remote is repaired")
    for name in (
        "one bit of an object flipped",
        "another object under its name",
        "an HTML error page with status 200",
        "a body cut short",
        "a body that never ends",
        "a connection that breaks off",
        "a body that stalls",
    )
)
# Carried out by tests of their own; the quoted name stands in the test that does it.
SINGLE = (
    Attack("workspace", "bit flipped and the memory of digests (.regrow/state) forged", "rereading before a step reads", "cache"),
    Attack("workspace", "a source changed and the memory of digests forged", "rereading before a step reads", "`git checkout`"),
    Attack("workspace", "an input changed while a step runs, times put back", "rereading after the step", "nothing recorded; run again"),
    Attack("workspace", "DVC's state database is forged (size, times and inode kept): `dvc status` says up to date", REREAD, "cache"),
    Attack("cache", "MD5 twin of a file in its place", "copying out of the cache (MD5 twin)", "remote, or rebuild"),
    Attack("cache", "a `.dir` object altered: file left out, added, renamed, `../`", "printing it from the record", "written again before DVC reads it"),
    Attack("cache", "a forged entry of the run cache (other result for a key)", "git HEAD's record", "entry removed"),
    Attack("cache", "a forged entry of the run cache that names `../`", "the record's own digests", "not read"),
    Attack("remote", "MD5 twin of a file in its place", FETCH, "rebuild"),
    Attack("remote (HTTP)", "a `.dir` object altered: `../../escaped.txt`", "never read by the runner", "`snakemake -n` before `dvc pull` writes it from the record"),
    Attack("remote (HTTP)", "damaged objects, taken with `dvc pull`", REREAD, "rebuild"),
    Attack("remote (S3, SSH)", "other bytes of equal size under an object's name", FETCH, "rebuild"),
    Attack("record", "two records exchanged", "the job that it names", "run cache"),
    Attack("record", "a record deleted", "no record", "run cache"),
    Attack("dvc.lock", "a hash edited", "printing it from the records", "written again"),
)  # fmt: skip
ATTACKS = (*WORKSPACE, *LINKED, *CACHE, *RECORDS, *REMOTE, *SINGLE)
PAGE = Path(__file__).resolve().parents[2] / "docs/reference/tamper.md"
BEGIN, END = (
    "<!-- the table: python tests/support/tamper_attacks.py -->\n",
    "<!-- end of the table -->\n",
)


def table() -> str:
    """The table of docs/reference/tamper.md."""
    order = sorted(ATTACKS, key=lambda a: [r.place for r in ATTACKS].index(a.place))
    rows = ["| where | attack | found by | repaired by |", "| --- | --- | --- | --- |"]
    rows += [f"| {a.place} | {a.name} | {a.found} | {a.repaired} |" for a in order]
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write the table into the page."""
    head, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
