"""Figures of the published run in README and docs are those of the records.

`python tests/test_figures.py` writes them into the pages. A new figure is one line here: the page, and the sentence with the figure's
place in the records (tests/support/run_figures.py says how to name it). What a machine measured (seconds, speeds) is in no record and
not here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
import derived_figures  # noqa: F401 - registers what sentences call by =name
import odds_figures  # noqa: F401 - the same
from run_figures import Absent, Sentence, record
from small_repository import ROOT

README, EVIDENCE = "README.md", "docs/evidence.md"
DATA, MIX, TASKS = (f"docs/concepts/{name}.md" for name in ("data", "mix", "tasks"))
LONG, TRAINING, EXPLAIN = (
    f"docs/concepts/{name}.md" for name in ("longcontext", "training", "explain")
)
SOURCES, VERIFY = "docs/guides/sources.md", "docs/guides/verify.md"
EXPORTS = "docs/reference/exports.md"
BY_FAMILY = "evaluate.rlvr-000080:results.json/probes/exact_match/families"

FIGURES = [
    (README, "The demo crawls {crawl/pages} real pages"),
    (README, "a {release.rlvr-000080/parameters: M.1f}-million-parameter Olmo 3 model"),
    (README, "of the dev split; it answers {evaluate.rlvr-000080/exact_match: .2f} of the held-out ones rightly"),
    (README, "{=jobs} of {=jobs} steps (100%) done"),
    (README, "\n{=published} of {=published} artifacts equal to the published hashes"),
    (README, "The {=published} published records"),
    (README, "| The demo regrows the published run | {=published} of {=published} in a second clone"),
    (README, "0.0 on all {rlvr.*/logprobs_compared} compared tokens of RLVR"),
    (EVIDENCE, "| {text/in} records → {text/kept} texts → {filter/kept} filtered → {dedup/kept} deduplicated → {decontaminate/kept} for training → {mix/kept} in the mix |"),
    (README, "| RL gains | RLVR: pass rate {mean evaluate.dpo-000048/pass_rate: .2f} → {mean evaluate.rlvr-000080/pass_rate: .2f}, {mean evaluate.rlvr-000080/pass_rate - mean evaluate.dpo-000048/pass_rate: +.3f} [{gains/rlvr/pass_rate/paired/low: .3f}, {gains/rlvr/pass_rate/paired/high: .3f}] over three seeds"),
    (EVIDENCE, "| Signed provenance | {=ancestors} statements"),
    (README, "of {=spans} spans of RLVR's ancestry"),
    (README, "With states handed out 20 of {=ancestral_steps} steps catch any unbroken forged 5 %, and {=drawn_steps} ({=share_of_steps: %.1f} %) a scattered one at 99 % odds"),
    (README, "| The key of a step | {=steps} steps × {=kinds} kinds of change"),
    (README, "| Tampering | {=attacks} attacks on workspace"),
    (EVIDENCE, "| Sandbox for untrusted code | {=sandbox_attacks} attacks"),
    (README, "| `sources/` | {=sources: M.1f} MB of frozen sources"),
    (EVIDENCE, "| pretrain | bits per byte, held-out documents | {evaluate.pretrain-000000/bits_per_byte: .2f} → {evaluate.pretrain-000480/bits_per_byte: .2f} | {gains/pretrain/bits_per_byte/paired/value: .2f} [{gains/pretrain/bits_per_byte/paired/low: .2f}, {gains/pretrain/bits_per_byte/paired/high: .2f}] |"),
    (EVIDENCE, "| midtrain | exact match, plain form | {gains/midtrain/exact_match/before/value: .2f} → {gains/midtrain/exact_match/after/value: .2f} | {gains/midtrain/exact_match/paired/value: +.2f} [{gains/midtrain/exact_match/paired/low: .2f}, {gains/midtrain/exact_match/paired/high: .2f}]; costs {gains/midtrain/bits_per_byte/paired/value: .2f} bits per byte of general text |"),
    (EVIDENCE, "| long context | loss beyond the old length | {evaluate.soup-000900/loss_long: .2f} → {evaluate.longcontext-000120/loss_long: .2f} | {gains/longcontext/loss_long/paired/value: .2f} [{gains/longcontext/loss_long/paired/low: .2f}, {gains/longcontext/loss_long/paired/high: .2f}]; against the control at the short length {gains/longcontext/loss_long/control/paired/value: .3f} [{gains/longcontext/loss_long/control/paired/low: .3f}, {gains/longcontext/loss_long/control/paired/high: .3f}]; no better than that control with YaRN switched on ({gains/longcontext/loss_long#2/control/paired/value: .3f} [{gains/longcontext/loss_long#2/control/paired/low: .3f}, {gains/longcontext/loss_long#2/control/paired/high: .3f}])"),
    (EVIDENCE, "| SFT (Think) | exact match, greedy | {evaluate.longcontext-000120/exact_match: .2f} → {mean evaluate.sft-000720/exact_match: .2f} | {gains/sft/exact_match/paired/value: +.2f} [{gains/sft/exact_match/paired/low: .2f}, {gains/sft/exact_match/paired/high: .2f}]; format {gains/sft/format/before/value: .0f} → {gains/sft/format/after/value: .2f} |"),
    (EVIDENCE, "| SFT (Instruct) | tool calls that succeed | {gains/sft_instruct/tool_calls/before/value: .2f} → {gains/sft_instruct/tool_calls/after/value: .2f} | {gains/sft_instruct/tool_calls/paired/value: +.2f} [{gains/sft_instruct/tool_calls/paired/low: .2f}, {gains/sft_instruct/tool_calls/paired/high: .2f}] |"),
    (EVIDENCE, "| DPO, judged pairs | win share at T = 1 against SFT | {gains/dpo/win_share_drawn/before/value: .2f} → {gains/dpo/win_share_drawn/after/value: .2f} | inside the interval ({gains/dpo/win_share_drawn/paired/value: +.3f} [{gains/dpo/win_share_drawn/paired/low: .3f}, {gains/dpo/win_share_drawn/paired/high: .3f}]); exact match {mean evaluate.dpo-000048/exact_match - mean evaluate.sft-000720/exact_match: .3f} [{gains/dpo/exact_match/paired/low: .3f}, {gains/dpo/exact_match/paired/high: .3f}] |"),
    (EVIDENCE, "| DPO, delta pairs | preference accuracy | {gains/dpo_delta/preference (delta)/before/value: .3f} → {gains/dpo_delta/preference (delta)/after/value: .3f} | none; exact match {evaluate.dpo_delta-000048/exact_match - evaluate.sft-000720/exact_match: .3f} [{gains/dpo_delta/exact_match/paired/low: .3f}, {gains/dpo_delta/exact_match/paired/high: .3f}] |"),
    (EVIDENCE, "| RLVR | pass rate at T = 1 | {mean evaluate.dpo-000048/pass_rate: .2f} → {mean evaluate.rlvr-000080/pass_rate: .2f} | {mean evaluate.rlvr-000080/pass_rate - mean evaluate.dpo-000048/pass_rate: +.3f} [{gains/rlvr/pass_rate/paired/low: .3f}, {gains/rlvr/pass_rate/paired/high: .3f}]; greedy exact match {mean evaluate.dpo-000048/exact_match: .3f} → {mean evaluate.rlvr-000080/exact_match: .3f}, {mean evaluate.rlvr-000080/exact_match - mean evaluate.dpo-000048/exact_match: +.3f} [{gains/rlvr/exact_match/paired/low: .3f}, {gains/rlvr/exact_match/paired/high: .3f}] |"),
    (EVIDENCE, "| RL-Zero | pass rate at T = 1 | {evaluate.longcontext-000120/pass_rate: .2f} → {evaluate.rlzero-000040/pass_rate: .2f} | {gains/rlzero/pass_rate/paired/value: +.2f} [{gains/rlzero/pass_rate/paired/low: .2f}, {gains/rlzero/pass_rate/paired/high: .2f}]; its random-reward control {evaluate.longcontext-000120/pass_rate: .2f} → {evaluate.rlzero_random-000020/pass_rate: .2f} |"),
    (DATA, "none of the demo's {text/kept} documents (before any filter), of its {tasks/train} train tasks or of its teacher's {=teacher} answers"),
    (DATA, "of {filter/in} documents of text the filter keeps {filter/kept} ({filter/dropped/language.other} are in another language, {filter/dropped/length.*} are stubs, {filter/dropped/repetition.*} repeat themselves, {filter/dropped/language.unsure} are not surely English, {filter/dropped/symbols.* + filter/dropped/word_length.*} are symbols or indexes), dedup {dedup/kept} ({dedup/dropped/exact} exact copies, {dedup/dropped/near*} near ones"),
    (DATA, "decontamination {decontaminate/kept} for training and {decontaminate/dropped/held_out} held out; {decontaminate/dropped/overlaps_heldout} overlapped with held-out documents"),
    (DATA, "Of {=plays} pages of plays and poems {=plays_kept} pass the filter"),
    (DATA, "the demo's {decontaminate/in} documents take"),
    (MIX, "the demo ({mix/in} training documents)"),
    (MIX, "| topic (4 classes) | {classify:metrics.json/topic/test_documents} | {classify:metrics.json/topic/accuracy: .2f} | {classify:metrics.json/topic/majority: .2f} |"),
    (MIX, "| quality | {classify:metrics.json/quality/test_documents} | {classify:metrics.json/quality/accuracy: .2f} (AUC {classify:metrics.json/quality/auc: .2f}) | {classify:metrics.json/quality/majority: .2f} |"),
    (MIX, "of its {pack/tokens: M.2f} M tokens {=distinct: M.2f} M are distinct, from {mix/kept} documents"),
    (MIX, "for the mix and for the held-out documents ({=least_compression: .1f} to {=most_compression: .1f} at a vocabulary of {tokenizer/vocabulary})"),
    (TASKS, "| train | {tasks/train/add} | {tasks/train/count} | {tasks/train/larger} | {tasks/train/repeat} | {tasks/train/reverse} | {tasks/train/sort} | {tasks/train/words} |"),
    (TASKS, "| dev / test | {tasks/dev/add} / {tasks/test/add} | {tasks/dev/count} / {tasks/test/count} | {tasks/dev/larger} / {tasks/test/larger} | {tasks/dev/repeat} / {tasks/test/repeat} | {tasks/dev/reverse} / {tasks/test/reverse} | {tasks/dev/sort} / {tasks/test/sort} | {tasks/dev/words} / {tasks/test/words} |"),
    (TASKS, "A word list of {=words} common words"),
    (TASKS, "without it the {tokenizer/vocabulary} tokens hold no ` q`"),
    (TASKS, "section 3.5). {midtrain_data/tokens} tokens:"),
    (TASKS, "{midtrain_data/components/questions/texts} train tasks in the plain form"),
    (TASKS, "The demo looks for {=evals} + {tasks/dev + tasks/test} and finds"),
    (TASKS, "All {tasks/dev + tasks/test} tasks are found"),
    (TASKS, "`heldout/documents` ({midtrain_data/heldout/documents: ~2} tokens)"),
    (TASKS, "| `think` | {sft_data/think/examples} | {sft_data/think/tokens: ~3} | {sft_data/think/learned: ~3} | {sft_data/think/kinds/task} tasks with their trace in the think part, {sft_data/think/kinds/style} of a teacher's answers |"),
    (TASKS, "| `instruct` | {sft_data/instruct/examples} | {sft_data/instruct/tokens: ~3} | {sft_data/instruct/learned: ~2} | {sft_data/instruct/kinds/task} short answers, {sft_data/instruct/kinds/tool} tool calls, {sft_data/instruct/kinds/style} of a teacher's answers |"),
    (TASKS, "| `truncated` | {sft_data/dropped/truncated} |"),
    (TASKS, "| `identity` | {sft_data/dropped/identity} |"),
    (TASKS, "| `repetition.sentence`, `.phrase`, `.word` | {sft_data/dropped/repetition.*} |"),
    (TASKS, "| `language.other`, `language.han` | {sft_data/dropped/language.*} |"),
    (TASKS, "| `too_long`, `duplicate`, `empty`, `malformed` | {sft_data/dropped/duplicate} |"),
    (LONG, "Of {longcontext_data/in} training documents {longcontext_data/dropped/quality} fail on quality, {longcontext_data/dropped/short} are short, {longcontext_data/dropped/compressible} and {longcontext_data/dropped/incompressible} fall at the two ends, {longcontext_data/long} stay"),
    (LONG, "what no piece fits ({=filler: %.1f} % of the tokens)"),
    (TRAINING, "(test split: {evaluate.sft-000720/exact_match: .3f}; with two more seeds {mean evaluate.sft-000720/exact_match: .3f})"),
    (TRAINING, "the demo's: {evaluate.rlvr-000080/exact_match: .3f}, three seeds {mean evaluate.rlvr-000080/exact_match: .3f}): the demo's release answers `add` {BY_FAMILY/add/value: .2f}, `count` {BY_FAMILY/count/value: .2f}, `larger` {BY_FAMILY/larger/value: .2f}, `repeat` {BY_FAMILY/repeat/value: .2f}, `reverse` {BY_FAMILY/reverse/value: .2f}, `sort` {BY_FAMILY/sort/value: .2f}, `words` {BY_FAMILY/words/value: .2f}."),
    (TRAINING, "| SFT | the base of DPO | {evaluate.sft-000720/exact_match: .3f} |"),
    (TRAINING, "| **DPO** | **the same, 48 steps at 5e-5** | **{evaluate.dpo-000048/exact_match: .3f}** |"),
    (EXPLAIN, "pretraining of the demo reaches {pretrain.000480/tokens} of {pack/tokens} tokens"),
    (EXPLAIN, "second midtraining run has {midtrain_b.000900/skipped} ({=skipped_midtrain})"),
    (EXPLAIN, "the demo's kept the {=kept_run};"),
    (EXPLAIN, "five take 2 CPU seconds in all (7 s with the start of five processes on a busy machine) and {index.*:size: M} MB"),
    ("docs/concepts/evaluation.md", "(`regrow evals --publish`, {=published_evaluations: k} kB)"),
    ("docs/guides/explorer.md", "The demo run ({=records} records with those of further seeds"),
    ("docs/guides/explorer.md", "{tasks/train + tasks/dev + tasks/test} tasks): written in"),
    ("docs/guides/attest.md", "The demo's last checkpoint, on two cores: {=ancestors} statements"),
    (EXPORTS, "{=ancestors} jobs led to the last checkpoint."),
    (EXPORTS, "| croissant | {=croissant: k} | {=croissant_files} files, {=croissant_tables} tables |"),
    (EXPORTS, "all {=croissant_tables} tables read |"),
    (EXPORTS, "| cyclonedx | {=cyclonedx: k} | {=components} components, {=metrics} figures of the evaluation |"),
    (EXPORTS, "| openlineage | {=openlineage: k} | {=ancestors} events |"),
    (EXPORTS, "| ro-crate | {=ro_crate: k} | {=ancestors} actions with files and hashes |"),
    (EXPORTS, "| summary | {=summary_page: k} + {=summary_json: k} | {=sections} sections; {=unanswered} answers open without about.yaml"),
    (EXPORTS, "Training took {=flop} FLOP by the formula; estimated {=kwh: .4f} kWh."),
    ("docs/guides/teacher.md", "{=teacher} answers of SmolLM2-135M-Instruct"),
    (VERIFY, "({=teeth} of {=forged_steps} for single steps of the demo)"),
    (VERIFY, "| {=spans} (the demo's spans) | {=forged_spans} | {=drawn_spans} |"),
    (VERIFY, "| {=links_of_20} (the demo with links of 20 steps, states handed out) | {=forged_links_of_20} | {=drawn_links_of_20} | {=share_of_links_of_20: %.0f} % |"),
    (VERIFY, "| {=ancestral_steps} (a link at every step of the demo, states handed out) | {=forged_steps} | {=drawn_steps} | {=share_of_steps: %.1f} % |"),
    (VERIFY, "that is {=unbroken_links_of_20: %.1f} % of the demo with its links of 20 steps, {=unbroken_steps: %.2f} % with"),
    (VERIFY, "with {=ancestral_steps} steps in all, cannot have it under any scheme of this kind**: 1 % of it are {=hundredth} steps, and even {=hundredth} single steps catch a forged 5 % with {=odds_of_hundredth: %.0f} %."),
    (VERIFY, "| 50 % | {=spans_at_50} of {=spans}, {…} % | {=steps_at_50} of {=ancestral_steps}, {…} % | {=steps_at_50} of {=ancestral_steps}, {=share_at_50: %.1f} % |"),
    (VERIFY, "| 90 % | {=spans_at_90} of {=spans}, {…} % | {=steps_at_90} of {=ancestral_steps}, {…} % | {=steps_at_90} of {=ancestral_steps}, {=share_at_90: %.1f} % |"),
    (VERIFY, "| 99 % | {=drawn_spans} of {=spans}, 100 % | {=drawn_steps} of {=ancestral_steps}, {…} % | {=drawn_steps} of {=ancestral_steps}, {=share_of_steps: %.1f} % |"),
    (SOURCES, "solid tar.xz, {=sources: M.1f} MB together"),
    (SOURCES, "({crawl/pages} pages, {crawl/bytes: M.1f} MB, {crawl/fetches} rows, {crawl:size: M} MB of WARC)"),
    (SOURCES, "({text/kept} documents, {text/bytes: M.1f} MB of text,"),
]  # fmt: skip


HOSTS = {
    "sqlalchemy.example": ["sqlalchemy"],
    "alembic.example, mako.example, lxml.example": ["alembic", "mako", "lxml"],
    **{f"{h}.example": [h] for h in ("roundup", "shakespeare", "debian", "odd", "dialects")},
}
"""row of the table of sources.md -> its hosts"""
for label, hosts in HOSTS.items():
    pages, text = (" + ".join(f"={what}_{h}" for h in hosts) for what in ("pages", "bytes"))
    FIGURES.append((SOURCES, f"| {label} |{{…}}| {{{pages}}} | {{{text}: M.1f}} |"))

ALL = [(page, s.replace("BY_FAMILY", BY_FAMILY)) for page, s in FIGURES]


@pytest.mark.parametrize(
    ("page", "sentence"), ALL, ids=[f"{Path(p).stem}-{n}" for n, (p, _) in enumerate(ALL)]
)
def test_the_page_states_the_figure_of_the_records(page: str, sentence: str):
    looked_for = Sentence(sentence)
    found = looked_for.found((ROOT / page).read_text(encoding="utf-8"))
    assert found, f"no such sentence in {page}: {sentence}"
    try:
        expected = looked_for.expected()
    except Absent as absent:
        pytest.skip(f"{absent}: `make demo` makes it")
    assert found == [expected] * len(found), "run: python tests/test_figures.py"


def test_a_wrong_figure_is_found_and_put_right():
    sentence = Sentence("keeps {filter/kept} of {filter/in} pages ({filter/kept: %.0f} %)")
    kept, of = record("filter")["counts"]["kept"], record("filter")["counts"]["in"]
    page = "It keeps 1,234 of\n  9 pages (−0.5 %). It keeps none."
    assert sentence.found(page) == [["1,234", "9", "−0.5"]]
    assert (
        sentence.corrected(page)
        == f"It keeps {kept} of\n  {of} pages ({kept * 100} %). It keeps none."
    )


if __name__ == "__main__":
    absent = 0
    for name, template in ALL:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        try:
            path.write_text(Sentence(template).corrected(text), encoding="utf-8")
        except Absent as missing:
            absent += 1
            print(f"{name}: left as it is, {missing}")
    sys.exit(absent > 0)
