"""The question to a model's server about what it serves, asked by a thread of its own and trusted for a while."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import httpx

from ragnotes.errors import GeneratorFailed, ModelError
from ragnotes.models.completions import ServedModel, json_of, refusal, served_context, served_models
from ragnotes.models.server_connection import UNCOMPRESSED, Connection, body_of, failure_of

__all__ = ["Probe"]

_TIMEOUT = httpx.Timeout(10.0)
"""Of each step; a server that sends a byte now and then takes no step too long."""
_PROBE_S = 15.0
"""Of the whole."""
_ASK_AGAIN_S = 5.0
"""How long a failure stands."""
_TRUSTED_S = 60.0
"""How long an answer stands: a server may be started again with another model."""
_LONGEST_BYTES = 8 * 1024**2
"""Routers list hundreds of models, with a page about each."""


class Probe:
    """One question; `ended` is set when `served` or `failure` is, and neither changes after that."""

    def __init__(self, base: str, headers: dict[str, str], wanted: str | None) -> None:
        self.ended = threading.Event()
        self.served: ServedModel | None = None
        self.failure: ModelError | None = None
        self._base = base
        self._headers = headers
        self._wanted = wanted
        self._connection = Connection()
        self._ending = threading.Lock()
        self._due = time.monotonic() + _PROBE_S
        self._ended_at = 0.0
        threading.Thread(target=self._run, name="model-server-probe", daemon=True).start()

    @property
    def outdated(self) -> bool:
        stands_s = _ASK_AGAIN_S if self.failure else _TRUSTED_S
        return self.ended.is_set() and time.monotonic() - self._ended_at > stands_s

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended after at most this long; when its own time is over, it ends as failed."""
        self.ended.wait(max(0.0, min(timeout_s, self._due - time.monotonic())))
        if not self.ended.is_set() and time.monotonic() >= self._due:
            problem = f"{self._base} did not say within {_PROBE_S:g} s what it serves"
            self._end(GeneratorFailed(problem, "start the model's server again, or choose another with --model-url"))
            self._connection.close()
        return self.ended.is_set()

    def _run(self) -> None:
        try:
            self._end(self._ask())
        except ModelError as error:
            self._end(error)
        except Exception as error:  # whatever a server sends, those who wait must be told
            self._end(failure_of(self._base, error))

    def _end(self, found: ServedModel | ModelError) -> None:
        with self._ending:
            if self.ended.is_set():
                return
            if isinstance(found, ModelError):
                self.failure = found
            else:
                self.served = found
            self._ended_at = time.monotonic()
            self.ended.set()

    def _ask(self) -> ServedModel:
        with httpx.Client(timeout=_TIMEOUT, headers=self._headers | UNCOMPRESSED, trust_env=False) as client:
            listing = self._get(client, f"{self._base}/models")
            served = served_models(self._base, json_of(self._base, listing) if listing else None, self._wanted)
            if served.context_tokens is None:
                url = f"{self._base.removesuffix('/v1')}/props"
                with suppress(httpx.HTTPError, ModelError):  # only llama-server has it
                    served = served_context(served, json_of(url, self._get(client, url)))
        return served

    def _get(self, client: httpx.Client, url: str) -> bytes:
        with client.stream("GET", url, extensions={"trace": self._connection.trace}) as response:
            body = body_of(response, _LONGEST_BYTES)
        if response.status_code != httpx.codes.OK:
            raise refusal(self._base, response.status_code, body, response.headers.get("Retry-After"))
        return body
