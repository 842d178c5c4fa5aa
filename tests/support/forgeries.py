"""Forgeries of names, records, witnesses and statements: what each does, what is asked, what must refuse it.

A forgery is carried out in a small committed flow (`repository`); tests/prove/test_forgeries.py asks the
question and compares the answer with `found`. docs/reference/tamper.md prints the same list
(`python tests/support/forgeries.py` writes it there).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from small_records import GIT
from tamper_attacks import redone

RELEASE = "release.rlvr-000004"
FOLDER = "data/release/rlvr-000004"
MIX = "records/mix.json"


@dataclass
class Place:
    """Where a forgery is carried out."""

    root: Path
    """the flow: records, data, sources, git"""
    chain: Path
    """the signed chain of `RELEASE`; its public key is beside it, as `pub`"""
    sign: Callable[[str], bytes]
    """the signed statement of an artifact of the untouched flow"""
    variables: dict[str, str] = field(default_factory=dict)
    """what the forger has set when the question is asked"""

    def git(self, *words: str) -> str:
        """Run git in the flow."""
        command = ["git", "-C", str(self.root), *GIT, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def record(self, name: str) -> dict[str, Any]:
        """A record, to be changed."""
        found: dict[str, Any] = json.loads((self.root / f"records/{name}.json").read_bytes())
        return found

    def write(self, name: str, record: dict[str, Any]) -> None:
        """A record, spelled as the runner spells it."""
        text = json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (self.root / f"records/{name}.json").write_text(text)


@dataclass(frozen=True)
class Forgery:
    """A row of the table."""

    of: str
    """names, records, witness, statements"""
    what: str
    asked: tuple[str, ...]
    """the command that must refuse it"""
    found: str
    """what it says"""
    forge: Callable[[Place], None]
    status: int = 1


# Names


def _redone(name: str, **change: Any) -> Callable[[Place], None]:
    def forge(place: Place) -> None:
        place.write(name, redone(place.record(name), **change))

    return forge


def _payload(name: str) -> Callable[[Place], None]:
    """The release names a file elsewhere, whose bytes are there."""

    def forge(place: Place) -> None:
        content = b"payload\n"
        path = name.replace("ELSEWHERE", str(place.root.parent))
        (place.root / "payload.txt").write_bytes(content)
        place.write(RELEASE, redone(place.record(RELEASE), path=path, content=content))
        target = place.root / FOLDER / path
        if ".." not in path and not path.startswith("/"):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    return forge


def _folded_record(place: Place) -> None:
    """Two files in one name: the tree has the digest that HEAD has."""
    record = place.record(RELEASE)
    before = record["output"]["sha256"]
    first, second, *rest = record["output"]["files"]
    first["path"] = f"{first['path']}\n{second['sha256']}  {second['path']}"
    # `path` as it is: only the digests are made to follow.
    record["output"]["files"] = [first, *rest]
    redone(record, path=first["path"])
    swapped = f"{first['sha256']}  {first['path']}\n"
    assert swapped.count("\n") == 2
    record["output"]["sha256"] = before
    place.write(RELEASE, record)


def _folded_folder(place: Place) -> None:
    folder = Path(shutil.copytree(place.root / FOLDER, place.root / "D"))
    first, second = sorted(path.name for path in folder.iterdir())[:2]
    digest = hashlib.sha256((folder / second).read_bytes()).hexdigest()
    (folder / first).rename(folder / f"{first}\n{digest}  {second}")
    (folder / second).unlink()


def _twins(place: Place) -> None:
    record = place.record(RELEASE)
    entries = record["output"]["files"]
    other = {**entries[0], "path": entries[0]["path"].swapcase()}
    record["output"]["files"] = [*entries, other]
    place.write(RELEASE, redone(record))


def _instance(place: Place) -> None:
    record = place.record(RELEASE)
    record["instance"] = record["parts"]["instance"] = "../../x"
    record["output"]["path"] = "data/release/../../x"
    place.write(RELEASE, record)


# Records


def _edited(name: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Place], None]:
    def forge(place: Place) -> None:
        record = place.record(name)
        change(record)
        place.write(name, record)

    return forge


def _param(record: dict[str, Any]) -> None:
    record["parts"]["params"]["filter"]["min_words"] = 1


def _code(record: dict[str, Any]) -> None:
    for module in record["parts"]["code"]["modules"].values():
        module["digest"] = "0" * 64


def _note(record: dict[str, Any]) -> None:
    (module,) = record["parts"]["code"]["modules"].values()
    module["definitions"]["run"] = "0" * 16


def _counts(record: dict[str, Any]) -> None:
    record["counts"]["kept"] += 1


def _rerouted(record: dict[str, Any]) -> None:
    record["inputs"]["classify"]["path"] = "data/dedup"


def _definition(record: dict[str, Any]) -> None:
    record["definition"] = 9


def _field(record: dict[str, Any]) -> None:
    record["audited_by"] = "somebody who is trusted"


def _everything(place: Place) -> None:
    """Bytes and record agree; nothing in them contradicts."""
    content = b"forged"
    record = redone(place.record("mix"), content=content)
    (place.root / "data/mix" / record["output"]["files"][0]["path"]).write_bytes(content)
    place.write("mix", record)


def _exchanged(place: Place) -> None:
    one, other = (place.root / f"records/pretrain.{n}.json" for n in ("000000", "000004"))
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)


def _twice(place: Place) -> None:
    path = place.root / MIX
    text = path.read_text()
    path.write_text(text.replace("{\n", '{\n  "counts": {"kept": 1000000},\n', 1))


# The witness


def _silenced(*words: str) -> Callable[[Place], None]:
    def forge(place: Place) -> None:
        place.git(*words)
        _everything(place)

    return forge


def _subfolder(place: Place) -> None:
    """The flow becomes a folder of a larger repository."""
    root = place.root
    shutil.rmtree(root / ".git")
    inner = root.with_name("inner")
    root.rename(inner)
    root.mkdir()
    place.root = root / "flow"
    inner.rename(place.root)
    for words in (["init", "-q"], ["add", "-A", "flow/records"], ["commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(root), *GIT, *words], check=True, capture_output=True)
    _everything(place)


def _given_away(place: Place) -> None:
    """As when a container's root works in a user's clone."""
    if os.geteuid() == 0:
        for path in (place.root, place.root / ".git"):
            os.chown(path, 54_321, 54_321)
    _everything(place)


def _another_git_dir(place: Place) -> None:
    other = place.root.parent / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    place.variables["GIT_DIR"] = str(other / ".git")
    _everything(place)


def _filter(place: Place) -> None:
    honest = place.root.parent / "honest"
    shutil.copy(place.root / MIX, honest)
    (place.root / ".git/info").mkdir(exist_ok=True)
    (place.root / ".git/info/attributes").write_text("records/*.json filter=lie\n")
    place.git("config", "filter.lie.clean", f"cat {honest}")
    _everything(place)


def _replaced(place: Place) -> None:
    honest = place.git("rev-parse", f"HEAD:{MIX}")
    _everything(place)
    place.git("replace", honest, place.git("hash-object", "-w", MIX))


def _without_git(place: Place) -> None:
    place.variables["PATH"] = str(place.root / "nowhere")
    _everything(place)


def _unborn(place: Place) -> None:
    place.git("symbolic-ref", "HEAD", "refs/heads/none")
    _everything(place)


# Statements


def _older(path: str) -> Callable[[Place], None]:
    def forge(place: Place) -> None:
        shutil.copytree(place.root / path, place.root / "D")

    return forge


def _one_file(place: Place) -> None:
    shutil.copy(place.root / FOLDER / "README.md", place.root / "D")


def _listing(place: Place) -> None:
    lines = [f"{e['sha256']}  {e['path']}\n" for e in place.record(RELEASE)["output"]["files"]]
    (place.root / "D").write_text("".join(lines))


def _appended(place: Place) -> None:
    place.chain.write_bytes(place.chain.read_bytes() + place.sign("release.sft-000004"))
    shutil.copytree(place.root / "data/release/sft-000004", place.root / "D")


def _resigned(place: Place) -> None:
    """Other params, the key computed again: a record that is sound, and not the one that was signed."""
    record = place.record("mix")
    params = record["parts"]["params"]
    params["mix"]["seed"] += 1
    place.write("mix", redone(record, params=params))


AUDIT_MIX, AUDIT_RELEASE = ("audit", "mix"), ("audit", RELEASE)
LAY_OUT = ("release", "rlvr-step4", "--to", "x/y/out")
CHECK = ("attest", "--check", "CHAIN", "--public-key", "PUB", "D")
HEAD = "git HEAD that it gives"
FORGERIES = (
    Forgery("names", "a file folded into another's name by a line end, in a folder under a right signature", CHECK, "the control character U+000A", _folded_folder),
    Forgery("names", "two files of a record folded into one name: the tree's digest is HEAD's", AUDIT_RELEASE, "the control character U+000A", _folded_record),
    Forgery("names", "`../../../payload.txt` in a release's record", LAY_OUT, "the part `..`", _payload("../../../payload.txt")),
    Forgery("names", "an absolute path", LAY_OUT, "it is absolute", _payload("ELSEWHERE/payload.txt")),
    Forgery("names", "a backslash", LAY_OUT, "a backslash", _payload("..\\payload.txt")),
    Forgery("names", "a drive", LAY_OUT, "a drive of Windows", _payload("C:/payload.txt")),
    Forgery("names", "`.git/config`, which git would obey where the release is laid out", LAY_OUT, "git takes for its own folder", _payload(".git/config")),
    Forgery("names", "text that turns round (U+202E)", LAY_OUT, "the control character U+202E", _payload("model\u202esrotsnetefas.py")),
    Forgery("names", "two names that differ in case", LAY_OUT, "some systems take them for one", _twins),
    Forgery("names", "an instance that leaves data/", AUDIT_RELEASE, "is no name of a step or instance", _instance),
    Forgery("records", "a param edited", ("audit", "filter"), "its key does not", _edited("filter", _param)),
    Forgery("records", "digests of the code set to zero", AUDIT_MIX, "its code digest does not", _edited("mix", _code)),
    Forgery("records", "counts edited", AUDIT_MIX, "has other counts than git HEAD has for the same key", _edited("mix", _counts)),
    Forgery("records", "the MD5 of a file, by which DVC fetches it", AUDIT_MIX, "has other files than git HEAD has for the same key", _redone("mix", md5="0" * 32)),
    Forgery("records", "a file renamed, every digest made to follow", AUDIT_MIX, HEAD, _redone("mix", path="a.parquet")),
    Forgery("records", "bytes and record forged to agree", AUDIT_MIX, HEAD, _everything),
    Forgery("records", "the same, and the question is for all bytes", ("verify",), HEAD, _everything),
    Forgery("records", "the digest of a function, which no key counts", AUDIT_MIX, "says of its code what git HEAD does not", _edited("mix", _note)),
    Forgery("records", "an input at another job's place", AUDIT_MIX, "not the place of its job", _edited("mix", _rerouted)),
    Forgery("records", "two records exchanged", ("audit", "pretrain.000004"), "it is of another job", _exchanged),
    Forgery("records", "counts given twice: readers differ in which they take", AUDIT_MIX, "is not spelled as the runner spells it", _twice),
    Forgery("records", "a field that no record has", AUDIT_MIX, "its fields are not", _edited("mix", _field)),
    Forgery("records", "a definition of the key that nobody knows", AUDIT_MIX, "made under definition 9, which this version", _edited("mix", _definition)),
    Forgery("witness", "bytes and record forged, the flow in a folder of a larger repository", AUDIT_MIX, HEAD, _subfolder),
    Forgery("witness", "the same, the clone being another user's (\"dubious ownership\")", AUDIT_MIX, HEAD, _given_away),
    Forgery("witness", "the same with `assume-unchanged`", AUDIT_MIX, HEAD, _silenced("update-index", "--assume-unchanged", MIX)),
    Forgery("witness", "the same with `skip-worktree`", AUDIT_MIX, HEAD, _silenced("update-index", "--skip-worktree", MIX)),
    Forgery("witness", "the same with GIT_DIR elsewhere", AUDIT_MIX, HEAD, _another_git_dir),
    Forgery("witness", "the same with a clean filter in .git/info/attributes", AUDIT_MIX, HEAD, _filter),
    Forgery("witness", "the same with `git replace` of the honest blob", AUDIT_MIX, HEAD, _replaced),
    Forgery("witness", "the same without git on the PATH: no witness, which is said", AUDIT_MIX, "git HEAD cannot be asked, so a forged record may be believed", _without_git),
    Forgery("witness", "the same with a HEAD that leads nowhere: no witness, which is said", AUDIT_MIX, "git HEAD cannot be asked, so a forged record may be believed", _unborn),
    Forgery("statements", "an older checkpoint under the release's chain", CHECK, "D is data/sft/000004: an input of data/release/rlvr-000004", _older("data/sft/000004")),
    Forgery("statements", "one file of the release", CHECK, "one file of data/release/rlvr-000004", _one_file),
    Forgery("statements", "a file that lists the release, as its digest does", CHECK, "about another artifact", _listing),
    Forgery("statements", "another release's right statement put behind the chain", CHECK, "one of several things that the statements are about", _appended),
    Forgery("statements", "the same bytes, said to be made under other params", ("attest", "--check", "CHAIN", "--public-key", "PUB", "mix"), "made by key", _resigned),
)  # fmt: skip
PAGE = Path(__file__).resolve().parents[2] / "docs/reference/tamper.md"
BEGIN, END = (
    "<!-- the forgeries: python tests/support/forgeries.py -->\n",
    "<!-- end of the forgeries -->\n",
)


def table() -> str:
    """The table of docs/reference/tamper.md."""
    rows = ["| of | forgery | asked | answer |", "| --- | --- | --- | --- |"]
    for row in FORGERIES:
        asked = " ".join(("regrow", *row.asked)).replace("CHAIN", "F").replace("PUB", "K.pub")
        rows.append(f"| {row.of} | {row.what} | `{asked}` | {row.found} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write the table into the page."""
    head, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
