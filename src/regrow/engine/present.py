"""The present: params, code and packages as they are now, and the keys that follow from them.

Nothing here imports torch, DVC, Polars, or (when the params were seen before) pydantic and YAML:
a job whose key is known must cost no more than a lookup.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regrow.engine import files, jobs
from regrow.engine.closure import Modules, closure
from regrow.engine.environment import Environment
from regrow.engine.errors import FlowError
from regrow.engine.folders import Folders
from regrow.engine.jobs import Flow, Job
from regrow.engine.state import FileTree, beside
from regrow.engine.step import Step
from regrow.selection import literal

PRIVATE = ".regrow"
"""folder of caches and scratch, git-ignored; losing it costs time, never results"""
DEFAULT_PARAMS = "params/demo.yaml"


def find_root(start: Path | None = None) -> Path:
    """The folder at or above `start` that holds the Snakefile. Raises FlowError."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file():
            return folder
    raise FlowError(f"{here} is not inside a Regrow repository: no Snakefile at or above it.")


def command(params_file: str) -> str:
    """What a user types to run the flow under a params file: without its name other jobs would be asked for."""
    config = "" if params_file == DEFAULT_PARAMS else f" --configfile {params_file}"
    return f"snakemake --cores all{config}"


class Present:
    """Code, params and packages of one repository, now."""

    def __init__(
        self,
        root: Path,
        params_file: str,
        flow: Flow | None = None,
        source: Path | None = None,
    ) -> None:
        """Read the params and unfold the flow.

        Args:
            root: the repository.
            params_file: relative to `root`, or absolute inside it.
            flow: the table; default: the one of this process.
            source: the folder whose code the keys are of; default: the code of this process.

        Raises:
            ParamsError: the params file cannot be used.
            FlowError: the table or a module cannot.
        """
        self.root = root
        self.flow = flow or jobs.flow()
        self.params_file = _relative(root, params_file)
        self.modules = Modules(root / PRIVATE / "syntax.json", self.flow.packages, source)
        self._environment: Environment | None = None
        known = self._resolved_params()
        self.params: dict[str, Any] = known["params"]
        """section -> values, defaults filled in, as JSON"""
        self.flow = self.flow.under(self.params)
        self.instances: dict[str, list[str]] = known["instances"]
        self.jobs: dict[str, Job] = jobs.expand(
            self.flow, self.instances, known["inherited"], known["first_affected"]
        )
        self._code: dict[str, dict[str, Any]] = {}
        self._packages: dict[str, dict[str, str]] = {}
        self._sources: dict[str, str] = {}
        self.folders = Folders(root)

    def _resolved_params(self) -> dict[str, Any]:
        path = self.root / self.params_file
        private = self.root / PRIVATE
        if private.exists() and not private.is_dir():
            raise FlowError(f"{private} is no folder; caches are kept there. Fix: remove it.")
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise FlowError(f"{path} is no plain file. Fix: write the params into one.")
        try:
            content = path.read_bytes()
        except OSError:
            self.flow.load(path)  # says what is wrong, and what there is instead
            raise FlowError(f"{path}: cannot be read.") from None
        # What is found in a folder as the program runs (`regrow.params.registry`) is imported by no statement.
        code = [
            closure(self.modules, root, beside=self.modules.beside(root)).digest()
            for root in (self.flow.params_root.partition(":")[0], self.flow.module)
        ]
        mark = hashlib.sha256(files.canonical([content.hex(), code])).hexdigest()
        cache = self.root / PRIVATE / "params" / f"{mark[:32]}.json"
        known = files.read_json(cache)
        if not _resolved(known):
            params = self.flow.load(path)
            values = params.model_dump(mode="json")
            known = {
                "params": values,
                "instances": self.flow.under(values).instances(params),
                "inherited": self.flow.inherited(params),
                "first_affected": self.flow.first_affected(params),
            }
            files.note(cache, files.canonical(known))
        return known

    def job(self, step: str, instance: str | None = None) -> Job:
        """One job. Raises FlowError with what there is."""
        found = self.flow.step(step)
        name = step if instance is None else f"{step}.{instance}"
        if name in self.jobs:
            return self.jobs[name]
        if not found.instances:
            raise FlowError(f"step `{step}` has no instances.")
        have = ", ".join(self.instances[step])
        raise FlowError(f"under {self.params_file}, `{step}` has the instances {have}.")

    @property
    def command(self) -> str:
        """What a user types to run the flow under these params."""
        return command(self.params_file)

    def left_over(self, name: str) -> bool:
        """Whether a job's name (`train.002`) is one that these params do not ask for.

        Without a recipe a table has the same steps under all params, and only instances can be left over: a
        record of a step that it does not know is nobody's to judge.
        """
        if name in self.jobs:
            return False
        return self.flow.recipe is not None or name.split(".")[0] in self.instances

    @property
    def made_steps(self) -> list[Step]:
        """The steps that have any job under these params, in flow order."""
        return [s for s in self.flow.steps if not s.instances or self.instances[s.name]]

    def code(self, step: Step) -> dict[str, Any]:
        """The part `code` of a step: function, digest, modules with definitions, native files."""
        if step.name not in self._code:
            module = step.function.partition(":")[0]
            found = closure(self.modules, module, self.flow.params_root, step.model_sections)
            if self._environment is None:
                self._environment = Environment(self.root, self.root / PRIVATE / "environment")
            self._packages[step.name] = self._environment.packages(found.imports, step.packages)
            self._code[step.name] = {
                "function": step.function,
                "digest": found.digest(),
                "modules": dict(sorted(found.modules.items())),
                "native": dict(sorted(found.native.items())),
            }
        return self._code[step.name]

    def step_parts(self, step: Step) -> dict[str, Any]:
        """The parts of the key that all instances of a step share."""
        code = self.code(step)
        return {
            "code": code,
            "params": {section: self.params[section] for section in step.params},
            "packages": self._packages[step.name],
            "numerics": step.numerics,
        }

    def parts(self, job: Job, inputs: Mapping[str, str]) -> dict[str, Any]:
        """All parts of the key of a job, given the hashes of its inputs."""
        # A step without options has the key that it had before there were options.
        given = job.step.options_of(job.instance)
        options = {"options": given} if given else {}
        return {
            **self.step_parts(job.step),
            **options,
            "instance": job.instance,
            "inputs": dict(sorted(inputs.items())),
        }

    def source_sha256(self, path: str) -> str:
        """Content of a source: SHA-256 of the file, or of the folder's tree. Raises FlowError."""
        if path not in self._sources:
            self._sources[path] = source_digest(self.folders.tree(path), path, self._fix(path))
        return self._sources[path]

    def _fix(self, path: str) -> str:
        """What to do where a source is missing, if the table says it."""
        fixes = (item.fix for step in self.flow.steps for item in step.inputs if item.path == path)
        return next(fixes, "").replace("{params}", self.params_file)

    def save(self) -> None:
        """Keep what was parsed for the next process."""
        self.modules.save()
        self.folders.save()


