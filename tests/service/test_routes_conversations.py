from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.fakes import FakeLibrary
from tests.service import contract

FIRST = {"question": "Where did I note how embeddings are cached?", "conversation_id": "new", "llm": False}


def test_a_conversation_goes_on_by_its_id(server: httpx.Client) -> None:
    first = server.post("/v1/ask", json=FIRST).json()
    assert first["rewritten"] is None
    follow_up = {"question": "when?", "conversation_id": first["conversation_id"], "llm": False}
    second = server.post("/v1/ask", json=follow_up).json()
    assert second.keys() == contract.ANSWER
    assert (second["question"], second["rewritten"]) == ("when?", "When did I note how embeddings are cached?")
    assert second["conversation_id"] == first["conversation_id"]


def test_streaming_goes_on_the_same_way(server: httpx.Client) -> None:
    server.post("/v1/ask", json=FIRST)
    body = {"question": "when?", "conversation_id": "last", "llm": False, "stream": True}
    events = server.post("/v1/ask", json=body).text.split("\n\n")
    [final] = [json.loads(event.split("data: ", 1)[1]) for event in events if event.startswith("event: final")]
    assert final["rewritten"] == "When did I note how embeddings are cached?"
    [line] = server.get("/v1/conversations").json()
    assert (line["id"], line["turns"]) == (final["conversation_id"], 2)


def test_without_an_id_nothing_is_kept(server: httpx.Client) -> None:
    answer = server.post("/v1/ask", json={"question": FIRST["question"]}).json()
    assert (answer["conversation_id"], server.get("/v1/conversations").json()) == (None, [])


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_id_is_a_problem(server: httpx.Client, stream: bool) -> None:
    body = {"question": "why?", "conversation_id": "../../etc/passwd", "stream": stream}
    for response in (
        server.post("/v1/ask", json=body),
        server.get("/v1/conversations/nobody"),
        server.delete("/v1/conversations/..%2f..%2fstore"),
    ):
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert server.post("/v1/ask", json={"question": "why?", "conversation_id": "x" * 101}).status_code == 422


def test_conversations_are_listed_shown_and_deleted(server: httpx.Client) -> None:
    first = server.post("/v1/ask", json=FIRST).json()
    one = first["conversation_id"]
    [line] = server.get("/v1/conversations", params={"limit": 5}).json()
    assert (line["id"], line["question"], line["turns"]) == (one, FIRST["question"], 1)
    shown = server.get(f"/v1/conversations/{one}").json()
    assert (shown["id"], shown["count"]) == (one, 1)
    [turn] = shown["turns"]
    assert (turn["answer"], turn["generation"]) == (first["answer"], first["generation"])
    assert (turn["cited"][0]["path"], turn["cited"][0]["line"]) == ("cache.md", 3)
    assert server.delete(f"/v1/conversations/{one}").status_code == 204
    assert server.get(f"/v1/conversations/{one}").status_code == 404
    assert server.get("/v1/conversations").json() == []


def test_where_no_history_is_kept_an_answer_comes_without_an_id(server: httpx.Client, library: FakeLibrary) -> None:
    library.history = False
    assert server.post("/v1/ask", json=FIRST).json()["conversation_id"] is None
    refused = server.post("/v1/ask", json=FIRST | {"conversation_id": "last"})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:ragnotes:usage-error")


def test_two_questions_at_once_in_one_conversation_are_both_kept(server: httpx.Client) -> None:
    begun = server.post("/v1/ask", json=FIRST).json()["conversation_id"]
    body = FIRST | {"conversation_id": begun}
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: server.post("/v1/ask", json=body).json(), range(4)))
    assert {answer["conversation_id"] for answer in answers} == {begun}
    assert server.get(f"/v1/conversations/{begun}").json()["count"] == 5
