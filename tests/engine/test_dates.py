"""Dates of records: what Snakemake sees, on file systems that keep few of them, and for copiers."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.engine import dates
from regrow.engine.dates import STAMP, Dates, put
from regrow.engine.errors import FlowError
from regrow.engine.jobs import Job, Resolved
from regrow.engine.step import Step
from small_repository import Repository

FAT = 315_532_800
"""1980-01-01 UTC: nothing before it, and steps of two seconds"""


def job(name: str, upstream: list[str]) -> Job:
    inputs = tuple(Resolved(n, "data", f"data/{n}", n) for n in upstream)
    return Job(Step(name=name, function="m:f"), None, inputs)


@st.composite
def flows(draw: st.DrawFn) -> list[Job]:
    """Jobs, producers before consumers."""
    count = draw(st.integers(1, 12))
    made: list[Job] = []
    for n in range(count):
        names = [j.name for j in made]
        made.append(
            job(
                f"s{n}",
                draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else [],
            )
        )
    return made


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@settings(max_examples=60, deadline=None)
@given(flows(), st.integers(0, 10**6))
def test_snakemakes_rule_says_stale_of_what_is_stale_and_of_nothing_else(
    flow: list[Job], seed: int
):
    """A file is made again if one that it is made from is younger: strictly, in whole seconds."""
    made = Dates(flow)
    fresh = {j.name: made.fresh(j.name, sha(seed + n)) for n, j in enumerate(flow)}
    for n, one in enumerate(flow):
        assert fresh[one.name] >= STAMP
        assert all(fresh[up] <= fresh[one.name] for up in one.upstream)
        stale = made.stale(sha(seed + n))
        assert stale < STAMP
        for when in (fresh[one.name], stale, STAMP):
            assert when % 2 == 0
            # 14 hours: the local time that FAT holds may be any zone's.
            assert FAT + 14 * 3600 <= when < 1_400_000_000


@pytest.mark.parametrize("levels", [1, 80, 20_000])
def test_another_content_has_another_date(levels: int):
    """Copiers that compare size and date see a changed record of equal size."""
    flow = [job("s0", [])]
    for n in range(1, levels):
        flow.append(job(f"s{n}", [f"s{n - 1}"]))
    made = Dates(flow)
    last = flow[-1].name
    found = {made.fresh(last, sha(n)) for n in range(1000)}
    assert len(found) > (990 if levels < 1000 else 900)
    assert made.fresh(last, sha(1)) == made.fresh(last, sha(1))


def test_the_order_of_dates_holds_for_more_levels_than_there_are_seconds():
    flow = [job("s0", [])]
    for n in range(1, 3000):
        flow.append(job(f"s{n}", [f"s{n - 1}"]))
    made = Dates(flow)
    found = [made.fresh(j.name, sha(n)) for n, j in enumerate(flow)]
    assert found == sorted(found)
    assert found[-1] < 1_400_000_000


def clamped(monkeypatch: pytest.MonkeyPatch) -> None:
    """As exFAT keeps dates: none before 1980-01-01, two seconds apart."""
    real = os.utime

    def utime(path: Path, times: tuple[float, float]) -> None:
        real(path, tuple(max(FAT, int(t) // 2 * 2) for t in times))

    monkeypatch.setattr(os, "utime", utime)


def test_fat_keeps_stale_and_fresh_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clamped(monkeypatch)
    made = Dates([job("a", [])])
    times = []
    for n, when in enumerate((made.stale(sha(1)), STAMP, made.fresh("a", sha(1)))):
        path = tmp_path / str(n)
        path.write_text("x")
        put(path, when)
        times.append(int(path.stat().st_mtime))
    assert times[0] < times[1] <= times[2]


@pytest.mark.parametrize("kept", ["now", "clamped"])
def test_a_file_system_that_does_not_keep_the_date_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
):
    real = os.utime

    def utime(path: Path, times: tuple[float, float]) -> None:
        if kept == "clamped":
            real(path, (2e9, 2e9))

    monkeypatch.setattr(os, "utime", utime)
    path = tmp_path / "record.json"
    path.write_text("x")
    with pytest.raises(
        FlowError, match=r"record\.json: the date 315705600 was set and \d+ is read back"
    ):
        put(path, STAMP)


def not_ours(monkeypatch: pytest.MonkeyPatch, inode: int) -> None:
    """As the system answers whoever dates a file of another user."""
    real = os.utime

    def utime(path: Path, times: tuple[float, float]) -> None:
        if Path(path).stat().st_ino == inode:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        real(path, times)

    monkeypatch.setattr(os, "utime", utime)


def test_another_users_file_is_replaced_where_the_folder_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "record.json"
    path.write_text("content")
    not_ours(monkeypatch, path.stat().st_ino)
    put(path, STAMP)
    assert int(path.stat().st_mtime) == STAMP
    assert path.read_text() == "content"
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


def test_another_users_file_in_another_users_folder_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "record.json"
    path.write_text("content")
    not_ours(monkeypatch, path.stat().st_ino)

    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(dates.files, "write_atomically", refuse)
    with pytest.raises(FlowError, match=r"belongs to another user .*chmod -R g\+w"):
        put(path, STAMP)


ODD = {
    "no locks": """
import errno, fcntl
def flock(handle, how):
    raise OSError(errno.ENOSYS, "Function not implemented")
fcntl.flock = flock
""",
    "no dates before 1980, two seconds apart": """
import os
real = os.utime
def utime(path, times=None, *, ns=None, **more):
    if ns is not None:
        times = tuple(n / 1e9 for n in ns)
    if times is not None:
        times = tuple(max(315532800, int(t) // 2 * 2) for t in times)
    real(path, times, **more)
os.utime = utime
""",
}


@pytest.mark.parametrize("odd", ODD)
def test_an_edit_is_seen_on_an_odd_file_system(repository: Repository, tmp_path: Path, odd: str):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/sitecustomize.py").write_text(ODD[odd])
    env = {"PYTHONPATH": f"{tmp_path}/odd{os.pathsep}{repository.env['PYTHONPATH']}"}
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.6")
    repository.outcomes()
    done = repository.snakemake("train_all", **env)
    assert repository.outcomes() == {"run": ["train.000", "train.001", "train.002"]}
    assert ("has no locks" in done.stderr) is (odd == "no locks")
    assert "Another snakemake" not in done.stderr
