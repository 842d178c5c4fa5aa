"""Tampering with workspace, cache and records of the toy: found by name, refused, repaired, equal."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import tamper_attacks
from small_repository import Repository
from tamper_attacks import (
    ATTACKS,
    CACHE,
    FOUND,
    LINKED,
    MD5_BLOCK,
    MD5_TWIN,
    MIX,
    RECORDS,
    WORKSPACE,
    Attack,
    Struck,
    cached,
    flip,
    forge_memory,
    forged,
    in_place,
    record,
    struck,
)  # fmt: skip


def both(attacks: tuple[Attack, ...]) -> list[Any]:
    """Each attack without a remote, so that the step runs; the first also with one."""
    found = [pytest.param(attacks[0], True, id=f"{attacks[0].name}-remote")]
    return found + [pytest.param(a, False, id=f"{a.name}-rebuild") for a in attacks]


RUN = (sys.executable, "-m", "regrow.cli.main", "run")


@pytest.fixture
def toy(repository: Repository) -> Repository:
    """The built toy, with its table, for calls without Snakemake."""
    repository.env |= repository.toy_table()
    return repository


def contents(repository: Repository) -> dict[str, bytes]:
    """Every file of data/ and records/, and what DVC reads."""
    files = [p for top in ("data", "records") for p in (repository.path / top).rglob("*")]
    files += [repository.path / name for name in ("dvc.lock", "dvc.yaml", "code.json")]
    return {p.relative_to(repository.path).as_posix(): p.read_bytes() for p in files if p.is_file()}


def after(repository: Repository) -> tuple[str, list[str]]:
    """What was not a mere hit; Snakemake starts what follows a job, and it finds its key known."""
    (other,) = [(how, jobs) for how, jobs in repository.outcomes().items() if how != "hit"]
    return other


def sentence(attack: Attack, done: Struck) -> str:
    """With which words the attack must be named."""
    return FOUND[attack.found].format(**done.__dict__)


def sound(repository: Repository, before: dict[str, bytes]) -> None:
    """Everything is as it was, and every question agrees."""
    assert contents(repository) == before
    assert repository.dirty() == ""
    assert repository.run("regrow", "verify").stdout.splitlines()[-1].startswith("12 of 12 ")


@pytest.mark.parametrize("attack", WORKSPACE, ids=lambda a: a.name)
def test_workspace(toy: Repository, attack: Attack):
    """`regrow verify` names it, `snakemake` names and mends it; a step that runs first is not fooled."""
    before = contents(toy)
    assert attack.strike is not None
    other = toy.copy(toy.path.parent / "second/repository")
    other.env = {k: v.replace(f"{toy.path}/", f"{other.path}/") for k, v in toy.env.items()}
    done = attack.strike(toy)
    verify = toy.run("regrow", "verify", check=False)
    assert verify.returncode == 1
    (line,) = [text for text in verify.stdout.splitlines() if f" {done.path} " in text]
    assert done.expected in line
    assert done.found in line or attack.found == "kind of file"
    attack.strike(other)
    reader = ["evaluate", "--instance", "000"] if "train" in done.path else ["tokenize"]
    if "tokenize" not in done.path:  # its record comes out equal: it read the honest bytes
        other.run(*RUN, *reader, "--no-cache")
        assert other.outcomes() == {"run": [".".join(reader[::2])]}
        assert other.dirty() == ""
    said = toy.snakemake()
    assert sentence(attack, done) in said.stderr
    assert set(toy.outcomes()) == {"hit"}
    sound(toy, before)
    keep = toy.path.parent / "precious/keep.txt"
    assert attack.name != "a link to a foreign folder beside it" or keep.exists()


@pytest.mark.parametrize(("attack", "with_remote"), both(LINKED))
def test_workspace_and_cache(toy: Repository, built: Repository, attack: Attack, with_remote: bool):
    before = contents(toy)
    if with_remote:
        toy.dvc("remote", "add", "--local", "-d", "store", str(built.path.parent / "remote"))
    assert attack.strike is not None
    done = attack.strike(toy)
    said = toy.snakemake()
    assert sentence(attack, done) in said.stderr
    assert FOUND["copying out of the cache"].format(**done.__dict__) in said.stderr
    assert after(toy) == ("fetched" if with_remote else "run", ["mix"])
    sound(toy, before)


@pytest.mark.parametrize(("attack", "with_remote"), both(CACHE))
def test_cache(toy: Repository, built: Repository, attack: Attack, with_remote: bool):
    before = contents(toy)
    if with_remote:
        toy.dvc("remote", "add", "--local", "-d", "store", str(built.path.parent / "remote"))
    assert attack.strike is not None
    done = attack.strike(toy)
    verify = toy.run("regrow", "verify", "--cache", check=False)
    assert verify.returncode == 1
    assert f"expected sha256 {done.expected}, found sha256 {done.found}" in verify.stdout
    said = toy.snakemake()
    if attack.name != "an object cut short":  # not even taken for one, by its size
        assert sentence(attack, done) in said.stderr
    assert toy.outcomes() == {"fetched" if with_remote else "run": ["evaluate.001"]}
    sound(toy, before)
    again = toy.run("regrow", "verify", "--cache", check=False)
    left = 1 if attack.name == "two objects exchanged" else 0  # the other one is not asked for yet
    assert again.returncode == left


@pytest.mark.parametrize("attack", RECORDS, ids=lambda a: a.name)
def test_record(toy: Repository, attack: Attack):
    before = contents(toy)
    assert attack.strike is not None
    done = attack.strike(toy)
    before = {k: v for k, v in before.items()}
    verify = toy.run("regrow", "verify", check=False)
    said = toy.snakemake()
    assert sentence(attack, done) in said.stderr
    outcomes = toy.outcomes()
    assert set(outcomes) == {"run" if attack.repaired == "rebuild" else "hit"} or (
        attack.repaired == "rebuild" and outcomes["run"] == ["mix"]
    )
    assert not (toy.path.parent / "escaped.txt").exists()
    assert contents(toy) == before
    if attack.repaired == "rebuild":
        assert toy.dirty() == "?? records/mix.json"
        return
    assert verify.returncode == 1 and f"{done.path} " in verify.stdout
    assert "It was not believed." in verify.stdout
    sound(toy, before)


def test_forged_memory_of_digests(toy: Repository):
    """bit flipped and the memory of digests (.regrow/state) forged"""
    before = contents(toy)
    path = toy.path / "data/mix/mix.txt"
    content = flip(path.read_bytes())
    in_place(path, content)
    done = struck(toy, *MIX, content)
    forge_memory(toy, *MIX)
    assert toy.pending() == []  # the plan believes it, no reader does:
    assert done.found in toy.run("regrow", "verify", check=False).stdout
    said = toy.run(*RUN, "tokenize", "--no-cache")
    assert FOUND["rereading before a step reads"].format(**done.__dict__) in said.stderr
    sound(toy, before)


def test_forged_memory_of_a_source(toy: Repository):
    """a source changed and the memory of digests forged"""
    path = toy.path / "sources/raw.txt"
    good = path.read_bytes()
    (memory,) = (toy.path / ".regrow/state").glob("*/sources.json")
    known = json.loads(memory.read_bytes())
    in_place(path, flip(good))
    stat = path.stat()
    known["raw.txt"][0] = [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    memory.write_text(json.dumps(known))
    time.sleep(0.1)
    done = toy.run(*RUN, "split", "--no-cache", check=False)
    assert done.returncode == 1
    assert (
        "the source sources has other bytes than were noted of it: expected sha256" in done.stderr
    )
    path.write_bytes(good)
    assert toy.build() == {}
    assert toy.dirty() == ""


def test_a_source_that_is_no_plain_file_is_refused(toy: Repository):
    """Its content would not count: a link to a folder is not followed, a pipe has none."""
    link = toy.path / "sources/more"
    link.symlink_to(toy.path.parent)
    said = toy.run(*RUN, "split", check=False)
    assert said.returncode == 1
    assert "sources/more is no plain file" in said.stderr
    link.unlink()
    os.mkfifo(link)
    assert "sources/more is no plain file" in toy.run(*RUN, "split", check=False).stderr
    link.unlink()
    toy.run(*RUN, "split")


def test_changed_while_a_step_runs(toy: Repository):
    """an input changed while a step runs, times put back"""
    toy.edit(
        "src/toy/mix.py",
        "    lines = []\n",
        "    import os\n    p = inputs['clean.0'] / 'clean.txt'\n    s = p.stat()\n"
        "    f = p.open('r+b')\n    f.write(b'#')\n    f.close()\n"
        "    os.utime(p, ns=(s.st_atime_ns, s.st_mtime_ns))\n    lines = []\n",
    )
    done = toy.run(*RUN, "mix", check=False)
    assert done.returncode == 1
    assert "mix changed its inputs (data/clean/0/clean.txt)" in done.stderr
    toy.git("checkout", "-q", ".")
    assert set(toy.build()) == {"hit"}
    assert toy.dirty() == ""


def test_dvc_believes_its_state(toy: Repository):
    """DVC's state database is forged (size, times and inode kept): `dvc status` says up to date"""
    before = contents(toy)
    assert "up to date" in toy.dvc("status")
    path = toy.path / "data/mix/mix.txt"
    content = flip(path.read_bytes())
    in_place(path, content)
    assert "up to date" in toy.dvc("status")
    done = struck(toy, *MIX, content)
    assert FOUND["reading before the run"].format(**done.__dict__) in toy.snakemake().stderr
    sound(toy, before)


