from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from datetime import date
from typing import Any

import httpx
import pytest

from ragnotes.errors import GeneratorFailed, IndexLocked
from tests.fakes import WAIT_S, FakeLibrary, serving
from tests.service import contract

QUESTION = {"question": "how are embeddings cached?"}


def _events(response: httpx.Response) -> list[tuple[str, Any]]:
    blocks = [block.splitlines() for block in response.text.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def _problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem.keys() - {"errors"} == contract.PROBLEM
    assert problem["status"] == response.status_code
    return problem


def test_search_gives_hits(server: httpx.Client) -> None:
    found = server.post("/v1/search", json={"query": "embeddings cached", "limit": 1}).json()
    assert found.keys() == contract.FOUND
    assert [hit["path"] for hit in found["hits"]] == ["cache.md"]
    assert found["hits"][0].keys() == contract.HIT


def test_filters_limit_a_search(server: httpx.Client) -> None:
    body = {"query": "chunk size for one user", "kinds": ["transcript"], "explain": True}
    found = server.post("/v1/search", json=body).json()
    assert [hit["path"] for hit in found["hits"]] == ["talks/search.vtt"]
    assert found["filters"]["kinds"] == ["transcript"]


def test_ask_gives_an_answer(server: httpx.Client) -> None:
    answer = server.post("/v1/ask", json=QUESTION | {"conversation_id": "new"}).json()
    assert answer.keys() == contract.ANSWER
    assert (answer["answered"], answer["mode"]) == (True, "generated")
    assert answer["citations"][0]["quote"] == "Embeddings are cached by content hash."


def test_options_reach_the_library(server: httpx.Client, library: FakeLibrary) -> None:
    body = QUESTION | {"llm": False, "deadline_ms": 1500, "limit": 3, "surroundings": True, "keep_unsupported": True}
    assert server.post("/v1/ask", json=body).json()["mode"] == "extractive"
    request = library.asked[-1]
    assert (request.llm, request.deadline_s, request.limit, request.surroundings) == (False, 1.5, 3, True)
    assert request.keep_unsupported


def test_surroundings_are_given_where_they_are_asked_for(server: httpx.Client) -> None:
    for body, around in (({}, (None, None)), ({"surroundings": True}, ("Before. ", " After."))):
        [hit] = server.post("/v1/search", json={"query": "embeddings"} | body).json()["hits"]
        assert (hit["before"], hit["after"]) == around


def test_the_clock_of_a_request_reaches_the_library(server: httpx.Client, library: FakeLibrary) -> None:
    clock = {"now": "2024-07-17T23:30Z", "tz": "Europe/Madrid"}
    assert server.post("/v1/ask", json=QUESTION | clock).status_code == 200
    assert library.asked[-1].clock.today() == date(2024, 7, 18)
    assert server.post("/v1/search", json={"query": "cached", **clock}).status_code == 200
    assert library.clocks[-1].today() == date(2024, 7, 18)


@pytest.mark.parametrize(("route", "field"), [("/v1/ask", "question"), ("/v1/search", "query")])
@pytest.mark.parametrize(
    ("clock", "hint"),
    [({"now": "soon"}, "write it as 2024-01-31"), ({"tz": "Mars/Olympus"}, "write it as Europe/Madrid or UTC")],
)
def test_a_clock_that_cannot_be_read_is_refused(
    server: httpx.Client, route: str, field: str, clock: dict[str, str], hint: str
) -> None:
    problem = _problem(server.post(route, json={field: "x", **clock}))
    assert problem["status"] == 422
    assert hint in problem["detail"]


def test_a_stream_has_passages_tokens_citations_and_the_whole(server: httpx.Client) -> None:
    response = server.post("/v1/ask", json=QUESTION | {"stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    events = _events(response)
    assert [name for name, _ in events] == ["passages", *["token"] * 6, "citation", "final"]
    assert "".join(data["text"] for name, data in events if name == "token") == events[-1][1]["answer"]
    assert events[0][1]["hits"] == events[-1][1]["passages"]
    assert events[-2][1] == events[-1][1]["citations"][0]
    assert events[-1][1].keys() == contract.ANSWER


def test_an_error_in_the_middle_is_the_last_event(server: httpx.Client, library: FakeLibrary) -> None:
    library.error_in_answer = GeneratorFailed("the model ended", "ask again")
    events = _events(server.post("/v1/ask", json=QUESTION | {"stream": True}))
    assert [name for name, _ in events] == ["passages", "error"]
    assert events[-1][1]["type"] == "urn:ragnotes:generator-failed"
    assert events[-1][1]["hint"] == "ask again"


def test_a_mistake_in_the_middle_tells_nothing_of_the_inside(server: httpx.Client, library: FakeLibrary) -> None:
    library.error_in_answer = KeyError("secret")
    response = server.post("/v1/ask", json=QUESTION | {"stream": True})
    assert _events(response)[-1][1]["type"] == "urn:ragnotes:internal"
    assert "secret" not in response.text


@pytest.mark.parametrize("stream", [False, True])
def test_no_index_is_refused_before_the_stream(server: httpx.Client, library: FakeLibrary, stream: bool) -> None:
    library.is_indexed = False
    response = server.post("/v1/ask", json=QUESTION | {"stream": stream})
    assert (response.status_code, _problem(response)["type"]) == (409, "urn:ragnotes:index-missing")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"since": "2024-13-01"}, "since"),
        ({"until": 20240101}, "until"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"kinds": ["poem"]}, "kinds.0"),
        ({"tags": "rag"}, "tags"),
        ({"tags": ["rag"] * 101}, "tags"),
        ({"paths": ["*.md"] * 101}, "paths"),
        ({"kinds": ["note"] * 101}, "kinds"),
        ({"speakers": ["Ana"] * 101}, "speakers"),
        ({"tagz": ["rag"]}, "tagz"),
        ({"deadline_ms": -1}, "deadline_ms"),
        ({"question": None}, "question"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(server: httpx.Client, body: dict[str, Any], field: str) -> None:
    response = server.post("/v1/ask", json=QUESTION | body)
    assert response.status_code == 422
    problem = _problem(response)
    assert [fault["field"] for fault in problem["errors"]] == [field]
    assert problem["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("question", ["", "  ", "x" * 4001])
def test_an_empty_or_endless_question_is_refused(server: httpx.Client, question: str) -> None:
    response = server.post("/v1/ask", json={"question": question, "stream": True})
    assert (response.status_code, _problem(response)["type"]) == (422, "urn:ragnotes:usage-error")


def test_broken_json_is_refused(server: httpx.Client) -> None:
    response = server.post("/v1/ask", content='{"question":', headers={"Content-Type": "application/json"})
    assert (response.status_code, _problem(response)["type"]) == (422, "urn:ragnotes:invalid-request")


def test_a_lone_surrogate_is_refused(server: httpx.Client) -> None:
    content = b'{"query": "\\ud800"}'
    response = server.post("/v1/search", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422


def test_a_locked_index_says_when_to_try_again(server: httpx.Client, library: FakeLibrary) -> None:
    library.error = IndexLocked("another process writes", "wait")
    response = server.post("/v1/search", json={"query": "x"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


def test_a_mistake_is_a_500_that_tells_nothing_of_the_inside(server: httpx.Client, library: FakeLibrary) -> None:
    library.error = KeyError("secret")
    response = server.post("/v1/search", json={"query": "x"})
    assert (response.status_code, _problem(response)["type"]) == (500, "urn:ragnotes:internal")
    assert "secret" not in response.text


def test_a_full_queue_refuses_at_once_and_others_still_answer(server: httpx.Client, library: FakeLibrary) -> None:
    assert library.generator
    library.generator.gate.clear()
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(_ask(server, stream=False))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert library.generator.running.acquire(timeout=WAIT_S)
    refused = server.post("/v1/ask", json=QUESTION | {"stream": True})
    assert (refused.status_code, _problem(refused)["type"]) == (503, "urn:ragnotes:generator-busy")
    assert int(refused.headers["retry-after"]) > 0
    assert server.post("/v1/ask", json=QUESTION | {"llm": False}).status_code == 200
    assert server.get("/health").status_code == 200
    library.generator.gate.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert done == [200, 200]
    assert _ask(server, stream=True) == 200


@pytest.mark.parametrize("route", ["/v1/ask", "/v1/chat/completions"])
def test_an_answer_at_hand_is_given_where_the_queue_is_full(
    server: httpx.Client, library: FakeLibrary, route: str
) -> None:
    assert library.generator
    library.generator.gate.clear()
    threads = [threading.Thread(target=_ask, args=(server,), kwargs={"stream": False}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert library.generator.running.acquire(timeout=WAIT_S)
    at_hand = "do chunk borders matter?"
    body = (
        {"question": at_hand}
        if route == "/v1/ask"
        else {"messages": [{"role": "user", "content": at_hand}], "model": "ragnotes"}
    )
    assert server.post(route, json=body).status_code == 503
    library.at_hand.add(at_hand)
    with server.stream("POST", route, json=body | {"stream": True}) as response:
        assert response.status_code == 200
        library.generator.gate.set()
        assert not any("queued" in line for line in response.iter_lines())
    for thread in threads:
        thread.join(WAIT_S)


def test_a_question_that_waits_is_told_its_position(server: httpx.Client, library: FakeLibrary) -> None:
    assert library.generator
    library.generator.gate.clear()
    first = threading.Thread(target=_ask, args=(server,), kwargs={"stream": False})
    first.start()
    assert library.generator.running.acquire(timeout=WAIT_S)
    with server.stream("POST", "/v1/ask", json=QUESTION | {"stream": True}) as response:
        lines = response.iter_lines()
        assert [next(lines), next(lines)] == ["event: queued", 'data: {"position":1}']
        library.generator.gate.set()
    first.join(WAIT_S)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_stops_the_model_and_frees_its_place(
    server: httpx.Client, library: FakeLibrary, stream: bool
) -> None:
    assert library.generator
    library.generator.gate.clear()
    for _ in range(3):  # more than there are places
        library.generator.stopped.clear()
        with pytest.raises(httpx.ReadTimeout):
            server.post("/v1/ask", json=QUESTION | {"stream": stream}, timeout=0.2)
        assert library.generator.stopped.wait(WAIT_S)
    library.generator.gate.set()
    assert _ask(server, stream=stream) == 200


@pytest.mark.parametrize(
    ("route", "body", "ending"),
    [
        ("/v1/ask", QUESTION, 'event: error\ndata: {"type":"urn:ragnotes:not-ready"'),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": QUESTION["question"]}]},
            'data: {"error":{"message":"the server was stopped before',
        ),
    ],
)
def test_a_server_that_is_stopped_ends_the_streams_with_an_error(route: str, body: dict[str, Any], ending: str) -> None:
    library = FakeLibrary()
    assert library.generator
    library.generator.gate.clear()
    told: list[str] = []
    with ExitStack() as running:
        url = running.enter_context(serving(library, close=False))
        with httpx.stream("POST", f"{url}{route}", json=body | {"stream": True}, timeout=WAIT_S) as response:
            lines = response.iter_lines()
            told.append(next(lines))
            running.close()  # while the model writes
            told.extend(lines)
    assert ending in "\n".join(told)
    assert library.generator.stopped.wait(WAIT_S)


def test_a_server_that_is_stopped_refuses_whoever_waits_for_a_whole_answer() -> None:
    library = FakeLibrary()
    assert library.generator
    library.generator.gate.clear()
    answers: list[httpx.Response] = []
    with serving(library, close=False) as url:
        asked = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{url}/v1/ask", json=QUESTION, timeout=WAIT_S))
        )
        asked.start()
        assert library.generator.running.acquire(timeout=WAIT_S)
    asked.join(WAIT_S)
    assert (answers[0].status_code, _problem(answers[0])["type"]) == (503, "urn:ragnotes:not-ready")


def _ask(server: httpx.Client, *, stream: bool) -> int:
    return server.post("/v1/ask", json=QUESTION | {"stream": stream}).status_code
