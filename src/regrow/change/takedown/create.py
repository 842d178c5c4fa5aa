"""Write a takedown: the list of its documents, and a params file under which the flow is without them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow import yaml12
from regrow.change.takedown import wanted
from regrow.change.takedown.plan import plan
from regrow.change.takedown.stored import stored
from regrow.change.takedown.touched import touched
from regrow.data.takedown import documents
from regrow.engine.present import Present
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.params.schema import check
from regrow.prove.rebuild.folder import recorded_params

FOLDER = "takedowns"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Request:
    """What somebody asks for."""

    queries: Sequence[str]
    name: str | None = None
    """None: nothing is written, the answer says what the documents touched"""
    depth: str = "training"
    copies: bool = False
    why: str = ""
    params_file: str = "params/demo.yaml"


def takedown(root: Path, request: Request) -> dict[str, Any]:
    """Answer what the documents touched; with a name, write takedowns/<name>/ and params/<name>.yaml.

    Returns:
        `documents`, `touched`, `copies`, `overlaps`; with a name `written`, `plan` and `stored`.

    Raises:
        Unanswerable: a document is not to be found, data are not here, the name is taken, or the params file
            is not the one that the records were made under.
    """
    ledger = Ledger.load(root)
    outputs = Outputs(ledger)
    present = Present(root, request.params_file)
    params = present.flow.load(root / request.params_file)
    _recorded(ledger, present, request.params_file)
    ids = wanted.documents(outputs, request.queries)
    same = wanted.copies(outputs, ids)
    if request.copies:
        ids, same = sorted({*ids, *(row["id"] for row in same)}), []
    before = params.takedown
    if before:  # one takedown goes on from another: its documents stay out
        ids = sorted({*ids, *documents.read(root / FOLDER / before.name / "documents.json")})
    found = touched(outputs, ids, params)
    answer: dict[str, Any] = {
        "documents": ids,
        "depth": request.depth,
        "touched": found,
        "copies": same,
        "overlaps": wanted.overlaps(outputs, ids),
    }
    if request.name is None:
        return answer
    return answer | _write(root, request, ledger, answer)


def _write(root: Path, request: Request, ledger: Ledger, answer: dict[str, Any]) -> dict[str, Any]:
    name = str(request.name)
    if not _NAME.fullmatch(name):
        raise Unanswerable(
            f"--name {name}: lower-case letters, digits and _, a letter first, 41 at most."
        )
    folder, target = root / FOLDER / name, root / f"params/{name}.yaml"
    for path in (folder, target):
        if path.exists():
            raise Unanswerable(
                f"{path.relative_to(root)} is there already: choose another --name, or remove it."
            )
    training = request.depth == "training"
    if training and not answer["touched"]["first"]:
        raise Unanswerable(
            "no training step saw any of these documents: there is nothing to rebuild. "
            "To take them out of the data sets too, say --depth everything."
        )
    block: dict[str, Any] = {"name": name, "depth": request.depth}
    if training:
        block["first"] = answer["touched"]["first"]
    raw = yaml12.load((root / request.params_file).read_text(encoding="utf-8")) or {}
    raw = {**raw, "takedown": block}
    check(raw, f"params/{name}.yaml")
    folder.mkdir(parents=True)
    (folder / "documents.json").write_text(documents.encode(answer["documents"]), encoding="utf-8")
    target.write_text(yaml12.dump(raw), encoding="utf-8")
    planned = plan(root, f"params/{name}.yaml", ledger)
    urls = [str(row["url"]) for row in answer["touched"]["documents"]]
    held = stored(ledger, answer["documents"], urls, [*planned["anew"], *planned["aside"]])
    said = {
        "why": request.why,
        "params_file": f"params/{name}.yaml",
        "plan": planned,
        "before": {n: ledger.by_name[n].sha256 for n in planned["anew"] if n in ledger.by_name},
        "first": answer["touched"]["first"],
        "stored": held,
    }
    text = json.dumps(said, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / "request.json").write_text(text, encoding="utf-8")
    return {
        "written": [f"{FOLDER}/{name}/documents.json", f"params/{name}.yaml"],
        "params_file": f"params/{name}.yaml",
        "plan": planned,
        "stored": held,
    }


def _recorded(ledger: Ledger, present: Present, file: str) -> None:
    """The params file must be that of the records: else nothing that is kept would be known."""
    made = [record for record in ledger.records if record.name in present.jobs]
    for section, values in recorded_params(made).items():
        if present.params.get(section) != values:
            raise Unanswerable(
                f"{file}: `{section}` is not what the records were made under. Name the params file of the "
                "run with --params, or run `snakemake` first."
            )
