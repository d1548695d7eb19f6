"""Taking one file's text out of the index for good, while the file itself stays where it is.

The path is kept on record as `forgotten`: the file is skipped, edited or not, until that is undone. A file that was
moved is another file to the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ragnotes.errors import NotFound
from ragnotes.ports import Conversations, Store
from ragnotes.types import FORGOTTEN, FileRecord, FileStatus

__all__ = ["Forgotten", "forget", "remember_again"]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went: passages of one file, and the conversations that cite it where they were to go too.

    `cleared` is whether no trace is left in the files of the index; else a later run sees to it.
    """

    path: str
    chunks: int
    conversations: tuple[str, ...]
    deleted: bool
    cleared: bool
    generation: int


def forget(store: Store, conversations: Conversations, path: str, *, with_conversations: bool) -> Forgotten:
    """Take the text of this file out of the index; of one that has gone, what conversations still tell of it.

    Raises NotFound where neither knows such a file.
    """
    try:
        record = _record(store, path)
    except NotFound:
        cited = next(filter(conversations.citing, _names(store, path)), None)
        if cited is None:
            raise
        record = FileRecord(cited, FileStatus.SKIPPED, FORGOTTEN)
    with store.writer():
        forgotten = FileRecord(record.path, FileStatus.SKIPPED, FORGOTTEN, fingerprint=record.fingerprint)
        store.remove([record.path], keeping=[forgotten])
        cleared = store.purge()
    citing = tuple(conversations.citing(record.path))
    if with_conversations:
        for conversation_id in citing:
            conversations.delete(conversation_id)
    with store.reading() as snapshot:
        return Forgotten(record.path, record.chunks, citing, with_conversations, cleared, snapshot.generation)


def remember_again(store: Store, path: str) -> str:
    """Let the next index run read the file again; gives its path. Raises NotFound where it was not forgotten."""
    record = _record(store, path)
    if record.reason != FORGOTTEN:
        raise NotFound(f"{record.path} was not forgotten", "list what was with: ragnotes status")
    with store.writer():
        store.remove([record.path])
    return record.path


def _record(store: Store, path: str) -> FileRecord:
    """The record of a file by its path in the index, or on this machine."""
    with store.reading() as snapshot:
        records = {record.path: record for record in snapshot.files()}
    found = [records[name] for name in _names(store, path) if name in records]
    if not found:
        raise NotFound(f"the index knows no file {path}", "list its files with: ragnotes status")
    return found[0]


def _names(store: Store, path: str) -> list[str]:
    """What the file may be called in the index."""
    manifest = store.manifest()
    return [path, *_below(path, manifest.roots if manifest else ())]


def _below(path: str, roots: Sequence[str]) -> list[str]:
    """What a path on this machine is called in an index of these folders."""
    absolute = Path(path).absolute()
    inside = [Path(root) for root in roots if absolute.is_relative_to(root)]
    return [(f"{root.name}/" if len(roots) > 1 else "") + absolute.relative_to(root).as_posix() for root in inside]
