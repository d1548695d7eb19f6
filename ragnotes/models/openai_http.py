"""A language model behind any server that speaks OpenAI's chat completions: llama-server, vLLM, Ollama and the like.

The server renders the prompt in its model's template and would read the spelling of a control token as one, so such
spellings are broken up before they are sent. A draft is read by a thread of its own: a caller that stops is free at
once, and the connection is closed, which tells the server to stop.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from queue import Empty, SimpleQueue

import httpx

from ragnotes.errors import GeneratorBusy, GeneratorFailed, ModelError
from ragnotes.models.completions import Chunk, ServedModel, chunk_of, refusal, served_context, served_models
from ragnotes.models.estimating import EstimatingCounter
from ragnotes.ports import Prompt, TokenCounter, Usage

__all__ = ["HttpDraft", "HttpGenerator", "harmless"]

_POLL_S = 0.02
_DRAFT_S = 120.0
"""A draft that takes longer is ended, whatever the server does."""
_TIMEOUT = httpx.Timeout(10.0, read=_DRAFT_S)
_PROBE_TIMEOUT = httpx.Timeout(10.0)
_ASK_AGAIN_S = 5.0
_TEMPLATE_TOKENS = 64
"""What a server's template adds to a prompt; those in use add 10 to 50."""
_CHARS_A_TOKEN = 40
"""No draft of a server that keeps to `max_tokens` is longer."""
_ENDED_EARLY = "ask again, and see what the server logs; llama_cpp.server needs --interrupt_requests false"
_CONTROL = re.compile(r"<(?=[|｜/\w][^<>\s]{0,60}>)|\[(?=/?[A-Z_]{3,30}\])")

_Pieces = Generator[str, None, Usage]


def harmless(text: str) -> str:
    """The text with a space in whatever may spell a control token: `<|im_end|>`, `</s>`, `[INST]`, also in tags."""
    return _CONTROL.sub(lambda mark: f"{mark[0]} ", text)


class HttpDraft:
    """Pieces of text as the server sends them. The request is sent with the first `next`."""

    def __init__(self, pieces: _Pieces, give_back: Callable[[], None]) -> None:
        self.usage: Usage | None = None
        self._pieces = pieces
        self._give_back = give_back

    def __iter__(self) -> HttpDraft:
        return self

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            self.usage = end.value or self.usage
            raise StopIteration from None

    def close(self) -> None:
        """End the draft early, which closes the connection; after the end it does nothing."""
        self._pieces.close()
        self._give_back()  # a generator that never began does not run its `finally`

    def __del__(self) -> None:
        self.close()


