"""Notes that change in every order, runs that crash anywhere, against a dictionary: what the index must hold.

The dictionary `held` says which content of each note is indexed. A run that ends sets it to the notes; of a run that
was killed each note is at the one or the other, and at the new one where that was acknowledged.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from benchmarks.reliability.driver import key_of
from benchmarks.reliability.ledger import expected, findings, indexed
from benchmarks.reliability.victims import Drivers, drivers
from ragnotes.answers import Filters
from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.loaders import Limits
from ragnotes.stores.local import LocalStore
from ragnotes.types import Vectors

WORDS = ("anchor", "beacon", "candle", "dynamo")
PATHS = st.sampled_from(["a.md", "b.md", "sub/a.md", "sub/ü.md", "c.txt", "a b.md"])
PARAGRAPHS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
CONTENTS = st.lists(PARAGRAPHS, max_size=4).map(
    lambda paragraphs: "# Notes\n\n" + "\n".join(f"## Part {n}\n\n{each}.\n" for n, each in enumerate(paragraphs))
)
STATEMENTS = st.integers(1, 60)

SHORT = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class CountingEmbedder(HashingEmbedder):
    """Remembers the keys of what it embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        self.seen += map(key_of, texts)
        return super().embed_documents(texts, background=background)


class NotesMachine(RuleBasedStateMachine):
    """A folder of notes, its index, and the dictionary that the index is held to."""

    runs: Drivers

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.notes, self.index = self.folder / "notes", self.folder / "index"
        self.notes.mkdir()
        self.store = LocalStore.open(self.index, create=True)
        self.held: dict[str, bytes] = {}
        self.kept: set[str] = set()
        """Keys of the strings whose vectors were committed by the last run, or are of what is held."""

    def teardown(self) -> None:
        self.update()
        assert_equal_to_a_fresh_index(self.notes, self.index, self.folder / "fresh")
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(path=PATHS, content=CONTENTS)
    def write(self, path: str, content: str) -> None:
        """Add or edit, as an editor does that saves in place."""
        file = self.notes / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, "utf-8")

    @rule(path=PATHS, content=CONTENTS)
    def save(self, path: str, content: str) -> None:
        """Add or edit, as an editor does that writes a new file and renames it."""
        file = self.notes / path
        file.parent.mkdir(exist_ok=True)
        other = file.with_name("saved.tmp")
        other.write_text(content, "utf-8")
        other.replace(file)

    @rule(path=PATHS, to=PATHS)
    def rename(self, path: str, to: str) -> None:
        if (self.notes / path).exists():
            (self.notes / to).parent.mkdir(exist_ok=True)
            (self.notes / path).replace(self.notes / to)

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        (self.notes / path).unlink(missing_ok=True)

    @rule(path=PATHS, ns=st.integers(0, 2**61))
    def touch(self, path: str, ns: int) -> None:
        if (self.notes / path).exists():
            os.utime(self.notes / path, ns=(ns, ns))

    @rule()
    def update(self) -> None:
        embedder = CountingEmbedder()
        Indexer(self.store, embedder, (self.notes,), self.index, Limits()).update(lambda _: None, allow_empty=True)
        assert not self.kept & set(embedder.seen), "embedded twice"
        self.held = self.content()
        self.kept = keys_of(self.held)

    @rule()
    def rebuild(self) -> None:
        embedder = CountingEmbedder()
        indexer = Indexer(self.store, embedder, (self.notes,), self.index, Limits())
        indexer.update(lambda _: None, allow_empty=True, rebuild=True)
        assert not self.kept & set(embedder.seen), "embedded twice"
        self.held = self.content()
        self.kept = keys_of(self.held)

    @rule(path=PATHS, content=CONTENTS, statements=STATEMENTS)
    def crash(self, path: str, content: str, statements: int) -> None:
        """A run in another process with something to do, which dies with that statement; or ends before it."""
        self.write(path, content)
        order = replace(self.runs.order(self.notes, self.index), dies_after=statements)
        code, told = self.runs.run(order)
        assert code in (0, -9), told.error
        assert not self.kept & set(told.embedded), "embedded twice"
        left, now = indexed(self.index), self.content()
        for name in self.held.keys() | now.keys() | left.keys():
            before, after = self.held.pop(name, None), now.get(name)
            allowed = [after] if name in told.acked or code == 0 else [before, after]
            documents = [None if each is None else expected(name, each) for each in allowed]
            assert left.get(name) in documents, name
            found = allowed[documents.index(left.get(name))]
            if found is not None:
                self.held[name] = found
        self.kept = keys_of(self.held) | told.kept
        assert findings(self.index) == []

    @rule(closing=st.booleans())
    def reopen(self, closing: bool) -> None:
        """A new process; the old one closed its store, or just ended."""
        if closing:
            self.store.close()
        self.store = LocalStore.open(self.index)

    @rule(word=st.sampled_from(WORDS))
    def search(self, word: str) -> None:
        """By words and by meaning: exactly the passages that are held."""
        passages = {
            each[0]: each[3] for path, content in self.held.items() for each in expected(path, content).passages
        }
        query = HashingEmbedder().embed_queries([word])[0]
        with self.store.reading() as snapshot:
            lexical = {hit.chunk_id for hit in snapshot.lexical([word], 1000, Filters())}
            dense = [hit.chunk_id for hit in snapshot.dense(query, 1000, Filters())]
        assert lexical == {chunk_id for chunk_id, text in passages.items() if word in text}
        assert sorted(dense) == sorted(passages)

    @invariant()
    def the_index_holds_what_it_is_held_to(self) -> None:
        assert indexed(self.index, self.store) == {path: expected(path, content) for path, content in self.held.items()}

    def content(self) -> dict[str, bytes]:
        files = [file for file in self.notes.rglob("*") if file.suffix in (".md", ".txt")]
        return {file.relative_to(self.notes).as_posix(): file.read_bytes() for file in files}


def keys_of(held: dict[str, bytes]) -> set[str]:
    return {key_of(text) for path, content in held.items() for text in expected(path, content).embedded}


def assert_equal_to_a_fresh_index(notes: Path, index: Path, fresh: Path) -> None:
    """Same documents, passages and hits with their scores as an index that is made now."""
    found = []
    for directory in (index, fresh):
        store = LocalStore.open(directory, create=True)
        Indexer(store, HashingEmbedder(), (notes,), directory, Limits()).update(lambda _: None, allow_empty=True)
        with store.reading() as snapshot:
            queries = {word: HashingEmbedder().embed_queries([word])[0] for word in WORDS}
            dense = {word: snapshot.dense(query, 1000, Filters()) for word, query in queries.items()}
            lexical = {word: snapshot.lexical([word], 1000, Filters()) for word in WORDS}
        found.append((indexed(directory, store), dense, lexical))
        store.close()
    assert found[0] == found[1]


def test_an_index_follows_its_notes_through_any_changes_and_crashes() -> None:
    follow_notes(SHORT)


def follow_notes(how: settings) -> int:
    """Runs the machine; the number of examples that were tried."""
    tried = count()
    with drivers() as runs:

        class Machine(NotesMachine):
            def __init__(self) -> None:
                super().__init__()
                self.runs = runs
                next(tried)

        run_state_machine_as_test(Machine, settings=how)
    return next(tried)
