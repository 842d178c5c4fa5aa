"""DVC remotes on real servers: HTTP, S3 (moto), SSH (OpenSSH); DVC's own transfer and the runner's."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import real_remotes
from small_repository import Repository
from tamper_attacks import FOUND, entry, struck

RUN = (sys.executable, "-m", "regrow.cli.main", "run")
ALONE = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
"""no machine of Amazon's to ask who we are, and nobody who comes back if asked again"""


@dataclass
class Server:
    """A remote: its address, what it takes to sign in, and how to change an object there."""

    kind: str
    address: str
    settings: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def configure(self, repository: Repository, signed_in: bool = True) -> None:
        """Make it the default remote of a repository."""
        repository.dvc("remote", "add", "-q", "-f", "--local", "-d", "store", self.address)
        for name, value in (self.settings | (self.secrets if signed_in else {})).items():
            repository.dvc("remote", "modify", "--local", "store", name, value)
        repository.env |= repository.toy_table()

    def write(self, md5: str, content: bytes) -> None:
        """Put other content under an object's name."""
        name = f"files/md5/{md5[:2]}/{md5[2:]}"
        if self.folder is not None:
            (self.folder / name).chmod(0o644)
            (self.folder / name).write_bytes(content)
            return
        import boto3

        client = boto3.client(
            "s3", endpoint_url=self.settings["endpointurl"], region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip
        client.put_object(Bucket=real_remotes.BUCKET, Key=f"store/{name}", Body=content)


@contextlib.contextmanager
def serve(kind: str, place: Path) -> Iterator[Server]:
    """A server of a kind with an empty remote; skips where its program is not installed."""
    folder = place / "remote"
    folder.mkdir()
    if kind == "http":
        with real_remotes.http_server(folder, password="secret") as address:
            secrets = {"auth": "basic", "user": "me", "password": "secret"}
            yield Server(kind, address, {}, secrets, folder)
    elif kind == "s3":
        pytest.importorskip("dvc_s3", reason="needs the extra `s3`")
        pytest.importorskip("moto", reason="needs the extra `dev`: moto")
        with real_remotes.s3() as address:
            secrets = {"access_key_id": "test", "secret_access_key": "test"}
            yield Server(
                kind, f"s3://{real_remotes.BUCKET}/store", {"endpointurl": address}, secrets
            )
    else:
        pytest.importorskip("dvc_ssh", reason="needs the extra `ssh`")
        if not real_remotes.has_sshd():
            pytest.skip("needs OpenSSH's sshd and ssh-keygen (Debian: openssh-server)")
        with real_remotes.ssh(place) as (port, key):
            address = f"ssh://127.0.0.1:{port}{folder}"
            yield Server(kind, address, {}, {"keyfile": str(key)}, folder)


SETTING = {"http": "auth basic", "s3": "access_key_id", "ssh": "keyfile"}
PLACE = {"http": "", "s3": "endpointurl", "ssh": "url ssh://HOST:PORT"}


def plan(repository: Repository) -> dict[str, object]:
    """`regrow plan --json`."""
    found: dict[str, object] = json.loads(repository.run("regrow", "plan", "--json").stdout)
    return found


@pytest.mark.parametrize("kind", ["http", "s3", "ssh"])
def test_remote(repository: Repository, clone: Repository, tmp_path: Path, kind: str):
    """Pushed with DVC; fetched by the runner, then the rest by `dvc pull`: equal bytes everywhere."""
    place = tmp_path / "server"
    place.mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "SSH_AUTH_SOCK"):
        for one in (repository, clone):
            one.env.pop(name, None)
        one.env |= ALONE
    with serve(kind, place) as server:
        server.configure(repository)
        repository.dvc("push", "-q")

        server.configure(clone, signed_in=False)
        trouble = str(plan(clone)["remote_trouble"])
        assert server.address in trouble
        assert SETTING[kind] in trouble

        server.configure(clone)
        assert plan(clone)["remote_trouble"] is None
        clone.run(*RUN, "evaluate", "--instance", "000")
        assert clone.outcomes() == {"fetched": ["evaluate.000"]}

        md5 = entry(clone, "evaluate.001", "score.txt")["md5"]
        good = (repository.path / "data/evaluate/001/score.txt").read_bytes()
        content = b"7" * len(good)  # other bytes of equal size under an object's name
        server.write(md5, content)
        done = clone.run(*RUN, "evaluate", "--instance", "001")
        lie = struck(clone, "evaluate.001", "score.txt", content)
        assert FOUND["fetching"].format(**lie.__dict__) in done.stderr
        assert clone.outcomes() == {"run": ["evaluate.001"]}

        server.write(md5, good)
        clone.dvc("pull", "-q")
        last = clone.run("regrow", "verify", "--remote").stdout.splitlines()
        assert last[-1] == "12 of 12 artifacts equal to the published hashes"
        assert "remote: 25 objects read, 0 differ." in last
        assert clone.dirty() == ""
        assert "up to date" in clone.dvc("status")
    other = repository.clone(tmp_path / "other")
    other.env |= ALONE
    server.configure(other)
    answer = plan(other)  # nobody answers any more
    summary = answer["summary"]
    assert isinstance(summary, dict)
    assert summary["run"] == 12
    assert server.address in str(answer["remote_trouble"])
    assert PLACE[kind] in str(answer["remote_trouble"])
