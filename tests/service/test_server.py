from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ragnotes.cli import main
from ragnotes.errors import ServerError, SettingsError
from ragnotes.service.server import bind, serve
from ragnotes.settings import Settings
from tests.fakes import WAIT_S, FakeLibrary, fake_settings

SERVER = """
import signal
import sys
from ragnotes.cli import main
from tests.fakes import FakeLibrary
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background hands down that it is ignored
sys.exit(main(["serve", "--port", "0", "--index", sys.argv[1]], library=lambda _: FakeLibrary()))
"""
ROOT = Path(__file__).parent.parent.parent


def test_a_port_in_use_is_named() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ServerError, match=f"127.0.0.1:{port} is in use; .*--port"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ServerError, match=r"192.0.2.1:8000 cannot be used"):
        bind("192.0.2.1", 8000)


def test_others_need_a_key() -> None:
    with pytest.raises(SettingsError, match="RAGNOTES_API_KEY"):
        serve(FakeLibrary(), fake_settings(host="0.0.0.0", port=0))


def test_a_key_that_is_to_be_asked_for_must_be_there() -> None:
    with pytest.raises(SettingsError, match="ragnotes key"):
        serve(FakeLibrary(), fake_settings(port=0, require_key=True))


@pytest.mark.parametrize("name", ["watch", "require_key"])
def test_options_of_serve_reach_it_and_win_over_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    seen = list[bool]()

    def library(settings: Settings) -> FakeLibrary:
        seen.append(getattr(settings, name))
        raise ServerError("seen", "")

    option = f"--{name.replace('_', '-')}"
    main(["serve"], library=library)
    main(["serve", option], library=library)
    monkeypatch.setenv(f"RAGNOTES_{name.upper()}", "true")
    main(["serve"], library=library)
    main(["serve", f"--no-{option[2:]}"], library=library)
    assert seen == [False, True, True, False]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_serve_prints_its_address_and_ends_in_good_order(sent: signal.Signals, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        line = process.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert url, line
        assert httpx.get(f"{url[0]}/health", trust_env=False).status_code == 200
        process.send_signal(sent)
        assert process.wait(WAIT_S) == code
        assert process.stderr.read() == ""


LOADING = """
import threading
class Loading(FakeLibrary):
    @property
    def generator(self): threading.Event().wait()
    @generator.setter
    def generator(self, _): pass
    def update(self, *_, **__): threading.Event().wait()
library = Loading()
library.embedder.embed_queries = library.update
"""


def test_a_server_that_still_loads_and_indexes_ends_within_ten_seconds(tmp_path: Path) -> None:
    script = SERVER.replace("sys.exit(", f"{LOADING}sys.exit(").replace("lambda _: FakeLibrary()", "lambda _: library")
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert url
        assert httpx.post(f"{url[0]}/v1/index/sync", trust_env=False, timeout=WAIT_S).status_code == 202
        begun = time.monotonic()
        process.terminate()
        assert process.wait(3 * WAIT_S) == 0
        assert time.monotonic() - begun < 10
        assert process.stderr.read() == ""


def test_streams_that_outlive_the_end_of_the_server_end_with_an_error(tmp_path: Path) -> None:
    held = "library.generator.gate.clear()\nimport ragnotes.service.server as server\nserver.SHUTDOWN_S = 1\n"
    script = SERVER.replace("sys.exit(", f"library = FakeLibrary()\n{held}sys.exit(").replace(
        "lambda _: FakeLibrary()", "lambda _: library"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert url
        body = {"question": "how are embeddings cached?", "stream": True}
        with httpx.stream("POST", f"{url[0]}/v1/ask", json=body, timeout=WAIT_S, trust_env=False) as response:
            lines = response.iter_lines()
            assert next(lines) == "event: passages"
            process.send_signal(signal.SIGTERM)
            assert "event: error" in list(lines)
        assert process.wait(WAIT_S) == 0
        assert "Traceback" not in process.stderr.read()
