"""ragnotes as the peers are measured: a process with its models loaded, told to index, search, embed and draft."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.speed.children.lines import answer_orders, timed_ms
from ragnotes.answers import NO_FILTERS, Hit
from ragnotes.asking.answering import Request
from ragnotes.assembly import Library
from ragnotes.evaluation.judging import hit_parts
from ragnotes.ports import Draft, Embedder, Generator, Prompt, TokenCounter, Usage
from ragnotes.settings import load_settings

__all__ = ["Warm"]

SEED = 5
EXPORTED_AT_ONCE = 4096
SCANNED_AT_ONCE = 50_000
EQUAL = 1e-5
"""Cosines this near are equal: they were added up in another order."""


class Warm(Library):
    """A library whose embedder is loaded already. `first_token_at` is when the model wrote its latest draft's first
    token, on the clock of `time.perf_counter`; None before.
    """

    def __init__(self, corpus: str, index: str, embedder: Embedder | None) -> None:
        super().__init__(load_settings({"corpus": (Path(corpus),), "index": Path(index), "history": False}))
        self._warm = embedder
        self.first_token_at: float | None = None

    @property
    def embedder(self) -> Embedder:
        return self._warm or super().embedder

    @cached_property
    def generator(self) -> Generator | None:
        generator = super().generator
        return Watched(generator, self._written) if generator else None

    def _written(self) -> None:
        self.first_token_at = time.perf_counter()


class Watched:
    """A generator that tells when a draft's first token is there."""

    def __init__(self, generator: Generator, first: Callable[[], None]) -> None:
        self._generator, self._first = generator, first

    @property
    def name(self) -> str:
        return self._generator.name

    @property
    def context_tokens(self) -> int:
        return self._generator.context_tokens

    @property
    def tokens(self) -> TokenCounter:
        return self._generator.tokens

    def ready(self, timeout_s: float) -> bool:
        return self._generator.ready(timeout_s)

    def prompt_tokens(self, prompt: Prompt) -> int:
        return self._generator.prompt_tokens(prompt)

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> Draft:
        return _WatchedDraft(self._generator.generate(prompt, max_tokens=max_tokens, cancelled=cancelled), self._first)

    def close(self) -> None:
        self._generator.close()


class _WatchedDraft:
    def __init__(self, draft: Draft, first: Callable[[], None]) -> None:
        self._draft, self._first, self._begun = draft, first, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        piece = next(self._draft)
        if not self._begun:
            self._begun = True
            self._first()
        return piece

    @property
    def usage(self) -> Usage | None:
        return self._draft.usage

    def close(self) -> None:
        self._draft.close()


