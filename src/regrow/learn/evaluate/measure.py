"""The probes themselves, each from a model to items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import Olmo3ForCausalLM

from regrow.data.tokens.reader import Packed
from regrow.learn.evaluate import harness, rates, replies
from regrow.learn.evaluate import own as tasks
from regrow.learn.evaluate.documents import Document
from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.lm import CheckpointLM
from regrow.learn.evaluate.long import needles, positions
from regrow.learn.evaluate.preference import preferences
from regrow.learn.evaluate.probes import Form, Probes
from regrow.learn.evaluate.questions import Question, choose, with_tools
from regrow.learn.evaluate.replies import Kind, Reply
from regrow.learn.evaluate.vocabulary import Vocabulary
from regrow.learn.evaluate.yarn import with_yarn
from regrow.learn.model.files import load
from regrow.numerics.torch.install import install
from regrow.params.evaluate import Evaluate


@dataclass(frozen=True)
class Subject:
    """A checkpoint to be measured."""

    folder: Path
    model: Olmo3ForCausalLM
    vocabulary: Vocabulary
    settings: Evaluate
    plan: Probes

    @classmethod
    def load(cls, folder: Path, tokenizer: Path, settings: Evaluate, plan: Probes) -> Subject:
        """The checkpoint in `folder`, under exact arithmetic (activated before)."""
        return cls(folder, install(load(folder)), Vocabulary(tokenizer), settings, plan)

    @property
    def context(self) -> int:
        """The model's positions."""
        return int(self.model.config.max_position_embeddings)

    def lm(self, form: Form, context: int | None = None) -> CheckpointLM:
        """The model as lm-eval sees it, asked in a form; with a shorter context if one is given."""
        return CheckpointLM(
            self.model, self.vocabulary, seed=self.settings.seed, form=form, context=context
        )


def text(
    subject: Subject, documents: Sequence[Document], tasks: Path, work: Path
) -> tuple[dict[str, float], list[Item]]:
    """Bits per held-out document; items of them and of right answers.

    All models read windows of `short_context` positions, so that stages compare.
    """
    settings = subject.settings
    asked = choose(tasks, settings.split, settings.worked, settings.seed)
    folder = work / "text"
    names = harness.write_tasks(documents, folder, work / "cache")
    worked = replies.write_worked(asked, folder)
    lm = subject.lm("plain", settings.short_context)
    report = harness.evaluate(lm, folder, [*names.values(), worked])
    bits = harness.bits(documents, names, report)
    items = [Item("bits_per_byte", d.id, d.domain, 0, bits[d.id] / d.size) for d in documents]
    costs = replies.worked(asked, report)
    items += [
        Item("worked_answers", q.id, q.family, 0, costs[q.id][0] / costs[q.id][1]) for q in asked
    ]
    return bits, items


def answers(subject: Subject, tasks: Path, work: Path) -> list[Item]:
    """Items of the answers to the tasks, in the stage's form and in the one not trained yet."""
    settings, plan = subject.settings, subject.plan

    def asked(most: int) -> list[Question]:
        return choose(tasks, settings.split, most, settings.seed)

    few = asked(settings.few)
    if plan.answers == "none":
        items = []
        if plan.tools:
            tools = with_tools(asked(settings.drawn))
            items = rates.tools(_replies(subject, plan.form, work, (), (), tools)[2])
    elif plan.answers == "few":
        items = rates.greedy(_replies(subject, plan.form, work, few)[0])
    else:
        tools = with_tools(asked(settings.drawn)) if plan.tools else []
        once, often, called = _replies(
            subject, plan.form, work, asked(settings.items), asked(settings.drawn), tools
        )
        items = rates.greedy(once) + rates.drawn(often) + rates.tools(called)
    if plan.untrained:
        end = f"_{plan.untrained}"
        tools = with_tools(few) if plan.untrained == "instruct" else []
        once, _, called = _replies(subject, plan.untrained, work, few, (), tools)
        items += rates.greedy(once, end) + rates.tools(called, end)
    return items


def _replies(
    subject: Subject,
    form: Form,
    work: Path,
    greedy: Sequence[Question],
    drawn: Sequence[Question] = (),
    tools: Sequence[Question] = (),
) -> list[list[Reply]]:
    """The greedy replies, those drawn, and those with tools, all in one run of lm-eval."""
    lm, folder = subject.lm(form), work / f"answers_{form}"
    groups: tuple[tuple[Kind, Sequence[Question]], ...]
    groups = (("greedy", greedy), ("drawn", drawn), ("tools", tools))
    names = [
        replies.write_questions(asked, form, subject.settings, folder, kind)
        for kind, asked in groups
    ]
    report = harness.evaluate(lm, folder, [task for each in names for task in each.values()])
    return [
        replies.read(asked, each, report, lm)
        for (_, asked), each in zip(groups, names, strict=True)
    ]


def long(subject: Subject, longcontext_data: Path) -> list[Item]:
    """Items of loss by position and of needles; the former also with YaRN switched on."""
    settings, heldout = subject.settings, longcontext_data / "heldout"
    models = {"": subject.model}
    if subject.plan.yarn:
        models["_yarn"] = with_yarn(
            subject.folder, Packed(heldout).sequence_length, settings.yarn_beta_fast
        )
    items = needles(subject.model, longcontext_data / "needles.parquet", most=settings.needles)
    for end, model in models.items():
        items += positions(
            model,
            heldout,
            most=settings.windows,
            width=settings.bin,
            short=settings.short_context,
            end=end,
        )
    return items


def own(subject: Subject, evals: Path, work: Path) -> list[Item]:
    """Items of the tasks that the params name; a base model and a tuned one are asked alike: to continue a text."""
    lm = CheckpointLM(subject.model, subject.vocabulary, seed=subject.settings.seed)
    return tasks.measure(lm, evals, subject.settings.tasks, work / "own")


def preference(subject: Subject, pairs: Path) -> list[Item]:
    """Items of the held-out pairs."""
    return preferences(subject.model, pairs / "heldout.parquet", most=subject.settings.pairs)
