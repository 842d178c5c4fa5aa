"""A remote that is none: said in one line, and a run goes on without it."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from regrow.engine import remote_worker
from regrow.engine.remote import Remote
from regrow.engine.store import Store

ENTRY = {"md5": "0" * 32, "sha256": "0" * 64, "size": 1, "path": "x"}


def asked(root: Path, url: str) -> Remote:
    """A remote at this address, asked for an object."""
    (root / ".dvc").mkdir(exist_ok=True)
    (root / ".dvc/config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {url}\n"
    )
    remote = Remote(Store(root))
    assert remote.has([ENTRY]) == {("0" * 32, "0" * 64): False}
    return remote


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """A server that says this to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(answer)
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example ESMTP\r\n",
        b"",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"HTTP/1.1 301 X\r\nLocation: http://[::1/\r\n\r\n",
        b"HTTP/1.1 301 X\r\nLocation: file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_a_server_of_another_kind_is_said_and_not_asked_further(tmp_path: Path, answer: bytes):
    with saying(answer) as url:
        remote = asked(tmp_path, url)
    assert ("remote `store`" in remote.trouble and url in remote.trouble) or "301" in answer.decode(
        "latin-1"
    )
    assert "\n" not in remote.trouble


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/x", "http://host:port/x", "http://127.0.0.1:99999999/x", "http://", "https://a b/x",
        "http://" + "a" * 80 + ".example/", "http://.example/", "http://exa\u00admple..x/", "http://127.0.0.1:1/x",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_said(tmp_path: Path, url: str):
    remote = asked(tmp_path, url)
    assert remote.trouble.startswith("remote `store`")
    assert "\n" not in remote.trouble


def test_a_folder_that_is_not_there_is_said(tmp_path: Path):
    remote = asked(tmp_path, str(tmp_path / "not mounted"))
    assert "not mounted is no folder: a disk that is not mounted" in remote.trouble


def test_one_process_is_asked_again_and_ends_with_the_remote(tmp_path: Path):
    """Loading DVC takes longer than an answer."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "store").mkdir()
    remote = asked(tmp_path, str(tmp_path / "store"))
    first = remote._process
    assert first is not None and not remote.trouble
    other = {**ENTRY, "md5": "1" * 32}
    assert remote.has([other]) == {("1" * 32, "0" * 64): False}
    assert remote._process is first
    assert remote.check([ENTRY]) == [{"fate": "missing"}]
    process = first._process
    del remote, first
    assert process.poll() == 0


def test_what_watches_a_transfer_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Or it would end a process that merely waits to be asked."""

    class Empty:
        oid_to_path = staticmethod(str)

        @property
        def fs(self) -> Empty:
            return self

        def get_file(self, path: str, to: str, callback: object) -> None:
            raise FileNotFoundError

    monkeypatch.setattr(remote_worker, "_odb", lambda root: Empty())
    assert remote_worker.fetch(tmp_path, [("0" * 32, "0" * 64, 1)]) == [{"fate": "missing"}]
    for thread in threading.enumerate():
        if isinstance(thread, remote_worker._Watch):
            thread.join(60)
            assert not thread.is_alive()