class Engine:
    """One library at a time; the embedder stays loaded from one to the next."""

    def __init__(self) -> None:
        self._embedder: Embedder | None = None
        self._library: Warm | None = None

    @property
    def _opened(self) -> Warm:
        assert self._library, "open an index first"
        return self._library

    def ready(self) -> int:
        """Loads the embedder; gives the threads that are used."""
        library = Warm("corpus", "indexes/none", self._embedder)
        self._embedder = library.embedder
        self._embedder.embed_queries(["a first text"])
        return library.settings.threads

    def open(self, corpus: str, index: str) -> None:
        if self._library:
            self._library.close()
        self._library = Warm(corpus, index, self._embedder)

    def index(self, corpus: str, index: str) -> int:
        """Brings the index up to date; gives the number of passages."""
        self.open(corpus, index)
        return self._opened.update().chunks

    def search(self, question: str, limit: int = 10) -> list[tuple[str, ...]]:
        """The hits, best first, each as its texts that may hold the evidence."""
        return [hit_parts(hit) for hit in self._hits(question, limit)]

    def _hits(self, question: str, limit: int = 10) -> Sequence[Hit]:
        return self._opened.search(question, filters=NO_FILTERS, limit=limit).hits

    def search_ms(self, questions: list[str]) -> list[float]:
        return timed_ms(self._hits, questions)

    def search_together(self, questions: list[str], searchers: int) -> int:
        """All questions, by so many threads."""
        with ThreadPoolExecutor(searchers) as pool:
            return sum(len(hits) for hits in pool.map(self._hits, questions))

    def embed(self, texts: list[str]) -> int:
        return len(self._opened.embedder.embed_documents(texts))

    def tokens(self, texts: list[str]) -> list[int]:
        """The tokens of each text that the embedder reads."""
        embedder = self._opened.embedder
        return [min(count, embedder.max_tokens) for count in embedder.count_tokens(texts)]

    def strings(self, limit: int) -> list[str]:
        """Embedded strings of the index, drawn with a fixed seed."""
        found = sorted(self._strings())
        return random.Random(SEED).sample(found, min(limit, len(found)))

    def _strings(self) -> dict[str, None]:
        with self._opened.store().reading() as snapshot:
            documents = snapshot.documents()
            return {chunk.embedded: None for each in documents for chunk in snapshot.chunks(each.doc_id)}

    def export(self, vectors: str, texts: str | None = None) -> int:
        """Writes the vectors as an array, and the embedded strings as JSON lines; gives their number."""
        strings = list(self._strings())
        embedder, store = self._opened.embedder, self._opened.store()
        rows = np.lib.format.open_memmap(vectors, mode="w+", dtype=np.float32, shape=(len(strings), embedder.dimension))
        for start in range(0, len(strings), EXPORTED_AT_ONCE):
            some = strings[start : start + EXPORTED_AT_ONCE]
            found = store.embeddings(embedder.name, some)
            rows[start : start + len(some)] = [found[text] for text in some]
        rows.flush()
        if texts:
            Path(texts).write_text("".join(json.dumps(text) + "\n" for text in strings), "utf-8")
        return len(strings)

    def nearest(self, questions: list[str], limit: int, exact: str) -> float:
        """Recall@limit of the vector search: the share of hits that an exact scan over `exact` ranks as high.

        Passages of equal vectors change places freely, so cosines are compared and no ids.
        """
        rows = np.load(exact, mmap_mode="r")
        vectors = self._opened.embedder.embed_queries(questions)
        best = np.full((len(questions), limit), -2.0, dtype=np.float32)
        for start in range(0, len(rows), SCANNED_AT_ONCE):
            cosines = vectors @ rows[start : start + SCANNED_AT_ONCE].T
            best = -np.sort(-np.concatenate([best, cosines], axis=1), axis=1)[:, :limit]
        found = 0
        with self._opened.store().reading() as snapshot:
            for vector, row in zip(vectors, best, strict=True):
                ids = [scored.chunk_id for scored in snapshot.dense(vector, limit, NO_FILTERS)]
                found += sum(cosine >= row[-1] - EQUAL for cosine in snapshot.cosines(vector, ids))
        return found / best.size

    def first_dense(self, corpus: str, index: str) -> int:
        """Opens an index and finds the passages nearest to a vector; gives their number."""
        vector = (self._embedder or Warm(corpus, index, None).embedder).embed_queries(["a first question"])[0]
        self.open(corpus, index)
        with self._opened.store().reading() as snapshot:
            return len(snapshot.dense(vector, 10, NO_FILTERS))

    def draft(self, system: str, user: str, max_tokens: int) -> dict[str, float]:
        """One draft: tokens read and written, seconds to the first piece and from there to the end."""
        generator = self._opened.generator
        assert generator
        generator.ready(300.0)
        started = time.perf_counter()
        draft = generator.generate(Prompt(system, user), max_tokens=max_tokens, cancelled=lambda: False)
        times = [time.perf_counter() for _ in draft]
        assert draft.usage
        return {
            "read": draft.usage.prompt_tokens - draft.usage.kept_tokens,
            "written": draft.usage.tokens,
            "first_s": times[0] - started,
            "rest_s": times[-1] - times[0],
        }

    def first_token_s(self, question: str) -> float | None:
        """Seconds from the question to the first token that the model writes; None where it is not asked to."""
        library = self._opened
        generator = library.generator
        assert generator
        generator.ready(300.0)
        library.first_token_at = None
        started = time.perf_counter()
        for _ in library.ask(Request(question)):
            pass
        return library.first_token_at - started if library.first_token_at is not None else None

    def close(self) -> None:
        if self._library:
            self._library.close()


def main() -> None:
    engine = Engine()
    names = ("ready", "open", "index", "search", "search_ms", "search_together", "embed", "tokens", "strings", "export")
    more = ("nearest", "first_dense", "draft", "first_token_s")
    answer_orders({name: getattr(engine, name) for name in (*names, *more)})
    engine.close()


if __name__ == "__main__":
    main()
