"""What an index must hold after a fault: every version of every note that was written, and which were acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.reliability.victims import Told
from ragnotes.answers import Filters
from ragnotes.errors import IndexMissing
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.identity import sha256_of
from ragnotes.reading.loaders import Limits, load_document
from ragnotes.stores import integrity
from ragnotes.stores.local import LocalStore
from ragnotes.types import Chunk, Document

__all__ = ["Held", "Ledger", "Torn", "expected", "findings", "indexed"]

NO_FILTERS = Filters()


class Torn(Exception):
    """An index that answers with what does not belong together."""


@dataclass(frozen=True, slots=True)
class Held:
    """A document as an index holds it: of each passage its id, start, end and text; the strings that are embedded."""

    sha256: str
    text: str
    passages: tuple[tuple[str, int, int, str], ...]
    embedded: tuple[str, ...]


class Ledger:
    """Notes as they were written one after the other, and the newest version of each that was acknowledged."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes
        self._versions: dict[str, list[bytes | None]] = {}
        self._acked: dict[str, int] = {}

    def write(self, path: str, content: str | None, *, folder: Path | None = None) -> None:
        """A new version: written or deleted (None), now or, in another folder, for later."""
        encoded = None if content is None else content.encode()
        self._versions.setdefault(path, [None]).append(encoded)
        file = (folder or self.notes) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if encoded is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(encoded)

    @property
    def paths(self) -> list[str]:
        """Of the notes that there are."""
        return sorted(path for path, versions in self._versions.items() if versions[-1] is not None)

    def take(self, told: Told) -> None:
        """Hold the index to what this run acknowledged."""
        for path, sha256 in told.acked.items():
            shas = [None if version is None else sha256_of(version) for version in self._versions[path]]
            self._acked[path] = max(number for number, each in enumerate(shas) if each == sha256)

    def forget_acknowledged(self) -> None:
        """Hold the next index to nothing but whole documents."""
        self._acked.clear()

    def faults(self, index: Path) -> list[str]:
        """What is lost, torn or found by a check of the index; nothing where it is whole."""
        if not self._acked and not (index / "ragnotes.sqlite3").exists():
            return []
        faults = findings(index)
        left = indexed(index)
        for path, versions in self._versions.items():
            allowed = versions[self._acked.get(path, 0) :]
            found = left.pop(path, None)
            if found is None:
                faults += [] if None in allowed else [f"lost: {path}"]
            elif found not in [expected(path, content) for content in allowed if content is not None]:
                faults += [f"torn or behind: {path}"]
        return faults + [f"not of these notes: {path}" for path in left]

    def unfinished(self, index: Path) -> list[str]:
        """As `faults`, where the index must be at the newest version of every note."""
        self._acked = {path: len(versions) - 1 for path, versions in self._versions.items()}
        return self.faults(index)


def indexed(index: Path, opened: LocalStore | None = None) -> dict[str, Held]:
    """The documents in an index, by path, read by a store opened for it or one that is open."""
    if opened is None:
        with closing(LocalStore.open(index, create=True)) as store:
            return indexed(index, store)
    with opened.reading() as snapshot:
        found = {}
        for source in snapshot.documents():
            document = snapshot.document(source.doc_id)
            assert document is not None
            found[source.path] = _held(document, snapshot.chunks(source.doc_id))
        passages = sorted(each[0] for held in found.values() for each in held.passages)
        query = HashingEmbedder().embed_queries(["words"])[0]
        near = sorted(hit.chunk_id for hit in snapshot.dense(query, 10**6, NO_FILTERS))
    if near != passages:
        raise Torn("not the same passages with vectors as with text")
    return found


@cache
def expected(path: str, content: bytes) -> Held:
    """The document that this content is read as."""
    document = load_document(content, path, Limits(), order=None)
    return _held(document, chunk_document(document, HashingEmbedder()))


def _held(document: Document, chunks: Sequence[Chunk]) -> Held:
    passages = tuple((chunk.chunk_id, chunk.start, chunk.end, chunk.text) for chunk in chunks)
    return Held(document.sha256, document.text, passages, tuple(chunk.embedded for chunk in chunks))


def findings(index: Path) -> list[str]:
    """What a check of the index finds wrong; nothing where its making was cut off, and there is none yet."""
    try:
        return [f"{each.where}: {each.problem}" for each in integrity.findings(index)]
    except IndexMissing:
        return []
