"""The environment variables that a step's function sees: those that cannot change a bit.

Libraries read variables that nobody declares (`OPENBLAS_CORETYPE`, `MKL_CBWR`, `ATEN_CPU_CAPABILITY`,
`POLARS_*`, `TZ`, `LC_ALL`), and none is in a key. A shell that sets one must not grow other bytes, so the
function runs without them. What is read when a process starts (`LD_PRELOAD`, `GLIBC_TUNABLES`,
`PYTHONHASHSEED`) cannot be taken back from within; a closed step (`hermetic`) starts without it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

CLOSED = (
    "PATH", "PYTHONPATH", "VIRTUAL_ENV", "REGROW_ISA", "REGROW_THREADS", "REGROW_PROCESSES", "REGROW_TABLE",
)  # fmt: skip
"""all that a closed step sees: where programs and code are, and on how much of the machine it runs"""
PLACES = ("HOME", "TMPDIR", "USER", "LD_LIBRARY_PATH")
"""where a user and native libraries keep files"""
NETWORK = (
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CERT",
    "PIP_PROXY", "PIP_TRUSTED_HOST", "APT_CONFIG",
    "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
    "AWS_CA_BUNDLE",
)  # fmt: skip
"""how a host or registry is reached; what it sends is an input, or compared with a SHA-256 that is one"""
AMOUNT = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
"""how much of the machine may be used (Snakemake and SLURM set them); each step's own test varies them"""
OURS = "REGROW_"
"""begins the names of ours, none of which changes a bit"""


def closed(home: Path) -> dict[str, str]:
    """All that a closed step sees of this process's environment, and a folder of its own as its home."""
    kept = {name: os.environ[name] for name in CLOSED if name in os.environ}
    return kept | {"HOME": str(home), "TMPDIR": str(home)}


def put_first(name: str, folder: Path) -> None:
    """Put a folder in front of those that a variable such as PATH lists, once."""
    others = [p for p in os.environ.get(name, "").split(os.pathsep) if p and p != str(folder)]
    os.environ[name] = os.pathsep.join([str(folder), *others])


def kept(name: str) -> bool:
    """Whether a step's function sees this variable."""
    return name in (*CLOSED, *PLACES, *NETWORK, *AMOUNT) or name.startswith(OURS)


@contextlib.contextmanager
def shut_out() -> Iterator[None]:
    """Take all other variables out of this process's environment, for native code too, and back in after."""
    before = dict(os.environ)
    for name in before:
        if not kept(name):
            del os.environ[name]
    time.tzset()
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
        time.tzset()
