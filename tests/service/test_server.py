from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ragnotes.errors import ServerError, SettingsError
from ragnotes.service.server import bind, serve
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
