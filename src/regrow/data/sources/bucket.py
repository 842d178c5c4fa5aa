"""Files of a bucket (`s3://`), through s3fs, which the extra `s3` installs. Loaded only where a source asks for it.

Bytes are compared with the frozen list whoever brings them, so no key counts its version.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from regrow.data.sources.trouble import FetchError, MissingError

_CHUNK = 1 << 20


def _system(address: str) -> Any:
    try:
        import s3fs
    except ImportError:
        raise FetchError(
            f"{address}: needs s3fs, which is not installed. Fix: `pip install 'regrow[s3]'`."
        ) from None
    return s3fs.S3FileSystem()


@contextlib.contextmanager
def _named(address: str) -> Iterator[None]:
    try:
        yield
    except FetchError:
        raise
    except FileNotFoundError:
        raise MissingError(f"{address}: there is no such file (any more).") from None
    except (
        Exception
    ) as error:  # whatever its library raises: credentials, network, the bucket's own
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FetchError(
            f"{address}: {why}. Fix: credentials and endpoint in the environment (AWS_PROFILE, AWS_ENDPOINT_URL …), "
            "as for `aws s3 cp`."
        ) from None


def found(pattern: str) -> list[str]:
    """The addresses that a pattern finds in its bucket, sorted; of an address without wildcards itself."""
    if not any(c in pattern for c in "*?["):
        return [pattern]
    with _named(pattern):
        return sorted(f"s3://{path}" for path in _system(pattern).glob(pattern) if not path.endswith("/"))  # fmt: skip


def head(address: str) -> tuple[int | None, str]:
    """Size and ETag."""
    with _named(address):
        about = _system(address).info(address)
        return about.get("size"), str(about.get("ETag") or "")


def fetch(address: str, target: Path, progress: Callable[[int], None]) -> str:
    """Write a file of a bucket to `target`; returns its ETag."""
    with _named(address):
        system = _system(address)
        etag = str(system.info(address).get("ETag") or "")
        target.parent.mkdir(parents=True, exist_ok=True)
        with system.open(address, "rb") as file, target.open("wb") as out:
            while piece := file.read(_CHUNK):
                out.write(piece)
                progress(len(piece))
        return etag
