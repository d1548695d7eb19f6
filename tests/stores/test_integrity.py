"""`check` finds every damage that could change an answer, and takes nothing for damage that is none."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ragnotes.answers import Filters
from ragnotes.calibration import Calibration
from ragnotes.errors import IndexDamaged, IndexMismatch, IndexMissing, IndexWriteFailed, RagnotesError
from ragnotes.stores.checksums import CHECKED
from ragnotes.stores.conversations import ConversationFolder
from ragnotes.stores.integrity import Examined, examine, findings
from ragnotes.stores.local import DATABASE, LocalStore
from ragnotes.stores.repair import repair
from ragnotes.stores.sharing import Bounds
from ragnotes.turns import Turn
from ragnotes.types import FORGOTTEN, Chunk, FileRecord, FileStatus, Source
from tests.stores.samples import NO_FILTERS, Entry, embed, entry, fill, vector_of

NOW = datetime(2026, 11, 21, 12, 30)
WORDS = ["river", "stone", "garden", "bicycle", "window", "paper", "winter", "bread", "cloud", "shed"]


def notes() -> list[Entry]:
    rng = random.Random(1)
    return [
        entry(
            f"n{number}.md",
            *(f"{' '.join(rng.choices(WORDS, k=12))} only{number}x{part}" for part in range(3)),
            tags=(f"t{number % 3}",),
            speaker="Ann" if number % 4 == 0 else None,
            date=f"2024-01-{number + 1:02}",
        )
        for number in range(10)
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that was written in two runs, with something removed, closed."""
    directory = tmp_path_factory.mktemp("whole") / "index"
    with closing(LocalStore.open(directory, create=True)) as store:
        fill(store, *notes(), entry("gone.md", "gone"))
        with store.writer():
            store.remove(["gone.md"])
    for name in ("ragnotes.sqlite3-wal", "ragnotes.sqlite3-shm"):
        (directory / name).unlink(missing_ok=True)
    return directory


@pytest.fixture
def index(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "index")


def answers(directory: Path) -> list[Any]:
    """What a few searches of every kind give, texts and places included."""
    told: list[Any] = []
    with closing(LocalStore.open(directory)) as store, store.reading() as snapshot:
        for words in (["river"], ["garden", "only5x2"]):
            hits = [
                *snapshot.lexical(words, 10, NO_FILTERS),
                *snapshot.dense(vector_of(words[0]), 10, NO_FILTERS),
                *snapshot.lexical(words, 10, Filters(tags=("t1",))),
                *snapshot.dense(vector_of(words[0]), 10, Filters(speakers=("Ann",))),
            ]
            ids = list(dict.fromkeys(hit.chunk_id for hit in hits))
            told += [snapshot.with_texts([chunk for chunk, _ in snapshot.outlines(ids)])]
            told += [hits, snapshot.passages(ids), snapshot.sections(words, ids), snapshot.neighbours(ids)]
            told += [snapshot.cosines(vector_of(words[0]), ids), snapshot.frequencies(words)]
            told += [snapshot.documents(), snapshot.files(), snapshot.values_of("tags"), snapshot.respelled(["rivre"])]
    return told


def sql(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(directory / "ragnotes.sqlite3", isolation_level=None)) as connection:
        connection.execute(statement)


def flipped(content: bytes, position: int, bit: int) -> bytes:
    damaged = bytearray(content)
    damaged[position] ^= 1 << bit
    return bytes(damaged)


def passages_in(told: list[Any]) -> list[tuple[Chunk, Source]]:
    return [each for part in told for each in part if isinstance(each, tuple) and isinstance(each[0], Chunk)]


def written_in(directory: Path) -> list[tuple[Chunk, Source]]:
    with closing(LocalStore.open(directory)) as store, store.reading() as snapshot:
        ids = [chunk.chunk_id for source in snapshot.documents() for chunk in snapshot.chunks(source.doc_id)]
        return snapshot.passages(ids)


