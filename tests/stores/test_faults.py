"""What is refused to an indexing run: room, syncs, files, memory, time. The long versions are in `make reliability`."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.reliability.damage import DATABASE, VECTORS, copied, damage, flip, old_vectors
from benchmarks.reliability.disk import Scene, with_injection, with_limit, with_room
from benchmarks.reliability.holding import foreign_lock, stopped_writer
from benchmarks.reliability.ledger import indexed
from benchmarks.reliability.scenarios import Skipped
from benchmarks.reliability.victims import Drivers, drivers, need_root, need_strace
from ragnotes.errors import IndexLocked

NOBODY = 65534


@pytest.fixture(scope="module")
def runs() -> Iterator[Drivers]:
    with drivers() as started:
        yield started


@pytest.fixture
def strace() -> None:
    try:
        need_strace(install=False)
    except Skipped as why:
        pytest.skip(str(why))


@pytest.fixture
def scene(runs: Drivers, tmp_path: Path) -> Scene:
    """An index, and changed notes that it does not hold yet."""
    return Scene(runs, tmp_path, tmp_path / "index")


@pytest.mark.parametrize("when", ["20+", "60+"])
def test_a_disk_that_fills_up_ends_the_run_and_the_next_one_finishes(
    runs: Drivers, strace: None, tmp_path: Path, when: str
) -> None:
    refused = with_injection(runs, tmp_path, f"pwrite64:error=ENOSPC:when={when}")
    assert "database or disk is full" in refused.error
    assert refused.told
    assert refused.faults == ()


def test_a_disk_without_room_for_the_run_ends_it_and_the_next_one_finishes(runs: Drivers, tmp_path: Path) -> None:
    try:
        need_root("mounting a small disk")
        refused = with_room(runs, tmp_path, 256 * 1024)
    except Skipped as why:
        pytest.skip(str(why))
    assert refused.code != 0
    assert refused.told
    assert refused.faults == ()


@pytest.mark.parametrize("plan", ["fdatasync:error=EIO:when=3", "fdatasync:error=EIO:when=5+"])
def test_a_disk_that_cannot_sync_ends_the_run_and_acknowledges_nothing_more(
    runs: Drivers, strace: None, tmp_path: Path, plan: str
) -> None:
    refused = with_injection(runs, tmp_path, plan)
    assert refused.error.startswith("IndexWriteFailed")
    assert "disk I/O error" in refused.error
    assert refused.faults == ()


@pytest.mark.parametrize(("name", "limit"), [("FSIZE", 200 * 1024), ("NOFILE", 9)])
def test_a_limit_ends_the_run_with_an_error_and_no_signal(runs: Drivers, tmp_path: Path, name: str, limit: int) -> None:
    refused = with_limit(runs, tmp_path, name, limit)
    assert refused.code > 0
    assert refused.told
    assert refused.faults == ()


@pytest.mark.parametrize("files", range(6, 13))
def test_however_few_files_may_be_open_a_run_works_or_ends_with_a_clear_error(
    runs: Drivers, tmp_path: Path, files: int
) -> None:
    refused = with_limit(runs, tmp_path, "NOFILE", files)
    assert refused.told
    assert refused.faults == ()


def test_vectors_without_room_are_a_warning_and_are_saved_once_there_is(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    whole = indexed(scene.index)
    (scene.index / VECTORS).unlink()
    (scene.index / f"{VECTORS}.tmp").symlink_to("/dev/full")
    with caplog.at_level(logging.WARNING):
        assert indexed(scene.index) == whole
    assert "No space left on device" in caplog.text
    assert not (scene.index / VECTORS).exists()
    (scene.index / f"{VECTORS}.tmp").unlink(missing_ok=True)
    assert indexed(scene.index) == whole
    assert (scene.index / VECTORS).exists()


@pytest.mark.parametrize("mode", ["NORMAL", "EXCLUSIVE"])
def test_a_database_that_another_program_holds_is_locked_until_it_lets_go(scene: Scene, mode: str) -> None:
    with foreign_lock(scene.index, mode):
        code, told = scene.runs.run(scene.order())
        assert code != 0
        assert told.error.startswith("IndexLocked"), told.error
        assert told.acked == {}
    assert scene.resumed() == []


def test_readers_of_a_log_answer_while_another_program_writes_and_wait_where_it_keeps_them_out(scene: Scene) -> None:
    whole = indexed(scene.index)
    with foreign_lock(scene.index, "NORMAL"):
        assert indexed(scene.index) == whole
    with foreign_lock(scene.index, "EXCLUSIVE"), pytest.raises(IndexLocked):
        indexed(scene.index)
    assert indexed(scene.index) == whole


def test_readers_answer_while_the_writer_stands_still_and_it_finishes_afterwards(tmp_path: Path) -> None:
    assert [figure for figure in stopped_writer(tmp_path, True) if not figure.held] == []


def test_vectors_of_another_generation_or_index_are_not_believed(tmp_path: Path) -> None:
    assert [figure for figure in old_vectors(tmp_path, True) if not figure.held] == []


def test_a_plain_copy_amid_a_run_is_whole_or_found_to_be_damaged(runs: Drivers, tmp_path: Path) -> None:
    assert copied(runs, tmp_path, 3) in ("whole", "found")


@pytest.mark.parametrize("name", [DATABASE, VECTORS])
def test_a_flipped_bit_is_found_or_harmless(scene: Scene, tmp_path: Path, name: str) -> None:
    for seed in range(10):
        came_to = damage(scene.index, tmp_path / "hurt", name, flip, seed)
        assert came_to.found or came_to.refused or came_to.same, seed


def test_in_a_directory_that_may_not_be_written_to_a_run_ends_with_an_error_that_says_so(
    runs: Drivers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    work = Path("/tmp") / f"ragnotes-read-only-{os.getpid()}"  # where another user may go
    work.mkdir()
    try:
        scene = Scene(runs, work, work / "index")
        subprocess.run(["chmod", "-R", "a+rX,go-w", str(work)], check=True)
        code, told = runs.run(replace(scene.order(), user=NOBODY))
        assert code == 3, told.error
        assert "Permission denied" in told.error
        assert "check its permissions" in told.error
        assert scene.resumed() == []
    finally:
        shutil.rmtree(work)


def test_notes_that_are_written_to_all_the_time_are_indexed_as_they_were_at_some_moment(scene: Scene) -> None:
    note = scene.ledger.notes / "growing.md"
    note.write_text("# Growing\n")
    script = 'while :; do echo "line of the note" >> "$1"; sleep 0.001; done'
    with subprocess.Popen(["sh", "-c", script, "sh", str(note)]) as writer:
        try:
            for _ in range(3):
                code, told = scene.runs.run(scene.order())
                assert code == 0, told.error
                assert note.read_text().startswith(indexed(scene.index)["growing.md"].text)
        finally:
            writer.kill()
    with note.open("a") as file:
        file.write("the last line\n")
    code, told = scene.runs.run(scene.order())
    assert list(told.acked) == ["growing.md"]
    assert indexed(scene.index)["growing.md"].text == note.read_text()
