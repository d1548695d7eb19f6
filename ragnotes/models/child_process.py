"""One life of the child process that runs `ragnotes.models.llama_cpp`: its start, its messages, its end.

A listening thread sorts the child's messages by request. When the child ends, for whatever reason, every open request
gets that reason as its last message.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from ragnotes.children import module_path
from ragnotes.errors import GeneratorFailed
from ragnotes.models.slots import Slot
from ragnotes.models.spinning import spinning
from ragnotes.models.templates import PLAIN, Template
from ragnotes.models.tokens import Vocabulary

__all__ = ["POLL_S", "Child", "Exchange"]

POLL_S = 0.02
"""How often a waiting caller asks whether it is cancelled."""

_CANCEL_GRACE_S = 2.0  # llama.cpp answers a cancel within 0.02 s; after this long it hangs
_END_GRACE_S = 1.0
_HINT = "check that the file is a whole GGUF model, or choose another with --model"


class Exchange:
    """A request to the child and the messages that answer it."""

    def __init__(self, request_id: int, on_end: Callable[[], None]) -> None:
        self.id = request_id
        self.ended = False
        """The last message was taken."""
        self.silent_s = 0.0
        """How long `take` has waited since the last message. Waits are counted, so that a sleep of all is none."""
        self._inbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._on_end = on_end

    def put(self, message: dict[str, Any]) -> bool:
        """Called by the listener; tells whether this was the last message."""
        last = "texts" not in message
        self._inbox.put(message)
        if last:
            self._on_end()
        return last

    def take(self, stopped: Callable[[], bool]) -> dict[str, Any] | None:
        """The next message, None as soon as `stopped()`. Raises GeneratorFailed where the message is an error."""
        while not stopped():
            try:
                message = self._inbox.get(timeout=POLL_S)
            except Empty:
                self.silent_s += POLL_S
                continue
            self.silent_s = 0.0
            self.ended = "texts" not in message
            if "error" in message:
                raise GeneratorFailed(message["error"], message.get("hint", "try again, or ask without a model"))
            return message
        return None


class Child:
    """A running or ended child. `loaded` is set when it can answer, or never will: then `failure` says why.

    `on_end` is called once, from another thread, when the process has ended. Raises OSError where none can be started.
    """

    def __init__(
        self, path: Path, *, threads: int, context_tokens: int, on_end: Callable[[Child], None] = lambda _: None
    ) -> None:
        self.loaded = threading.Event()
        self.failure: GeneratorFailed | None = None
        self.context_tokens = 0
        self.template = PLAIN
        self.template_tokens = 0
        self.vocabulary: Vocabulary | None = None
        self.started_at = time.monotonic()
        self.loaded_at: float | None = None
        self._path = path
        self._on_end = on_end
        self._ids = count(1)
        self._open: dict[int, Exchange] = {}
        self._lock = threading.Lock()  # of `_open`, `failure` and writes to the child
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed by the listener, when the child has ended
        try:
            self._process = subprocess.Popen(
                # -P: a llama_cpp.py or json.py in the working directory, among the notes, is not run
                [sys.executable, "-P", "-m", "ragnotes.models.llama_cpp"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the parent, which then decides
            )
        except OSError:
            self._stderr.close()
            raise
        self._listener = threading.Thread(target=self._listen, name="llama-listener", daemon=True)
        self._listener.start()
        with suppress(OSError):  # it ended already: the listener says why
            self._write(path=str(path), threads=threads, context_tokens=context_tokens)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self.failure is None and self._process.poll() is None

    def ask(self, on_end: Callable[[], None] = lambda: None, **request: object) -> Exchange:
        """Send a request; `on_end` is called with its last message, from another thread."""
        with self._lock:
            exchange = Exchange(next(self._ids), on_end)
            if self.failure is None:
                self._open[exchange.id] = exchange
                with suppress(OSError):  # it ended: the listener ends the exchange
                    self._write(**request, id=exchange.id)
                return exchange
        exchange.put({"error": self.failure.problem, "hint": self.failure.hint})
        return exchange

    def cancel(self, exchange: Exchange) -> dict[str, Any] | None:
        """End a draft and give its last message; a child that does not obey is killed, and gives None."""
        deadline = time.monotonic() + _CANCEL_GRACE_S
        with self._lock, suppress(OSError, ValueError):  # it has ended, or its stdin is closed
            self._write(op="cancel", id=exchange.id)
        with suppress(GeneratorFailed):
            while message := exchange.take(lambda: time.monotonic() > deadline):
                if exchange.ended:
                    return message
            self.end("did not stop when it was told to", grace_s=0)
        return None

    def end(self, reason: str, *, grace_s: float = _END_GRACE_S) -> None:
        """End the process now and give `reason` to whoever still waits for it; after the grace it is killed."""
        if self._lock.acquire(timeout=_END_GRACE_S):
            self._lock.release()
        else:  # somebody writes to it, and it reads no more
            self._process.kill()
        self._fail(reason)
        with suppress(OSError), self._lock:
            self._stdin.close()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._listener.join()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin
        return self._process.stdin

    def _write(self, **message: object) -> None:
        self._stdin.write(json.dumps(message).encode("ascii") + b"\n")
        self._stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                if line.endswith(b"\n"):  # the last one may be cut short by the child's end
                    self._route(json.loads(line))
        status = self._process.wait()
        self._on_end(self)
        self._fail(self._obituary(status))
        self._stderr.close()
        with suppress(OSError), self._lock:
            self._stdin.close()

    def _route(self, message: dict[str, Any]) -> None:
        if "id" in message:
            with self._lock:
                exchange = self._open.get(message["id"])
            if exchange and exchange.put(message):
                with self._lock:
                    self._open.pop(exchange.id, None)
        elif message.get("missing"):
            self._fail(message["error"], "pip install llama-cpp-python")
        elif "error" in message:
            self._fail(f"cannot be loaded: {message['error']}", message.get("hint") or _HINT)
        else:
            self.context_tokens = message["context_tokens"]
            name, parts = message["template"]
            self.template = Template(name, tuple(Slot(text) if is_slot else text for text, is_slot in parts))
            self.template_tokens = message["template_tokens"]
            self.vocabulary = _vocabulary(message["vocabulary"])
            self.loaded_at = time.monotonic()
            self.loaded.set()

    def _fail(self, reason: str, hint: str = _HINT) -> None:
        with self._lock:
            if self.failure is None:  # the first reason is the cause
                self.failure = GeneratorFailed(f"{self._path}: {reason}", hint)
            orphans, self._open = list(self._open.values()), {}
        for exchange in orphans:
            exchange.put({"error": self.failure.problem, "hint": self.failure.hint})
        self.loaded.set()

    def _obituary(self, status: int) -> str:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, self._stderr.tell() - 2000))
        lines = self._stderr.read().decode("utf-8", "replace").strip().splitlines()
        return f"the language model's process {how}" + (f": {lines[-1]}" if lines else "")


def _environment() -> dict[str, str]:
    """This process's environment, with this very ragnotes importable, and without the network."""
    own = {"PYTHONPATH": module_path(), "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **spinning(os.environ), **own}


def _vocabulary(fields: dict[str, Any] | None) -> Vocabulary | None:
    if fields is None:
        return None
    normal = {piece.encode("latin-1"): token for piece, token in fields["normal"].items()}
    return Vocabulary(fields["size"], fields["pre"], normal, fields["user_defined"])