def outcome(directory: Path, expected: list[Any], written: list[tuple[Chunk, Source]]) -> str:
    """`right`, `refused` with what to do, or `ranked otherwise` of an index that is found to be damaged.

    Fails where a passage is given that is not in the notes, or where an answer is another and no damage is found.
    """
    try:
        found = findings(directory)
        told = answers(directory)
    except IndexMissing:
        return "refused"
    except RagnotesError as error:
        assert re.search(r"ragnotes repair|index --rebuild|--index", error.hint)
        return "refused"
    if told == expected:
        return "right"
    assert found
    assert all(each in written for each in passages_in(told))
    return "ranked otherwise"


def test_a_whole_index_is_whole_and_is_not_changed_by_the_check(index: Path) -> None:
    before = {file.name: file.read_bytes() for file in index.iterdir()}
    assert examine(index) == Examined((), generation=12, documents=10, chunks=30)
    assert {name: (index / name).read_bytes() for name in before} == before


def test_an_index_without_notes_is_whole(index: Path) -> None:
    with closing(LocalStore.open(index)) as store, store.writer():
        store.remove([f"n{number}.md" for number in range(10)])
    assert json.loads((index / "vectors.faiss").read_bytes().split(b"\n")[0])["count"] == 0
    assert findings(index) == []


def test_no_index_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        findings(tmp_path)
    (tmp_path / "ragnotes.sqlite3").touch()
    with pytest.raises(IndexMissing, match="cut off"):
        findings(tmp_path)


def test_a_newer_index_is_refused(index: Path) -> None:
    sql(index, "UPDATE meta SET schema = 99")
    with pytest.raises(IndexMismatch, match="newer"):
        findings(index)


def test_what_an_interrupted_run_leaves_is_no_damage(index: Path) -> None:
    with closing(LocalStore.open(index)) as store, store.writer():
        embed(store, entry("late.md", "never used"))
        late = entry("n1.md", "another text")
        embed(store, late)
        store.replace(late.document, late.chunks, late.record)
        (index / "vectors.faiss.tmp").write_bytes(b"half")
        assert (index / "ragnotes.sqlite3-wal").stat().st_size > 0, "a hot log"
        assert findings(index) == []
        copy = shutil.copytree(index, index.parent / "copy")
    assert findings(copy) == []
    (copy / "vectors.faiss").unlink()
    assert findings(copy) == []


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        ("UPDATE documents SET text = replace(text, 'river', 'rover')", "checksum"),
        ("UPDATE documents SET metadata = replace(metadata, 't1', 't2')", "checksum"),
        ("UPDATE documents SET title = x'41' WHERE id = 1", "checksum"),
        ("UPDATE chunks SET forms = 'x' WHERE id = 2", "checksum"),
        ("UPDATE chunks SET date_since = '2020-01-01' WHERE id = 2", "checksum"),
        ('UPDATE chunks SET "end" = 9999 WHERE id = 3', "document"),
        ("UPDATE chunks SET ordinal = 7 WHERE id = 3", "document"),
        ("UPDATE chunks SET embedding = 1 WHERE id = 5", "document"),
        ("UPDATE embeddings SET vector = zeroblob(64) WHERE id = 4", "vector"),
        ("UPDATE embeddings SET vector = x'00' WHERE id = 4", "vector"),
        ("UPDATE files SET status = 'failed', sha256 = NULL WHERE path = x'6E312E6D64'", "file"),
        ("UPDATE files SET chunks = 9", "file"),
        ("DELETE FROM files WHERE path = x'6E312E6D64'", "file"),
        ("DELETE FROM tags", "document"),
        ("INSERT INTO words (words, rowid, plain) VALUES ('delete', 4, 'river')", "full text"),
        ("INSERT INTO sections (rowid, text) VALUES (1, 'foreign words')", "full text"),
        ("INSERT INTO spellings (rowid, plain) VALUES (999, 'foreign')", "full text"),
        ("UPDATE sqlite_sequence SET seq = 1", "structure"),
        ("UPDATE meta SET manifest = '{'", "description"),
        ("DROP TRIGGER chunk_removed", "structure"),
        ("DROP INDEX chunks_by_document", "structure"),
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_found_and_repaired(index: Path, damage: str, kind: str) -> None:
    sql(index, damage)
    assert kind in {each.kind for each in findings(index)}
    assert repair(index, NOW).repaired
    assert findings(index) == []


