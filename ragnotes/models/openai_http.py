"""A language model behind any server that speaks OpenAI's chat completions: llama-server, vLLM, Ollama and the like.

The server renders the prompt in its model's template and would read the spelling of a control token as one, so such
spellings are broken up before they are sent. A draft is read by a thread of its own: a caller that stops is free at
once, and the connection is closed, which tells the server to stop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from ragnotes.errors import GeneratorBusy, GeneratorFailed
from ragnotes.models.completions import ServedModel
from ragnotes.models.draft import Pieces, StreamedDraft
from ragnotes.models.estimating import EstimatingCounter
from ragnotes.models.server_probe import Probe
from ragnotes.models.server_stream import POLL_S, Stream
from ragnotes.models.spellings import harmless
from ragnotes.ports import Prompt, TokenCounter, Usage

__all__ = ["HttpGenerator"]

_TEMPLATE_TOKENS = 64
"""What a server's template adds to a prompt; those in use add 10 to 50."""
_CHARS_A_TOKEN = 40
"""No draft of a server that keeps to `max_tokens` is longer."""
_ENDED_EARLY = "ask again, and see what the server logs; llama_cpp.server needs --interrupt_requests false"


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
        self._probe: Probe | None = None
        self._known: ServedModel | None = None
        """What the server said last, also while it is asked again."""
        self._closed = False
        self._without_system = False

    @property
    def name(self) -> str:
        """The model's name where it is known, else the server's. Does not wait where the server is asked again."""
        probe = self._asked() if self._probe and not self._closed else self._probe
        served = (probe.served if probe else None) or self._known
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
        ended = probe.wait(timeout_s)
        if probe.failure:
            raise probe.failure
        return ended

    def prompt_tokens(self, prompt: Prompt) -> int:
        """No less than what the server will read, for texts as people write them."""
        return _TEMPLATE_TOKENS + sum(self.tokens.count(harmless(text)) for text in (prompt.system, prompt.user))

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> StreamedDraft:
        """A draft, admitted: all places taken raises GeneratorBusy here, all else is raised while reading the draft."""
        if not self._places.acquire(blocking=False):
            raise GeneratorBusy("too many questions wait for the model's server", "try again in 5 s", retry_after_s=5)
        given_back = threading.Lock()

        def give_back() -> None:
            if given_back.acquire(blocking=False):
                self._places.release()

        return StreamedDraft(self._pieces(prompt, max_tokens, cancelled, give_back), give_back)

    def close(self) -> None:
        """Refuse new drafts; those that run end with their readers."""
        self._closed = True

    def _pieces(
        self, prompt: Prompt, max_tokens: int, cancelled: Callable[[], bool], give_back: Callable[[], None]
    ) -> Pieces:
        try:
            if self._closed:
                raise GeneratorFailed(f"{self._base}: the language model was closed", "start ragnotes again")
            while not self.ready(POLL_S):
                if cancelled():
                    return Usage(0, 0)
            try:
                return (yield from self._streamed(prompt, max_tokens, cancelled))
            except GeneratorFailed as error:
                if self._without_system or "system role" not in error.problem.lower():
                    self._forget()
                    raise
            self._without_system = True  # Gemma's template refuses it, before it writes anything
            return (yield from self._streamed(prompt, max_tokens, cancelled))
        finally:
            give_back()

    def _streamed(self, prompt: Prompt, max_tokens: int, cancelled: Callable[[], bool]) -> Pieces:
        stream = Stream(f"{self._base}/chat/completions", self._headers, self._body(prompt, max_tokens))
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
        while not probe.wait(POLL_S):
            pass
        if probe.served is None:
            raise probe.failure or GeneratorFailed(f"{self._base} was not asked", "try again")
        return probe.served

    def _asked(self) -> Probe:
        """What the server says of itself, asked again where that was a while ago."""
        with self._lock:
            if self._probe is None or self._probe.outdated:
                self._remember()
                self._probe = Probe(self._base, self._headers, self._wanted)
            return self._probe

    def _forget(self) -> None:
        """Ask the server again before the next draft: after one that failed, it may serve another model."""
        with self._lock:
            self._remember()
            self._probe = None

    def _remember(self) -> None:
        self._known = (self._probe.served if self._probe else None) or self._known
