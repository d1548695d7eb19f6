"""Files that were made to hurt: PDFs that expand, cycle, hide or break, and texts of every odd kind.

They are indexed by a process of its own, with good notes between them, and what it costs that process is measured.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.reliability.scenarios import Figure

__all__ = [
    "GROWN_MB",
    "LONG",
    "PDFS",
    "TEXTS",
    "hostile_files",
    "hostile_pdfs",
    "hostile_texts",
    "indexed_in_a_process",
    "pdf_of",
]

GROWN_MB = 300
"""What reading them may cost the process that reads."""

_FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
_INDEXING = """
import json, sys, time
from pathlib import Path
from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.loaders import Limits
from ragnotes.reading import captions, html, markdown, text, transcript
from ragnotes.stores import vectors
from ragnotes.stores.local import LocalStore

def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

corpus, index, timeout_s, memory_bytes = sys.argv[1:]
vectors._faiss()
store = LocalStore.open(Path(index), create=True)
limits = Limits(pdf_timeout_s=float(timeout_s), pdf_memory_bytes=int(memory_bytes))
indexer = Indexer(store, HashingEmbedder(64), (Path(corpus),), Path(index), limits)
before, seconds, started = peak_mb(), {}, time.monotonic()

def tell(progress):
    global started
    if progress.outcome:
        seconds[progress.path] = round(time.monotonic() - started, 2)
    started = time.monotonic()

summary = indexer.update(tell)
with store.reading() as snapshot:
    files = {record.path: [str(record.status), record.reason, record.chunks] for record in snapshot.files()}