def _resolved(known: Any) -> bool:
    """Whether a memory of resolved params has their form."""
    forms = {"params": dict, "instances": dict, "inherited": list, "first_affected": dict}
    return isinstance(known, dict) and all(isinstance(known.get(n), f) for n, f in forms.items())


def source_digest(tree: FileTree, path: str, fix: str = "") -> str:
    """SHA-256 of a source file, or of a source folder's tree without the files of `dvc add`.

    Args:
        fix: what to do where it is missing; default: check it out.

    Raises:
        FlowError: it is missing, cannot be read, or is a pattern that something is called like.
    """
    from regrow.engine.hashing import tree_sha256

    if called := literal(path, tree.root):
        raise FlowError(
            f"the source {path}: {called} is there, and also a pattern that finds others. Fix: write `[[]` for `[`, or `?` "
            "for a `*`, `?` or `[`, or give the file or folder another name."
        )
    try:
        found = {name: digest for name, digest in tree.digests().items() if not beside(name)}
    except OSError as error:
        raise FlowError(
            f"the source {path}: {error.filename} cannot be read ({error.strerror}). Fix: its permissions, "
            f"`chmod -R u+rX {tree.selection.folder}`; if it went meanwhile, run again."
        ) from None
    tree.save()
    chosen = tree.selection
    empty = not found or not (chosen.plain or chosen.chosen(found))
    # A part of a few files may be empty, but not all of its parts.
    if empty and (chosen.parts == 1 or not tree.others()):
        raise FlowError(_missing(tree, fix))
    if "" in found:
        return found[""].sha256
    return tree_sha256({name: digest.sha256 for name, digest in found.items()}, path)


def _missing(tree: FileTree, fix: str) -> str:
    chosen = tree.selection
    if fix:
        return f"the source {chosen.whole} is missing. Fix: {fix}."
    if chosen.pattern and tree.path.exists():
        return f"the source {chosen.whole} finds no file in {chosen.folder}/. Fix: the pattern, or put the files there."
    return f"the source {chosen.whole} is missing. Fix: `git checkout -- {chosen.folder}`."


def _relative(root: Path, path: str) -> str:
    full = Path(path)
    if not full.is_absolute():
        return full.as_posix()
    try:
        return full.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise FlowError(
            f"{path} is outside {root}: a params file is part of the repository."
        ) from None
