"""The file of an index of vectors: what spares a start the reading of all rows.

A header line of JSON says what the vectors belong to; a file is believed only when its own checksum holds, for FAISS
takes damaged files without a word.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from ragnotes.stores.vectors import Identity, VectorIndex, vectors_in

__all__ = [
    "MAX_HEADER_BYTES",
    "load_vectors",
    "save_vectors",
    "saved_generation",
    "sync_directory",
    "temporary_of",
]

MAX_HEADER_BYTES = 4096


def save_vectors(path: Path, index: VectorIndex, identity: Identity, generation: int) -> None:
    """Write the file whole or not at all: a header line of JSON, then FAISS's bytes. Raises OSError.

    One process at a time may save: the temporary file has a fixed name, so that a killed run leaves at most one.
    """
    digest = hashlib.sha256()
    header = {**asdict(identity), "generation": generation, "count": len(index)}
    temporary = temporary_of(path)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:

        def write(piece: bytes) -> int:
            digest.update(piece)
            return file.write(piece)

        # Piece by piece, for FAISS would hold all vectors three times over; their checksum is known at the end.
        file.write(_header_line(header, "0" * 64))
        index.write(write)
        file.seek(0)
        file.write(_header_line(header, digest.hexdigest()))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def _header_line(header: Mapping[str, object], sha256: str) -> bytes:
    return json.dumps({**header, "sha256": sha256}).encode() + b"\n"


def temporary_of(path: Path) -> Path:
    """Where the file is written before it takes its place."""
    return path.with_name(f"{path.name}.tmp")


def saved_generation(path: Path) -> int:
    """The generation that the file says it holds; -1 where there is none that tells."""
    try:
        with path.open("rb") as file:
            return int(json.loads(file.readline(MAX_HEADER_BYTES))["generation"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return -1


def sync_directory(directory: Path) -> None:
    """Make the names of new and replaced files in the directory survive a power cut."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def load_vectors(path: Path, identity: Identity, newest: int) -> tuple[int, VectorIndex] | None:
    """The generation and vectors that the file holds.

    None when it is absent, damaged in any byte, of another identity, or of a generation after `newest`: such a file
    was left by a database that has since been replaced.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(MAX_HEADER_BYTES))
            payload = file.read()
        expected = {**asdict(identity), "generation": int(header["generation"]), "count": int(header["count"])}
        expected["sha256"] = hashlib.sha256(payload).hexdigest()
        if header != expected or header["generation"] > newest:
            return None
        return int(header["generation"]), vectors_in(payload, identity.dimension, int(header["count"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, RuntimeError):  # FAISS raises RuntimeError
        return None
