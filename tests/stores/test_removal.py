"""Text that was taken out is gone from every file of the index, and so are its vectors."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ragnotes.errors import IndexWriteFailed
from ragnotes.ports import Store
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore
from ragnotes.stores.removal import purge
from ragnotes.stores.rows import Row
from ragnotes.stores.snapshot import Query
from ragnotes.stores.vectors_file import saved_generation
from tests.stores.samples import Entry, embed, entry, fill, vector_of, vectors_of

LETTERS = "bcdfghjklmnpqrtvwxz"


def left_of(directory: Path, words: set[str], texts: set[str]) -> list[str]:
    """What can be found of the words and of the texts' vectors in any file, and where.

    Full text shares the beginnings of words and cuts off their endings, so the middle is looked for.
    """
    wanted = {word: word[4:14].encode() for word in words}
    wanted |= {f"vector of {text}": vector_of(text).tobytes() for text in texts}
    files = [(file.name, file.read_bytes()) for file in sorted(directory.rglob("*")) if file.is_file()]
    return [f"{what} in {name}" for name, content in files for what, trace in wanted.items() if trace in content]


def notes(rng: random.Random, path: str) -> tuple[Entry, set[str]]:
    """A note of a few paragraphs, each with a word of its own, and these words."""
    words = ["".join(rng.choices(LETTERS, k=18)) for _ in range(rng.randint(1, 6))]
    fillers = ("the shed and the river", "a long day of work and rain", "stone", "bread, salt and water for all")
    return entry(path, *(f"{rng.choice(fillers)} {word} {rng.choice(fillers)}" for word in words)), set(words)


def texts_of(each: Entry) -> set[str]:
    return {chunk.embedded for chunk in each.chunks}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for share in ("removal.SHARE", "pacing.PURGE_SHARE", "pacing.SAVE_SHARE"):
        monkeypatch.setattr(f"ragnotes.stores.{share}", 0)  # as if each run were long after the one before
    with closing(LocalStore.open(tmp_path / "index", create=True)) as opened:
        yield opened


KILLED = """
import os, sys
from pathlib import Path
from ragnotes.stores.local import LocalStore
from tests.stores.samples import embed, entry
store = LocalStore.open(Path(sys.argv[1]))
with store.writer():
    {}
    os._exit(9)
