"""datatrove's extractor for `benchmarks/main_text.py`: JSON strings of HTML on standard input, of text on standard output."""

from __future__ import annotations

import json
import sys

from datatrove.pipeline.extractors import Trafilatura

if __name__ == "__main__":
    extractor = Trafilatura()
    for line in sys.stdin:
        print(json.dumps(extractor.extract(json.loads(line)) or ""), flush=True)
