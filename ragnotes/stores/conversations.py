"""Conversations kept in files: one for each in a folder of the index, one line of JSON for each turn.

Files are only appended to, and readable by their owner alone. A turn is on the disk when `begin` or `append` returns;
a line that was cut off by a crash is skipped, and the next turn begins a line of its own. Ids are made here, and only
what has their form is ever looked for in the file system.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType

from filelock import FileLock, Timeout

from ragnotes.errors import IndexWriteFailed, NotFound
from ragnotes.stores.vectors_file import sync_directory
from ragnotes.turns import CitedPlace, Conversation, ConversationLine, Turn

__all__ = ["FOLDER", "MAX_TURNS", "ConversationFolder", "files_in", "is_turn"]

FOLDER = "conversations"
MAX_TURNS = 100
"""Turns that are read back of a conversation, however long it has become."""
LOCK_WAIT_S = 2.0
"""A turn is written in milliseconds; an answer is not held back for long by another's."""

_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}", re.ASCII)
_PLACE_TYPES: Mapping[str, UnionType | type] = {
    "path": str,
    "title": str,
    "heading": str | None,
    "line": int | None,
    "page": int | None,
    "t_start": float | int | None,
    "date": str | None,
}


class ConversationFolder:
    """The `Conversations` in one folder, which the first turn makes. May be used by many threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, turn: Turn) -> str:
        """The id of a new conversation, made by its first turn. Raises IndexWriteFailed."""
        moment = turn.asked_at or datetime.now(UTC)
        new = f"{moment.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        with self._writing():
            self._write(self._folder / f"{new}.jsonl", turn, os.O_CREAT | os.O_EXCL)
            sync_directory(self._folder)
        return new

    def append(self, conversation_id: str, turn: Turn) -> None:
        """Adds a turn. Raises NotFound, also where the conversation was deleted meanwhile, and IndexWriteFailed."""
        file = self._file(conversation_id)
        with self._writing():
            try:
                self._write(file, turn, 0)
            except FileNotFoundError:
                raise _unknown(conversation_id) from None

    def read(self, conversation_id: str) -> Conversation:
        """The last `MAX_TURNS` turns. Raises NotFound."""
        turns = deque[Turn](maxlen=MAX_TURNS)
        count = 0
        try:
            for turn in _turns(self._file(conversation_id)):
                turns.append(turn)
                count += 1
        except FileNotFoundError:
            raise _unknown(conversation_id) from None
        return Conversation(conversation_id, tuple(turns), count)

    def last(self) -> str | None:
        """The id of the conversation that was last asked in; None where there is none."""
        return next(iter(self._latest_first()), None)

    def lines(self, limit: int) -> list[ConversationLine]:
        """The last conversations, the latest first."""
        found: list[ConversationLine] = []
        for conversation_id in self._latest_first()[:limit]:
            with suppress(FileNotFoundError):  # deleted at this moment
                turns = list(_turns(self._file(conversation_id)))
                question = turns[0].question if turns else ""
                asked_at = turns[-1].asked_at if turns else None
                found.append(ConversationLine(conversation_id, question, len(turns), asked_at))
        return found

    def delete(self, conversation_id: str) -> None:
        """Removes the conversation for good. Raises NotFound and IndexWriteFailed."""
        file = self._file(conversation_id)
        if not file.exists():
            raise _unknown(conversation_id)
        with self._writing():
            try:
                file.unlink()
            except FileNotFoundError:
                raise _unknown(conversation_id) from None
            sync_directory(self._folder)

    def delete_all(self) -> int:
        """Removes every conversation; gives how many there were. Raises IndexWriteFailed."""
        deleted = 0
        for conversation_id in self._latest_first():
            with suppress(NotFound):  # another was quicker
                self.delete(conversation_id)
                deleted += 1
        return deleted

    def citing(self, path: str) -> list[str]:
        """The ids of the conversations in which an answer cites this file, the latest first."""
        found: list[str] = []
        for conversation_id in self._latest_first():
            with suppress(FileNotFoundError):  # deleted at this moment
                turns = _turns(self._file(conversation_id))
                if any(place.path == path for turn in turns for place in turn.cited):
                    found.append(conversation_id)
        return found

    def _file(self, conversation_id: str) -> Path:
        """The file of a conversation. Raises NotFound for what is no id: `..` and the like reach no disk."""
        if not _ID.fullmatch(conversation_id):
            raise _unknown(conversation_id)
        return self._folder / f"{conversation_id}.jsonl"

    def _latest_first(self) -> list[str]:
        dated: list[tuple[int, str]] = []
        for file in files_in(self._folder):
            with suppress(FileNotFoundError):
                dated.append((file.stat().st_mtime_ns, file.stem))
        return [conversation_id for _, conversation_id in sorted(dated, reverse=True)]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The right to write here; what the disk refuses is IndexWriteFailed."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with FileLock(self._folder / ".lock", timeout=LOCK_WAIT_S, mode=0o600):
                yield
        except (OSError, Timeout) as error:
            raise IndexWriteFailed(
                f"the history in {self._folder} cannot be written: {error}", "free space or rights, or ask --no-history"
            ) from error

    def _write(self, file: Path, turn: Turn, flags: int) -> None:
        """Appends one line and waits for the disk; a line that does not fit on it leaves no part of itself."""
        line = json.dumps(_record(turn), separators=(",", ":")).encode() + b"\n"
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | flags, 0o600)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            try:
                _write_whole(handle, b"\n" + line if torn else line)
                os.fsync(handle)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)


def files_in(folder: Path) -> list[Path]:
    """The files of all conversations there, by name; none where there is no such folder."""
    found: list[Path] = []
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            name, dot, ending = entry.name.partition(".")
            if _ID.fullmatch(name) and dot + ending == ".jsonl" and entry.is_file(follow_symlinks=False):
                found.append(Path(entry.path))
    return sorted(found)


def _write_whole(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _unknown(conversation_id: str) -> NotFound:
    return NotFound(f"there is no conversation {conversation_id[:80]}", "list them with: ragnotes history")


def _record(turn: Turn) -> dict[str, object]:
    moment = turn.asked_at.astimezone(UTC).isoformat(timespec="seconds") if turn.asked_at else None
    return asdict(turn) | {"asked_at": moment}


def _turns(file: Path) -> Iterator[Turn]:
    """The turns of a file in order, without lines that are no turn."""
    with file.open("rb") as lines:
        for line in lines:
            if turn := _turn_in(line):
                yield turn


def is_turn(line: bytes) -> bool:
    """Whether a line of a conversation can be read."""
    return _turn_in(line) is not None


def _turn_in(line: bytes) -> Turn | None:
    try:
        return _turn(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _turn(record: dict[str, object]) -> Turn:
    question, rewritten, answer, cited = (record[name] for name in ("question", "rewritten", "answer", "cited"))
    moment, generation = record["asked_at"], record["generation"]
    if not (isinstance(question, str) and isinstance(answer, list) and isinstance(cited, list)):
        raise TypeError("no turn")
    return Turn(
        question=question,
        rewritten=str(rewritten) if rewritten else None,
        answer=tuple(map(str, answer)),
        cited=tuple(_cited(place) for place in cited),
        asked_at=datetime.fromisoformat(str(moment)) if moment else None,
        generation=int(str(generation)),
    )


def _cited(record: dict[str, object]) -> CitedPlace:
    if not all(isinstance(value, _PLACE_TYPES[name]) for name, value in record.items()):
        raise TypeError("no place")
    return CitedPlace(**record)  # type: ignore[arg-type]  # checked above