"""


def killed(store: Store, step: str) -> None:
    """A run in another process that ends amid its work, so that nothing of what follows it is done."""
    assert isinstance(store, LocalStore)
    command = [sys.executable, "-c", KILLED.format(step), str(store.directory)]
    assert subprocess.run(command, check=False).returncode == 9


def test_of_notes_edited_and_deleted_in_any_order_no_word_and_no_vector_is_left(store: Store, tmp_path: Path) -> None:
    rng, held, gone, gone_texts = random.Random(5), dict[str, tuple[Entry, set[str]]](), set[str](), set[str]()
    fill(store)
    for _ in range(5):
        with store.writer():
            for _ in range(25):
                path = f"{rng.randrange(80)}.md"
                before = held.pop(path, None)
                if before is not None:
                    gone |= before[1]
                    gone_texts |= texts_of(before[0])
                if before is not None and rng.random() < 0.5:
                    store.remove([path])
                    continue
                held[path] = notes(rng, path)
                embed(store, held[path][0])
                store.replace(held[path][0].document, held[path][0].chunks, held[path][0].record)
        assert left_of(tmp_path / "index", gone, gone_texts) == []
    kept = {word for _, words in held.values() for word in words}
    assert len(kept) > 30
    assert {found.split()[0] for found in left_of(tmp_path / "index", kept, set())} == kept, "the search finds words"
    assert findings(tmp_path / "index") == []
    for path in held:
        with store.writer():
            store.remove([path])
    assert left_of(tmp_path / "index", gone | kept, gone_texts) == []


def test_a_run_that_was_killed_before_the_end_is_made_good_by_the_next(store: Store, tmp_path: Path) -> None:
    secret, words = notes(random.Random(1), "secret.md")
    fill(store, secret, entry("other.md", "other"))
    killed(store, 'store.remove(["secret.md"])')
    assert left_of(tmp_path / "index", set(), texts_of(secret)) != []
    with store.writer():
        pass
    assert left_of(tmp_path / "index", words, texts_of(secret)) == []


def test_what_was_read_again_for_a_question_is_made_good_by_the_next_run(store: Store, tmp_path: Path) -> None:
    secret, words = notes(random.Random(1), "secret.md")
    fill(store, secret, entry("other.md", "other"))
    with store.writer(brief=True):
        store.remove(["secret.md"])
    with store.writer():
        pass
    assert left_of(tmp_path / "index", words, texts_of(secret)) == []


def test_a_vector_in_use_again_stays(store: Store) -> None:
    fill(store, entry("old.md", "one text", "two"))
    with store.writer():
        store.remove(["old.md"])
        again = entry("new.md", "one text")
        store.replace(again.document, again.chunks, again.record)
    assert list(store.embeddings("fake", ["one text", "two"])) == ["one text"]


def test_vectors_that_other_embedders_made_of_it_go_too(store: Store, tmp_path: Path) -> None:
    fill(store, entry("old.md", "one text", "two"), entry("new.md", "two"))
    with store.writer():
        store.remember("other", ["one text", "two"], vectors_of(["one text", "two"]))
        store.remove(["old.md"])
    assert list(store.embeddings("other", ["one text", "two"])) == ["two"]
    assert left_of(tmp_path / "index", set(), {"one text"}) == []


def test_what_was_embedded_before_a_run_was_cut_off_stays(store: Store) -> None:
    fill(store, entry("old.md", "old"))
    killed(store, 'embed(store, entry("new.md", "new"))')
    with store.writer():
        store.remove(["old.md"])
    assert list(store.embeddings("fake", ["old", "new"])) == ["new"]


def test_runs_close_to_each_other_put_it_off_and_purge_does_not(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragnotes.stores.removal.SHARE", 1e9)
    monkeypatch.setattr("ragnotes.stores.removal.LONGEST_S", 1e12)
    first, second = notes(random.Random(2), "first.md"), notes(random.Random(3), "second.md")
    fill(store, first[0], second[0])
    with store.writer():
        store.remove(["first.md"])
    assert left_of(tmp_path / "index", first[1], texts_of(first[0])) == []
    with store.writer():
        store.remove(["second.md"])
    assert left_of(tmp_path / "index", second[1], set()) != [], "the run before took its share of the time"
    with store.writer():
        assert store.purge()
    assert left_of(tmp_path / "index", second[1], texts_of(second[0])) == []


@pytest.mark.parametrize("share", ["PURGE_SHARE", "SAVE_SHARE"])
def test_runs_of_one_process_close_to_each_other_put_it_off_too(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: str
) -> None:
    monkeypatch.setattr(f"ragnotes.stores.pacing.{share}", 1e9)
    first, second = notes(random.Random(2), "first.md"), notes(random.Random(3), "second.md")
    fill(store, first[0], second[0])
    with store.writer():
        store.remove(["first.md"])
    assert left_of(tmp_path / "index", first[1], texts_of(first[0])) == [], "the first time is due"
    with store.writer():
        store.remove(["second.md"])
    left = left_of(tmp_path / "index", second[1], texts_of(second[0]))
    assert bool(left) == (share == "PURGE_SHARE"), "a purge brings the file of vectors with it"


def test_vectors_that_were_added_are_saved_by_and_by_and_at_the_end(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragnotes.stores.pacing.SAVE_SHARE", 1e9)
    file = tmp_path / "index" / "vectors.faiss"
    for number in range(1, 4):
        fill(store, entry(f"{number}.md", f"text {number}"))
        assert saved_generation(file) == 1
    store.close()
    assert saved_generation(file) == 3


def test_a_purge_that_fails_says_so_and_is_put_off(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(store, LocalStore)
    own = store.transaction

    @contextmanager
    def without_room() -> Iterator[Query]:
        with own() as query:

            def run(statement: str, values: Sequence[object]) -> list[Row]:
                if statement == "VACUUM":
                    raise IndexWriteFailed("database or disk is full", "")
                return query(statement, values)

            yield run

    fill(store, entry("old.md", "old"))
    monkeypatch.setattr("ragnotes.stores.removal.SHARE", 1e9)
    monkeypatch.setattr("ragnotes.stores.removal.LONGEST_S", 1e12)
    with store.writer(brief=True):
        store.remove(["old.md"])
        assert not purge(without_room, at_once=True)
        assert not purge(own), "not every run tries in vain"
        assert purge(own, at_once=True)
        assert purge(own), "there is nothing left to do"


def test_half_written_vectors_of_a_killed_run_are_removed_by_the_next(store: Store, tmp_path: Path) -> None:
    fill(store, entry("old.md", "old"))
    leftover = tmp_path / "index" / "vectors.faiss.tmp"
    leftover.write_bytes(vector_of("old").tobytes())
    assert findings(tmp_path / "index") == [], "no damage"
    with store.writer():
        store.remove(["old.md"])
    assert not leftover.exists()
    assert left_of(tmp_path / "index", set(), {"old"}) == []
