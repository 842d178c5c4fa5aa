"""olmOCR's own pipeline, which runs its model through vLLM: what it needs, how it is called. Not yet run on a GPU.

olmOCR fixes versions of torch and vLLM that are not ours, so it has an environment of its own, named by its Python.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regrow.evidence.errors import Unanswerable

MODEL = "allenai/olmOCR-2-7B-1025-FP8"
"""what olmocr 0.4 takes by default"""
_ASKED = """
import importlib.metadata, json
found = {}
for name in ("olmocr", "vllm", "torch"):
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = ""
found["gpu"] = ""
if found["torch"]:
    import torch
    found["gpu"] = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
print(json.dumps(found))
"""
_FETCHED = """
import sys
from huggingface_hub import snapshot_download
print(snapshot_download(sys.argv[1], revision=sys.argv[2] or None))
"""


@dataclass(frozen=True)
class Run:
    """A run of olmOCR."""

    python: str
    """the Python of the environment with olmocr and vllm"""
    model: str = MODEL
    """a model of the Hugging Face Hub, or a folder"""
    revision: str = ""
    """a commit of it; default: what the Hub has now, whose commit is written down"""
    options: tuple[str, ...] = ()
    """further options of `olmocr.pipeline`"""
    versions: tuple[tuple[str, str], ...] = ()

    def ready(self) -> Run:
        """The run with the versions of what it uses.

        Raises:
            Unanswerable: something is missing; all of it is named.
        """
        found = self._asked()
        lacks = [
            f"{name} is not installed there (`{self.python} -m pip install 'olmocr[gpu]'`)"
            for name in ("olmocr", "vllm")
            if not found[name]
        ]
        if not found["gpu"]:
            lacks.append("torch sees no GPU of NVIDIA there" if found["torch"] else "torch is not installed there")  # fmt: skip
        if shutil.which("pdftoppm") is None:
            lacks.append("poppler's pdftoppm is not installed (`apt-get install poppler-utils`)")
        if lacks:
            raise Unanswerable(
                f"olmOCR cannot run with {self.python}: {'; '.join(lacks)}. Fix: install these, or run olmOCR on another "
                "machine and take its rows over: `regrow sources ocr RECIPE NAME --results WORKSPACE/results`."
            )
        return replace(self, versions=tuple(sorted(found.items())))

    def _asked(self) -> dict[str, str]:
        try:
            done = subprocess.run([self.python, "-c", _ASKED], capture_output=True, text=True, timeout=300)  # fmt: skip
            return dict(json.loads(done.stdout.splitlines()[-1]))
        except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
            raise Unanswerable(
                f"--python {self.python}: does not answer as Python. Fix: the one of the environment with olmocr, "
                "`--python PATH/bin/python`."
            ) from None

    def pipeline(self, workspace: Path, pdfs: Sequence[Path]) -> None:
        """Read PDFs; rows are in `workspace/results` then.

        Raises:
            Unanswerable: the model cannot be had, or the pipeline failed; its output is on the terminal.
        """
        place = Path(self.model) if Path(self.model).is_dir() else self._fetched()
        listed = workspace / "pdfs.txt"
        listed.write_text("".join(f"{path}\n" for path in pdfs), encoding="utf-8")
        command = [self.python, "-m", "olmocr.pipeline", str(workspace), "--pdfs", str(listed), "--model", str(place), *self.options]  # fmt: skip
        if code := subprocess.run(command, check=False).returncode:
            raise Unanswerable(f"olmocr.pipeline ended with status {code}, see above. What it read so far is in {workspace}.")  # fmt: skip

    def _fetched(self) -> Path:
        command = [self.python, "-c", _FETCHED, self.model, self.revision]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode or not done.stdout.strip():
            raise Unanswerable(f"{self.model}: cannot be fetched, see above. Fix: `--model FOLDER` with its files.")  # fmt: skip
        return Path(done.stdout.splitlines()[-1])

    def how(self) -> dict[str, Any]:
        """What a frozen row says of the run: model, its commit, parameters and versions."""
        local = Path(self.model).is_dir()
        commit = self.revision or ("" if local else self._fetched().name)
        return {
            "model": Path(self.model).name if local else self.model,
            "model_revision": commit,
            "parameters": {"options": list(self.options), **dict(self.versions)},
        }
