"""Run by the Python that has roc-validator (it wants another rich than we pin): checks a crate offline.

    python validate_crate.py CRATE CONTEXT PROFILE SEVERITY

CONTEXT is a JSON-LD context of RO-Crate, which the validator would fetch (the one that the library
rocrate ships is of 1.3; the terms that our crates use mean the same in it).
"""

from __future__ import annotations

import io
import sys
import urllib.request
import urllib.response
from email.message import Message
from pathlib import Path
from typing import Any

URL = "https://w3id.org/ro/crate/1.1/context"


class Local(urllib.request.BaseHandler):
    handler_order = 1

    def __init__(self, context: bytes) -> None:
        self.context = context

    def https_open(self, request: urllib.request.Request) -> Any:
        if request.full_url != URL:
            raise OSError(f"not offline: {request.full_url}")
        headers = Message()
        headers["Content-Type"] = "application/ld+json"
        response = urllib.response.addinfourl(io.BytesIO(self.context), headers, URL, 200)
        response.msg = "OK"  # type: ignore[attr-defined]
        return response


def _requests(context: bytes) -> None:
    """The same for the checks that use requests (with a cache in between)."""
    import requests
    import requests_cache

    def send(self: Any, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        response.status_code = 200 if request.url == URL else 404
        response.headers["Content-Type"] = "application/ld+json"
        response._content = context
        return response

    requests.Session.send = send  # type: ignore[method-assign]
    requests_cache.CachedSession.send = send  # type: ignore[method-assign]


def main() -> int:
    crate, context, profile, severity = sys.argv[1:]
    urllib.request.install_opener(urllib.request.build_opener(Local(Path(context).read_bytes())))
    _requests(Path(context).read_bytes())
    from rocrate_validator import services
    from rocrate_validator.models import Severity, ValidationSettings

    settings = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=profile,
        requirement_severity=Severity[severity],
    )
    result = services.validate(settings)
    for issue in result.get_issues():
        print(issue.severity.name, issue.check.identifier, issue.message, issue.violatingEntity)
    print("passed" if result.passed() else "FAILED")
    return 0 if result.passed() else 1


if __name__ == "__main__":
    raise SystemExit(main())
