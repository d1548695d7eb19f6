"""One server for each index, and commands that find it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from ragnotes.cli import main
from ragnotes.errors import CorpusError, ServerError
from ragnotes.service.app import create_app
from ragnotes.service.presence import announced, server_of
from ragnotes.settings import Settings
from ragnotes.stores.locking import held
from ragnotes.types import FileRecord, FileStatus
from tests.fakes import WAIT_S, FakeLibrary, fake_settings, serving
from tests.service.test_server import ROOT, SERVER


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RAGNOTES_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return fake_settings(index=tmp_path / "index")


@contextmanager
def served(library: FakeLibrary, settings: Settings) -> Iterator[str]:
    with ExitStack() as stack:
        url = stack.enter_context(serving(library, index=settings.index))
        stack.enter_context(announced(settings, url))
        yield url


def index(settings: Settings, *options: str) -> int:
    """Runs the command in this process, with a library that must not be needed."""
    own = FakeLibrary()
    own.error = AssertionError("the work was not handed over")
    return main(["index", "--index", str(settings.index), *options], library=lambda _: own)


def test_a_second_server_of_an_index_ends_at_once_and_names_the_first(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path / "index")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr
        assert "serves on" in first.stderr.readline()
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
        assert second.returncode == 1
        assert f"is served already by process {first.pid} (" in second.stderr
        assert second.stderr.count("\n") == 1
        address = tmp_path / "index" / "server.json"
        told = json.loads(address.read_text())
        assert address.stat().st_mode & 0o777 == 0o600
        assert httpx.get(f"{told['url']}/health", trust_env=False).status_code == 200
        first.kill()
        first.wait(WAIT_S)
    assert address.exists(), "a killed server leaves it behind"
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as third:
        assert third.stderr
        assert "serves on" in third.stderr.readline()
        anew = json.loads(address.read_text())
        assert anew["token"] != told["token"]
        assert httpx.get(f"{anew['url']}/health", trust_env=False).status_code == 200
        third.send_signal(signal.SIGTERM)
        assert third.wait(WAIT_S) == 0
    assert not address.exists()


def test_what_a_killed_server_left_behind_leads_nowhere(settings: Settings) -> None:
    with announced(settings, "http://127.0.0.1:1"):
        left = (settings.index / "server.json").read_bytes()
        found = server_of(settings)
        assert found
        assert found.url == "http://127.0.0.1:1"
    (settings.index / "server.json").write_bytes(left)
    assert server_of(settings) is None
    assert not (settings.index / "server.json").exists()


def test_a_server_that_is_starting_is_not_taken_for_the_one_before(settings: Settings) -> None:
    with announced(settings, "http://127.0.0.1:1"):
        address = json.loads((settings.index / "server.json").read_bytes())
    (settings.index / "server.json").write_text(json.dumps({**address, "pid": 1}))
    with held(settings.index / "server.lock", timeout_s=0):
        assert server_of(settings) is None


def test_where_the_server_ends_after_the_look_the_command_does_the_work_itself(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    own = FakeLibrary()
    with announced(settings, "http://127.0.0.1:1"):
        assert main(["index", "--index", str(settings.index), "--json"], library=lambda _: own) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["generation"] == 2
    assert "does not answer" in err
    assert err.endswith("it is done here\n")


@pytest.mark.parametrize(
    "changed", [{"corpus": (Path("other"),)}, {"embedder": Path("other")}, {"day_first": True}, {"max_file_bytes": 9}]
)
def test_a_server_that_would_index_otherwise_is_not_asked(settings: Settings, changed: dict[str, Any]) -> None:
    with announced(settings, "http://127.0.0.1:1"):
        assert server_of(replace(settings, **changed)) is None
        assert server_of(replace(settings, model=Path("other"), port=9)) is not None


def test_a_run_is_handed_to_the_server_with_its_options_summary_and_exit_code(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    library = FakeLibrary()
    library.failing = (FileRecord("bad.pdf", FileStatus.FAILED, "encrypted"),)
    with served(library, settings) as url:
        assert index(settings, "--json") == 0
        out, err = capsys.readouterr()
        assert err == f"note: the server of this index does it, process {os.getpid()} at {url}\n"
        assert (json.loads(out)["generation"], json.loads(out)["added"]) == (2, 0)
        assert index(settings, "--rebuild", "--json") == 0
        assert json.loads(capsys.readouterr().out)["added"] == len(library.notes)
        assert index(settings, "--strict") == 4
        assert capsys.readouterr().out.splitlines()[1] == "failed  bad.pdf  encrypted"


def test_an_error_of_the_server_is_the_error_of_the_command(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    library = FakeLibrary()
    library.error = CorpusError("corpus folder notes is empty", "accept it: ragnotes index --allow-empty")
    with served(library, settings):
        assert index(settings) == 1
        assert capsys.readouterr().err.endswith(f"error: {library.error}\n")


def test_a_run_under_way_is_waited_for_and_another_follows(settings: Settings) -> None:
    library = FakeLibrary()
    library.indexing.clear()
    with served(library, settings) as url:
        with httpx.Client(base_url=url, trust_env=False) as http:
            first = http.post("/v1/index/sync").json()["id"]
            deadline = time.monotonic() + WAIT_S
            while http.get(f"/v1/jobs/{first}").json()["progress"] is None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        codes: list[int] = []
        command = threading.Thread(target=lambda: codes.append(index(settings, "--json")))
        command.start()
        command.join(0.5)
        assert command.is_alive()
        library.indexing.set()
        command.join(WAIT_S)
        assert codes == [0]
        assert library.generation == 3, "the run under way, and the one that was asked for"


def test_the_token_opens_a_server_that_has_a_key(settings: Settings) -> None:
    with announced(settings, "http://127.0.0.1:1") as token:
        pass
    assert len(token) >= 43
    app = create_app(FakeLibrary(), settings=fake_settings(api_key="secret"), token=token)
    client = TestClient(app, base_url="http://127.0.0.1")
    for key, status in ((token, 200), ("secret", 200), ("", 401), ("other", 401)):
        assert client.get("/v1/status", headers={"Authorization": f"Bearer {key}"}).status_code == status


def test_another_server_of_the_same_index_is_refused_in_one_process_too(settings: Settings) -> None:
    with (
        announced(settings, "http://127.0.0.1:1"),
        pytest.raises(ServerError, match=rf"is served already by process {os.getpid()} "),
        announced(settings, "http://127.0.0.1:2"),
    ):
        pytest.fail("announced")


def test_an_index_that_cannot_be_written_to_is_served_without_being_announced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings = fake_settings(index=tmp_path / "file" / "index")
    with announced(settings, "http://127.0.0.1:1"):
        assert server_of(settings) is None
    assert "commands will not find this server" in caplog.text