store.close()
grown = peak_mb() - before
print(json.dumps({"grown_mb": grown, "failed": summary.failed, "files": files, "seconds": seconds}))
"""


def pdf_of(*streams: bytes, kids: bytes | None = None) -> bytes:
    """A PDF with a page for each stream, which is compressed already; `kids` is what the page tree says of itself."""
    pages = range(3, 3 + len(streams))
    own = b" ".join(b"%d 0 R" % number for number in pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (own if kids is None else kids, len(streams)),
        *(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents %d 0 R /Resources %b >>"
            % (number + len(streams), _FONT)
            for number in pages
        ),
        *(
            b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream)
            for stream in streams
        ),
    ]
    content, offsets = io.BytesIO(), []
    content.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, start=1):
        offsets.append(content.tell())
        content.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = content.tell()
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    content.write(b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table))
    content.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, start))
    return content.getvalue()


def _flate_bomb() -> bytes:
    return pdf_of(_zeros(500 * 2**20))


def _zeros(size: int) -> bytes:
    """That many zeros, compressed without ever holding them."""
    packer, block = zlib.compressobj(9), bytes(2**20)
    return b"".join([*(packer.compress(block) for _ in range(size // len(block))), packer.flush()])


def _many_operators() -> bytes:
    return pdf_of(zlib.compress(b"q Q " * 1_000_000, 9))


def _many_pages(pages: int = 5000, texts: int = 200) -> bytes:
    stream = b"BT /F1 9 Tf " + b"".join(b"(word %d) Tj " % number for number in range(texts)) + b"ET"
    return pdf_of(*[zlib.compress(stream)] * pages)


def _much_text() -> bytes:
    """A page of 60 million characters in some kilobytes."""
    return pdf_of(zlib.compress(b"BT /F1 9 Tf " + b"(" + b"word " * 12_000_000 + b") Tj ET", 9))


def _long_book() -> bytes:
    """Text as long as the longest books together: 400 pages of 30,000 characters."""
    line = b"(" + b"the heron stood in the reeds " * 10 + b") Tj T* "
    return pdf_of(*[zlib.compress(b"BT /F1 9 Tf 12 TL " + line * 103 + b"ET")] * 400)


def _encrypted() -> bytes:
    from pypdf import PdfWriter

    writer, content = PdfWriter(clone_from=io.BytesIO(_good_pdf())), io.BytesIO()
    writer.encrypt("secret", "owner", algorithm="AES-256")
    writer.write(content)
    return content.getvalue()


def _good_pdf() -> bytes:
    return pdf_of(zlib.compress(b"BT /F1 9 Tf (The heron stood in the reeds.) Tj ET"))


PDFS: Mapping[str, tuple[Callable[[], bytes], frozenset[str | None]]] = {
    "flate-bomb.pdf": (_flate_bomb, frozenset({"out_of_memory"})),
    "operators.pdf": (_many_operators, frozenset({"out_of_memory", "timed_out", "no_text_layer"})),
    "pages.pdf": (_many_pages, frozenset({None, "timed_out"})),
    "much-text.pdf": (_much_text, frozenset({"out_of_memory", "timed_out"})),
    "long-book.pdf": (_long_book, frozenset({None, "out_of_memory", "timed_out"})),
    "encrypted.pdf": (_encrypted, frozenset({"encrypted"})),
    "no-text.pdf": (lambda: pdf_of(zlib.compress(b"q Q")), frozenset({"no_text_layer"})),
    "cycle.pdf": (lambda: pdf_of(zlib.compress(b""), kids=b"2 0 R"), frozenset({"damaged", "no_text_layer"})),
    "truncated.pdf": (lambda: _good_pdf()[:60], frozenset({"damaged"})),
    "no-pdf.pdf": (lambda: b"This is no PDF at all.", frozenset({"damaged"})),
    "good.pdf": (_good_pdf, frozenset({None})),
}
"""Name, maker, and how it may end: a reason code, None where it is indexed."""

_TEN_HOURS = "WEBVTT\n\n" + "\n\n".join(
    f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}.000 --> {at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}.900\n"
    f"Line {at}."
    for at in range(0, 36_000, 3)
)
_OVERLAPPING = "".join(
    f"{number}\n00:00:0{number % 5},000 --> 00:00:0{number % 5 + 4},500\nLine {number}\n\n" for number in range(40)
)

TEXTS: Mapping[str, tuple[Callable[[], bytes], frozenset[str | None]]] = {
    "one-line.md": (lambda: b"word " * 200_000, frozenset({None})),
    "zero-bytes.md": (lambda: b"", frozenset({"empty"})),
    "white-space.txt": (lambda: b" \t\r\n \x0c\n" * 1000, frozenset({"empty"})),
    "utf-16.md": (lambda: "The heron — in the reeds.".encode("utf-16"), frozenset({None})),
    "cp1252.md": (lambda: "The café’s crème brûlée".encode("cp1252"), frozenset({None})),
    "shift-jis.txt": (
        lambda: ("これは日本語の文章です。検索できるはずです。" * 9).encode("shift_jis"),
        frozenset({None}),
    ),
    "nul-bytes.txt": (lambda: b"text\x00with\x00NUL\x00bytes\x01\x02", frozenset({None, "undecodable"})),
    "controls.md": (lambda: bytes(range(1, 32)) + b"\nThe heron stood in the reeds.\n" * 40, frozenset({None})),
    "random.txt": (lambda: bytes(range(256)) * 64, frozenset({None, "undecodable"})),
    "ten-hours.vtt": (_TEN_HOURS.encode, frozenset({None})),
    "overlapping.srt": (_OVERLAPPING.encode, frozenset({None})),
    "malformed.srt": (
        lambda: b"1\n00:00:99,000 --> nonsense\nLine\n\n-->\n" * 50,
        frozenset({None, "damaged", "empty"}),
    ),
    "brackets.md": (lambda: b"[" * 200_000, frozenset({None})),
    "quotes.md": (lambda: b">" * 50_000 + b" deep", frozenset({None})),
    "tables.md": (lambda: b"|a|b|\n|-|-|\n" + b"|x|y|\n" * 10_000, frozenset({None})),
    "tags.html": (lambda: b"<div>" * 20_000 + b"The heron.", frozenset({None, "too_deep"})),
    "aliases.md": (
        lambda: (
            b"---\na: &a [x,x,x,x,x,x,x,x,x]\n"
            + b"".join(b"%c: &%c [%b]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 110))
            + b"---\nThe heron.\n"
        ),
        frozenset({None}),
    ),
}


def indexed_in_a_process(corpus: Path, *, timeout_s: float, memory_bytes: int = 2 * 2**30) -> dict[str, Any]:
    """Indexes a folder, vectors by hashing: what became of each file, its seconds, and the process's growth in MB."""
    with tempfile.TemporaryDirectory() as index:
        done = subprocess.run(
            [sys.executable, "-c", _INDEXING, str(corpus), index, str(timeout_s), str(memory_bytes)],
            stdout=subprocess.PIPE,
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


LONG = frozenset({"long-book.pdf", "much-text.pdf", "one-line.md", "tables.md"})
"""Those that take long to read: a short run leaves them out."""


def hostile_pdfs(work: Path, short: bool) -> list[Figure]:
    """Every PDF among notes. In a short run each is given less time."""
    return _figures(hostile_files(work, _kinds(PDFS, short), timeout_s=6.0 if short else 60.0))


def hostile_texts(work: Path, short: bool) -> list[Figure]:
    """Every text among notes."""
    return _figures(hostile_files(work, _kinds(TEXTS, short)))


def _kinds(made: Mapping[str, object], short: bool) -> list[str]:
    return [name for name in made if not (short and name in LONG)]


def hostile_files(work: Path, kinds: Sequence[str], *, timeout_s: float = 120.0) -> dict[str, Any]:
    """Figures of an indexing run over these files in the folder `work`, with a good note beside each.

    `wrong` lists what did not end as it may.
    """
    made = {name: how for name, how in {**PDFS, **TEXTS}.items() if name in kinds}
    corpus = work / "notes"
    corpus.mkdir()
    for name, (make, _) in made.items():
        (corpus / name).write_bytes(make())
        (corpus / f"{name}-good.md").write_text(f"A good note beside {name}.\n")
    started = time.monotonic()
    found = indexed_in_a_process(corpus, timeout_s=timeout_s)
    files: dict[str, list[Any]] = found["files"]
    return {
        "files": len(files),
        "made": 2 * len(made),
        "seconds": time.monotonic() - started,
        "grown_mb": found["grown_mb"],
        "slowest": dict(sorted(found["seconds"].items(), key=lambda item: -item[1])[:3]),
        "ended": {name: files[name][1] for name in made},
        "wrong": [
            *(f"{name}: {files[name]}" for name, (_, may) in made.items() if files[name][1] not in may),
            *(f"{name}: {files[name]}" for name in files if name.endswith("-good.md") and files[name][2] != 1),
        ],
    }


def _figures(told: dict[str, Any]) -> list[Figure]:
    wrong, grown_mb = told["wrong"], told["grown_mb"]
    reasons = Counter(reason or "indexed" for reason in told["ended"].values())
    return [
        Figure("files, half of them good notes", str(told["files"]), str(told["made"]), told["files"] == told["made"]),
        Figure("what became of the hostile ones", ", ".join(f"{reason} {n}" for reason, n in reasons.most_common())),
        Figure("that ended otherwise, and good notes not indexed", "; ".join(wrong) or "none", "none", not wrong),
        Figure("memory above start", f"{grown_mb} MB", f"at most {GROWN_MB} MB", grown_mb <= GROWN_MB),
        Figure("the whole run", f"{told['seconds']:.0f} s"),
        Figure("slowest", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in told["slowest"].items())),
    ]
