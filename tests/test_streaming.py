"""How soon a stream says what, and how soon it stops: the bundled real models behind a real socket."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from ragnotes.assembly import Library
from ragnotes.models.bundled import bundled_generator
from ragnotes.models.draft import StreamedDraft
from ragnotes.models.generator_process import LlamaGenerator
from ragnotes.ports import Prompt
from ragnotes.service.app import create_app
from ragnotes.service.server import bind
from tests.fakes import WAIT_S, fake_settings

pytestmark = pytest.mark.model

CORPUS = Path(__file__).parents[1] / "corpus"
QUESTIONS = [
    line["question"]
    for line in map(json.loads, (CORPUS / "questions.jsonl").read_text("utf-8").splitlines())
    if line["answerable"]
]
LATE_S = 0.25
ASKED = {"Content-Type": "application/json"}


class WatchedDraft:
    """A draft of the real model that notes when it began, wrote, and ended."""

    def __init__(self, draft: StreamedDraft) -> None:
        self._draft = draft
        self.begun = threading.Event()
        self.writing = threading.Event()
        self.ended = threading.Event()
        self.ended_at = 0.0

    @property
    def usage(self) -> Any:
        return self._draft.usage

    def __iter__(self) -> WatchedDraft:
        return self

    def __next__(self) -> str:
        self.begun.set()
        try:
            piece = next(self._draft)
        except StopIteration:
            self._end()
            raise
        self.writing.set()
        return piece

    def close(self) -> None:
        self._draft.close()
        self._end()

    def _end(self) -> None:
        if not self.ended.is_set():
            self.ended_at = time.monotonic()
            self.ended.set()


class WatchedGenerator(LlamaGenerator):
    """The real model, with every draft kept."""

    drafts: list[WatchedDraft]

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> Any:
        draft = WatchedDraft(super().generate(prompt, max_tokens=max_tokens, cancelled=cancelled))
        self.drafts.append(draft)
        return draft


@pytest.fixture(scope="module")
def model() -> Iterator[WatchedGenerator]:
    path = bundled_generator()
    assert path
    generator = WatchedGenerator(path, threads=2, context_tokens=2048, queue_length=4)
    generator.drafts = []
    yield generator
    generator.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, model: WatchedGenerator) -> Iterator[str]:
    settings = fake_settings(corpus=(CORPUS,), index=tmp_path_factory.mktemp("index") / "sample", threads=2)
    library = Library(settings)
    library._generator = model
    library.update()
    assert model.ready(60)
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(library, settings=settings), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for question in QUESTIONS[:3]:
            list(stream(address, question))
        yield address
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        listener.close()
        library.close()


def stream(url: str, question: str, **more: Any) -> Iterator[tuple[float, str, Any]]:
    """Seconds since the request, name and content of each event."""
    started = time.monotonic()
    body = {"question": question, "stream": True, **more}
    with httpx.stream("POST", f"{url}/v1/ask", json=body, timeout=60, trust_env=False) as response:
        assert response.status_code == 200
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield time.monotonic() - started, name, json.loads(line.removeprefix("data: "))


def p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.95 * len(seconds))]


def test_passages_come_within_300_ms(url: str) -> None:
    seconds = []
    for question in QUESTIONS:
        events = stream(url, question, llm=False)
        at, name, content = next(events)
        list(events)
        assert (name, bool(content["hits"])) == ("passages", True)
        seconds.append(at)
    assert p95(seconds) < 0.3


def test_sentences_stream_with_their_citations_and_make_the_answer(url: str) -> None:
    for question in QUESTIONS[:12]:
        for llm in (True, False):
            events = [(name, content) for _, name, content in stream(url, question, llm=llm)]
            assert (events[0][0], events[-1][0]) == ("passages", "final")
            final = events[-1][1]
            told = [(name, content) for name, content in events[1:-1] if name != "queued"]
            assert "".join(content["text"] for name, content in told if name == "token") == final["answer"]
            assert [content for name, content in told if name == "citation"] == final["citations"]
            cited = [n for name, content in told if name == "token" for n in content["citations"]]
            assert cited == [n for sentence in final["sentences"] for n in sentence["citations"]]
            known = set[int]()
            for (_, before), (name, content) in pairwise(told):
                if name == "citation":
                    known.add(content["n"])
                    assert content["n"] in before.get("citations", known)


@pytest.mark.parametrize("deadline_ms", [1, 500, 2000])
def test_a_deadline_gives_a_cited_answer_in_time(url: str, deadline_ms: int) -> None:
    """In time: the model costs no more than the deadline leaves, beside what an answer takes without it."""
    for question in QUESTIONS[::6]:
        late = []
        for attempt in range(3):  # the machine may be busy with other things
            *_, (alone, _, extractive) = stream(url, question, llm=False)
            limit = 10 + attempt  # no answer to this was kept
            *_, (seconds, name, final) = stream(url, question, deadline_ms=deadline_ms, limit=limit)
            assert name == "final"
            assert bool(final["citations"]) == final["answered"] >= extractive["answered"]
            if deadline_ms > 1:  # else it is late before it can be judged whether the notes hold the answer
                assert final["answered"] == extractive["answered"]
            elif final["answered"] != extractive["answered"]:
                assert final["reason"] == "late"
            late.append(seconds - max(alone, deadline_ms / 1000))
            if late[-1] < LATE_S:
                break
        assert min(late) < LATE_S


@pytest.fixture(scope="module")
def drafted(url: str, model: WatchedGenerator) -> list[str]:
    """Six questions that the language model is asked."""
    found = list[str]()
    for question in QUESTIONS[12:]:  # the answers to those before are kept
        number = len(model.drafts)
        list(stream(url, question, limit=9))  # other tests ask with the usual limit, so this answer is not theirs
        if len(model.drafts) > number:
            found.append(question)
        if len(found) == 6:
            return found
    raise AssertionError(f"the model was asked only {found}")


def _leaves(url: str, model: WatchedGenerator, question: str, *, writing: bool = False) -> float:
    """Seconds from the moment that a client closes its socket to the end of the model's draft for it."""
    number = len(model.drafts)
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=WAIT_S)) as connection:
        connection.request("POST", "/v1/ask", json.dumps({"question": question, "stream": True}), ASKED)
        draft = _draft(model, number)
        assert (draft.writing if writing else draft.begun).wait(WAIT_S)
        assert not draft.ended.is_set()
        left = time.monotonic()
    assert draft.ended.wait(WAIT_S)
    return draft.ended_at - left


def _draft(model: WatchedGenerator, number: int) -> WatchedDraft:
    deadline = time.monotonic() + WAIT_S
    while len(model.drafts) <= number:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return model.drafts[number]


@pytest.mark.parametrize("writing", [False, True], ids=["in the prompt", "while it writes"])
def test_a_client_that_leaves_stops_the_model_within_100_ms(
    url: str, model: WatchedGenerator, drafted: list[str], writing: bool
) -> None:
    seconds = [_leaves(url, model, question, writing=writing) for question in drafted]
    assert min(seconds) < 0.1, seconds


def test_a_client_that_leaves_the_queue_is_gone_within_100_ms(
    url: str, model: WatchedGenerator, drafted: list[str]
) -> None:
    seconds = []
    for first, second in pairwise(drafted[:4]):
        number = len(model.drafts)
        running = threading.Thread(target=lambda question=first: list(stream(url, question)))
        running.start()
        _draft(model, number)
        seconds.append(_leaves(url, model, second))
        running.join(WAIT_S)
    assert min(seconds) < 0.1, seconds
