"""Settings in, built objects out: the only place that chooses implementations.

A `Library` is one corpus with its index. Engines are loaded when they are first needed, so that `ragnotes status` waits
for no model; the language model loads in its own process while the embedder loads in this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from ragnotes.answers import Filters
from ragnotes.asking.answer_cache import AnswerCache, ask_cached, is_cached
from ragnotes.asking.answering import Asker, Request, checked_question
from ragnotes.asking.conversing import answered_in_conversation, asked_in_full
from ragnotes.clock import UNSTATED, Clock, zone_of
from ragnotes.dates import DayMonthOrder
from ragnotes.errors import IndexMissing, ModelError, NotFound
from ragnotes.events import Event, Found, IndexStatus, IndexSummary, Progress
from ragnotes.indexing import Indexer, manifest_for, status_of
from ragnotes.models.bundled import bundled_embedder, bundled_generator
from ragnotes.models.generator_process import LlamaGenerator
from ragnotes.models.openai_http import HttpGenerator
from ragnotes.ports import Conversations, Embedder, Generator, Snapshot, Store
from ragnotes.reading.corpus import FreshnessCheck, check_roots
from ragnotes.reading.loaders import Limits
from ragnotes.rereading import reread
from ragnotes.settings import Settings
from ragnotes.stores.conversations import FOLDER, ConversationFolder
from ragnotes.stores.local import LocalStore
from ragnotes.stores.writing import check_manifest, check_same_roots
from ragnotes.types import Document, FileRecord, Manifest, Source

__all__ = ["Library"]

_PIP_MODELS = 'pip install "ragnotes[models]"'
QUESTIONS_AT_ONCE = 8
"""That are embedded while their words are looked for; others wait for one of these."""


class Library:
    """One corpus and its index, ready to be asked. Methods may be called from several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._store: Store | None = None
        self._embedder: Embedder | None = None
        self._generator: Generator | str | None = None
        """The language model, or why there is none; None before the first call."""
        self._fresh: FreshnessCheck | None = None
        self._answers = AnswerCache()
        # Its threads stay, for torch takes 3 ms to prepare a new one, half as long as to embed a question.
        self._pool = ThreadPoolExecutor(QUESTIONS_AT_ONCE) if settings.threads > 1 else None
        self._opening, self._loading, self._starting = Lock(), Lock(), Lock()  # each for one: models load side by side

    def indexed(self) -> bool:
        """Whether there is an index to ask."""
        try:
            return self.store().manifest() is not None
        except IndexMissing:
            return False

    def store(self, *, create: bool = False, rebuild: bool = False) -> Store:
        """The opened store. Raises IndexMissing where there is none and it is not to be created."""
        with self._opening:
            if self._store is None:
                self._store = LocalStore.open(self.settings.index, create=create, rebuild=rebuild)
            return self._store

    @property
    def embedder(self) -> Embedder:
        """The embedder, loaded by the first call. Raises ModelError where none is installed or it cannot be loaded."""
        with self._loading:
            if self._embedder is None:
                self._embedder = self._load_embedder()
            return self._embedder

    @property
    def generator(self) -> Generator | None:
        """The language model, loading in the background from the first call on; None where there is none."""
        generator = self._generator_or_why()
        return None if isinstance(generator, str) else generator

    @property
    def no_model(self) -> str | None:
        """Why there is no language model, where there is none."""
        generator = self._generator_or_why()
        return generator if isinstance(generator, str) else None

    def _load_embedder(self) -> Embedder:
        from ragnotes.models.sentence_transformer import SentenceTransformerEmbedder

        folder = self.settings.embedder or bundled_embedder()
        if folder is None:
            raise ModelError("no embedder is installed", f"{_PIP_MODELS}, or name a folder with --embedder DIR")
        return SentenceTransformerEmbedder(folder, threads=self.settings.threads)

    def _generator_or_why(self) -> Generator | str:
        with self._starting:
            if self._generator is None:
                self._generator = self._start_generator()
            return self._generator

    def _start_generator(self) -> Generator | str:
        generator = self._generator_by_url() if self.settings.model_url else self._generator_in_child()
        if not isinstance(generator, str):
            generator.start()
        return generator

    def _generator_by_url(self) -> HttpGenerator | str:
        if self.settings.model is not None:
            return "no model: both a file and a URL are named; leave out --model or --model-url"
        assert self.settings.model_url
        return HttpGenerator(
            self.settings.model_url,
            model=self.settings.model_name,
            api_key=self.settings.model_api_key,
            context_tokens=self.settings.context_tokens,
            queue_length=self.settings.queue_length,
        )

    def _generator_in_child(self) -> LlamaGenerator | str:
        path = self.settings.model or bundled_generator()
        if path is None:
            return f"no model: none is installed; {_PIP_MODELS}, or name a GGUF file with --model FILE"
        try:
            return LlamaGenerator(
                path,
                threads=self.settings.threads,
                context_tokens=self.settings.context_tokens,
                queue_length=self.settings.queue_length,
            )
        except ModelError as error:
            return f"no model: {error}"

    def update(
        self,
        progress: Callable[[Progress], None] = lambda _: None,
        *,
        rebuild: bool = False,
        allow_empty: bool = False,
        retry_failed: bool = False,
    ) -> IndexSummary:
        """Brings the index up to date with the corpus; creates it where there is none."""
        check_roots(self.settings.corpus)
        # Before the model loads: a folder that cannot be written to is told at once.
        store = self.store(create=True, rebuild=rebuild)
        return self._indexer(store).update(
            progress, rebuild=rebuild, allow_empty=allow_empty, retry_failed=retry_failed
        )

    def _indexer(self, store: Store) -> Indexer:
        return Indexer(store, self.embedder, self.settings.corpus, self.settings.index, self._limits, self._order)

    def search(
        self, query: str, *, filters: Filters, limit: int, surroundings: bool = False, clock: Clock = UNSTATED
    ) -> Found:
        checked_question(query)
        asker = self._asker(llm=False)
        return asker.search(query, filters=filters, limit=limit, surroundings=surroundings, clock=clock)

    def ask(self, request: Request) -> Iterator[Event]:
        """The events of one answer. Errors of the question and the index are raised before the first event."""
        checked_question(request.question)
        asker = self._asker(llm=request.llm)
        return answered_in_conversation(lambda asked: ask_cached(asker, asked, self._answers), request, self._kept)

    def is_cached(self, request: Request) -> bool:
        """Whether `ask` has the answer at hand, and needs no model for it. Raises as `ask` does."""
        if not len(self._answers):
            return False  # at once: the embedder may still be loading
        checked_question(request.question)
        asker = self._asker(llm=request.llm)
        return is_cached(asker, asked_in_full(request, self._kept), self._answers)

    @property
    def conversations(self) -> Conversations:
        """What was asked of this index before, as far as it was kept."""
        return ConversationFolder(self.settings.index / FOLDER)

    @property
    def _kept(self) -> Conversations | None:
        return self.conversations if self.settings.history else None

    def status(self) -> IndexStatus:
        """Every file of the corpus with its outcome. Raises IndexMismatch where the index is of other folders."""
        store = self.store()
        roots = check_roots(self.settings.corpus)
        if (manifest := store.manifest()) is not None:
            check_same_roots(self.settings.index, manifest.roots, [str(root) for root in roots])
        return status_of(store, roots, self.settings.index, model=self._model_name())

    def _model_name(self) -> str | None:
        """What the language model is called, without asking or loading it."""
        if self.settings.model_url:
            return self.settings.model_name or self.settings.model_url
        model = self.settings.model or bundled_generator()
        return model.stem if model else None

    def documents(self) -> list[tuple[FileRecord, Source | None]]:
        """Every file of the corpus with its outcome, and the document that it is in the index."""
        files = self.status().files
        with self.store().reading() as snapshot:
            sources = {source.path: source for source in snapshot.documents()}
        return [(record, sources.get(record.path)) for record in files]

    def document(self, doc_id: str) -> Document:
        """The document of that id. Raises NotFound, also where its file was changed or deleted since it was indexed."""
        with self.store().reading() as snapshot:
            document = snapshot.document(doc_id)
        if document is None:
            raise NotFound(f"there is no document {doc_id}", "list them with GET /v1/documents")
        source = Source(document.doc_id, document.path, document.title, document.kind, document.sha256)
        if not self._freshness(check_roots(self.settings.corpus))(source):
            raise NotFound(f"{document.path} is no longer as it was indexed", "run: ragnotes index")
        return document

    def close(self) -> None:
        """Ends the language model's process and closes the store."""
        if self._generator is not None and not isinstance(self._generator, str):
            self._generator.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        if self._store is not None:
            self._store.close()

    @property
    def _order(self) -> DayMonthOrder | None:
        """Which number of `3/4` is the day where a note or question does not tell."""
        if self.settings.day_first is None:
            return None
        return DayMonthOrder.DAY_FIRST if self.settings.day_first else DayMonthOrder.MONTH_FIRST

    @property
    def _limits(self) -> Limits:
        return Limits(
            max_file_bytes=self.settings.max_file_bytes,
            pdf_timeout_s=self.settings.pdf_timeout_s,
            pdf_memory_bytes=self.settings.pdf_memory_bytes,
        )

    def check_index(self) -> None:
        """Raises IndexMissing or IndexMismatch where the index cannot be asked with this embedder about this corpus."""
        self._check_manifest(self.store().manifest())

    def _check_manifest(self, manifest: Manifest | None) -> None:
        if manifest is None:
            raise IndexMissing(f"{self.settings.index} holds no index yet", "run: ragnotes index")
        roots = check_roots(self.settings.corpus)
        check_manifest(self.settings.index, manifest, manifest_for(self.embedder, roots, self._order))

    def _asker(self, *, llm: bool) -> Asker:
        generator = self.generator if llm else None  # asked for first: it loads beside the embedder
        self.check_index()
        roots = check_roots(self.settings.corpus)
        return Asker(
            store=_Checked(self.store(), self._check_manifest),
            embedder=self.embedder,
            generator=generator,
            no_model=self.no_model if llm else None,
            is_fresh=self._freshness(roots),
            answer_tokens=self.settings.answer_tokens,
            pool=self._pool,
            zone=zone_of(self.settings.tz) if self.settings.tz else None,
            order=self._order,
            reread=lambda paths, stopped: reread(self._indexer(self.store()), paths, stopped),
        )

    def _freshness(self, roots: tuple[Path, ...]) -> FreshnessCheck:
        if self._fresh is None:
            self._fresh = FreshnessCheck(roots)
        return self._fresh


@dataclass(frozen=True, slots=True)
class _Checked:
    """A store whose every snapshot is checked: another process may rebuild the index with another embedder meanwhile,
    and vectors of two embedders must never meet.
    """

    store: Store
    check: Callable[[Manifest | None], None]

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        with self.store.reading() as snapshot:
            self.check(snapshot.manifest)
            yield snapshot
