"""Servers for DVC remotes: S3 (moto), SSH (OpenSSH) and HTTP, which can be made to misbehave."""

from __future__ import annotations

import base64
import hashlib
import http.server
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BUCKET = "regrow"
_SSHD = shutil.which("sshd") or "/usr/sbin/sshd"

Answer = Callable[[http.server.BaseHTTPRequestHandler, bytes], None]
"""what a misbehaving server does with a request for an object, given the object's true content"""


@contextmanager
def http_server(
    folder: Path, answers: dict[str, Answer] | None = None, password: str = ""
) -> Iterator[str]:
    """Serve a folder over HTTP, to be read and written (DVC posts objects).

    Paths that end like a key of `answers` are answered by it: the server misbehaves. With a
    password, reading asks for it (of the user `me`).
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            if password and self.headers.get("Authorization") != _basic(password):
                self.send_error(401)
                return
            path = folder / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            content = path.read_bytes()
            for end, answer in (answers or {}).items():
                if self.path.endswith(end) and body:
                    answer(self, content)
                    return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.end_headers()
            if body:
                self.wfile.write(content)

        def do_POST(self) -> None:
            path = folder / self.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        file.write(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    file.write(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


def sends(change: Callable[[bytes], bytes]) -> Answer:
    """A whole answer with other content."""

    def answer(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
        body = change(content)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def endless(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    """More and more, without a length."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(content * 100)
            time.sleep(0.001)
    except OSError:
        handler.close_connection = True


def breaks_off(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    """Promises the whole and closes the connection half-way."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def stalls(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    """Promises the whole, sends a byte and waits until the other side gives up."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:1])
    handler.wfile.flush()
    handler.connection.settimeout(30)
    with suppress(OSError):
        handler.connection.recv(1)
    handler.close_connection = True


@contextmanager
def s3() -> Iterator[str]:
    """An S3 server (moto) with an empty bucket; yields its address."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip
        client.create_bucket(Bucket=BUCKET)
        yield address
    finally:
        server.stop()


def has_sshd() -> bool:
    """Whether OpenSSH's server and key generator are installed."""
    return Path(_SSHD).is_file() and shutil.which("ssh-keygen") is not None


@contextmanager
def ssh(place: Path) -> Iterator[tuple[int, Path]]:
    """An OpenSSH server on a high port of loopback; yields the port and a key that it accepts."""
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)]
        subprocess.run(command, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    config = place / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host\nPidFile {place}/pid\n"
        f"AuthorizedKeysFile {place}/user.pub\nStrictModes no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nUsePAM no\n"
        "Subsystem sftp internal-sftp\n"
    )
    log = place / "log"
    process = subprocess.Popen([_SSHD, "-D", "-f", str(config), "-E", str(log)])
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.1)
        yield port, place / "user"
    finally:
        process.terminate()
        process.wait()
