from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ragnotes.errors import IndexWriteFailed
from ragnotes.stores.locking import Taken, held
from tests.fakes import WAIT_S

HOLDS = """
import sys
from pathlib import Path
from ragnotes.stores.locking import held
with held(Path(sys.argv[1]), timeout_s=5):
    print("held", flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).parents[2]


def holder(lock: Path) -> subprocess.Popen[str]:
    """A process that holds the lock until its stdin ends."""
    command = [sys.executable, "-c", HOLDS, str(lock), "a private question"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def taken(lock: Path) -> str:
    with pytest.raises(Taken) as raised, held(lock, timeout_s=0):
        pytest.fail("held twice")
    return str(raised.value)


def test_the_second_is_told_who_holds_it_and_since_when_but_not_what_was_asked(tmp_path: Path) -> None:
    lock = tmp_path / "writer.lock"
    with holder(lock) as process:
        assert re.fullmatch(rf"process {process.pid} \(python, since 20[-\d]+ [\d:+-]+\)", taken(lock))
        assert "private" not in (tmp_path / "writer.pid").read_text()
        assert (tmp_path / "writer.pid").stat().st_mode & 0o777 == 0o600
        assert process.stdin
        process.stdin.close()
        assert process.wait(WAIT_S) == 0
    assert not (tmp_path / "writer.pid").exists()


def test_a_lock_is_free_once_its_holder_was_killed_and_its_note_names_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "writer.lock"
    with holder(lock) as process:
        process.kill()
        process.wait(WAIT_S)
    stale = (tmp_path / "writer.pid").read_text()
    assert json.loads(stale)["pid"] == process.pid
    with held(lock, timeout_s=0):
        assert json.loads((tmp_path / "writer.pid").read_text())["pid"] == os.getpid()
        (tmp_path / "writer.pid").write_text(stale)
        assert taken(lock) == "another process"
        (tmp_path / "writer.pid").write_text("{")
        assert taken(lock) == "another process"


def test_a_directory_that_cannot_be_is_a_failed_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(IndexWriteFailed, match="file cannot be written to"),
        held(tmp_path / "file" / "a.lock", timeout_s=0),
    ):
        pytest.fail("held")


def test_no_child_inherits_the_lock(tmp_path: Path) -> None:
    with held(tmp_path / "a.lock", timeout_s=0):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        with held(tmp_path / "a.lock", timeout_s=0):
            assert child.poll() is None
    finally:
        child.communicate(b"\n")
