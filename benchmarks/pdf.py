"""How well PDFs are read: text of manuals compared with their HTML, of two-column papers with their LaTeX.

    mkdir benchmarks/out/pdf && cd benchmarks/out/pdf
    apt-get download debian-faq developers-reference debian-reference-en installation-guide-amd64 \
        texlive-publishers-doc
    python -m venv peers && peers/bin/pip install pypdf pdfminer.six pymupdf     # other libraries, where wanted
    cd ../../.. && python benchmarks/pdf.py benchmarks/out/pdf [--write]

F1: of runs of five characters without white space, as in `benchmarks/main_text.py`. Pairs: the share of pairs of
sentences, one after the other in HTML or LaTeX, that are so in the text, with 30 letters between them at most.
Hyphens: words in 1,000 that are a word of the HTML but for a hyphen. Headers: lines of headers and footers that are
left, for each page. With `--write` the results go to benchmarks/results/pdf.json and pdf.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lxml import html

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))
import itertools

from regrow.data.pdf.extract import extract
from regrow.data.sources import unpack
from regrow.data.text import pdf as plain
from regrow.data.text.document import tidy
from text_scores import scores

HERE = Path(__file__).resolve().parent
PEERS = ("pypdf", "pdfminer", "pymupdf")
PAGES = 10_000
_HIDDEN = "//script|//style|//head|//nav|//*[contains(@class,'nav')]|//*[contains(@class,'sphinxsidebar')]|//*[@role='navigation']|//*[@class='footer' or @class='related' or @class='toc' or @class='headerlink']"
_BLOCKS = frozenset(["p", "li", "dt", "dd", "td", "th", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "div", "section", "blockquote", "tr", "table", "ul", "ol", "dl"])  # fmt: skip


@dataclass(frozen=True)
class Manual:
    """A PDF, the HTML of the same text, and the headers and footers of its pages."""

    name: str
    pdf: str
    html: str
    running: str


MANUALS = (
    Manual("debian-faq", "usr/share/doc/debian/FAQ/debian-faq.en.pdf.gz", "usr/share/doc/debian/FAQ/*.en.html", r"^CHAPTER \d+\. .*\d+$|^\d+ CHAPTER \d+\.|^CONTENTS.*[ivx]+$|^[ivxl]+$|^\d{1,3}$"),
    Manual("developers-reference", "usr/share/developers-reference/developers-reference.pdf", "usr/share/developers-reference/developers-reference.html", r"^Developer.s Reference, Release|^\d+ Chapter \d+\. |^\d+\.\d+\. .* \d+$|^\d{1,3}$|^[ivx]{1,5}$"),
    Manual("debian-reference", "usr/share/debian-reference/debian-reference.en.pdf", "usr/share/debian-reference/*.en.html", r"^Debian Reference [\divxl]+( / \d+)?$|^[\divxl]+( / \d+)$"),
    *(Manual(f"installation-guide ({code})", f"usr/share/doc/installation-guide-amd64/{code}/install.{code}.pdf.gz", f"usr/share/doc/installation-guide-amd64/{code}/*.html", r"^(Chapter|Appendix|Kapitel|Anhang|Chapitre|Annexe|Preface) \w+[.:] |^\d{1,3}$|^[ivx]{1,5}$") for code in ("en", "de")),
)  # fmt: skip
PAPERS = "usr/share/doc/texlive-doc/latex/**/*.tex.gz"
TWO_COLUMNS = r"twocolumn|sigconf|sigplan|sigchi|acmtog|\{IEEEtran\}|reprint|\{ieeeconf\}|\{mnras\}|\{asmeconf\}|\{jacow\}|\{quantumarticle\}|\{prtec\}"


def text_of(page: bytes) -> list[str]:
    """The paragraphs of a page of HTML."""
    tree = html.fromstring(page)
    for element in tree.xpath(_HIDDEN):
        element.drop_tree()
    for element in tree.iter():
        if element.tag in _BLOCKS:
            element.text = f"\n\n{element.text or ''}"
            element.tail = f"\n\n{element.tail or ''}"
    found = tree.text_content().replace("¶", "").split("\n\n")
    return [" ".join(part.split()) for part in found if part.strip()]


def text_of_latex(source: str) -> list[str]:
    """The paragraphs of running text of a LaTeX file, as far as they hold no command."""
    body = source.partition("\\begin{document}")[2]
    body = re.sub(r"(?m)(?<!\\)%.*$", "", body)
    found = []
    for part in re.split(r"\n\s*\n|\\(?:begin|end|section|subsection|item|caption|maketitle)\b[^\n]*", body):  # fmt: skip
        part = re.sub(r"\\(?:emph|textbf|textit|texttt)\{([^{}\\]*)\}|``|''|~", r" \1", part)
        if not re.search(r"[\\${}&_^]", part) and len(part.split()) > 12:
            found.append(" ".join(part.split()))
    return found


def letters(text: str) -> str:
    """Letters and digits alone, small."""
    return "".join(filter(str.isalnum, text.lower()))


def sentences(paragraphs: Iterable[str]) -> list[list[str]]:
    """The sentences of each paragraph, as letters; short ones are put to the next."""
    found = []
    for part in paragraphs:
        own, held = [], ""
        for piece in re.split(r"(?<=[.!?;:。])\s+", part):
            held += letters(piece)
            if len(held) >= 25:
                own.append(held)
                held = ""
        found.append([*own, *([held] if len(held) >= 10 else [])])
    return found


def pairs(text: str, paragraphs: Iterable[str]) -> tuple[int, int]:
    """(kept, all) pairs of sentences inside paragraphs."""
    whole, kept, every = letters(text), 0, 0
    for own in sentences(paragraphs):
        for one, two in itertools.pairwise(own):
            every += 1
            at = whole.find(one)
            while at >= 0:
                end = at + len(one)
                if whole.find(two, end, end + 30 + len(two)) >= 0:
                    kept += 1
                    break
                at = whole.find(one, at + 1)
    return kept, every


_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*-?")


def hyphens(text: str, right: str) -> tuple[int, int]:
    """(words that are wrong by a hyphen, words)."""
    known = {word.lower().rstrip("-") for word in _WORD.findall(right)}
    plainly = {word.replace("-", "") for word in known if "-" in word}
    words = [word.lower() for word in _WORD.findall(text)]
    wrong = 0
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in known:
            continue
        if word.endswith("-"):
            wrong += word[:-1] + following in known or f"{word}{following}" in known
        elif "-" in word:
            wrong += word.replace("-", "") in known
        else:
            wrong += word in plainly
    return wrong, len(words)


def running(text: str, pattern: str) -> int:
    """Lines that are a header or footer."""
    return sum(bool(re.search(pattern, " ".join(line.split()))) for line in text.splitlines())


def ours(read: Callable[[bytes], str], files: list[Path]) -> dict[Path, tuple[str, float]]:
    found = {}
    for path in files:
        begun = time.process_time()
        found[path] = (read(path.read_bytes()), time.process_time() - begun)
    return found


def theirs(python: Path, library: str, files: list[Path]) -> dict[Path, tuple[str, float]]:
    command = [python, HERE / "contest/peer_pdf.py", library, *files]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return {Path(name): (tidy(text), spent) for name, (text, spent) in json.loads(said.stdout).items()}  # fmt: skip


def readers(folder: Path, files: list[Path]) -> dict[str, dict[Path, tuple[str, float]]]:
    found = {
        "layout (sources of kind pdf)": ours(lambda body: extract(body, PAGES).text, files),
        "plain (the crawl)": ours(lambda body: tidy(plain.extract(body, PAGES)[1]), files),
    }
    python = folder / "peers/bin/python"
    if python.exists():
        found |= {name: theirs(python, name, files) for name in PEERS}
    return found


def unpacked(folder: Path, scratch: Path) -> Path:
    """The files that are compared, out of all packages of the folder."""
    wanted = ("developers-reference", "debian-reference", "/debian/FAQ/", "installation-guide", "texlive-doc/latex")  # fmt: skip
    for archive in sorted(folder.glob("*.deb")):
        made = unpack.unpack(archive, lambda name: any(part in name for part in wanted) and name.removesuffix(".gz").endswith((".pdf", ".html", ".tex")), scratch / f"{archive.stem}.members")  # fmt: skip
        for name, path in made.files.items():
            target = scratch / "all" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    return scratch / "all"


def plainly(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def manuals(root: Path, folder: Path) -> list[dict[str, object]]:
    rows = []
    for manual in MANUALS:
        if not (root / manual.pdf).exists():
            continue
        pages = sorted(root.glob(manual.html))
        right = [part for page in pages for part in text_of(page.read_bytes())]
        file = root / f"{manual.name.replace(' ', '_')}.pdf"
        file.write_bytes(plainly(root / manual.pdf))
        count = extract(file.read_bytes(), PAGES).pages
        for name, found in readers(folder, [file]).items():
            text, spent = found[file]
            kept, every = pairs(text, right)
            wrong, words = hyphens(text, "\n".join(right))
            rows.append({
                "document": manual.name, "reader": name, "pages": count, "f1": round(scores(text, "\n".join(right))[2], 4),
                "pairs": round(kept / every, 4), "of": every, "hyphens": round(1_000 * wrong / words, 3),
                "headers": round(running(text, manual.running) / count, 3), "seconds": round(spent / count, 4),
            })  # fmt: skip
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


def papers(root: Path, folder: Path) -> list[dict[str, object]]:
    """Two-column papers whose LaTeX is beside them."""
    right: dict[Path, list[str]] = {}
    for source in sorted(root.glob(PAPERS)):
        file = source.with_name(source.name.replace(".tex.gz", ".pdf"))
        text = plainly(source).decode("utf-8", "replace")
        if file.exists() and re.search(TWO_COLUMNS, text.partition("\\begin{document}")[0]):
            found = text_of_latex(text)
            if sum(len(own) > 1 for own in sentences(found)) >= 3:
                right[file] = found
    rows = []
    pages = {path: extract(path.read_bytes(), PAGES).pages for path in right}
    for name, found in readers(folder, list(right)).items():
        counts = [pairs(found[path][0], right[path]) for path in right]
        each = {str(path.relative_to(root)): list(count) for path, count in zip(right, counts, strict=True)}  # fmt: skip
        rows.append({
            "document": f"{len(right)} papers in two columns", "reader": name, "pages": sum(pages.values()),
            "pairs": round(sum(k for k, _ in counts) / sum(n for _, n in counts), 4), "of": sum(n for _, n in counts),
            "seconds": round(sum(found[path][1] for path in right) / sum(pages.values()), 4), "each": each,
        })  # fmt: skip
        print({k: v for k, v in rows[-1].items() if k != "each"}, file=sys.stderr, flush=True)
    return rows


def table(rows: list[dict[str, object]]) -> str:
    columns = ("document", "reader", "pages", "f1", "pairs", "hyphens", "headers", "seconds")
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(str(row.get(name, '')) for name in columns)} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    with TemporaryDirectory() as name:
        root = unpacked(args.folder, Path(name))
        rows = papers(root, args.folder) + manuals(root, args.folder)
    print(table(rows))
    if args.write:
        (HERE / "results/pdf.json").write_text(json.dumps(rows, indent=1) + "\n")
        (HERE / "results/pdf.md").write_text(table(rows))


if __name__ == "__main__":
    main()