def twin(toy: Repository) -> Struck:
    """mix also writes a file that has an MD5 twin; the twin lies in the cache instead of it."""
    toy.edit(
        "src/toy/mix.py",
        "    lines = []\n",
        f"    (output / 'block.bin').write_bytes(bytes.fromhex('{MD5_BLOCK.hex()}'))\n    lines = []\n",
    )
    toy.build()
    toy.commit("with a block")
    item = cached(toy, "mix", "block.bin")
    assert item.read_bytes() == MD5_BLOCK
    item.write_bytes(MD5_TWIN)
    return struck(toy, "mix", "block.bin", MD5_TWIN)


@pytest.mark.parametrize("with_remote", [True, False], ids=["remote", "rebuild"])
def test_md5_twin_in_the_cache(toy: Repository, with_remote: bool, tmp_path: Path):
    """MD5 twin of a file in its place"""
    done = twin(toy)
    before = contents(toy)
    if with_remote:  # the twin goes to the remote: DVC sees no difference
        toy.dvc("remote", "add", "--local", "-d", "store", str(tmp_path / "remote"))
        toy.dvc("push", "-q")
    (toy.path / "data/mix/block.bin").unlink()
    (toy.path / "data/mix/mix.txt").write_text("so that mix is restored")
    said = toy.snakemake()
    assert FOUND["copying out of the cache (MD5 twin)"] in said.stderr
    assert done.expected in said.stderr
    assert done.found in said.stderr
    if with_remote:
        assert "remote `store`, object" in said.stderr
    assert after(toy) == ("run", ["mix"])
    assert contents(toy) == before
    assert cached(toy, "mix", "block.bin").read_bytes() == MD5_BLOCK
    assert toy.dirty() == ""


