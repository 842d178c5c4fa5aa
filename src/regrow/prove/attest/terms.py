"""The names that statements use: those of the standards, and Regrow's own.

Regrow's are URNs, since a statement must not depend on a web site that may go away;
docs/guides/attest.md says what each means.
"""

from __future__ import annotations

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD = "application/vnd.in-toto+json"
PROVENANCE = "https://slsa.dev/provenance/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
SLSA_VERSION = "1.1"
"""the first version of the summary in which the time of a verification is optional"""

BUILD = "urn:regrow:build:step:v1"
"""buildType: a step of the flow, run by its key"""
BUILDER = "urn:regrow:builder:runner:v1"
"""builder.id: the runner of `regrow run`, on a machine that its owner answers for"""
VERIFIER = "urn:regrow:verifier:rebuild:v1"
POLICY = "urn:regrow:policy:equal-bytes:v1"
"""every file of every output that was rebuilt has the recorded SHA-256, and there is no other"""
REBUILD = "urn:regrow:rebuild:v1"
"""the extension of a summary that holds what a rebuild found"""

LEVELS = {
    "sources": "REGROW_REBUILT_FROM_SOURCES",
    "parents": "REGROW_REBUILT_FROM_PARENTS",
}
"""verifiedLevels; SLSA reserves only names that begin with `SLSA_`"""


def artifact(path: str) -> str:
    """The URI of an artifact of the flow, by its path."""
    return f"urn:regrow:artifact:{path}"


def record(name: str) -> str:
    """The URI of the record of a job."""
    return f"urn:regrow:record:{name}"
