"""Loading both models while the server already answers /health, and how far that is."""

from __future__ import annotations

import logging
import threading
import time

from ragnotes.errors import RagnotesError
from ragnotes.service.library import Library

__all__ = ["LOADING", "READY", "WarmUp"]

LOADING = "loading"
READY = "ready"

_log = logging.getLogger(__name__)


class WarmUp:
    """`embedder` and `generator` are each "loading", "ready", or "absent: " and why."""

    def __init__(self, library: Library) -> None:
        self.embedder = LOADING
        self.generator = LOADING
        self._library = library
        self._threads = [
            threading.Thread(target=load, name=load.__name__, daemon=True)
            for load in (self._load_generator, self._load_embedder)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def generator_now(self) -> str:
        """As `generator`, but asked again once it has loaded or failed: either may have changed since."""
        if self.generator == LOADING:
            return LOADING
        try:
            generator = self._library.generator
            if generator is None:
                return self.generator
            return READY if generator.ready(0) else LOADING
        except RagnotesError as error:
            return _absent(error)

    def join(self, timeout_s: float) -> None:
        """Wait at most this long for both models: a process that ends amid an import of torch may crash."""
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _load_embedder(self) -> None:
        try:
            self._library.embedder.embed_queries(["warm up"])
            self.embedder = READY
        except Exception as error:  # the thread's edge: /ready says it, the log says where
            self.embedder = _absent(error)

    def _load_generator(self) -> None:
        try:
            generator = self._library.generator
            if generator is None:
                self.generator = f"absent: {self._library.no_model}"
            elif generator.context_tokens:  # asking for it waits until the model is loaded
                self.generator = READY
        except Exception as error:  # as above
            self.generator = _absent(error)


def _absent(error: Exception) -> str:
    if not isinstance(error, RagnotesError):
        _log.exception("a model cannot be loaded")
    return f"absent: {error}"