def test_a_reader_held_across_a_repair_is_never_used_again(index: Path) -> None:
    sql(index, "UPDATE documents SET text = replace(text, 'river', 'rover') WHERE path = x'6E352E6D64'")
    with closing(LocalStore.open(index)) as store:
        with store.reading() as old:
            assert repair(index, NOW).dropped == ("n5.md",)
            with store.reading() as new:
                assert (len(new.documents()), len(old.documents())) == (9, 10)
        with store.reading() as again:
            assert again.generation == new.generation > old.generation


def test_text_that_changed_on_the_disk_is_never_quoted(index: Path) -> None:
    sql(index, "UPDATE documents SET text = replace(text, 'river', 'rover') WHERE path = x'6E352E6D64'")
    with closing(LocalStore.open(index)) as store, store.reading() as snapshot:
        [hit] = snapshot.lexical(["only5x2"], 1, NO_FILTERS)
        with pytest.raises(IndexDamaged, match=r"n5\.md.*ragnotes check.*ragnotes repair"):
            snapshot.passages([hit.chunk_id])
        with pytest.raises(IndexDamaged):
            snapshot.document(next(source.doc_id for source in snapshot.documents() if source.path == "n5.md"))


def test_text_that_changed_after_its_passages_were_found_whole_is_never_quoted(index: Path) -> None:
    with closing(LocalStore.open(index)) as store:
        with store.reading() as snapshot:
            [hit] = snapshot.lexical(["only5x2"], 1, NO_FILTERS)
            assert [source.path for _, source in snapshot.outlines([hit.chunk_id])] == ["n5.md"]
        sql(index, "UPDATE documents SET text = replace(text, 'river', 'rover') WHERE path = x'6E352E6D64'")
        with store.reading() as snapshot:
            [(chunk, _)] = snapshot.outlines([hit.chunk_id])
            with pytest.raises(IndexDamaged, match=r"n5\.md"):
                snapshot.with_texts([chunk])
        sql(index, "UPDATE documents SET title = x'6F74686572' WHERE path = x'6E352E6D64'")
        with store.reading() as snapshot:
            [(chunk, _)] = snapshot.outlines([hit.chunk_id])
            with pytest.raises(IndexDamaged):
                snapshot.with_texts([chunk])


def test_a_vector_that_changed_on_the_disk_is_never_searched_with(index: Path) -> None:
    (index / "vectors.faiss").unlink()
    with closing(sqlite3.connect(index / "ragnotes.sqlite3", isolation_level=None)) as connection:
        [vector] = connection.execute("SELECT vector FROM embeddings WHERE id = 4").fetchone()
        # The lowest bit of a mantissa: the norm stays within its bounds.
        connection.execute("UPDATE embeddings SET vector = ? WHERE id = 4", (flipped(vector, 0, 0),))
    with closing(LocalStore.open(index)) as store, store.reading() as snapshot, pytest.raises(IndexDamaged):
        snapshot.dense(vector_of("river"), 10, NO_FILTERS)


@pytest.mark.parametrize("by_cosines", [False, True])
def test_a_vector_that_changed_after_its_code_was_made_is_never_scored_with(tmp_path: Path, by_cosines: bool) -> None:
    bounds = Bounds(0, 0)
    with closing(LocalStore.open(tmp_path / "coded", create=True, bounds=bounds)) as store:
        fill(store, *notes())
    with closing(LocalStore.open(tmp_path / "coded", bounds=bounds)) as store:
        with store.reading() as snapshot:
            [best] = snapshot.dense(vector_of("river"), 1, NO_FILTERS)
        connection = sqlite3.connect(tmp_path / "coded" / "ragnotes.sqlite3", isolation_level=None)
        with closing(connection):
            found = "SELECT embedding FROM chunks WHERE chunk_id = ?"
            [number] = connection.execute(found, (best.chunk_id,)).fetchone()
            [vector] = connection.execute("SELECT vector FROM embeddings WHERE id = ?", (number,)).fetchone()
            changed = (flipped(vector, 0, 0), number)
            connection.execute("UPDATE embeddings SET vector = ? WHERE id = ?", changed)
        with store.reading() as snapshot:
            search = partial(snapshot.dense, limit=1, filters=NO_FILTERS)
            score = partial(snapshot.cosines, chunk_ids=[best.chunk_id])
            with pytest.raises(IndexDamaged, match="vector"):
                (score if by_cosines else search)(vector_of("river"))


