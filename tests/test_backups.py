from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS
from ragnotes.asking.answering import Request
from ragnotes.backups import back_up, restore
from ragnotes.cli import main
from ragnotes.errors import IndexDamaged, IndexLocked, IndexMismatch, UsageError
from ragnotes.events import Final
from ragnotes.stores.conversations import FOLDER, ConversationFolder
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore
from ragnotes.turns import Turn
from tests.fakes import WAIT_S, fake_settings
from tests.hashing_cli import ROOT, HashingLibrary, started


class Place:
    """A folder of notes with an index beside it, and a backup of that."""

    def __init__(self, folder: Path) -> None:
        self.notes, self.index, self.backup = folder / "notes", folder / "index", folder / "saved.tar"
        self.notes.mkdir()

    def library(self) -> HashingLibrary:
        return HashingLibrary(fake_settings(corpus=(self.notes,), index=self.index))

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.notes / f"{name}.md").write_text(f"{text}\n")
        with closing(self.library()) as library:
            library.update()

    def found(self) -> list[str]:
        with closing(self.library()) as library:
            return found(library)

    def restore(self, **how: bool) -> int:
        return restore(self.index, (self.notes,), self.backup, **how)[1]

    def histories(self) -> list[list[str]]:
        folder = ConversationFolder(self.index / FOLDER)
        return sorted([turn.question for turn in folder.read(line.id).turns] for line in folder.lines(99))


