"""The licence of a file of source code, as SPDX names it.

First an `SPDX-License-Identifier` in the head of the file (SPDX 2.3, annex E); then the nearest folder above it, within
the source, that has files called LICENSE, LICENCE, COPYING or UNLICENSE. Their licences are recognised by phrases that
no other licence has. A text of the GNU licences does not say whether later versions hold, so that it counts as `-only`.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from regrow.data.sources.decoding import clean

UNKNOWN = "LicenseRef-unrecognised"
"""there is a licence file, and nothing in it is recognised: the source's own licence need not hold"""
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\n\r]{1,200})")
_EXPRESSION = re.compile(
    r"\(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*(?:[ \t]+(?:AND|OR|WITH)[ \t]+\(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*)*"
)
_FILE = re.compile(
    r"(?:un)?licen[cs]e(?:[-._][\w.+-]*)?|copying(?:[-._][\w.+-]*)?|mit-licen[cs]e(?:\.\w+)?",
    re.IGNORECASE,
)
_NOT = (
    ".py",
    ".pyc",
    ".js",
    ".ts",
    ".java",
    ".go",
    ".rs",
    ".c",
    ".h",
    ".json",
    ".html",
    ".tmpl",
    ".spdx",
)
_READ = 128 << 10
_HEAD = 1_000
"""characters of a licence in which its title stands"""

_TITLES = (
    ("AGPL-3.0-only", r"gnu affero general public license version 3"),
    ("LGPL-3.0-only", r"gnu lesser general public license version 3"),
    ("LGPL-2.1-only", r"gnu lesser general public license version 2\.1"),
    ("LGPL-2.0-only", r"gnu library general public license version 2"),
    ("GPL-3.0-only", r"gnu general public license version 3"),
    ("GPL-2.0-only", r"gnu general public license version 2"),
    ("GFDL-1.3-only", r"gnu free documentation license version 1\.3"),
    ("Apache-2.0", r"apache license,? version 2\.0|version 2\.0, january 2004 http"),
    ("MPL-2.0", r"mozilla public license,? v(?:ersion|\.) ?2\.0"),
    ("MPL-1.1", r"mozilla public license version 1\.1"),
    ("EPL-2.0", r"eclipse public license - v(?:ersion)? 2\.0"),
    ("EPL-1.0", r"eclipse public license - v(?:ersion)? 1\.0"),
    ("EUPL-1.2", r"european union public licence v\. ?1\.2"),
    ("CC0-1.0", r"cc0 1\.0 universal"),
    ("CC-BY-NC-SA-4.0", r"attribution-noncommercial-sharealike 4\.0 international"),
    ("CC-BY-NC-4.0", r"attribution-noncommercial 4\.0 international"),
    ("CC-BY-SA-4.0", r"attribution-sharealike 4\.0 international"),
    ("CC-BY-SA-3.0", r"attribution-sharealike 3\.0"),
    ("CC-BY-4.0", r"attribution 4\.0 international"),
    ("CC-BY-3.0", r"attribution 3\.0"),
    ("BSL-1.0", r"boost software license - version 1\.0"),
    ("Artistic-2.0", r"the artistic license 2\.0"),
    ("OFL-1.1", r"sil open font license version 1\.1"),
    ("PSF-2.0", r"python software foundation license version 2|a\. history of the software"),
    ("WTFPL", r"do what the fuck you want to public license"),
    ("Unlicense", r"this is free and unencumbered software released into the public domain"),
)  # fmt: skip
_TITLES_FOUND = tuple((name, re.compile(pattern)) for name, pattern in _TITLES)


def in_head(text: str) -> str:
    """The expression of an `SPDX-License-Identifier` in the first 4,096 characters; "" without one."""
    found = _TAG.search(text[:4_096])
    expression = _EXPRESSION.match(found[1].partition("-->")[0].strip()) if found else None
    said = " ".join(expression[0].split()) if expression else ""
    return said if said.count("(") == said.count(")") else said.strip("()")


def above(path: Path, name: str) -> tuple[str, str]:
    """The licence that holds in the nearest folder above a file, and the file that says so; ("", "") without one.

    `name` is the path below the source's folder: nothing outside that folder is read. Several licences of a folder
    all hold, but COPYING.LESSER, which changes the COPYING beside it.
    """
    parts = name.split("/")[:-1]
    folder = path.parent
    for depth in range(len(parts), -1, -1):
        licence, file = _of_folder(str(folder))
        if licence:
            return licence, clean("/".join([*parts[:depth], file]))
        folder = folder.parent
    return "", ""


@functools.lru_cache(maxsize=4_096)
def _of_folder(folder: str) -> tuple[str, str]:
    try:
        files = sorted(path for path in Path(folder).iterdir() if _is_licence(path.name) and path.is_file())  # fmt: skip
        found = {path.name: recognised(_beginning(path)) for path in files}
    except OSError:
        return "", ""
    if not found:
        return "", ""
    known = sorted({licence for licence in found.values() if licence})
    if any(licence.startswith("LGPL-3") for licence in known):
        known = [licence for licence in known if licence != "GPL-3.0-only"]
    said = " AND ".join(known) or UNKNOWN
    names = [file for file, licence in found.items() if not known or licence in known]
    return said, ", ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} more"


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_READ).decode("utf-8", "replace")


def _is_licence(name: str) -> bool:
    return _FILE.fullmatch(name) is not None and not name.lower().endswith(_NOT)


def recognised(text: str) -> str:
    """The SPDX identifier of the text of a licence; "" where no phrase of it is known.

    Of several in one file the one whose title comes first counts.
    """
    words = " ".join(re.sub(r"[^\w.,/()'-]+", " ", text.lower()).split())
    head = words[:_HEAD]
    titles = [(found.start(), name) for name, pattern in _TITLES_FOUND if (found := pattern.search(head))]  # fmt: skip
    if titles:
        return min(titles)[1]
    return _by_grant(words)


def _by_grant(words: str) -> str:
    """Licences without a title of their own, by what they grant."""
    if "permission is hereby granted, free of charge, to any person obtaining a copy" in words:
        if "this permission notice shall be included" in words:
            return "X11" if "x consortium" in words else "MIT"
        if "to deal with the software without restriction" in words:
            return "NCSA"
        return "" if re.search(r"following conditions|provided that", words) else "MIT-0"
    if re.search(r"permission to use, copy, modify,? and(?:/or)? distribute this software for any purpose", words):  # fmt: skip
        return "ISC" if "provided that the above copyright notice" in words else "0BSD"
    if "redistribution and use in source and binary forms" in words:
        if "all advertising materials mentioning" in words:
            return "BSD-4-Clause"
        third = re.search(r"neither the names? of|may not be used to endorse", words)
        return "BSD-3-Clause" if third else "BSD-2-Clause"
    if "altered source versions must be plainly marked as such" in words:
        return "Zlib"
    return ""
