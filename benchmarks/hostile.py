"""Generated hostile inputs, thousands of them: none may end a step, none may exceed its ceiling.

    python benchmarks/hostile.py --inputs 3000 --seed 0

Kinds: HTML, WARC, PDF, charset, HTTP headers, URL, robots.txt and sitemaps, JSONL, Parquet, sealed
partial states. Inputs are a function of the seed. Pages go through the text step's own client and
worker, archives through the whole text step, rows through the reader of `regrow fork`, state through
the seal that training checks. What counts as good is a result or a refusal of the kind that the
caller expects; the slowest input and the largest memory of each kind are printed. The exit status
is 1 if an input ended a step, was accepted although it was changed, or exceeded a ceiling.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from regrow.change.fork import documents
from regrow.data.crawl import links, robots, sitemap, urls
from regrow.data.text import step as text_step
from regrow.data.text.archive import Record
from regrow.data.text.client import Client, converted
from regrow.data.text.document import Document, Dropped
from regrow.evidence.errors import Unanswerable
from regrow.learn.train import seal
from regrow.params.schema import check

SECONDS = 60.0
"""wall clock of one input on a busy machine; the worker's own ceiling is of processor time"""
MANIFEST = (
    "hosts:\n  a.example:\n    parts:\n      - {prefix: /, source: a, title: A, licence: MIT}\n"
)
WORDS = "The quick brown fox jumps over the lazy dog near the river bank while it rains. " * 6
LABELS = (
    "utf-8", "utf-16", "utf-16le", "utf-7", "windows-1251", "iso-8859-1", "shift_jis", "euc-jp",
    "iso-2022-jp", "gbk", "gb2312", "big5", "euc-kr", "koi8-u", "tis-620", "punycode", "idna",
    "undefined", "x-user-defined", "none", "8bit", "unicode", "cp437", "hz-gb-2312", "²", "",
)  # fmt: skip
TAGS = (
    "p", "b", "i", "font id=%d", "div", "table", "td", "li", "select", "option", "a href=x%d", "svg",
    "template", "script", "style", "title", "textarea", "iframe", "math", "!--", "![CDATA[", "/p",
    "/b", "/table", "br/", "meta charset=%d", "base href=http://[", "plaintext", "noscript", "h%d",
)  # fmt: skip


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    inputs: int = 0
    became: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    bad: list[str] = field(default_factory=list)


def junk(dice: random.Random, most: int) -> bytes:
    return dice.randbytes(dice.randint(0, most))


def damaged(dice: random.Random, data: bytes) -> bytes:
    """Flipped, cut, doubled, zeroed or overwritten somewhere; never the same bytes."""
    if not data:
        return b"\0"
    where, span = dice.randrange(len(data)), dice.choice((1, 1, 8, 64, 512))
    kind = dice.randrange(6)
    if kind == 0:
        changed = data[:where] + bytes([data[where] ^ (1 << dice.randrange(8))]) + data[where + 1 :]
    elif kind == 1:
        changed = data[:where]
    elif kind == 2:
        changed = data[: where + span] + data[where:]
    elif kind == 3:
        changed = data[:where] + bytes(span) + data[where + span :]
    elif kind == 4:
        changed = data[:where] + dice.randbytes(span) + data[where + span :]
    else:
        changed = data[:where] + data[where + span :]
    return changed if changed != data else data + b"!"