def test_words_counted_by_a_damaged_full_text_are_counted_anew_after_its_repair(index: Path) -> None:
    with closing(LocalStore.open(index)) as store:
        with store.reading() as snapshot:
            right = snapshot.frequencies(["river"])
        with closing(sqlite3.connect(index / "ragnotes.sqlite3", isolation_level=None)) as connection:
            connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
        with closing(LocalStore.open(index)) as other, other.reading() as snapshot:
            assert snapshot.frequencies(["river"]) == {"river": 0}
            repair(index, NOW)
            with other.reading() as mended:
                assert mended.frequencies(["river"]) == right


def test_a_damaged_vector_counts_as_unknown_and_is_mended_by_embedding_again(index: Path) -> None:
    text = next(iter(notes()[1].chunks)).embedded
    sql(index, "UPDATE embeddings SET vector = zeroblob(64)")
    with closing(LocalStore.open(index)) as store, store.writer():
        assert store.embeddings("fake", [text]) == {}
        embed(store, notes()[1])
        assert store.embeddings("fake", [text])[text].tobytes() == vector_of(text).tobytes()


def test_a_flipped_bit_anywhere_in_the_vectors_file_is_found_and_changes_no_answer(index: Path) -> None:
    expected, file, rng = answers(index), index / "vectors.faiss", random.Random(2)
    content = file.read_bytes()
    for position in sorted(rng.sample(range(len(content)), 200)):
        file.write_bytes(flipped(content, position, rng.randrange(8)))
        found = findings(index)
        # A name in the header that is no longer ours is a file left by another index.
        assert found == [] or [each.kind for each in found] == ["vectors file"], position
        assert found or position < content.index(b"\n"), position
    file.write_bytes(flipped(content, 500, 3))
    assert answers(index) == expected
    assert file.read_bytes() == content, "made anew"


def test_a_flipped_bit_in_the_database_never_gives_another_answer_unnoticed(index: Path) -> None:
    expected, written, rng, outcomes = answers(index), written_in(index), random.Random(3), Counter[str]()
    content = (index / "ragnotes.sqlite3").read_bytes()
    for position in sorted(rng.sample(range(len(content)), 200)):
        (index / "ragnotes.sqlite3").write_bytes(flipped(content, position, rng.randrange(8)))
        outcomes[outcome(index, expected, written)] += 1
        for name in ("ragnotes.sqlite3-wal", "ragnotes.sqlite3-shm"):
            (index / name).unlink(missing_ok=True)
    assert outcomes["right"] > outcomes["refused"] > outcomes["ranked otherwise"]


@pytest.fixture
def hot(index: Path) -> tuple[Path, list[list[Any]]]:
    """A copy of an index whose log was not folded in, with the answers after each of its transactions."""
    told = [answers(index)]
    with closing(LocalStore.open(index)) as store, store.writer():
        for each in (entry("n1.md", "river of the first change"), entry("n5.md", "garden of the second")):
            embed(store, each)
            store.replace(each.document, each.chunks, each.record)
            told.append(answers(shutil.copytree(index, index.parent / f"state{len(told)}")))
        copy = shutil.copytree(index, index.parent / "hot")
    return copy, told


