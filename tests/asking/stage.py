"""A small stage for asking: notes read by the real loaders, a real store, the hashing embedder, a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ragnotes.asking.answering import Asker
from ragnotes.calibration import Calibration
from ragnotes.errors import GeneratorFailed
from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.ports import Prompt, TokenCounter, Usage
from ragnotes.reading.corpus import FreshnessCheck
from ragnotes.reading.loaders import Limits
from ragnotes.stores.local import LocalStore

NOTES = {
    "caches.md": (
        "---\ntitle: Caches\n---\n\n## Kinds\n\n| Phase | Cache | About |\n|---|---|---|\n"
        "| Prefill | Prompt cache | Requires an exact prefix match. |\n"
        "| Decoding | KV cache | Keeps keys and values of past tokens. |\n"
    ),
    "log.md": (
        "# 2024 Log\n\n## 7 January 2024\n\n* Read the overview of [retrieval variants](https://example.org/variants)\n\n"
        "## 9 March 2024\n\n* Bought a used graphics card for 690 euros\n* The card does not fit the old case\n"
    ),
    "pillars.md": "# Plans\n\nThe three pillars are:\n\n- honesty\n- freshness\n- speed\n",
}

HASHED = Calibration(threshold=0.025)
"""Hashed words know no meaning: their cosines are lower than those that the shipped threshold was chosen for."""


class Words:
    """Counts words, which is enough to test a budget."""

    def count(self, text: str) -> int:
        return len(text.split())


class ScriptedDraft:
    """A draft that was written before."""

    def __init__(self, pieces: Iterator[str], cancelled: Callable[[], bool]) -> None:
        self._pieces = pieces
        self._cancelled = cancelled
        self.usage: Usage | None = None

    def __iter__(self) -> ScriptedDraft:
        return self

    def __next__(self) -> str:
        if self._cancelled():
            raise StopIteration
        return next(self._pieces)

    def close(self) -> None:
        self.usage = Usage(prompt_tokens=0, tokens=0)


class ScriptedGenerator:
    """A language model that gives the same draft to every question, or fails where there is none."""

    name = "scripted"

    def __init__(self, draft: str | None, *, context_tokens: int = 512) -> None:
        self._draft = draft
        self.context_tokens = context_tokens
        self.prompts: list[Prompt] = []
        self.loaded = True

    def ready(self, timeout_s: float) -> bool:
        return self.loaded

    @property
    def tokens(self) -> TokenCounter:
        return Words()

    def prompt_tokens(self, prompt: Prompt) -> int:
        return 1 + len(prompt.system.split()) + len(prompt.user.split())

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> ScriptedDraft:
        self.prompts.append(prompt)
        if self._draft is None:
            raise GeneratorFailed("the model ended", "try again")
        return ScriptedDraft(iter(f"{word} " for word in self._draft.split()), cancelled)

    def close(self) -> None: ...


def index_notes(folder: Path, notes: Mapping[str, str] = NOTES, calibration: Calibration | None = None) -> LocalStore:
    """A store beside `folder/notes` that holds `notes`, and says by this calibration when to answer."""
    corpus = folder / "notes"
    for name, text in notes.items():
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        (corpus / name).write_text(text, "utf-8")
    store = LocalStore.open(folder / "index", create=True)
    Indexer(store, HashingEmbedder(), (corpus,), folder / "index", Limits()).update(lambda _: None)
    if calibration is not None:
        with store.writer():
            store.calibrate(calibration)
    return store


def asker_over(store: LocalStore, folder: Path, generator: ScriptedGenerator | None = None) -> Asker:
    return Asker(
        store=store,
        embedder=HashingEmbedder(),
        generator=generator,
        no_model=None if generator else "no model: none is installed",
        is_fresh=FreshnessCheck(((folder / "notes").resolve(),)),
        answer_tokens=32,
    )
