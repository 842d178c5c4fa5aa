"""What the Snakefile needs to know: the params file, the targets, who comes before whom."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regrow.engine import (
    checkout,
    command,
    lineends,
    locks,
    mistakes,
    project,
    reconcile,
    variables,
    warm,
)
from regrow.engine.assess import Assessment
from regrow.engine.errors import FlowError
from regrow.engine.jobs import Job
from regrow.engine.present import DEFAULT_PARAMS, PRIVATE, Present
from regrow.engine.rules import Rule

_LINES = 10
"""how many findings are said before a run"""


def groups_asked(present: Present, words: Iterable[str]) -> tuple[str, ...]:
    """The groups of steps that a command line asks for: `main`, and `seeds` if it names one of theirs.

    The words come from the command line: Snakemake resolves targets only after it has parsed the Snakefile.
    """
    asked = set(words)
    aside = {job.record for job in present.jobs.values() if job.step.group != "main"}
    return ("main", "seeds") if "seeds" in asked or asked & aside else ("main",)


class Flow:
    """The flow under the params file of this call of Snakemake; reconciles the records."""

    def __init__(self, workflow: Any) -> None:
        """Read the params and, in the main process, reconcile.

        Args:
            workflow: Snakemake's.
        """
        self.root = Path(workflow.basedir)
        self._running: locks.Lock | None = None
        self._finished = False
        self._warm: warm.Server | None = None
        self._rules: list[Rule] = []
        with _said():
            project.enter(self.root)
            _prepare_jobs(self.root)
            self._present = Present(self.root, _params_file(workflow))
            self.params_file = self._present.params_file
            if workflow.is_main_process:
                command.check(command.words(), self._present.jobs.values())
                self._reconcile(workflow)
        self.targets = targets(self._present, "main")
        self.seeds = targets(self._present, "seeds")
        self.stages = command.stages(self._present.jobs.values())
        """target `STEP_all` -> the files of all instances of the step"""

    def _reconcile(self, workflow: Any) -> None:
        if not self._alone():
            print(
                "Another snakemake is at work here; records are left as they are.", file=sys.stderr
            )
            return
        found = reconcile.reconcile(self._present, groups_asked(self._present, command.words()))
        say(found.assessment)
        tell(found, self.params_file)
        if found.unwritten:
            raise FlowError(
                f"nothing can be written here ({found.unwritten}), so that Snakemake would not see what changed. "
                "Fix: work in a folder that you may write, or free some space; `regrow plan` says what would run."
            )
        # Snakemake calls neither onsuccess nor onerror where there is nothing to be done.
        atexit.register(self._end, workflow)

    def _end(self, workflow: Any) -> None:
        """After a real run that had no job."""
        real = workflow.executor_plugin is not None and not (workflow.dryrun or workflow.touch)
        if real and not self._finished:
            self._drop()

    def _alone(self) -> bool:
        """Whether no other Snakemake works in this folder; this one then holds the place while it lives.

        The system frees the lock when its holder dies, however it dies. So a lock that Snakemake
        left in .snakemake is known to be a dead run's, and is removed: no `--unlock` is needed. Where
        the file system has no locks, one of another machine may be alive: Snakemake's own decides.
        """
        lock = locks.acquire(self.root / PRIVATE / "running.lock", block=False)
        if lock is None:
            return False
        self._running = lock
        if lock.everywhere:
            for name in ("locks", "incomplete"):
                # Records and artifacts are put in place by rename: none is ever incomplete.
                for left in (self.root / ".snakemake" / name).glob("*"):
                    left.unlink(missing_ok=True)
        return True

    def needs(self, step: str, instance: str | None = None) -> list[str]:
        """The records that a job reads."""
        return [f"records/{name}.json" for name in self._present.job(step, instance).upstream]

    def rules(self, part: str = "", group: str = "main") -> list[Rule]:
        """What Snakemake needs to know of each step of a group: of one part of the flow, or of all."""
        found = [
            Rule(step, self.params_file, self.needs)
            for step in self._present.flow.steps
            if step.group == group and part in ("", step.part)
        ]
        if not found and self._present.flow.recipe is None:  # a recipe may do without a part
            raise FlowError(f"no step of the group `{group}` says part=`{part}`.")
        self._rules += found
        return found

    def describe(self, workflow: Any) -> None:
        """Give the rules of `rules` their texts: `snakemake --list` shows them. After the last rule."""
        for rule in self._rules:
            workflow.get_rule(rule.name).docstring = rule.doc

    def start(self, workflow: Any) -> None:
        """Before the first job of a run that has any."""
        # Jobs elsewhere have their own memory and their own hosts.
        if warm.asked() and workflow.local_exec:
            self._warm = warm.Server()

    def finish(self, good: bool) -> None:
        """After a run: dvc.yaml and dvc.lock, and where to look."""
        if self._warm is not None:
            self._warm.close()
        self._finished = True
        self._drop()
        if good:
            main = [job for job in self._present.jobs.values() if job.step.group == "main"]
            last = main[-1]
            print(
                f"\nDone. {self._result(last)}"
                f"Ask further: {self._present.flow.ask.format(job=last.name)}",
                file=sys.stderr,
            )
        else:
            print(
                f"\nStopped. What is finished is recorded; `{self._present.command}` goes on from here. "
                "The failed job's output is above and in logs/.",
                file=sys.stderr,
            )

    def _result(self, last: Job) -> str:
        """Where the last result is, if what is there is made from what is here now."""
        present = Present(self.root, self.params_file)
        verdicts = Assessment(present).verdicts.values()
        waiting = [v.job.name for v in verdicts if v.action not in ("current", "aside")]
        if waiting:
            more = ", ..." if len(waiting) > 3 else ""
            return (
                f"{len(waiting)} jobs of the flow do not describe the present yet ({', '.join(waiting[:3])}{more}): "
                "`regrow plan` says why, `snakemake` makes them.\n"
            )
        if not (self.root / last.data).is_dir():
            return ""
        return self._present.flow.result.format(data=last.data) + "\n"

    def _drop(self) -> None:
        """Print dvc.yaml and dvc.lock again, and remove what the params do not ask for."""
        gone = reconcile.finish(self._present)
        if gone:
            more = ", ..." if len(gone) > 3 else ""
            print(
                f"\n{self.params_file} does not ask for {len(gone)} of the records here "
                f"({', '.join(gone[:3])}{more}): removed. The cache keeps the bytes that it has: a branch of git that "
                "has the records gets them back with `git switch` and `snakemake`.",
                file=sys.stderr,
            )


def _prepare_jobs(root: Path) -> None:
    """Jobs run this repository's code with this interpreter's tools, whatever the caller's PATH.

    Raises:
        FlowError: they would not, or this process does not.
    """
    checkout.check(root)
    checkout.group_writes(root)
    if not checkout.runs(root):
        raise FlowError(
            f"{root}/Snakefile is read by the code of another checkout ({Path(__file__).parents[1]}), which was "
            "imported before it. Fix: start `snakemake` as a program, not from within another."
        )
    variables.put_first("PYTHONPATH", root / "src")
    variables.put_first("PATH", Path(sys.executable).parent)


def targets(present: Present, group: str) -> list[str]:
    """The files that people ask for by name, and all records, of one group of steps."""
    jobs = [job for job in present.jobs.values() if job.step.group == group]
    records = [job.record for job in jobs]
    leaves = [f"{job.data}/{leaf}" for job in jobs for leaf in job.step.leaf]
    return [*leaves, *records]


def say(assessment: Assessment) -> None:
    """Tell of what a plain run would not show: lost data, changed files, records not believed."""
    out = sys.stderr
    for record in assessment.confirmed:
        print(
            f"{record['step']}: the run cache had another result for its key; git HEAD's is believed.",
            file=out,
        )
    lines = [
        f"{verdict.job.name}: {change.text}"
        for verdict in assessment.verdicts.values()
        for change in verdict.reasons
        if change.part in ("output", "trust")
    ]
    # After a switch of branches they are many, and nothing is wrong.
    shown = lines if len(lines) <= _LINES else lines[: _LINES - 1]
    for line in shown:
        print(line, file=out)
    if len(lines) > len(shown):
        print(f"… and {len(lines) - len(shown)} more like these: `regrow plan`.", file=out)
    unread = sum(len(v.workspace.unverified) for v in assessment.verdicts.values())
    if unread:
        print(
            f"{unread} large files were not reread; they are verified when a step uses them.",
            file=out,
        )
    if assessment.remote.trouble:
        print(f"The DVC remote could not be asked: {assessment.remote.trouble}", file=out)


def tell(found: reconcile.Reconciled, params_file: str) -> None:
    """Report records that were rewritten in their own layout, of those left over, of line ends."""
    if found.rewritten:
        print(
            f"{_some(found.rewritten)}: another layout than the runner's (line ends, a formatter): the records are "
            "rewritten, their content is the same.",
            file=sys.stderr,
        )
    if found.left_over:
        print(
            f"{_some(found.left_over)}: {params_file} does not ask for these jobs; a run of `snakemake` removes "
            "their records and data (the cache keeps the bytes).",
            file=sys.stderr,
        )
    if any(verdict.stale for verdict in found.assessment.verdicts.values()):
        said = lineends.converted(found.assessment.present.root)
        if said:
            print(said, file=sys.stderr)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _params_file(workflow: Any) -> str:
    given = [str(path) for path in workflow.configfiles]
    if len(given) > 1:
        given = [os.path.relpath(path) for path in given]
        raise FlowError(
            f"--configfile takes one params file here, got {len(given)}: {', '.join(given)}. Snakemake takes "
            f"every word after --configfile for such a file. Fix: targets come first, "
            f"`snakemake {' '.join(given[1:])} --configfile {given[0]}`."
        )
    if workflow.config_settings.config:
        names = ", ".join(workflow.config_settings.config)
        raise FlowError(
            f"--config {names}: values that identify a result live in a params file. "
            f"Fix: write params/<name>.yaml and give --configfile params/<name>.yaml."
        )
    if not given:
        return DEFAULT_PARAMS
    path = Path(given[0])
    return str(path.resolve()) if path.is_absolute() else path.as_posix()


@contextlib.contextmanager
def _said() -> Any:
    """Say an error of ours as a message: Snakemake would print a traceback."""
    from snakemake.exceptions import WorkflowError

    try:
        yield
    except Exception as error:
        if mistakes.status(error) is not None:
            raise WorkflowError(str(error)) from None
        raise
