"""The thin client: what it reads of a stream, and what it does not tell."""

from __future__ import annotations

import traceback

import pytest

from ragnotes import client
from ragnotes.errors import ServerError
from ragnotes.sse import EventTooLong, events
from tests.fakes import FakeLibrary, serving

KEY = "secret\n"


def test_a_key_that_cannot_be_sent_is_not_told() -> None:
    with serving(FakeLibrary()) as url, pytest.raises(ServerError, match="check RAGNOTES_API_KEY") as refused:
        client.conversations(url, 1, api_key=KEY)
    assert "secret" not in "".join(traceback.format_exception(refused.value))


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
