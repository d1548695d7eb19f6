"""`check`, `repair` and `forget` from the command line, over a real index and without any model."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ragnotes.cli import main
from ragnotes.cli_measure import BENCHMARK_FOLDER
from ragnotes.events import IndexSummary
from ragnotes.indexing import Indexer, status_of
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.loaders import Limits
from ragnotes.service.presence import ADDRESS, LOCK
from ragnotes.stores.conversations import FOLDER, ConversationFolder
from ragnotes.stores.local import DATABASE, VECTORS, LocalStore
from ragnotes.stores.local import LOCK as WRITER_LOCK
from ragnotes.stores.replacing import RESTORED, SALVAGED, SHADOW
from ragnotes.turns import CitedPlace, Turn

NOTES = Path(__file__).parent / "stores" / "fixtures" / "notes"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return shutil.copytree(NOTES, tmp_path / "notes")


@pytest.fixture
def index(corpus: Path, tmp_path: Path) -> Path:
    update(corpus, tmp_path / "index")
    return tmp_path / "index"


def update(corpus: Path, index: Path, **options: bool) -> IndexSummary:
    with closing(LocalStore.open(index, create=True)) as store:
        roots = (corpus.resolve(),)
        return Indexer(store, HashingEmbedder(), roots, index, Limits()).update(lambda _: None, **options)


def status(corpus: Path, index: Path) -> dict[str, tuple[str, str | None]]:
    with closing(LocalStore.open(index)) as store:
        files = status_of(store, (corpus,), index, model=None).files
    return {file.path: (file.status, file.reason) for file in files}


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Runs a command with `--json`; its exit code, and what it told."""

    def run(*command: str | Path) -> tuple[int, Any]:
        code = main([*map(str, command), "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out) if out else None

    return run


def damage(index: Path, statement: str) -> None:
    with closing(sqlite3.connect(index / "ragnotes.sqlite3", isolation_level=None)) as connection:
        connection.execute(statement)


def everything(index: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(index.rglob("*")) if file.is_file())


def test_check_tells_whole_damaged_and_none(index: Path, tmp_path: Path, told: Callable[..., tuple[int, Any]]) -> None:
    assert told("check", "--index", index) == (
        0,
        {"whole": True, "findings": [], "generation": 3, "documents": 3, "chunks": 4},
    )
    damage(index, "UPDATE documents SET text = replace(text, 'rye', 'oat') WHERE path = x'62726561642E6D64'")
    code, found = told("check", "--index", index)
    assert (code, found["whole"]) == (1, False)
    assert {"kind": "checksum", "where": "ragnotes.sqlite3: documents bread.md"}.items() <= found["findings"][0].items()
    assert "ragnotes repair" in found["findings"][0]["advice"]
    assert told("check", "--index", tmp_path / "none") == (4, None)


def test_after_repair_and_index_all_is_as_in_a_fresh_index_and_nothing_whole_is_embedded_again(
    corpus: Path, index: Path, tmp_path: Path, told: Callable[..., tuple[int, Any]]
) -> None:
    damage(index, "UPDATE documents SET text = replace(text, 'rye', 'oat')")
    code, done = told("repair", "--index", index)
    assert (code, done["repaired"], done["dropped"], done["vectors"]) == (0, True, ["bread.md"], 4)
    assert (Path(done["moved_to"]) / "ragnotes.sqlite3").exists()
    assert told("check", "--index", index)[0] == 0
    assert update(corpus, index).embedded == 0
    update(corpus, tmp_path / "fresh")
    for place in (index, tmp_path / "fresh"):
        assert told("check", "--index", place)[1]["chunks"] == 4
    assert contents(index) == contents(tmp_path / "fresh")
    assert told("repair", "--index", index)[1]["repaired"] is False


def contents(index: Path) -> list[object]:
    with closing(LocalStore.open(index)) as store, store.reading() as snapshot:
        sources = snapshot.documents()
        chunks = [chunk for source in sources for chunk in snapshot.chunks(source.doc_id)]
        [vector] = HashingEmbedder().embed_queries(["rye bread"])
        return [sources, chunks, snapshot.cosines(vector, [chunk.chunk_id for chunk in chunks])]


def test_a_database_that_cannot_be_read_at_all_is_moved_aside_and_the_notes_are_read_again(
    corpus: Path, index: Path, told: Callable[..., tuple[int, Any]]
) -> None:
    (index / "ragnotes.sqlite3").write_bytes(b"no database at all" * 1000)
    assert told("check", "--index", index)[0] == 1
    code, done = told("repair", "--index", index)
    assert (code, done["vectors"]) == (0, 0)
    assert (Path(done["moved_to"]) / "ragnotes.sqlite3").read_bytes() == b"no database at all" * 1000
    assert update(corpus, index).added == 3
    assert told("check", "--index", index)[0] == 0


def test_a_forgotten_file_leaves_no_word_and_stays_out_until_that_is_undone(
    corpus: Path, index: Path, told: Callable[..., tuple[int, Any]]
) -> None:
    assert b"starter" in everything(index)
    code, done = told("forget", "bread.md", "--index", index)
    assert (code, done["path"], done["chunks"], done["conversations"]) == (0, "bread.md", 1, [])
    assert done["cleared"]
    assert b"starter" not in everything(index)
    for options in ({}, {"rebuild": True}):
        assert update(corpus, index, **options).skipped == 1
        assert status(corpus, index)["bread.md"] == ("skipped", "forgotten")
        assert b"starter" not in everything(index)
    (corpus / "bread.md").write_text("# Rye bread\n\nAnother starter.\n")
    assert update(corpus, index).skipped == 1, "edited, and still forgotten"
    assert main(["forget", str(corpus / "bread.md"), "--undo", "--index", str(index)]) == 0
    assert update(corpus, index).added == 1
    assert status(corpus, index)["bread.md"] == ("indexed", None)


def test_a_forgotten_file_that_is_gone_for_a_while_is_still_forgotten(corpus: Path, index: Path) -> None:
    assert main(["forget", "bread.md", "--index", str(index)]) == 0
    (corpus / "bread.md").rename(corpus.parent / "away.md")
    assert update(corpus, index).removed == 0
    assert status(corpus, index)["bread.md"] == ("skipped", "forgotten")
    (corpus.parent / "away.md").rename(corpus / "bread.md")
    assert update(corpus, index).skipped == 1
    assert b"starter" not in everything(index)


def test_forgetting_that_is_cut_off_has_not_begun(corpus: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ragnotes.stores.writing.put_files", cut_off)
        assert main(["forget", "bread.md", "--index", str(index)]) == 130
    assert status(corpus, index)["bread.md"] == ("indexed", None)


def test_forget_names_the_conversations_that_cite_the_file_and_deletes_them_on_demand(
    index: Path, told: Callable[..., tuple[int, Any]]
) -> None:
    folder = ConversationFolder(index / "conversations")
    asked_at = datetime(2026, 11, 21, tzinfo=UTC)
    citing = folder.begin(
        Turn("When?", None, ("Feed the starter at 22:00.",), (CitedPlace("bread.md", "Rye"),), asked_at)
    )
    other = folder.begin(Turn("Which chain?", None, ("114 links.",), (CitedPlace("bicycle.md", "Bicycle"),), asked_at))
    done = told("forget", "bread.md", "--index", index)[1]
    assert (done["conversations"], done["deleted"]) == ([citing], False)
    assert b"starter" in everything(index)
    done = told("forget", "bread.md", "--conversations", "--index", index)[1]
    assert (done["conversations"], done["deleted"]) == ([citing], True)
    assert b"starter" not in everything(index)
    assert [line.id for line in folder.lines(10)] == [other]


def test_what_conversations_tell_of_a_deleted_file_can_be_forgotten(
    corpus: Path, index: Path, told: Callable[..., tuple[int, Any]]
) -> None:
    folder = ConversationFolder(index / "conversations")
    asked_at = datetime(2026, 11, 21, tzinfo=UTC)
    citing = folder.begin(
        Turn("When?", None, ("Feed the starter at 22:00.",), (CitedPlace("bread.md", "Rye"),), asked_at)
    )
    folder.begin(Turn("Which chain?", None, ("114 links.",), (CitedPlace("bicycle.md", "Bicycle"),), asked_at))
    (corpus / "bread.md").unlink()
    update(corpus, index)
    code, done = told("forget", "bread.md", "--conversations", "--index", index)
    assert (code, done["conversations"], done["chunks"]) == (0, [citing], 0)
    assert folder.citing("bread.md") == []


def test_forgetting_what_is_not_there_is_an_error(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forget", "none.md", "--index", str(index)]) == 1
    assert "none.md" in capsys.readouterr().err
    assert main(["forget", "bread.md", "--undo", "--index", str(index)]) == 1
    assert "was not forgotten" in capsys.readouterr().err


def test_what_ragnotes_makes_in_an_index_is_no_reason_to_leave_it_open_to_others(index: Path) -> None:
    for name in (DATABASE, VECTORS, WRITER_LOCK, FOLDER, SHADOW, RESTORED, SALVAGED, LOCK, ADDRESS, BENCHMARK_FOLDER):
        (index / name).touch()
    index.chmod(0o755)
    LocalStore.open(index).close()
    assert index.stat().st_mode & 0o777 == 0o700


def test_looser_rights_are_taken_back_and_a_shared_directory_keeps_its_own(index: Path) -> None:
    for path in (index, index / "ragnotes.sqlite3", index / "vectors.faiss"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    LocalStore.open(index).close()
    assert index.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o077 for file in index.iterdir()} == {0}
    (index / "of mine.txt").touch()
    index.chmod(0o755)
    LocalStore.open(index).close()
    assert index.stat().st_mode & 0o777 == 0o755
