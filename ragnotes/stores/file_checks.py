"""What is damaged in the files beside the database: the saved vectors and the conversations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ragnotes.errors import IndexDamaged
from ragnotes.stores.conversations import FOLDER, files_in, is_turn
from ragnotes.stores.snapshot import LocalSnapshot
from ragnotes.stores.vectors import vectors_in
from ragnotes.stores.vectors_file import MAX_HEADER_BYTES

__all__ = ["SavedVectors", "damaged_conversations", "damaged_vectors_file", "read_vectors_file"]

SavedVectors = tuple[dict[str, Any], bytes]
"""The header of the file and what follows it."""


def read_vectors_file(path: Path) -> SavedVectors | str | None:
    """What the file holds, or why it cannot be read; None where there is none."""
    try:
        with path.open("rb") as file:
            header, payload = json.loads(file.readline(MAX_HEADER_BYTES)), file.read()
        return {**header, "generation": int(header["generation"]), "count": int(header["count"])}, payload
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return f"it cannot be read: {error}"


def damaged_vectors_file(saved: SavedVectors | str | None, snapshot: LocalSnapshot) -> Iterator[str]:
    """What is wrong with the file. One that is behind, or was left by another database, is no damage."""
    if saved is None or isinstance(saved, str):
        yield from [saved] if saved else []
        return
    header, payload = saved
    if header.get("sha256") != sha256(payload).hexdigest():
        yield "its bytes are not those that were written"
        return
    identity = snapshot.identity()
    if identity is None or any(header.get(name) != value for name, value in asdict(identity).items()):
        return
    if header["generation"] > snapshot.generation:
        yield f"it is of generation {header['generation']}, the database of {snapshot.generation}: it lost changes"
    elif header["generation"] == snapshot.generation and not _same_vectors(header, payload, snapshot):
        yield "its vectors are not those of the database"


def _same_vectors(header: dict[str, Any], payload: bytes, snapshot: LocalSnapshot) -> bool:
    try:
        index, live = vectors_in(payload, int(header["dimension"]), header["count"]), snapshot.live_ids()
        if not len(live):
            return not len(index)
        return np.array_equal(index.ids, live) and index.agrees(snapshot.vectors)
    except IndexDamaged:
        return True  # the vectors of the database are damaged, which is told of them
    except (ValueError, RuntimeError):  # FAISS raises RuntimeError
        return False


def damaged_conversations(directory: Path) -> Iterator[tuple[str, str]]:
    """Files and what is wrong with them. A line that a crash cut off has no end, and is no damage."""
    for file in files_in(directory / FOLDER):
        try:
            lines = file.read_bytes().splitlines()
        except OSError as error:
            yield f"{FOLDER}/{file.name}", f"it cannot be read: {error}"
            continue
        for number, line in enumerate(lines, start=1):
            if line.endswith(b"}") and not is_turn(line):
                yield f"{FOLDER}/{file.name}", f"line {number} cannot be read"
