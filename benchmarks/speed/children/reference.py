"""The vectors of ragnotes beside those of sentence-transformers in fp32: how near they are, and what each finds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.speed.children.lines import answer_orders
from ragnotes.answers import NO_FILTERS
from ragnotes.assembly import Library
from ragnotes.errors import IndexDamaged, IndexMismatch
from ragnotes.evaluation.benchmark import read_benchmark, write_corpus
from ragnotes.evaluation.measures import rank_tallies
from ragnotes.evaluation.outcomes import ask_all
from ragnotes.models.bert import use_threads
from ragnotes.models.bundled import bundled_embedder
from ragnotes.ports import Embedder
from ragnotes.settings import load_settings
from ragnotes.types import Tokens, Vectors

DEPTH = 60
"""Passages ranked, so that ten documents are among them."""
OWN, REFERENCE = "ragnotes", "reference"


class Reference:
    """An `Embedder` that gives the vectors of `encode` with its defaults, in fp32. Limits are those of `counter`."""

    def __init__(self, counter: Embedder) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(bundled_embedder()), device="cpu")
        self._counter = counter
        self.name = f"{counter.name}-fp32"
        self.dimension, self.max_tokens = counter.dimension, counter.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._counter.count_tokens(texts)

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        del background
        use_threads(os.cpu_count() or 1)  # ragnotes' own embedder leaves one to this thread
        rows: Vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.ascontiguousarray(rows, dtype=np.float32).reshape(len(texts), self.dimension)

    embed_queries = embed_documents

    def embed_tokens(self, texts: Sequence[str]) -> list[Tokens] | None:
        del texts
        return None


class By(Library):
    """A library with this embedder."""

    def __init__(self, notes: str, index: str, embedder: Embedder | None) -> None:
        super().__init__(load_settings({"corpus": (Path(notes),), "index": Path(index), "history": False}))
        self._given = embedder

    @property
    def embedder(self) -> Embedder:
        return self._given or super().embedder


class Comparison:
    """Two indexes of the same notes. That of the reference is kept, as its vectors do not change."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedders: dict[str, Embedder] = {OWN: embedder, REFERENCE: Reference(embedder)}

    def compare(self, benchmark: str, work: str) -> dict[str, dict[str, float]]:
        """nDCG@10 by `dense` and `fused`, for ragnotes and for the reference; and the cosines of all passages."""
        read, notes = read_benchmark(Path(benchmark)), Path(work) / "documents"
        notes.mkdir(parents=True, exist_ok=True)
        write_corpus(read, notes)
        shutil.rmtree(Path(work) / OWN, ignore_errors=True)
        found: dict[str, dict[str, float]] = {}
        with self._indexed(OWN, notes, Path(work)) as own, self._indexed(REFERENCE, notes, Path(work)) as reference:
            for name, library in ((OWN, own), (REFERENCE, reference)):
                outcomes = ask_all(library, read.questions, answers=False, llm=False, progress=lambda _: None)
                fused = [outcome.tallies["ndcg@10"].got for outcome in outcomes]
                found[name] = {"fused": float(np.mean(fused)), "dense": self._dense(library, benchmark)}
            strings = list(_strings(own))
            mine = own.store().embeddings(own.embedder.name, strings)
            theirs = reference.store().embeddings(reference.embedder.name, strings)
        found["cosine"] = _cosines(np.stack([mine[text] for text in strings]), np.stack([theirs[t] for t in strings]))
        return found

    def cosines(self, texts: list[str]) -> dict[str, float]:
        """How near the vectors of these texts are to those of the reference."""
        return _cosines(*(self._embedders[name].embed_documents(texts) for name in (OWN, REFERENCE)))

    @contextmanager
    def _indexed(self, name: str, notes: Path, work: Path) -> Iterator[Library]:
        library = By(str(notes), str(work / name), self._embedders[name])
        try:
            try:
                library.update()
            except (IndexMismatch, IndexDamaged):  # one that an older version left
                library.update(rebuild=True)
            yield library
        finally:
            library.close()

    def _dense(self, library: Library, benchmark: str) -> float:
        asked = read_benchmark(Path(benchmark)).questions
        assert asked.relevant is not None
        ranked = {}
        with library.store().reading() as snapshot:
            for question in asked.questions:
                near = snapshot.dense(library.embedder.embed_queries([question.text])[0], DEPTH, NO_FILTERS)
                found = snapshot.passages([scored.chunk_id for scored in near])
                ranked[question.id] = list(dict.fromkeys(source.path for _, source in found))[:10]
        tallies = rank_tallies(asked.relevant, ranked)
        return float(np.mean([each["ndcg@10"].got for each in tallies.values()]))


def _strings(library: Library) -> dict[str, None]:
    with library.store().reading() as snapshot:
        return {chunk.embedded: None for each in snapshot.documents() for chunk in snapshot.chunks(each.doc_id)}


def _cosines(mine: Vectors, theirs: Vectors) -> dict[str, float]:
    cosines = np.einsum("ij,ij->i", mine.astype(np.float64), theirs.astype(np.float64))
    return {"mean": float(cosines.mean()), "worst": float(cosines.min()), "passages": len(cosines)}


if __name__ == "__main__":
    comparison = Comparison(By("corpus", "indexes/none", None).embedder)
    answer_orders({"compare": comparison.compare, "cosines": comparison.cosines})
