"""The thin client: what it reads of a stream, and what it does not tell."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from ragnotes import client
from ragnotes.calls import Calls
from ragnotes.errors import ServerError, ServerGone
from ragnotes.service.bodies import SyncBody
from ragnotes.service.connections import overloaded
from ragnotes.service.guards import Guards
from ragnotes.sse import EventTooLong, events
from tests.fakes import WAIT_S, FakeLibrary, serving

KEY = "secret\n"
ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "torch", "faiss", "httpx", "asyncio", "fastapi", "yaml")
STARTED = """
import json, sys
from ragnotes.starting import {command}
sys.argv = [{command!r}, *json.loads(sys.argv[1])]
try:
    code = {command}()
except SystemExit as ended:
    code = ended.code
print(json.dumps([code, sorted(sys.modules)]))
"""


def loaded_by(command: str, *words: str) -> tuple[int, str, set[str]]:
    """Exit code, output and modules of a command in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")}
    run = [sys.executable, "-c", STARTED.format(command=command), json.dumps(words)]
    done = subprocess.run(run, cwd=ROOT, env=clean, capture_output=True, text=True, check=True)
    output, _, last = done.stdout.rstrip("\n").rpartition("\n")
    code, modules = json.loads(last)
    return code, output, set(modules)


@contextmanager
def proxied(*, breaks_off: bool = False) -> Iterator[tuple[str, list[str | None], threading.Semaphore]]:
    """A server that closes each connection without a word; with what each brought to authorize it, and their ends."""
    seen, ended = list[str | None](), threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", "9" if breaks_off else "2")
            self.end_headers()
            self.wfile.write(b"[]")
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            ended.release()

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", seen, ended
        finally:
            server.shutdown()
            thread.join()


def test_asking_a_server_loads_nothing_that_answers() -> None:
    with serving(FakeLibrary()) as url:
        code, output, modules = loaded_by("ask", "What did I pay for the RTX 3090?", "--server", url)
    assert code == 0
    assert "[1]" in output
    own = {name.split(".")[1] for name in modules if name.startswith("ragnotes.")}
    assert not own & {"assembly", "asking", "evaluation", "indexing", "models", "reading", "stores", "types"}
    assert not modules & {*HEAVY, "pydantic", "pydantic_core"}


@pytest.mark.parametrize("words", [["--help"], ["eval", "--help"], ["--version"]])
def test_help_loads_nothing_that_works(words: list[str]) -> None:
    code, output, modules = loaded_by("ragnotes", *words)
    assert code == 0
    assert output
    own = {name.split(".")[1] for name in modules if name.startswith("ragnotes.")}
    assert not own & {"assembly", "asking", "evaluation", "models", "reading", "stores"}
    assert not modules & set(HEAVY)


def test_a_connection_that_was_closed_is_opened_anew() -> None:
    with proxied() as (address, seen, ended), closing(Calls(f"http://{address}", None)) as calls:
        for _ in range(3):
            calls.send("GET", "/")
            assert calls.read() == b"[]"
            assert ended.acquire(timeout=WAIT_S)
    assert seen == [None] * 3


def test_name_and_password_of_the_url_are_for_the_proxy() -> None:
    with proxied() as (address, seen, _):
        client.conversations(f"http://ana:s%40x@{address}", 1, api_key="key")
    assert seen[0] == f"Basic {base64.b64encode(b'ana:s@x').decode()}"


def test_a_server_that_breaks_off_is_gone() -> None:
    with proxied(breaks_off=True) as (address, _, _), pytest.raises(ServerGone, match="broke off"):
        client.conversations(f"http://{address}", 1, api_key=None)


@pytest.mark.parametrize(
    "url", ["no url", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://[::1", "http://a..b"]
)
def test_what_is_no_url_is_told_with_what_would_be_one(url: str) -> None:
    with pytest.raises(ServerError, match=r"is no URL of a server; write it as http://127\.0\.0\.1:8000"):
        client.conversations(url, 1, api_key=None)


@pytest.mark.parametrize("rest", ["127.0.0.1:1", "127.0.0.1:port", "a..b", "[::1"])
@pytest.mark.parametrize("password", ["secret", "sec/ret", "sec@ret"])
def test_a_password_within_a_url_is_not_told(rest: str, password: str) -> None:
    with pytest.raises(ServerError) as refused:
        client.conversations(f"http://ana:{password}@{rest}", 1, api_key=None)
    assert f"http://{rest}" in str(refused.value)
    assert not any(part in str(refused.value) for part in (password, "ana", "sec", "ret@"))


def test_what_a_server_answers_is_told_without_the_password_of_its_url() -> None:
    with (
        proxied() as (address, _, _),
        pytest.raises(ServerError, match=f"http://{address} answers in another form") as to,
    ):
        client.conversation(f"http://ana:secret@{address}", "c", api_key=None)
    assert "secret" not in str(to.value)


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


def test_a_port_that_there_cannot_be_is_none_of_a_server() -> None:
    with pytest.raises(ServerError, match="is no URL of a server"):
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


def test_an_address_without_a_port_has_the_usual_one() -> None:
    for url, port in (("http://[::1]", 80), ("https://[2001:db8::5]/notes", 443), ("http://[::1]:8000", 8000)):
        connection = Calls(url, None)._connection
        assert (connection.host, connection.port) in {("::1", port), ("2001:db8::5", port)}
