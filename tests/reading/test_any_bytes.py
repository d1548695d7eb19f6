"""Any bytes under any suffix: a Document that keeps the invariants, or a LoadError with a reason; soon, either way."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

import pytest

from ragnotes.errors import LoadError
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.loaders import SUFFIXES, Limits, load_document
from ragnotes.types import Document

from .invariants import check_document

LIMITS = Limits()
EMBEDDER = HashingEmbedder(16)
SLOW_S = 5.0
IN_PROCESS = sorted(SUFFIXES - {".pdf"})
SEEDS = range(int(os.environ.get("FUZZ_SEEDS", "5")))
"""More of them: FUZZ_SEEDS=500 pytest tests/reading/test_any_bytes.py."""
REASONS = {"undecodable", "damaged", "empty", "not_a_transcript", "too_large", "too_deep"}

MARKDOWN = (
    "# |## |- |* |1. |> |```\n|| a | b |\n|-|-|\n|---\n|[x](https://a.b)|![i](j)|[[wiki#h|alias]]|<b>|</b>|[^1]|[^1]: "
)
TIMES = (
    "00:00:01,000 --> 00:00:02,500\n|WEBVTT\n\n|1\n|{10}{20}|-->|99:99:99.999|**Ana** (00:01:02)\n|NOTE\n|Dialogue: 0,"
)
WORDS = "heron|reeds |\n|\n\n|\t|2024-01-07 |€ 690|é|日本|\u200b|\u202e|\ud83e|🦀|\x00|\x1b[31m|\ufeff|\r\n|\x0c"
HTML = "<p>|<div>|</div>|<table><tr><td>|<script>|<!--|-->|&amp;|&#0;|<a href='x'>|<h1>|</h1>|<![CDATA[|]]>"
JSON = '{"segments":|[|]|{|}|"start": |1e999|"end": |NaN|"text": "x"|,|null|\\ud800'
YAML = "---\n|title: |date: 2024-99-99\n|tags: [|]\n|&a |*a|!!python/object:os.system |{{|}}|: "
PIECES = [piece for kind in (MARKDOWN, TIMES, WORDS, HTML, JSON, YAML) for piece in kind.split("|")]


def noise(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(400))


def pieces(chance: random.Random) -> bytes:
    text = "".join(chance.choices(PIECES, k=chance.randrange(200)))
    return text.encode(chance.choice(["utf-8", "utf-16", "cp1252", "latin-1", "utf-16-le"]), "ignore")


def repeated(chance: random.Random) -> bytes:
    """The same few pieces thousands of times: what makes a pattern or a nesting take its square."""
    return "".join(chance.choices(PIECES, k=chance.randrange(1, 4)) * chance.randrange(500, 5000)).encode(
        "utf-8", "ignore"
    )


def broken(chance: random.Random) -> bytes:
    content = bytearray(pieces(chance))
    for _ in range(chance.randrange(8)):
        at = chance.randrange(len(content) + 1)
        content[at : at + chance.randrange(6)] = chance.randbytes(chance.randrange(6))
    return bytes(content)


@pytest.mark.parametrize("make", [noise, pieces, repeated, broken])
@pytest.mark.parametrize("suffix", IN_PROCESS)
def test_any_bytes_become_a_document_or_a_reason(suffix: str, make: Callable[[random.Random], bytes]) -> None:
    for seed in SEEDS:
        content = make(random.Random(f"{suffix} {make.__name__} {seed}"))
        started = time.process_time()
        read_or_refused(content, f"folder/a{suffix}", seed)
        assert time.process_time() - started < SLOW_S, seed


def read_or_refused(content: bytes, path: str, seed: int) -> None:
    try:
        document = load_document(content, path, LIMITS)
    except LoadError as error:
        assert error.reason in REASONS, (seed, error)
        return
    check_document(document, body_start=body_start(document))
    last = 0
    for chunk in chunk_document(document, EMBEDDER):
        assert document.text[chunk.start : chunk.end] == chunk.text, seed
        assert chunk.start >= last, seed
        assert EMBEDDER.count_tokens([chunk.embedded])[0] <= EMBEDDER.max_tokens, seed
        chunk.embedded.encode()
        last = chunk.start


def body_start(document: Document) -> int:
    """Where the blocks may begin: after front matter, which is no text of the note."""
    return document.blocks[0].start if document.blocks and document.text.startswith("---") else 0
