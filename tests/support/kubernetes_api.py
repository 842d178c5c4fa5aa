"""A stand-in for a Kubernetes API server: keeps what is asked for, and runs each job's container as a process.

Only what Snakemake's executor asks for is here (secrets, jobs, their status, pods), over HTTP on loopback, so
that the real client library and the real plugin are in between. A pod is a process of this machine in an empty
folder, with the container's command and little of the environment; no image, no isolation, no scheduler.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "test",
    "clusters": [{"name": "test", "cluster": {"server": ""}}],
    "users": [{"name": "test", "user": {"token": "none"}}],
    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
}


class Api:
    """What the server was asked for."""

    def __init__(self, root: Path, env: dict[str, str], evicted: int) -> None:
        self.root = root
        self.env = env
        self.jobs: list[dict[str, Any]] = []
        """bodies of the jobs, as they came"""
        self.requests: list[str] = []
        self._evicted = evicted
        self._pods: dict[str, subprocess.Popen[bytes] | None] = {}

    def start(self, body: dict[str, Any]) -> None:
        """A pod for a job; the first ones are evicted before they do anything."""
        self.jobs.append(body)
        name = body["metadata"]["name"]
        if len(self.jobs) <= self._evicted:
            self._pods[name] = None
            return
        container = body["spec"]["template"]["spec"]["containers"][0]
        empty = self.root / name
        empty.mkdir()
        with (self.root / f"{name}.log").open("wb") as log:
            self._pods[name] = subprocess.Popen(
                [*container["command"], *container["args"]],
                cwd=empty,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def status(self, name: str) -> dict[str, int]:
        """As in a V1JobStatus."""
        pod = self._pods[name]
        code = 1 if pod is None else pod.poll()
        return {"active": 1} if code is None else {"failed": 1} if code else {"succeeded": 1}

    def end(self) -> None:
        """No pod outlives the server."""
        for pod in filter(None, self._pods.values()):
            pod.kill()
            pod.wait()


@contextlib.contextmanager
def served(root: Path, env: dict[str, str], evicted: int = 0) -> Iterator[Api]:
    """Serve; `root` gets a `kubeconfig` and the logs of the pods."""
    api = Api(root, env, evicted)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            path = self.path.split("?")[0]
            api.requests.append(f"{self.command} {path}")
            parts = path.strip("/").split("/")
            answer: dict[str, Any] = body
            if self.command == "POST" and parts[-1] == "jobs":
                api.start(body)
            elif self.command == "GET" and parts[-1] == "status":
                answer = {"metadata": {"name": parts[-2]}, "status": api.status(parts[-2])}
            elif self.command == "GET" and parts[-1] == "pods":
                answer = {"kind": "PodList", "items": []}
            elif self.command == "DELETE":
                answer = {"kind": "Status", "status": "Success"}
            content = json.dumps(answer).encode()
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _answer

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = json.loads(json.dumps(CONFIG))
    config["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{server.server_address[1]}"
    (root / "kubeconfig").write_text(json.dumps(config))
    try:
        yield api
    finally:
        api.end()
        server.shutdown()
        server.server_close()
