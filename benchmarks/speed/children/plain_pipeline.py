"""The plain pipeline that people write: RecursiveCharacterTextSplitter, `encode` in fp32, FAISS flat, llama-cpp-python.

Run by the peers' Python. Everything is left at the defaults of its library but for what is fixed by the comparison: the
models, and the threads.
"""

from __future__ import annotations

import time

import faiss
import numpy as np
from llama_cpp import Llama
from sentence_transformers import SentenceTransformer

from benchmarks.speed.children.lines import answer_orders, timed_ms
from benchmarks.speed.children.passages import exported, passages_of
from ragnotes.models.bundled import bundled_embedder, bundled_generator

IN_PROMPT = 4
MAX_TOKENS = 96
SYSTEM = "Answer the question from the notes. Cite the numbers of the notes you used. Say so where they do not answer."


class Pipeline:
    """Passages and their vectors, in memory."""

    def __init__(self) -> None:
        self._embedder = SentenceTransformer(str(bundled_embedder()), device="cpu")
        self._passages: list[str] = []
        self._index = faiss.IndexFlatIP(self._embedder.get_embedding_dimension())
        self._llama: Llama | None = None

    def index(self, folder: str) -> int:
        """Reads, cuts, embeds; gives the number of passages."""
        self._passages = passages_of(folder)
        return self._take(self._encoded(self._passages))

    def take(self, texts: str, vectors: str) -> int:
        self._passages, rows = exported(texts, vectors)
        return self._take(rows)

    def _take(self, rows: np.ndarray) -> int:
        self._index = faiss.IndexFlatIP(rows.shape[1])
        self._index.add(rows)
        return self._index.ntotal

    def _encoded(self, texts: list[str]) -> np.ndarray:
        rows: np.ndarray = self._embedder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return rows

    def search(self, question: str, limit: int = 10) -> list[list[str]]:
        """The passages nearest to the question, best first, each as a list of its one text."""
        _, numbers = self._index.search(self._encoded([question]), limit)
        return [[self._passages[number]] for number in numbers[0] if number >= 0]

    def search_ms(self, questions: list[str]) -> list[float]:
        return timed_ms(self.search, questions)

    def embed(self, texts: list[str]) -> int:
        return len(self._encoded(texts))

    def load_model(self, threads: int) -> None:
        self._llama = Llama(str(bundled_generator()), n_ctx=4096, n_threads=threads, verbose=False)

    def first_token_s(self, question: str) -> float:
        """Seconds from the question to the first token that the model writes."""
        assert self._llama
        started = time.perf_counter()
        passages = "\n\n".join(f"[{n}] {found}" for n, (found,) in enumerate(self.search(question, IN_PROMPT), start=1))
        stream = self._llama.create_chat_completion(
            [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": f"Notes:\n\n{passages}\n\nQuestion: {question}"},
            ],
            max_tokens=MAX_TOKENS,
            stream=True,
        )
        for piece in stream:
            if piece["choices"][0]["delta"].get("content"):
                break
        taken = time.perf_counter() - started
        stream.close()
        return taken


def main() -> None:
    pipeline = Pipeline()
    pipeline.embed(["a first text"])
    names = ("index", "take", "search", "search_ms", "embed", "load_model", "first_token_s")
    answer_orders({name: getattr(pipeline, name) for name in names} | {"ready": lambda: True})


if __name__ == "__main__":
    main()
