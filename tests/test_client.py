"""The thin client: what it reads of a stream, and what it does not tell."""

from __future__ import annotations

import traceback

import pytest
from starlette.types import Receive, Scope, Send

from ragnotes import client
from ragnotes.errors import ServerError
from ragnotes.service.bodies import SyncBody
from ragnotes.service.connections import overloaded
from ragnotes.service.guards import Guards
from ragnotes.sse import EventTooLong, events
from tests.fakes import FakeLibrary, serving

KEY = "secret\n"


def test_a_key_that_cannot_be_sent_is_not_told() -> None:
    with serving(FakeLibrary()) as url, pytest.raises(ServerError, match="check RAGNOTES_API_KEY") as refused:
        client.conversations(url, 1, api_key=KEY)
    assert "secret" not in "".join(traceback.format_exception(refused.value))


def test_a_run_at_a_server_that_is_busy_for_a_moment_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LONGEST_WAIT_S", 0.01)
    busy, calls, passed = iter([True, False, True]), list[tuple[str, int]](), Guards.__call__

    async def guarded(self: Guards, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await passed(self, scope, receive, send)
        calls.append((scope["method"], scope["client"][1]))
        return await (overloaded(scope, receive, send) if next(busy, False) else passed(self, scope, receive, send))

    monkeypatch.setattr(Guards, "__call__", guarded)
    library = FakeLibrary()
    library.indexing.clear()
    with serving(library) as url:
        done = client.sync(url, SyncBody(), api_key=None, show=lambda _: library.indexing.set())
    assert done.generation == 2
    assert [method for method, _ in calls[:4]] == ["POST", "POST", "GET", "GET"]
    assert len({port for _, port in calls}) == 3, "a connection is kept, but for those that were refused"
    assert len(calls) >= 5


def test_a_port_that_there_cannot_be_is_an_address_that_does_not_answer() -> None:
    with pytest.raises(ServerError, match="does not answer"):
        client.conversations("http://127.0.0.1:99999999", 1, api_key=None)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_are_the_same_however_they_are_cut(size: int, end: bytes) -> None:
    lines = [
        "\ufeff: a comment",
        "event: token",
        "data: ä\u2028\x0bb",
        "data:c",
        "",
        "data",
        "",
        "event: x",
        "",
        "data: cut",
    ]
    stream = end.join(line.encode() for line in lines)
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert list(events(chunks, longest=100)) == [("token", "ä\u2028\x0bb\nc"), ("message", "")]


@pytest.mark.parametrize("stream", [[b"x" * 9] * 9, [b"data: 123\n"] * 9, [b": comment\n" * 2, b"data: " + b"1" * 50]])
def test_an_event_that_is_too_long_is_not_kept(stream: list[bytes]) -> None:
    with pytest.raises(EventTooLong):
        list(events(stream, longest=20))
