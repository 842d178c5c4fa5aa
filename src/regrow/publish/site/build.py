"""The static site: documentation, and report and explorer of the run in the checkout, as files by path.

A function of the tree alone: no time, host, locale, order of folders or place of the site enters.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.pages.environment import environment
from regrow.publish.explorer.index import MOST
from regrow.publish.explorer.page import page as explorer
from regrow.publish.report.page import page as report
from regrow.publish.site import check
from regrow.publish.site.tree import HOME, Group, moved, navigation, place, read, relative

TEMPLATES = Path(__file__).parent / "templates"
RUN, REPORT, EXPLORER, STYLE = (
    "run/index.html",
    "run/report.html",
    "run/explorer.html",
    "style.css",
)
MARK = "built-by-regrow-site.txt"
"""of a folder that may be replaced"""


def build(root: Path, *, run: bool = True) -> dict[str, bytes]:
    """All files of the site, by path.

    Args:
        root: of the repository.
        run: whether to look for a run; else the documentation stands alone.

    Raises:
        Unanswerable: a link leads nowhere.
    """
    tree = read(root)
    jinja = environment(TEMPLATES)
    grown = _run(root) if run else None
    groups = navigation(tree)
    site = {path: (root / path).read_bytes() for path in tree.files}
    site[STYLE] = jinja.get_template("site_style.jinja").render().encode()
    site[MARK] = b"`regrow site` built this folder, and replaces all of it when it runs again.\n"
    layout = jinja.get_template("site.jinja")
    for name, page in tree.pages.items():
        at = place(name)
        body = page.html(lambda link, name=name: moved(name, link))  # type: ignore[misc]
        parts = [h for h in page.headings if h.level == 2]
        site[at] = layout.render(**_frame(at, groups, page.title, body, parts)).encode()
    if grown:
        site[REPORT] = report(grown).encode()
        site[EXPLORER] = explorer(grown, None, MOST).encode()
    body = jinja.get_template("run.jinja").render(**_about(grown, run))
    site[RUN] = layout.render(**_frame(RUN, groups, "The run", body, [])).encode()
    if wrong := check.broken(site):
        raise Unanswerable("Links of the site lead nowhere:\n  " + "\n  ".join(wrong))
    return dict(sorted(site.items()))


def _frame(at: str, groups: list[Group], title: str, body: str, parts: list[Any]) -> dict[str, Any]:
    """What the template needs around a page."""
    shown = [
        (
            g.title,
            [(label, relative(at, place(path)), place(path) == at) for label, path in g.entries],
        )
        for g in groups
    ]
    shown.insert(1, ("A real run", [("Report and explorer", relative(at, RUN), at == RUN)]))
    return {
        "title": title,
        "body": body,
        "parts": parts,
        "groups": shown,
        "style": relative(at, STYLE),
        "home": relative(at, place(HOME)),
    }


def _run(root: Path) -> Ledger | None:
    """The records of the run, if its last checkpoint is in the checkout."""
    ledger = Ledger.load(root)
    final = ledger.final
    return ledger if final and (root / final.path / "model.safetensors").is_file() else None


def _about(grown: Ledger | None, asked: bool) -> dict[str, Any]:
    final = grown.final if grown else None
    return {
        "grown": bool(grown),
        "asked": asked,
        "records": len(grown.records) if grown else 0,
        "checkpoint": final.name if final else "",
        "digest": final.sha256 if final else "",
    }


def write(site: dict[str, bytes], folder: Path) -> None:
    """Put the site where `folder` says, in place of a site that was there.

    Raises:
        Unanswerable: something else is there.
    """
    if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise Unanswerable(
            f"{folder}: holds something that `regrow site` did not build. hint: name another folder with --output."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for path, content in site.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_bytes(content)
        fresh.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