def test_a_damaged_log_gives_an_earlier_whole_state(hot: tuple[Path, list[list[Any]]]) -> None:
    index, told = hot
    log, database = index / "ragnotes.sqlite3-wal", index / "ragnotes.sqlite3"
    content, before, rng = log.read_bytes(), database.read_bytes(), random.Random(4)
    damages = [flipped(content, position, 1) for position in rng.sample(range(len(content)), 40)]
    damages += [content[:position] for position in rng.sample(range(len(content)), 20)]
    for damaged in [*damages, content]:
        database.write_bytes(before)
        for name in ("ragnotes.sqlite3-shm", "vectors.faiss"):
            (index / name).unlink(missing_ok=True)
        log.write_bytes(damaged)
        assert findings(index) == []
        assert answers(index) in told
    assert answers(index) == told[-1]


def test_a_cut_off_database_is_found_or_refused(index: Path) -> None:
    expected, written, content = answers(index), written_in(index), (index / "ragnotes.sqlite3").read_bytes()
    for size in range(0, len(content), 4096 * 3):
        (index / "ragnotes.sqlite3").write_bytes(content[:size])
        assert outcome(index, expected, written) == "refused", size
        for name in ("ragnotes.sqlite3-wal", "ragnotes.sqlite3-shm"):
            (index / name).unlink(missing_ok=True)


def test_vectors_of_a_lost_future_are_found_and_never_taken_for_those_of_other_rows(index: Path) -> None:
    database, vectors = index / "ragnotes.sqlite3", index / "vectors.faiss"
    before = database.read_bytes()
    with closing(LocalStore.open(index)) as store:
        fill(store, entry("lost.md", "what was lost"))
    database.write_bytes(before)
    for name in ("ragnotes.sqlite3-wal", "ragnotes.sqlite3-shm"):
        (index / name).unlink(missing_ok=True)
    assert [each.kind for each in findings(index)] == ["vectors file"]
    with closing(LocalStore.open(index)) as store:
        fill(store, entry("other.md", "river in the place of it"))  # under the same number
        with store.reading() as snapshot:
            [hit] = snapshot.dense(vector_of("river in the place of it"), 1, NO_FILTERS)
            assert hit.score == 1.0
            assert snapshot.passages([hit.chunk_id])[0][1].path == "other.md"
    assert findings(index) == []
    assert b'"generation": 13' in vectors.read_bytes()


def test_a_vectors_file_whose_checksum_is_forged_is_found(index: Path) -> None:
    file = index / "vectors.faiss"
    header, _, payload = file.read_bytes().partition(b"\n")
    other = flipped(payload, len(payload) // 2, 0)
    forged = {**json.loads(header), "sha256": hashlib.sha256(other).hexdigest()}
    file.write_bytes(json.dumps(forged).encode() + b"\n" + other)
    assert [each.problem for each in findings(index)] == ["its vectors are not those of the database"]


def test_a_conversation_that_cannot_be_read_is_found_and_one_that_was_cut_off_is_not(index: Path) -> None:
    folder = ConversationFolder(index / "conversations")
    cut_off, damaged = folder.begin(Turn("first?")), folder.begin(Turn("second?"))
    for name, ending in ((cut_off, b'{"question":"thi'), (damaged, b'{"question":1,}\n')):
        with (index / "conversations" / f"{name}.jsonl").open("ab") as file:
            file.write(ending)
    assert [each.where for each in findings(index)] == [f"conversations/{damaged}.jsonl"]


def other_types(directory: Path) -> Iterator[str]:
    """A change of each column of each table to a value of another type; one that constraints forbid is left out."""
    with closing(sqlite3.connect(":memory:")) as shown, closing(sqlite3.connect(directory / DATABASE)) as connection:
        connection.backup(shown)
        for number, table in enumerate(CHECKED):
            [(key,)] = shown.execute(f"SELECT min({'path' if table == 'files' else 'id'}) FROM {table}")
            for column in [row[1] for row in shown.execute(f"PRAGMA table_info({table})") if row[1] != "id"]:
                value = ("1e30", "x'00ff'", "'text'")[(number + len(column)) % 3]
                where = f"path = x'{key.hex()}'" if table == "files" else "id = 1"
                statement = f'UPDATE {table} SET "{column}" = {value} WHERE {where}'
                yield statement


def test_a_value_of_another_type_in_any_column_is_found_and_repaired(index: Path) -> None:
    """The type of a value is one byte on the disk, so an integer may become a real number."""
    with closing(LocalStore.open(index)) as store, store.writer():
        store.calibrate(Calibration(0.4, 1.5, -0.25, 30, 12, "2026-11-21T12:00:00+00:00"))
    content = (index / DATABASE).read_bytes()
    for number, damage in enumerate(other_types(index)):
        (index / DATABASE).write_bytes(content)
        sql(index, damage)
        assert findings(index), damage
        with closing(LocalStore.open(index)) as store, suppress(IndexDamaged), store.reading() as snapshot:
            assert snapshot.files()
            assert snapshot.documents()
        if number % 4 == 0:
            assert repair(index, NOW).repaired
            assert findings(index) == [], damage


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM meta",
        "UPDATE meta SET generation = 'x'",
        "UPDATE meta SET lineage = x'00'",
        "UPDATE meta SET manifest = 1.5",
    ],
)
def test_an_index_that_says_nothing_of_itself_is_refused_and_repaired(index: Path, damage: str) -> None:
    with closing(LocalStore.open(index)) as store, store.writer():
        store.remove(["n1.md"], keeping=[FileRecord("n1.md", FileStatus.SKIPPED, FORGOTTEN)])
    sql(index, damage)
    with pytest.raises(IndexDamaged, match="ragnotes repair"):
        answers(index)
    assert findings(index)
    assert repair(index, NOW).vectors == 27
    assert findings(index) == []
    with closing(LocalStore.open(index)) as store, store.reading() as snapshot:
        assert [record.reason for record in snapshot.files() if record.path == "n1.md"] == [FORGOTTEN]