def test_a_step_that_writes_both_md5_twins_is_refused(toy: Repository):
    toy.edit(
        "src/toy/mix.py",
        "    lines = []\n",
        f"    (output / 'a').write_bytes(bytes.fromhex('{MD5_BLOCK.hex()}'))\n"
        f"    (output / 'b').write_bytes(bytes.fromhex('{MD5_TWIN.hex()}'))\n    lines = []\n",
    )
    done = toy.run(*RUN, "mix", check=False)
    assert done.returncode == 1
    assert "with the same MD5 79054025255fb1a26e4bc422aef54eb4" in done.stderr


def test_dir_object(toy: Repository):
    """a `.dir` object altered: file left out, added, renamed, `../`"""
    before = contents(toy)
    md5 = record(toy, "tokenize")["output"]["md5"]
    item = toy.path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    good = item.read_bytes()
    rows = json.loads(good)
    for forgery in (
        rows[:1],
        [*rows, {**rows[0], "relpath": "added.txt"}],
        [{**rows[0], "relpath": "renamed.txt"}, rows[1]],
        [*rows, {**rows[0], "relpath": "../../escaped.txt"}],
    ):
        item.chmod(0o644)
        item.write_text(json.dumps(forgery))
        toy.run(*RUN[:-1], "reconcile")
        assert item.read_bytes() == good
    toy.run("rm", "-r", "data/tokenize")
    toy.dvc("checkout", "-q")
    assert toy.build() == {}
    sound(toy, before)
    assert not (toy.path / "escaped.txt").exists()


