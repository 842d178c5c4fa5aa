"""Which records are believed to be records at all, and what is said of a remote that fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.engine import remote_trouble
from regrow.engine.shape import inside, named


def made(**output: Any) -> dict[str, Any]:
    """A record with one file, and what is given of its output."""
    file = {"path": "a/b.txt", "sha256": "0" * 64, "md5": "0" * 32, "size": 3}
    whole = {"path": "data/mix", "files": [file], "size": 3, "nfiles": 1}
    whole |= {"sha256": "0" * 64, "md5": "0" * 32 + ".dir"}
    return {"step": "mix", "instance": None, "output": whole | output}


def file(**values: Any) -> dict[str, Any]:
    """An entry of a file."""
    return {"path": "a", "sha256": "0" * 64, "md5": "0" * 32, "size": 3} | values


def test_a_plain_record_is_shaped():
    assert named(made()) == ""
    instanced = {**made(path="data/mix/rlvr-000080"), "instance": "rlvr-000080"}
    assert named(instanced) == ""


@pytest.mark.parametrize(
    "output",
    [
        {"path": "../mix"},
        {"path": "data/other"},
        {"path": ".git/hooks"},
        {"files": [file(path="../../x")]},
        {"files": [file(path="/etc/passwd")]},
        {"files": [file(path="a/../../x")]},
        {"files": [file(path="a//x")]},
        {"files": [file(path="")]},
        {"files": [file(path="a\0b")]},
        {"files": [file(path=3)]},
        {"files": [file(), file()], "size": 6, "nfiles": 2},
        {"files": [file(), file(path="a/b")], "size": 6, "nfiles": 2},
        {"files": [file(md5="../../../../etc/passwd")]},
        {"files": [file(sha256="0" * 63)]},
        {"files": [file(size=-3)], "size": -3},
        {"files": [file(size=True)], "size": 1},
        {"size": 4},
        {"size": 3.0},
        {"nfiles": 2},
        {"nfiles": True},
        {"more": 1},
        {"files": [file() | {"more": 1}]},
        {"files": [file(path="b"), file(path="a")], "size": 6, "nfiles": 2},
        {"files": [file(path="A"), file(path="a")], "size": 6, "nfiles": 2},
    ],
    ids=str,
)
def test_what_no_record_may_say(output: dict[str, Any]):
    assert named(made(**output))


@pytest.mark.parametrize("field", ["step", "instance"])
@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", ".git", "a b"])
def test_no_name_leaves_the_data_folder(field: str, name: str):
    path = f"data/{name}" if field == "step" else f"data/mix/{name}"
    assert named({**made(path=path), field: name})


@given(st.lists(st.sampled_from(["a", ".", "..", "", "b.c", "..."]), max_size=5))
def test_a_path_is_inside_if_and_only_if_it_resolves_there(parts: list[str]):
    from pathlib import PurePosixPath

    path = "/".join(parts)
    plain = str(PurePosixPath(path)) == path and ".." not in parts and path not in (".", "")
    assert inside(path) == (plain and not path.startswith("/"))


@pytest.mark.parametrize(
    ("url", "text", "fix"),
    [
        ("s3://b/x", "NoCredentialsError: Unable to locate credentials", "access_key_id"),
        ("s3://b/x", 'EndpointConnectionError: Could not connect to "http://h:1"', "endpointurl"),
        ("s3://b/x", 'EndpointConnectionError: No connection to "http://h:40311/403"', "endpoint"),
        (
            "s3://b/x",
            "ConnectTimeoutError: Connect timeout on h:24013, ('h', 40132)",
            "endpointurl",
        ),
        (
            "s3://b/x",
            "ClientError: An error occurred (403) when calling HeadObject",
            "access_key_id",
        ),
        ("ssh://h/x", "PermissionDenied: Permission denied for user me on host h", "keyfile"),
        ("ssh://h/x", "ConnectionRefusedError: [Errno 111] Connect call failed", "url ssh://HOST"),
        ("https://h/x", "401 Unauthorized", "auth basic"),
        ("ssh://h/x", "RemoteMissingDepsError: No module named 'sshfs'", ".[ssh]"),
        ("s3://h/x", "RemoteMissingDepsError: No module named 's3fs'", ".[s3]"),
        ("gs://h/x", "Strange: unheard of", ""),
    ],
)
def test_trouble_names_the_setting(url: str, text: str, fix: str):
    said = remote_trouble.explain("store", url, text)
    assert said.startswith(f"remote `store` ({url}): {text}")
    assert ("hint: " in said) == bool(fix)
    assert fix in said