def page(dice: random.Random) -> bytes:
    """Tags in any order and number, with bytes between that are no text."""
    shape = dice.randrange(6)
    count = dice.choice((10, 100, 1_000, 20_000))
    if shape == 0:  # the same few tags again and again, unclosed
        few = dice.sample(TAGS, dice.randint(1, 3))
        body = "".join(f"<{dice.choice(few).replace('%d', str(i))}>x" for i in range(count))
    elif shape == 1:  # nested and closed
        tag = dice.choice(("div", "b", "ul><li", "table><tr><td", "font", "a", "em"))
        close = "</" + tag.replace("><", "></").split("></")[0] + ">"
        body = f"<{tag}>" * count + "x" + close * count
    elif shape == 2:  # attributes
        body = "<p " + " ".join(f"a{i}={dice.random()}" for i in range(count)) + ">x"
    elif shape == 3:
        body = "<select>" + "<option>x" * count + "</select>" + "<optgroup>" * (count // 7)
    elif shape == 4:
        tags = (dice.choice(TAGS).replace("%d", str(i)) for i in range(count))
        body = "".join(f"<{tag}>{WORDS[: dice.randrange(40)]}" for tag in tags)
    else:
        body = "<p>" + WORDS + "</p>" + f"&#{dice.randrange(1 << 40)};&bogus;" * count
    return body.encode() + (junk(dice, 200) if dice.random() < 0.3 else b"")


def pdf(dice: random.Random) -> bytes:
    """A small PDF with a stream that inflates, forms that call each other, loops, or damage."""
    shape = dice.randrange(5)
    if shape == 0:
        content = zlib.compress(b"0 0 m " * dice.choice((10, 10_000, 1_000_000)))
    else:
        content = zlib.compress(
            b"BT /F 12 Tf (" + WORDS.encode()[:200] + b") Tj ET " + b"/X0 Do " * 4
        )
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>" if shape != 1 else b"<</Type/Pages/Kids[2 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</X0 5 0 R>>"
        b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>/MediaBox[0 0 99 99]>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(content), content),
    ]
    depth = dice.choice((1, 4, 12)) if shape in (2, 3) else 1
    for number in range(depth):
        below = 5 if shape == 3 else 6 + number  # a loop, or a chain
        body = b"/X0 Do " * 4 if number + 1 < depth or shape == 3 else b"0 0 m"
        objects.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X0 %d 0 R>>>>"
            b"/Length %d>>stream\n%b\nendstream" % (below, len(body), body)
        )
    out, offsets = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return damaged(dice, out.getvalue()) if shape == 4 else out.getvalue()


def header(dice: random.Random) -> dict[str, str]:
    values = (
        "²", "9" * 5_000, "-1", "gzip, gzip, br", "chunked", "x" * 70_000, "text/html, text/html",
        "text/html;charset=" + dice.choice(LABELS), "*/*", "application/x-\x00", "1e400", "Infinity",
        "\u202e", "identity;q=0", "deflate", "a\x0bcontent-type: text/plain",
    )  # fmt: skip
    names = (
        "content-type",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "x-robots-tag",
    )
    return {name: dice.choice(values) for name in dice.sample(names, dice.randint(1, 4))}


def record(headers: dict[str, str], body: bytes, number: int, url: str = "") -> Record:
    return Record(
        url=url or f"http://a.example/{number}", kind="response", record_id=f"<urn:x:{number}>",
        status=200, headers={"content-type": "text/html", **headers}, body=body, truncated="",
        short=0, oversize=False,
    )  # fmt: skip


def address(dice: random.Random) -> str:
    parts = ("http:", "//", "\\", "[", "]", "::1", "a.example", "ｅx.example", "%zz", "%00", ":99999999",
             "@", "?", "#", "..", "/", "\u2100", "straße", "xn--", "\ud83d", " ", "\t", "9" * 400, "²", ":0")  # fmt: skip
    return "".join(dice.choice(parts) for _ in range(dice.randint(1, 9)))


def warc(dice: random.Random) -> bytes:
    """A few records, one of them wrong somewhere, plain or in gzip members, then damaged."""
    out = b""
    for number in range(4):
        body = page(dice)[:4_000] if dice.random() < 0.5 else WORDS.encode()
        http = b"HTTP/1.1 %b X\r\n" % dice.choice((b"200", "20²".encode(), b"9" * 5_000, b""))
        for name, value in header(dice).items():
            http += f"{name}: {value}\r\n".encode("utf-8", "surrogatepass")
        block = http + b"\r\n" + body
        length = dice.choice((len(block), len(block), 0, "²", "9" * 4_400, len(block) + 999))
        url = address(dice) if dice.random() < 0.4 else f"http://a.example/{number}"
        head = (
            f"WARC/1.0\r\nWARC-Type: {dice.choice(('response', 'resource', 'revisit', 'x'))}\r\n"
            f"WARC-Target-URI: {url}\r\nWARC-Record-ID: <urn:x:{dice.randrange(3)}>\r\n"
            f"Content-Type: application/http\r\nContent-Length: {length}\r\n\r\n"
        ).encode("utf-8", "surrogatepass")
        one = head + block + b"\r\n\r\n"
        out += gzip.compress(one, mtime=0) if dice.random() < 0.5 else one
    return damaged(dice, out) if dice.random() < 0.7 else out