def _entry(toy: Repository, lie: dict[str, object]) -> Path:
    """A run-cache entry with this record."""
    import hashlib

    key = str(lie["key"])
    text = json.dumps({"cmd": "x", "params": {"records/mix.json": lie}, "outs": []})
    folder = toy.path / ".dvc/cache/runs" / key[:2] / key
    path = folder / hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text)
    return path


def test_forged_entry_of_the_run_cache(toy: Repository):
    """a forged entry of the run cache (other result for a key)"""
    before = contents(toy)
    content = flip((toy.path / "data/mix/mix.txt").read_bytes())
    lie = forged(toy, "mix", "mix.txt", content)
    path = _entry(toy, lie)
    (toy.path / "records/mix.json").unlink()
    # Without the record, two results of one key are known: git has one of them.
    done = toy.run(*RUN, "mix")
    assert toy.outcomes() == {"hit": ["mix"]}
    assert "NOT DETERMINISTIC" not in done.stderr
    assert "the run cache had another result for its key" in toy.snakemake("-n").stderr
    assert not path.exists()
    sound(toy, before)


def test_forged_entry_that_leaves_its_folder(toy: Repository):
    """a forged entry of the run cache that names `../`"""
    before = contents(toy)
    lie = record(toy, "mix")
    tamper_attacks.traversal(lie)
    _entry(toy, lie)
    lie = record(toy, "mix")
    lie["output"]["path"] = "../elsewhere"
    _entry(toy, lie)
    (toy.path / "records/mix.json").unlink()
    toy.run(*RUN, "mix")
    assert toy.outcomes() == {"hit": ["mix"]}
    assert not (toy.path / "escaped.txt").exists()
    assert not (toy.path.parent / "elsewhere").exists()
    sound(toy, before)


def test_records_exchanged(toy: Repository):
    """two records exchanged"""
    before = contents(toy)
    tamper_attacks.exchanged(toy)
    assert (
        "records/train.000.json is damaged: it is of another job, train 001"
        in toy.snakemake().stderr
    )
    assert set(toy.outcomes()) == {"hit"}
    sound(toy, before)


def test_record_deleted(toy: Repository):
    """a record deleted"""
    before = contents(toy)
    (toy.path / "records/mix.json").unlink()
    verify = toy.run("regrow", "verify")  # reads what is published, not what lies here
    assert verify.stdout.splitlines()[-1].startswith("12 of 12 ")
    assert "mix" in toy.pending()
    toy.snakemake()
    assert toy.outcomes()["hit"][0] != ""
    sound(toy, before)


def test_dvc_lock_edited(toy: Repository):
    """a hash edited"""
    before = contents(toy)
    good = record(toy, "mix")["output"]["md5"]
    other = record(toy, "split")["output"]["md5"]
    toy.edit("dvc.lock", good, other)
    toy.dvc("checkout", "-q", "-f", "mix")  # DVC does as it is told
    assert (toy.path / "data/mix/0.txt").exists()
    said = toy.snakemake()
    assert "data/mix/0.txt is not in its record" in said.stderr
    sound(toy, before)


def test_orphans_are_not_removed_on_the_word_of_a_forged_record(toy: Repository):
    """`records/train.999.json` with a path elsewhere must not make its folder go."""
    precious = toy.path.parent / "precious"
    precious.mkdir()
    lie = record(toy, "train.002")
    lie["output"] |= {"path": "../precious", "files": [], "size": 0, "nfiles": 0}
    tamper_attacks.write_record(toy, "train.999", lie)
    toy.snakemake("--force", "records/mix.json")
    assert precious.is_dir()


def test_every_attack_has_a_test():
    sources = [
        *Path(__file__).parent.glob("test_*.py"),
        Path(__file__).parents[1] / "test_remotes.py",
    ]
    text = "".join(path.read_text() for path in sources)
    for attack in tamper_attacks.SINGLE:
        assert attack.name in text, attack.name
    assert len({(a.place, a.name) for a in ATTACKS}) == len(ATTACKS)


def test_the_page_prints_the_table():
    assert tamper_attacks.table() in tamper_attacks.PAGE.read_text()
