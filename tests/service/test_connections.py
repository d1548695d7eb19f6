"""Clients that are slow, greedy or many, over raw sockets against a real server; its patience is cut short here."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from ragnotes.service import connections, guards
from tests.fakes import WAIT_S, FakeLibrary, serving

HEAD = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_LOOK_S", 0.05)
    monkeypatch.setattr(connections, "IDLE_S", 1)
    for state in connections._LIMITS_S:
        monkeypatch.setitem(connections._LIMITS_S, state, 0.5)


@contextmanager
def _calling(url: str, data: bytes, *, buffer_bytes: int = 0) -> Iterator[socket.socket]:
    address = urlsplit(url)
    with socket.socket() as client:
        if buffer_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        client.settimeout(WAIT_S)
        client.connect((address.hostname, address.port))
        client.sendall(data)
        yield client


def _received(client: socket.socket) -> bytes:
    """All that comes until the server closes; fails where it does not."""
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def _ask(question: str = "how are embeddings cached?") -> bytes:
    body = json.dumps({"question": question, "stream": True}).encode()
    return b"POST /v1/ask HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (HEAD, JSON, len(body), body)


@pytest.mark.parametrize(
    "sent", [b"", b"GET ", b"GET /health HTTP/1.1\r\nHost: loc", b"GET /health HTTP/1.1\r\nX: 1\r\n"]
)
def test_a_head_that_does_not_end_is_cut_off_also_where_it_trickles(sent: bytes) -> None:
    with serving(FakeLibrary()) as url, _calling(url, sent) as client:
        assert httpx.get(f"{url}/health", trust_env=False).status_code == 200
        client.settimeout(0.1)
        until, ended = time.monotonic() + WAIT_S, False
        while not ended and time.monotonic() < until:
            try:
                client.sendall(b"x" if sent else b"")
                ended = client.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
        assert ended


def test_a_body_that_trickles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "BODY_S", 0.3)
    monkeypatch.setitem(connections._LIMITS_S, connections._State.BODY, WAIT_S)  # its answer comes before the cut
    for length in (b"Content-Length: 1000", b"Transfer-Encoding: chunked"):
        with serving(FakeLibrary()) as url:
            head = b"POST /v1/search HTTP/1.1\r\n" + HEAD + JSON + length + b"\r\n\r\n"
            with _calling(url, head + b"1\r\n{\r\n") as client:
                answer = _received(client)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"type":"urn:ragnotes:too-slow"' in answer


def test_readers_that_stop_lose_their_answer_and_the_others_get_their_place() -> None:
    library = FakeLibrary({"long.md": "Embeddings are cached. " + "x" * 6_000_000})
    with serving(library, queue_length=1) as url, ExitStack() as readers:
        stopped = [readers.enter_context(_calling(url, _ask(), buffer_bytes=4096)) for _ in range(2)]
        assert all(client.recv(12) == b"HTTP/1.1 200" for client in stopped)
        asked, statuses = {"question": "how are embeddings cached?"}, list[int]()
        until = time.monotonic() + 3 * WAIT_S
        while 200 not in statuses and time.monotonic() < until:
            statuses.append(httpx.post(f"{url}/v1/ask", json=asked, trust_env=False, timeout=3 * WAIT_S).status_code)
        assert set(statuses) <= {200, 503}
        assert statuses[-1] == 200
        for client in stopped:
            assert not _received(client).endswith(b"0\r\n\r\n")


def test_who_sends_on_after_a_refusal_is_cut_off() -> None:
    head = b"POST /v1/ask HTTP/1.1\r\n" + HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    with serving(FakeLibrary()) as url, _calling(url, head) as client:
        begun, cut_off = time.monotonic(), False
        while not cut_off and time.monotonic() - begun < WAIT_S:
            try:
                client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            except ConnectionError:
                cut_off = True
        assert cut_off
        assert _received(client).startswith(b"HTTP/1.1 413 ")


def test_a_newcomer_gets_the_place_of_one_who_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections._LIMITS_S, connections._State.HEAD, 60)
    monkeypatch.setattr(connections, "most_connections", lambda: 8)
    with serving(FakeLibrary()) as url, ExitStack() as silent:
        for _ in range(20):
            silent.enter_context(_calling(url, b"GET /health HTTP/1.1\r\nX: "))
        assert httpx.get(f"{url}/health", trust_env=False).status_code == 200


def test_where_every_connection_is_busy_another_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "most_connections", lambda: 8)
    library = FakeLibrary()
    assert library.generator
    library.generator.gate.clear()
    with serving(library, queue_length=20) as url, ExitStack() as busy:
        for _ in range(8):
            busy.enter_context(_calling(url, _ask()))
            assert library.generator.running.acquire(timeout=WAIT_S)
        refused = httpx.get(f"{url}/health", trust_env=False)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.headers["content-type"] == "application/problem+json"
        library.generator.gate.set()


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HEAD, 414),
        (b"GET /?" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HEAD, 414),
        (b"GET /" + b"a" * 100_000, 414),
        (b"GET /health HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 17_000 + b"\r\n", 431),
        (b"GET /health HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 100_000, 431),
        (b"GET /health HTTP/1.1\r\n" + HEAD + b"".join(b"X%d: 1\r\n" % n for n in range(100)), 431),
        (b"GET /health HTTP/1.1\r\n", 400),
        (b"GET /health HTTP/1.0\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HEAD + HEAD, 400),
        (b"POST /v1/ask HTTP/1.1\r\n" + HEAD + JSON + b"Content-Length: -1\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n", 400),
    ],
    ids=["path", "query", "endless path", "header", "endless header", "many", "no host", "1.0", "two", "length", "tls"],
)
def test_heads_that_are_too_long_or_wrong_are_refused_as_problems(
    request_head: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(FakeLibrary()) as url, _calling(url, request_head + b"\r\n") as client:
        answer = _received(client)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in head
    assert b"nosniff" in head
    assert json.loads(body)["status"] == status
    assert caplog.records == []


def test_what_is_no_chunk_ends_the_connection_without_a_trace_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /v1/search HTTP/1.1\r\n" + HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    with serving(FakeLibrary()) as url:
        with _calling(url, head + b"1\r\n{\r\nno chunk\r\n") as client:
            assert b" 400 " in _received(client)[:20]
        evil = head.replace(b"localhost", b"evil.example")
        with _calling(url, evil) as client:
            assert client.recv(12) == b"HTTP/1.1 400"
            client.sendall(b"no chunk\r\n")
            _received(client)
        assert httpx.get(f"{url}/health", trust_env=False).status_code == 200
    assert caplog.records == []


def test_a_slow_reader_who_goes_on_gets_the_whole_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its two large events takes about twice as long as a reader may take nothing."""
    monkeypatch.setitem(connections._LIMITS_S, connections._State.WRITING, 1.0)
    library = FakeLibrary({"long.md": "Embeddings are cached. " + "x" * 2_000_000})
    with (
        serving(library, buffer_bytes=16_384) as url,
        _calling(url, _ask(), buffer_bytes=16_384) as client,
    ):
        begun, received, end = time.monotonic(), 0, b""
        while not end.endswith(b"0\r\n\r\n"):
            data = client.recv(20_000)
            assert data, f"cut off after {received} bytes"
            received, end = received + len(data), (end + data)[-5:]
            time.sleep(max(0.0, begun + received / 1_000_000 - time.monotonic()))
    assert received > 4_000_000