def test_damage_that_sqlite_quotes_in_its_message_is_damage(index: Path) -> None:
    database = index / DATABASE
    database.write_bytes(database.read_bytes().replace(b"CREATE TABLE", b"CREATE \xe4ABLE"))
    with pytest.raises(IndexDamaged, match="ragnotes repair"):
        LocalStore.open(index)
    assert findings(index)


def test_a_repair_that_cannot_fill_the_new_database_leaves_the_old_one(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise IndexWriteFailed("the disk is full", "free some space")

    sql(index, "UPDATE documents SET text = 'other' WHERE id = 1")
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "replace", refuse)
        with pytest.raises(IndexWriteFailed, match="the disk is full"):
            repair(index, NOW)
    assert not [file for file in index.iterdir() if file.is_dir()]
    assert len(repair(index, NOW).dropped) == 1
    with closing(LocalStore.open(index)) as store, store.reading() as snapshot:
        assert len(snapshot.documents()) == 9


def test_two_repairs_in_one_second_keep_both_databases(index: Path) -> None:
    for _ in range(2):
        sql(index, "UPDATE documents SET text = 'other' WHERE id = (SELECT min(id) FROM documents)")
        assert repair(index, NOW).repaired
    names = sorted(file.name for file in index.glob("damaged-*/ragnotes.sqlite3"))
    assert len(names) == 2


def test_a_damaged_record_of_a_forgotten_file_keeps_it_forgotten_and_is_named(index: Path) -> None:
    with closing(LocalStore.open(index)) as store, store.writer():
        store.remove(["n1.md"], keeping=[FileRecord("n1.md", FileStatus.SKIPPED, FORGOTTEN)])
        store.remove(["n2.md"], keeping=[FileRecord("n2.md", FileStatus.SKIPPED, FORGOTTEN)])
    sql(index, "UPDATE files SET fingerprint = 'x' WHERE path = x'6E312E6D64'")
    sql(index, "UPDATE files SET reason = 'forgutten' WHERE path = x'6E322E6D64'")
    lost = repair(index, NOW).lost
    assert [each.split(":")[0] for each in lost] == ["what was known of n1.md", "what was known of n2.md"]
    with closing(LocalStore.open(index)) as store, store.reading() as snapshot:
        assert [record.reason for record in snapshot.files() if record.path == "n1.md"] == [FORGOTTEN]
