"""What a run would do, and why: `regrow plan`. Nothing is run; only memories are written."""

from __future__ import annotations

from collections import Counter
from typing import Any

from regrow.engine.assess import Assessment, Verdict
from regrow.engine.present import Present

MEANING = {
    "run": "runs",
    "follow": "runs, unless its inputs come out as they were",
    "hit": "known: restored, not run",
    "restore": "files are fetched from the cache or the remote",
    "current": "nothing to do",
    "aside": "not asked for: another seed",
}


def plan(present: Present, seeds: bool = False) -> dict[str, Any]:
    """The plan as JSON: `jobs` in flow order, each with action, reasons and causes; `summary`.

    With `seeds`, of `snakemake seeds`: the repetitions under other seeds as well.
    """
    assessment = Assessment(present, groups=("main", "seeds") if seeds else ("main",))
    jobs = [_row(verdict, assessment) for verdict in assessment.verdicts.values()]
    counted = Counter(job["action"] for job in jobs)
    return {
        "params_file": present.params_file,
        "jobs": jobs,
        "summary": {action: counted[action] for action in MEANING},
        "remote_trouble": assessment.remote.trouble or None,
    }


def _row(verdict: Verdict, assessment: Assessment) -> dict[str, Any]:
    causes = [up for up in verdict.job.upstream if assessment.verdicts[up].action != "current"]
    return {
        "job": verdict.job.name,
        "step": verdict.job.step.name,
        "instance": verdict.job.instance,
        "action": verdict.action,
        "reasons": [{"part": c.part, "text": c.text} for c in verdict.reasons],
        "upstream": causes,
        "key": verdict.key,
        "unverified": sorted(verdict.workspace.unverified),
    }
