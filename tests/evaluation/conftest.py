"""A small corpus with a real index, and the command `eval` over it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ragnotes.assembly import Library
from ragnotes.cli import main
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.ports import Embedder, Generator

LOG = """# Log 2024

## 7 January 2024

* Read the overview of RAG variants by [Sebastian Mayer on retrieval](https://example.org/rag_(variants)).
* The reranker made dates worse, three right instead of five.

## 16 March 2024

* Bought the used graphics card, 690 euros, cash, in a parking lot.
"""
CACHES = """# Caches

| Cache | Rule | Saves |
|---|---|---|
| Prompt cache | needs an exact prefix | 40 ms |
| Token cache | any text will do | 3 ms |

## Drawers for failures

* missing text
* bad cut
* wrong words
"""

Run = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


class HashingLibrary(Library):
    """The library with an embedder that loads no model, and without a language model."""

    def _load_embedder(self) -> Embedder:
        return HashingEmbedder(64)

    def _start_generator(self) -> Generator | str:
        return "no model: none is installed"


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test stands in a folder with `corpus`, the two notes."""
    monkeypatch.chdir(tmp_path)
    for name in ("SERVER", "API_KEY", "CORPUS", "INDEX", "DEBUG"):
        monkeypatch.delenv(f"RAGNOTES_{name}", raising=False)
    (tmp_path / "corpus" / "tech").mkdir(parents=True)
    (tmp_path / "corpus" / "log-2024.md").write_text(LOG)
    (tmp_path / "corpus" / "tech" / "caches.md").write_text(CACHES)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `ragnotes` with these words; gives exit code, stdout and stderr."""

    def _run(*words: str) -> tuple[int, str, str]:
        code = main(words, library=HashingLibrary)
        return code, *capsys.readouterr()

    return _run


@pytest.fixture
def indexed(run: Run) -> None:
    assert run("index")[0] == 0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes questions, given as dicts, into a file and gives its path."""

    def _write(*questions: dict[str, object], name: str = "questions.jsonl") -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps(question) + "\n" for question in questions))
        return file

    return _write


PRICE: dict[str, object] = {
    "id": "q1",
    "type": "fact",
    "question": "What did I pay for the used graphics card?",
    "note": "log-2024.md",
    "evidence": "690 euros, cash",
    "answers": ["690"],
    "answerable": True,
}
CACHE: dict[str, object] = {
    "id": "q2",
    "type": "table",
    "question": "Which cache needs an exact prefix?",
    "note": "caches.md",
    "evidence": "Prompt cache | needs an exact prefix",
    "answers": ["prompt cache"],
    "answerable": True,
}
DRAWERS: dict[str, object] = {
    "id": "q3",
    "type": "list",
    "question": "What are the drawers for failures?",
    "note": "tech/caches.md",
    "evidence": "bad cut",
    "answers": ["missing text", "bad cut", "zebra"],
    "answerable": True,
}
NOWHERE: dict[str, object] = {
    "id": "q4",
    "type": "none",
    "question": "Who painted the Mona Lisa?",
    "note": None,
    "evidence": "",
    "answers": [],
    "answerable": False,
}
