"""Text that was taken out is gone from every file of the index, and so are its vectors."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ragnotes.ports import Store
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore
from tests.stores.samples import Entry, embed, entry, fill, vector_of

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
    monkeypatch.setattr("ragnotes.stores.removal.SHARE", 0)  # as if each run were long after the one before
    with closing(LocalStore.open(tmp_path / "index", create=True)) as opened:
        yield opened


def cut_off(store: Store, secret: Entry | None = None) -> None:
    """A run that is interrupted after it has embedded something, or taken the secret out."""
    with store.writer():
        if secret is None:
            embed(store, entry("new.md", "new"))
        else:
            store.remove([secret.document.path])
        raise KeyboardInterrupt


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


def test_a_run_that_was_cut_off_before_the_end_is_made_good_by_the_next(store: Store, tmp_path: Path) -> None:
    secret, words = notes(random.Random(1), "secret.md")
    fill(store, secret, entry("other.md", "other"))
    with pytest.raises(KeyboardInterrupt):
        cut_off(store, secret)
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


def test_what_was_embedded_before_a_run_was_cut_off_stays(store: Store) -> None:
    fill(store, entry("old.md", "old"))
    with pytest.raises(KeyboardInterrupt):
        cut_off(store)
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
        store.purge()
    assert left_of(tmp_path / "index", second[1], texts_of(second[0])) == []


def test_half_written_vectors_of_a_killed_run_are_removed_by_the_next(store: Store, tmp_path: Path) -> None:
    fill(store, entry("old.md", "old"))
    leftover = tmp_path / "index" / "vectors.faiss.tmp"
    leftover.write_bytes(vector_of("old").tobytes())
    assert findings(tmp_path / "index") == [], "no damage"
    with store.writer():
        store.remove(["old.md"])
    assert not leftover.exists()
    assert left_of(tmp_path / "index", set(), {"old"}) == []
