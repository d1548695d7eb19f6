"""`ragnotes watch`, as a process: its lines, its end, its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ragnotes.cli import main
from ragnotes.stores.local import LocalStore
from tests.fakes import WAIT_S
from tests.own_library import OwnLibrary

ROOT = Path(__file__).parents[1]
WATCH = """
import signal
import sys
from ragnotes.cli import main
from tests.own_library import OwnLibrary
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background hands down that it is ignored
sys.exit(main(["watch", *sys.argv[1:]], library=OwnLibrary))
"""


@contextmanager
def watching(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    place = ["--corpus", str(folder / "notes"), "--index", str(folder / "index")]
    command = [sys.executable, "-c", WATCH, *place, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.md").write_text("Words.\n")
    return tmp_path


def test_each_run_that_changed_something_is_a_line_of_json(folder: Path) -> None:
    with watching(folder, "--json") as process:
        first = json.loads(line_of(process))
        assert (first["added"], first["unchanged"]) == (1, 0)
        (folder / "notes/photo.png").write_text("of no known kind")
        (folder / "notes/b.md").write_text("More words.\n")
        started = time.monotonic()
        second = json.loads(line_of(process))
        assert time.monotonic() - started < 2.0
        assert (second["added"], second["unchanged"], second["generation"]) == (1, 1, first["generation"] + 1)
        (folder / "notes/bad.md").write_bytes(bytes(range(32)) * 20)
        assert json.loads(line_of(process))["failed"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert process.stderr is not None
        assert process.stderr.read() == f"note: watching {folder}/notes (stop with Ctrl-C)\n"


def test_a_lock_is_waited_out_and_an_interruption_ends_it(folder: Path) -> None:
    LocalStore.open(folder / "index", create=True).close()
    with closing(LocalStore.open(folder / "index")) as other:
        with other.writer(), watching(folder) as process:
            time.sleep(3)
            assert process.poll() is None
        with watching(folder) as process:
            assert line_of(process).startswith("added 1, changed 0, ")
            process.send_signal(signal.SIGINT)
            assert process.wait(WAIT_S) == 130
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("options", "code", "problem"),
    [(["--corpus", "missing"], 1, "missing does not exist"), (["--scan-every", "0"], 2, "--scan-every")],
)
def test_what_cannot_be_watched_ends_at_once(
    folder: Path,
    options: Sequence[str],
    code: int,
    problem: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    assert main(["watch", "--index", "index", *options], library=OwnLibrary) == code
    assert problem in capsys.readouterr().err
