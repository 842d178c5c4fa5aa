"""datatrove's side of `benchmarks/datatrove.py`; runs in an environment of its own, which has no regrow.

    peer_datatrove.py extract WARC_FOLDER OUT MODEL {trafilatura,resiliparse}
    peer_datatrove.py minhash TEXTS OUT

Prints the CPU seconds of start-up (imports, spaCy's tokenizer) as JSON; whoever starts it measures all of them.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
)
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.lid import FT176LID
from datatrove.utils.word_tokenizers import load_word_tokenizer

SECONDS = 60
"""for a page; datatrove's default of 1 would lose pages on a busy machine"""
RESILIPARSE_SECONDS = 5
"""the crawl has a page of deep nests, over which resiliparse takes minutes; Regrow counts the nests and refuses it"""


class Resiliparse(Trafilatura):
    """The extractor that Regrow has, in datatrove's frame: datatrove ships none of it."""

    name = "Resiliparse"
    _requires_dependencies: list[str] = []

    def extract(self, text: str) -> str:
        """The main text of a page, with the settings of Regrow's text step."""
        from resiliparse.extract.html2text import extract_plain_text

        return str(
            extract_plain_text(text, preserve_formatting=True, main_content=True, alt_texts=False)
        )


def extract(warc: str, out: str, model: str, extractor: str) -> None:
    """Read, extract and filter, in the order of datatrove's own example of FineWeb."""
    FT176LID.MODEL_URL = model
    kind = Resiliparse if extractor == "resiliparse" else Trafilatura
    dropped = f"{out}/dropped"
    language = LanguageFilter(["en"], exclusion_writer=JsonlWriter(f"{dropped}/language"))
    steps = [
        WarcReader(warc, glob_pattern="*.warc.gz"),
        kind(timeout=RESILIPARSE_SECONDS if kind is Resiliparse else SECONDS),
        language,
        GopherRepetitionFilter(exclusion_writer=JsonlWriter(f"{dropped}/repetition")),
        GopherQualityFilter(exclusion_writer=JsonlWriter(f"{dropped}/quality")),
        JsonlWriter(f"{out}/kept"),
    ]
    LocalPipelineExecutor(pipeline=steps, tasks=1, logging_dir=f"{out}/logs").run()


def minhash(texts: str, out: str) -> None:
    """The four stages of MinHash with their default settings, one task each."""
    config = MinhashConfig()
    stages = [
        [JsonlReader(texts), MinhashDedupSignature(f"{out}/signatures", config=config)],
        [MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config)],
        [MinhashDedupCluster(f"{out}/buckets", f"{out}/clusters", config=config, save_cluster_id=True)],
        [
            JsonlReader(texts),
            MinhashDedupFilter(
                f"{out}/clusters", exclusion_writer=JsonlWriter(f"{out}/removed"), load_cluster_ids=True
            ),
            JsonlWriter(f"{out}/kept"),
        ],
    ]  # fmt: skip
    for number, stage in enumerate(stages):
        tasks = config.num_buckets if number == 1 else 1
        LocalPipelineExecutor(pipeline=stage, tasks=tasks, logging_dir=f"{out}/logs/{number}").run()


def main() -> None:
    """One run."""
    load_word_tokenizer("eng").word_tokenize("Ready.")
    used = resource.getrusage(resource.RUSAGE_SELF)
    Path("start.json").write_text(json.dumps(used.ru_utime + used.ru_stime), encoding="utf-8")
    {"extract": extract, "minhash": minhash}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