def lines(dice: random.Random) -> bytes:
    good = json.dumps({"text": WORDS, "url": "http://a.example/x", "licence": "MIT"})
    odd = (
        '{"text": ' + "[" * dice.choice((10, 100_000)), '{"text": "\\ud83d", "url": "\\ud83d"}',
        '{"text": 3, "licence": null}', "null", "[]", "{", '{"text": "a\x00b"}', '{"messages": [[[]]]}',
        '{"text": "x", "licence": "\\u001b[2J"}', '{"chosen": "a", "rejected": "b"}', "NaN", "\ufeff{}",
        '{"text": 1e999}', '{"text": "' + "x" * 2_000_000 + '"}', '{"a": %s}' % ("9" * 5_000),
    )  # fmt: skip
    chosen = [dice.choice((good, good, dice.choice(odd))) for _ in range(dice.randint(1, 5))]
    data = "\n".join(chosen).encode("utf-8", "surrogatepass")
    return damaged(dice, data) if dice.random() < 0.3 else data


def table(dice: random.Random) -> bytes:
    rows = {"text": [WORDS, None, "x"], "licence": ["MIT"] * 3, "n": [[1], [], None]}
    out = io.BytesIO()
    pl.DataFrame(rows).write_parquet(
        out, compression=dice.choice(("zstd", "snappy", "gzip", "lz4"))
    )
    return damaged(dice, out.getvalue())


def pages(dice: random.Random, kind: str, number: int) -> Record:
    if kind == "html":
        return record({}, page(dice), number)
    if kind == "pdf":
        return record({"content-type": "application/pdf"}, pdf(dice), number)
    if kind == "charset":
        label = dice.choice(LABELS)
        text = dice.choice(
            (WORDS, "Le café est fermé. " * 9, "Привет мир. " * 9, "日本語のページ。" * 9)
        )
        with contextlib.suppress(LookupError, UnicodeError):
            text = text.encode(label, "ignore").decode("latin-1")
        body = f"<meta charset='{dice.choice(LABELS)}'>{text}".encode("latin-1", "ignore") + junk(
            dice, 60
        )
        return record({"content-type": f"text/html; charset={label}"}, body, number)
    return record(
        header(dice),
        dice.choice((page(dice)[:5_000], gzip.compress(WORDS.encode()), junk(dice, 900))),
        number,
    )


