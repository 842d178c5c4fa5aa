"""What to do when a remote cannot be asked: the setting behind each error of its file system.

The errors come from the libraries that DVC uses (botocore, asyncssh, aiohttp); they name a cause
and no setting. The settings are DVC's: see `dvc remote modify --help`.
"""

from __future__ import annotations

import re

_CREDENTIALS = {
    "s3": "`dvc remote modify --local {name} access_key_id …` and `secret_access_key …`, or a "
    "profile (`profile …`), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    "ssh": "`dvc remote modify --local {name} keyfile PATH` (or `password …`), and `user …` where "
    "the account is another",
    "http": "`dvc remote modify --local {name} auth basic`, `user …` and `password …` (or `auth "
    "custom` with `custom_auth_header …`)",
}
_PLACE = {
    "s3": "the server: `dvc remote modify --local {name} endpointurl …`",
    "ssh": "host and port: `dvc remote modify --local {name} url ssh://HOST:PORT/PATH`",
    "http": "the address: `dvc remote modify --local {name} url …`",
}
_REFUSED_CREDENTIALS = (
    "NoCredentialsError", "PartialCredentialsError", "ClientError", "PermissionDenied",
    "PermissionError", "Permission denied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403",
    "401", "Forbidden", "Unauthorized", "KeyImportError", "KeyEncryptionError",
)  # fmt: skip
_NOT_FOUND = (
    "EndpointConnectionError", "ConnectionRefusedError", "gaierror", "ConnectTimeout",
    "ClientConnectorError", "ConnectionLost", "TimeoutError", "NoSuchBucket", "Connection reset",
)  # fmt: skip
_EXTRA = {"s3": "s3", "ssh": "ssh"}


def explain(name: str, url: str, text: str) -> str:
    """One line: the remote, what its library said, and the setting that fixes it."""
    scheme = "http" if url.startswith("http") else url.partition("://")[0]
    said = f"remote `{name}` ({url}): {text.rstrip('.')}"
    cause = re.sub(r"\w+://\S+", "", text)  # a port or a path may hold "403", or any word
    fix = ""
    if "No module named" in text or ("requires" in text.lower() and "install" in text.lower()):
        extra = _EXTRA.get(scheme, "remotes")
        fix = f"`pip install --constraint constraints.txt --editable '.[{extra}]'`"
    elif "host key" in cause.lower() or "HostKeyNotVerifiable" in cause:
        fix = "add the server's key to ~/.ssh/known_hosts (`ssh-keyscan`), after checking it"
    elif any(_says(cause, word) for word in _REFUSED_CREDENTIALS):
        fix = _CREDENTIALS.get(scheme, "").format(name=name)
    elif any(_says(cause, word) for word in _NOT_FOUND):
        fix = _PLACE.get(scheme, "").format(name=name)
    return f"{said}. hint: {fix}." if fix else f"{said}."


def _says(text: str, word: str) -> bool:
    """Whether a word begins so, or a number is this one (ports stand outside of addresses too)."""
    return re.search(rf"\b{word}(?!\d)", text) is not None