class HttpGenerator:
    """The model `model` of the server at `url`, or the first that it names. Any thread may call any method.

    `context_tokens` is the least of the setting and what the server tells. Drafts run side by side, as many as the
    queue holds; the server has its own line. Proxies of the environment are not used, and redirects not followed.
    """

    def __init__(
        self, url: str, *, model: str | None, api_key: str | None, context_tokens: int, queue_length: int
    ) -> None:
        self._base = url.rstrip("/") if httpx.URL(url).path.strip("/") else f"{url.rstrip('/')}/v1"
        self._wanted = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wanted_tokens = context_tokens
        self._places = threading.BoundedSemaphore(queue_length + 1)
        self._lock = threading.Lock()
        self._probe: _Probe | None = None
        self._closed = False
        self._without_system = False

    @property
    def name(self) -> str:
        """The model's name where it is known, else the server's."""
        served = self._probe.served if self._probe else None
        return served.name if served else self._wanted or str(httpx.URL(self._base).host)

    @property
    def context_tokens(self) -> int:
        told = self._served().context_tokens
        return min(told, self._wanted_tokens) if told else self._wanted_tokens

    @property
    def tokens(self) -> TokenCounter:
        return EstimatingCounter()

    def start(self) -> None:
        """Begin to ask the server what it serves, without waiting for it."""
        self._asked()

    def ready(self, timeout_s: float) -> bool:
        """Whether the server answered after at most this long; raises GeneratorFailed where it cannot be used."""
        probe = self._asked()
        if probe.ended.wait(timeout_s) and probe.failure:
            raise probe.failure
        return probe.ended.is_set()

    def prompt_tokens(self, prompt: Prompt) -> int:
        """No less than what the server will read, for texts as people write them."""
        return _TEMPLATE_TOKENS + sum(self.tokens.count(harmless(text)) for text in (prompt.system, prompt.user))

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> HttpDraft:
        """A draft, admitted: all places taken raises GeneratorBusy here, all else is raised while reading the draft."""
        if not self._places.acquire(blocking=False):
            raise GeneratorBusy("too many questions wait for the model's server", "try again in 5 s", retry_after_s=5)
        given_back = threading.Lock()

        def give_back() -> None:
            if given_back.acquire(blocking=False):
                self._places.release()

        return HttpDraft(self._pieces(prompt, max_tokens, cancelled, give_back), give_back)

    def close(self) -> None:
        """Refuse new drafts; those that run end with their readers."""
        self._closed = True

    def _pieces(
        self, prompt: Prompt, max_tokens: int, cancelled: Callable[[], bool], give_back: Callable[[], None]
    ) -> _Pieces:
        try:
            if self._closed:
                raise GeneratorFailed(f"{self._base}: the language model was closed", "start ragnotes again")
            while not self.ready(_POLL_S):
                if cancelled():
                    return Usage(0, 0)
            try:
                return (yield from self._streamed(prompt, max_tokens, cancelled))
            except GeneratorFailed as error:
                if self._without_system or "system role" not in error.problem.lower():
                    raise
            self._without_system = True  # Gemma's template refuses it, before it writes anything
            return (yield from self._streamed(prompt, max_tokens, cancelled))
        finally:
            give_back()

    def _streamed(self, prompt: Prompt, max_tokens: int, cancelled: Callable[[], bool]) -> _Pieces:
        stream = _Stream(f"{self._base}/chat/completions", self._headers, self._body(prompt, max_tokens))
        pieces, room, finish, counted = 0, max_tokens * _CHARS_A_TOKEN, None, None
        try:
            while room > 0 and (chunk := stream.take(cancelled)) is not None:
                finish, counted = chunk.finish or finish, chunk.usage or counted
                if chunk.text:
                    pieces, room = pieces + 1, room - len(chunk.text)
                    yield chunk.text
        finally:
            stream.close()
        if not finish and room > 0 and not cancelled():  # half an answer may say the contrary of the whole
            raise GeneratorFailed(f"{self._base} ended its answer early", _ENDED_EARLY)
        read, written = counted or (self.prompt_tokens(prompt), pieces)
        return Usage(read, max_tokens if finish == "length" or room <= 0 else written)

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, object]:
        system, user = harmless(prompt.system), harmless(prompt.user)
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        if self._without_system:
            messages = [{"role": "user", "content": f"{system}\n\n{user}"}]
        return {
            "model": self._served().name,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def _served(self) -> ServedModel:
        probe = self._asked()
        probe.ended.wait()
        if probe.served is None:
            raise probe.failure or GeneratorFailed(f"{self._base} was not asked", "try again")
        return probe.served

    def _asked(self) -> _Probe:
        """What the server says of itself, asked again where it failed a while ago."""
        with self._lock:
            if self._probe is None or self._probe.outdated:
                self._probe = _Probe(self._base, self._headers, self._wanted)
            return self._probe


class _Probe:
    """One question to a server about what it serves; `ended` is set when `served` or `failure` is."""

    def __init__(self, base: str, headers: dict[str, str], wanted: str | None) -> None:
        self.ended = threading.Event()
        self.served: ServedModel | None = None
        self.failure: ModelError | None = None
        self._failed_at = 0.0
        arguments = (base, headers, wanted)
        threading.Thread(target=self._run, args=arguments, name="model-server-probe", daemon=True).start()

    @property
    def outdated(self) -> bool:
        return self.failure is not None and time.monotonic() - self._failed_at > _ASK_AGAIN_S

    def _run(self, base: str, headers: dict[str, str], wanted: str | None) -> None:
        try:
            with httpx.Client(timeout=_PROBE_TIMEOUT, headers=headers, trust_env=False) as client:
                response = client.get(f"{base}/models")
                if response.status_code != httpx.codes.OK:
                    raise refusal(base, response)
                served = served_models(base, response.json() if response.content else None, wanted)
                if served.context_tokens is None:
                    with suppress(httpx.HTTPError, ValueError):  # only llama-server has it
                        props = client.get(f"{base.removesuffix('/v1')}/props")
                        served = served_context(served, props.json())
            self.served = served
        except ModelError as error:
            self.failure = error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self.failure = _unreachable(base, error)
        finally:
            self._failed_at = time.monotonic()
            self.ended.set()


class _Stream:
    """One streamed completion, read by a thread; `take` gives its chunks, `close` ends it within moments."""

    def __init__(self, url: str, headers: dict[str, str], body: dict[str, object]) -> None:
        self._url = url
        self._headers = headers
        self._body = body
        self._inbox: SimpleQueue[Chunk | ModelError | None] = SimpleQueue()
        self._closed = threading.Event()
        self._connection: object = None
        self._due = time.monotonic() + _DRAFT_S
        threading.Thread(target=self._run, name="model-server-reader", daemon=True).start()

    def take(self, stopped: Callable[[], bool]) -> Chunk | None:
        """The next chunk; None after the last, or as soon as `stopped()`. Raises what the server refused with."""
        while not stopped():
            with suppress(Empty):
                found = self._inbox.get(timeout=_POLL_S)
                if isinstance(found, ModelError):
                    raise found
                return found
            if time.monotonic() > self._due:
                raise GeneratorFailed(f"{self._url}: no whole answer within {_DRAFT_S:g} s", "try a smaller model")
        return None

    def close(self) -> None:
        """Close the connection, also in the middle of a read: the reading thread then ends."""
        self._closed.set()
        connection = self._connection
        if connection is not None:
            with suppress(OSError, AttributeError, ValueError):
                connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]

    def _run(self) -> None:
        try:
            self._read()
            self._inbox.put(None)
        except ModelError as error:
            self._inbox.put(error)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self._inbox.put(_unreachable(self._url, error))

    def _read(self) -> None:
        with (
            httpx.Client(timeout=_TIMEOUT, headers=self._headers, trust_env=False) as client,
            client.stream("POST", self._url, json=self._body, extensions={"trace": self._trace}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                response.read()
                raise refusal(self._url, response)
            for line in response.iter_lines():
                if self._closed.is_set() or line.strip() == "data: [DONE]":
                    return
                if line.startswith("data:"):
                    self._inbox.put(chunk_of(self._url, line.removeprefix("data:")))

    def _trace(self, event: str, info: dict[str, object]) -> None:
        """Remembers the connection as soon as there is one: a server may send nothing for a long time."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._connection = info["return_value"]
        if self._closed.is_set() and event == "http11.send_request_headers.started":
            raise httpx.RequestError("nobody waits for the answer any more")


def _unreachable(url: str, error: Exception) -> GeneratorFailed:
    why = f": {error}" if str(error) else f": {type(error).__name__}"
    return GeneratorFailed(
        f"{url} does not answer{why}", "start the model's server, or choose another with --model-url"
    )