class Hostile:
    """Runs inputs of a kind and notes what became of them."""

    def __init__(self, seed: int, work: Path) -> None:
        self.seed, self.work = seed, work
        self.settings = check({}, "defaults")
        self.manifest = work / "manifest.yaml"
        self.manifest.write_text(MANIFEST)

    def inputs(self, kind: str, count: int) -> Tally:
        tally = Tally()
        run = getattr(self, f"_{kind}", None)
        with Client(self.settings.text) as client:
            for number in range(count):
                dice = random.Random(f"{self.seed} {kind} {number}")
                began = time.monotonic()
                try:
                    became = (
                        run(dice, number) if run else self._page(client, pages(dice, kind, number))
                    )
                    tally.became[became] += 1
                except Exception as error:  # what this looks for
                    tally.bad.append(f"{kind} {number}: {type(error).__name__}: {error}"[:300])
                took = time.monotonic() - began
                tally.inputs += 1
                tally.slowest = max(tally.slowest, took)
                if took > SECONDS:
                    tally.bad.append(f"{kind} {number}: {took:.0f} s")
        return tally

    def _page(self, client: Client, one: Record) -> str:
        (result,) = converted(iter([one]), client)
        links.read_page(one.body, one.url, one.headers["content-type"])
        assert isinstance(result, Document | Dropped)
        return "document" if isinstance(result, Document) else result.reason

    def _warc(self, dice: random.Random, number: int) -> str:
        folder, output = self.work / f"warc{number}", self.work / f"out{number}"
        folder.mkdir()
        output.mkdir()
        (folder / dice.choice(("x.warc", "x.warc.gz"))).write_bytes(warc(dice))
        sources = {"crawl": folder, "sources": self.manifest}
        with contextlib.redirect_stderr(io.StringIO()):
            text_step.extract(sources, self.settings, output)
        shutil.rmtree(folder)
        shutil.rmtree(output)
        return "step done"

    def _url(self, dice: random.Random, number: int) -> str:
        found = urls.canonical(address(dice), "http://a.example/d/p")
        assert found is None or urls.canonical(found) == found, f"not idempotent: {found!r}"
        return "refused" if found is None else "canonical"

    def _robots(self, dice: random.Random, number: int) -> str:
        parts = (b"User-agent: *\n", b"Disallow: /", b"*" * 500, b"$", b"\xff\xfe", b"\0", b"\n", "²".encode(),
                 b"Crawl-delay: 1e400\n", b"<?xml version='1.0'?>", b"<urlset><url><loc>", b"http://a.example/x",
                 b"</loc>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"<sitemapindex>", b"\x1f\x8b")  # fmt: skip
        body = b"".join(dice.choice(parts) for _ in range(dice.randint(1, 200)))
        robots.rules("ok", body, "regrow-crawler/0.1").allows("http://a.example/x")
        sitemap.read_sitemap(body, "http://a.example/s.xml")
        return "read"

    def _rows(self, name: str, data: bytes) -> str:
        path = self.work / name
        path.write_bytes(data)
        try:
            documents.read([path], "me", "MIT")
        except Unanswerable:
            return "refused"
        return "read"

    def _jsonl(self, dice: random.Random, number: int) -> str:
        return self._rows("x.jsonl", lines(dice))

    def _parquet(self, dice: random.Random, number: int) -> str:
        return self._rows("x.parquet", table(dice))

    def _state(self, dice: random.Random, number: int) -> str:
        folder = self.work / f"state{number}"
        folder.mkdir()
        for name in ("model.safetensors", "optimizer.safetensors", "state.json", "digests.jsonl"):
            (folder / name).write_bytes(dice.randbytes(dice.randint(1, 4_000)))
        seal.write(folder, "here")
        seal.check(folder, "here")
        victim = dice.choice(sorted(folder.iterdir()))
        what = dice.randrange(4)
        if what == 0:
            victim.unlink()
        elif what == 1:
            (folder / "more").write_bytes(b"")
        else:
            before = victim.read_bytes()
            victim.write_bytes(damaged(dice, before))
            if victim.name == seal.NAME and json_equal(before, victim.read_bytes()):
                return "same seal"
        try:
            seal.check(folder, "here")
        except seal.Broken:
            return "passed over"
        finally:
            shutil.rmtree(folder)
        raise AssertionError(f"taken up although {victim.name} was changed ({what})")


def json_equal(one: bytes, other: bytes) -> bool:
    """Whether a damage left the meaning of the seal as it was (white space)."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


SHARES = {
    "html": 0.2, "warc": 0.15, "pdf": 0.06, "charset": 0.12, "headers": 0.1, "url": 0.12, "robots": 0.05,
    "jsonl": 0.08, "parquet": 0.05, "state": 0.07,
}  # fmt: skip
"""of the inputs"""


def main() -> int:
    """Run; see the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--inputs", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(SHARES), help=f"default: {','.join(SHARES)}")
    args = parser.parse_args()
    bad = 0
    print(f"{'kind':9} {'inputs':>6} {'bad':>4} {'slowest':>8}  what became of them")
    for kind, count in counted(args.inputs, args.kinds.split(",")):
        with tempfile.TemporaryDirectory() as work:
            tally = Hostile(args.seed, Path(work)).inputs(kind, count)
        became = ", ".join(f"{n} {what}" for what, n in tally.became.most_common(6))
        print(
            f"{kind:9} {tally.inputs:6} {len(tally.bad):4} {tally.slowest:7.2f}s  {became}",
            flush=True,
        )
        for line in tally.bad[:10]:
            print(f"  {line}")
        bad += len(tally.bad)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"largest memory: {peak} MB here, {child} MB in a process that reads pages")
    return 1 if bad else 0


def counted(inputs: int, kinds: list[str]) -> Iterator[tuple[str, int]]:
    """Kind -> number of inputs."""
    for kind in kinds:
        yield kind, max(1, round(inputs * SHARES[kind]))


if __name__ == "__main__":
    sys.exit(main())