def found(library: HashingLibrary) -> list[str]:
    hits = library.search("words", filters=NO_FILTERS, limit=100).hits
    return sorted(hit.chunk.text for hit in hits)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two notes, a conversation of two turns, a backup of both, and one more note since."""
    place = Place(tmp_path)
    place.write(a="Words of a.", b="Words of b.")
    history = ConversationFolder(place.index / FOLDER)
    history.append(history.begin(Turn("first?")), Turn("second?"))
    back_up(place.index, place.backup)
    place.write(c="Words of c.")
    return place


def test_a_backup_brings_back_notes_and_history_and_costs_no_embedding(place: Place) -> None:
    shutil.rmtree(place.index)
    (place.notes / "c.md").unlink()
    place.restore()
    assert place.found() == ["Words of a.", "Words of b."]
    assert place.histories() == [["first?", "second?"]]
    with closing(place.library()) as library:
        done = library.update()
        assert (done.unchanged, done.embedded) == (2, 0)
    assert sorted(path.name for path in place.index.iterdir() if path.is_dir()) == [FOLDER]


def test_only_the_owner_may_read_a_backup_and_what_comes_of_it(place: Place) -> None:
    assert place.backup.stat().st_mode & 0o777 == 0o600
    shutil.rmtree(place.index)
    place.restore()
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.index.rglob("*") if path.is_file()}
    assert set(modes.values()) == {0o600}, modes
    assert place.index.stat().st_mode & 0o777 == 0o700


def test_a_file_that_exists_is_replaced_only_by_force(place: Place) -> None:
    before = place.backup.read_bytes()
    with pytest.raises(UsageError, match=r"saved.tar exists; .*--force"):
        back_up(place.index, place.backup)
    assert place.backup.read_bytes() == before
    assert back_up(place.index, place.backup, force=True).documents == 3
    assert [path.name for path in place.backup.parent.iterdir() if "partial" in path.name] == []


def test_history_is_left_out_and_left_alone_where_that_is_said(place: Place) -> None:
    back_up(place.index, place.backup, force=True, history=False)
    with tarfile.open(place.backup) as archive:
        assert archive.getnames() == ["manifest", "ragnotes.sqlite3"]
    back_up(place.index, place.backup, force=True)
    shutil.rmtree(place.index)
    place.restore(history=False)
    assert place.histories() == []


def test_a_restore_deletes_no_conversation_and_shortens_none(place: Place) -> None:
    history = ConversationFolder(place.index / FOLDER)
    history.append(history.lines(1)[0].id, Turn("third?"))
    history.begin(Turn("other?"))
    place.restore()
    assert place.histories() == [["first?", "second?", "third?"], ["other?"]]


def test_readers_go_on_with_the_old_index_and_then_see_the_new_one(place: Place) -> None:
    with closing(place.library()) as served:
        assert len(found(served)) == 3
        with served.store().reading() as old:
            generation = place.restore()
            assert len(old.documents()) == 3
            with served.store().reading() as new:
                assert (len(new.documents()), new.generation) == (2, generation)
                assert generation > old.generation
                assert new.lineage != old.lineage
        assert found(served) == ["Words of a.", "Words of b."]


def test_an_answer_of_the_index_before_is_not_given_again(place: Place) -> None:
    question = Request("What are the words of c?", llm=False)

    def told(library: HashingLibrary) -> list[str]:
        [answer] = [event.answer for event in library.ask(question) if isinstance(event, Final)]
        return [hit.chunk.text for hit in answer.passages]

    with closing(place.library()) as served:
        assert "Words of c." in told(served)
        for generation in range(3):  # the same generation numbers come again in an index that was made anew
            shutil.rmtree(place.index)
            place.write(**{f"d{generation}": "Other words."})
            (place.notes / "c.md").unlink(missing_ok=True)
            with closing(place.library()) as fresh:
                fresh.update()
                assert told(served) == told(fresh)


def test_an_index_that_is_deleted_while_it_is_served_is_missing_and_can_be_made_anew(place: Place) -> None:
    with closing(place.library()) as served:
        assert len(found(served)) == 3
        shutil.rmtree(place.index)
        assert not served.indexed()
        (place.notes / "c.md").unlink()
        assert served.update().embedded == 2
        assert found(served) == ["Words of a.", "Words of b."]


def test_closing_an_index_that_was_deleted_does_not_bring_its_folder_back(place: Place) -> None:
    with closing(place.library()) as served:
        (place.index / "vectors.faiss").unlink()
        assert len(found(served)) == 3
        shutil.rmtree(place.index)
    assert not place.index.exists()


def test_notes_that_stand_elsewhere_need_to_be_said_to_have_moved(place: Place) -> None:
    place.notes = place.notes.rename(place.notes.with_name("moved"))
    before = (place.index / "ragnotes.sqlite3").read_bytes()
    with pytest.raises(IndexMismatch, match=r"saved.tar is of .*/notes, the notes are in .*/moved; .*--moved"):
        place.restore()
    assert (place.index / "ragnotes.sqlite3").read_bytes() == before
    (place.notes / "c.md").unlink()
    place.restore(moved=True)
    assert place.found() == ["Words of a.", "Words of b."]
    with closing(place.library()) as library:
        assert library.update().embedded == 0


@pytest.mark.parametrize("content", [b"", b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_damaged_index_is_replaced_and_nothing_is_left_of_it(place: Place, content: bytes) -> None:
    (place.index / "ragnotes.sqlite3").write_bytes(content)
    place.restore()
    assert place.found() == ["Words of a.", "Words of b."]
    assert [path.name for path in place.index.iterdir() if "damaged" in path.name] == []


def test_while_another_writes_the_index_stays_and_the_writer_is_named(place: Place) -> None:
    with closing(LocalStore.open(place.index)) as store, store.writer():
        with pytest.raises(IndexLocked, match=rf"is being written to by process {os.getpid()} \("):
            place.restore()
        back_up(place.index, place.backup, force=True)
    assert len(place.found()) == 3


def test_every_cut_and_every_changed_byte_of_a_backup_is_refused_before_anything_is_touched(place: Place) -> None:
    whole, before = place.backup.read_bytes(), (place.index / "ragnotes.sqlite3").read_bytes()
    with tarfile.open(place.backup) as archive:
        held = [range(member.offset_data, member.offset_data + member.size) for member in archive]
    size = held[-1].stop
    damaged = [whole[:length] for length in range(0, size, size // 20)]
    for position in (offset for part in held for offset in part[:: max(1, len(part) // 12)]):
        damaged.append(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
    for content in damaged:
        place.backup.write_bytes(content)
        with pytest.raises(IndexDamaged, match="is no whole backup"):
            place.restore()
    assert (place.index / "ragnotes.sqlite3").read_bytes() == before
    assert not (place.index / "restoring").exists()


def repacked(backup: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]) -> None:
    """Writes every member again, changed."""
    with tarfile.open(backup) as archive:
        members = [(member, archive.extractfile(member)) for member in archive]
        contents = [(member, file.read()) for member, file in members if file]
    with tarfile.open(backup, "w") as archive:
        for member, content in (change(*each) for each in contents):
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)


def manifest_of(fields: dict[str, object]) -> bytes:
    line = json.dumps(fields).encode()
    return b"%s\n%s\n" % (line, hashlib.sha256(line).hexdigest().encode())


@pytest.mark.parametrize("name", ["../evil", "/evil", "conversations/../../evil.jsonl", "writer.lock", "conversations"])
def test_no_member_is_written_to_a_place_of_its_own_choice(place: Place, name: str) -> None:
    def renamed(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if member.name == "manifest":
            fields = json.loads(content.splitlines()[0])
            fields["files"] = {
                name if each.startswith("conv") else each: value for each, value in fields["files"].items()
            }
            content = manifest_of(fields)
        if member.name.startswith("conv"):
            member.name = name
        return member, content

    repacked(place.backup, renamed)
    before = {path for path in place.index.parent.rglob("*") if "sqlite3-" not in path.name}
    with pytest.raises(IndexDamaged, match="do not belong to a backup"):
        place.restore()
    assert {path for path in place.index.parent.rglob("*") if "sqlite3-" not in path.name} == before


def test_a_link_in_the_place_of_a_member_is_refused(place: Place) -> None:
    def linked(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if member.name.startswith("conv"):
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        return member, content

    repacked(place.backup, linked)
    with pytest.raises(IndexDamaged, match="is not what the manifest says"):
        place.restore()


def test_a_backup_of_a_newer_ragnotes_is_refused(place: Place) -> None:
    with closing(sqlite3.connect(place.index / "ragnotes.sqlite3", isolation_level=None)) as connection:
        schema = connection.execute("SELECT schema FROM meta").fetchone()[0]
        (place.backup.parent / "newer").mkdir()
        connection.execute("VACUUM INTO ?", (str(place.backup.parent / "newer" / "ragnotes.sqlite3"),))
    newer = place.backup.parent / "newer" / "ragnotes.sqlite3"
    with closing(sqlite3.connect(newer, isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET schema = 99")
    content = newer.read_bytes()

    def changed(member: tarfile.TarInfo, old: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if member.name == "manifest":
            fields = json.loads(old.splitlines()[0])
            fields["files"]["ragnotes.sqlite3"] = [len(content), hashlib.sha256(content).hexdigest()]
            return member, manifest_of(fields)
        return member, content if member.name == "ragnotes.sqlite3" else old

    repacked(place.backup, changed)
    with pytest.raises(IndexMismatch, match=rf"a newer version of ragnotes \(schema 99, this one has {schema}\)"):
        place.restore()
    assert len(place.found()) == 3


def test_a_restore_that_cannot_take_over_leaves_index_and_history_as_they_are(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragnotes.stores.connections.BUSY_TIMEOUT_S", 0.05)
    shutil.rmtree(place.index / FOLDER)
    before = {path for path in place.index.rglob("*") if "sqlite3-" not in path.name}
    with closing(sqlite3.connect(place.index / "ragnotes.sqlite3", isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexLocked):
            place.restore()
    assert {path for path in place.index.rglob("*") if "sqlite3-" not in path.name} == before
    assert len(place.found()) == 3
    assert place.histories() == []


def test_what_a_killed_backup_left_is_removed_by_a_later_one_of_another_name(place: Place) -> None:
    folder = place.backup.parent
    for name, age_s in ((".old.tar.partial", 2 * 24 * 3600), (".at-work.tar.partial", 60)):
        (folder / name).mkdir()
        (folder / name / "ragnotes.sqlite3").write_bytes(b"text of notes")
        os.utime(folder / name, (time.time() - age_s,) * 2)
    (folder / ".foreign.partial").mkdir()
    os.utime(folder / ".foreign.partial", (0, 0))
    back_up(place.index, folder / "new.tar")
    assert sorted(path.name for path in folder.glob("*.partial")) == [".at-work.tar.partial", ".foreign.partial"]


def test_the_commands_tell_what_they_did(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--index", str(place.index)]
    assert main(["backup", str(place.backup), "--force", *where]) == 0
    assert "generation 3, 3 documents, 1 conversations" in capsys.readouterr().out
    assert main(["restore", str(place.backup), "--corpus", str(place.notes), *where]) == 0
    assert "generation 4, 3 documents, as saved 20" in capsys.readouterr().out
    assert main(["backup", str(place.backup), *where]) == 2
    assert main(["restore", str(place.notes / "none.tar"), *where]) == 2


def test_backups_and_copies_taken_while_a_run_writes_are_of_one_generation_or_known_to_be_damaged(
    tmp_path: Path,
) -> None:
    """In a new index each document raises the generation by one, so that their number tells whether a copy is whole."""
    place = Place(tmp_path)
    for number in range(60):
        (place.notes / f"{number}.md").write_text(f"Words of {number}.\n" * 40)
    with started("index", "--corpus", place.notes, "--index", place.index, pause_s=0.01) as run:
        taken: list[int] = []
        copies: list[Path] = []
        while run.poll() is None:
            if not (place.index / "ragnotes.sqlite3").exists():
                continue
            try:
                saved = back_up(place.index, place.backup, force=True)
            except Exception as error:  # not begun yet
                assert "no index" in str(error), error
                continue
            assert saved.documents == saved.generation
            taken.append(saved.generation)
            copies.append(tmp_path / f"copy-{len(copies)}")
            shutil.copytree(place.index, copies[-1])
            time.sleep(0.1)
        assert run.wait(WAIT_S) == 0, run.stderr and run.stderr.read()
    assert taken == sorted(taken)
    assert len(set(taken)) > 1, "the run was long enough for backups in its midst"
    for copy in copies:
        try:
            with closing(LocalStore.open(copy)) as store:
                damage = findings(copy)
                with store.reading() as snapshot:
                    assert damage or len(snapshot.documents()) == snapshot.generation
        except IndexDamaged:
            continue
    place.restore()
    with closing(place.library()) as library:
        assert library.update().embedded == 60 - taken[-1]


RESTORES = """
import sys
from itertools import cycle
from pathlib import Path
from ragnotes.backups import restore
index, notes, *backups = map(Path, sys.argv[1:])
for backup in cycle(backups):
    print(restore(index, (notes,), backup)[1], flush=True)
"""


def test_a_restore_that_is_killed_at_any_moment_leaves_one_index_or_the_other_and_readers_see_no_third(
    place: Place,
) -> None:
    other = place.backup.with_name("other.tar")
    back_up(place.index, other)
    few, all_of_them = ["Words of a.", "Words of b."], ["Words of a.", "Words of b.", "Words of c."]
    arguments = map(str, (place.index, place.notes, place.backup, other))
    command = [sys.executable, "-c", RESTORES, *arguments]
    waits, newest, seen = random.Random(7), 0, []
    with closing(place.library()) as served:
        found(served)
        for _ in range(5):
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout
                generation = int(process.stdout.readline())
                assert generation > newest
                end = time.monotonic() + waits.uniform(0.05, 0.3)
                while time.monotonic() < end:
                    seen.append(found(served))
                process.kill()
                newest = max([generation, *map(int, process.stdout)])
            assert findings(place.index) == []
            seen.append(found(served))
    assert {tuple(each) for each in seen} == {tuple(few), tuple(all_of_them)}
