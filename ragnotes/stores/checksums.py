"""What a row was written with, so that a byte that changed on the disk is found before its text is quoted."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from ragnotes.errors import IndexDamaged
from ragnotes.stores.rows import CHUNK_COLUMNS, DOCUMENT_COLUMNS, FILE_COLUMNS

__all__ = ["CHECKED", "REPAIR_HINT", "checksum_of", "verify"]

REPAIR_HINT = "look closer with: ragnotes check; mend it with: ragnotes repair (your notes are not touched)"

CHECKED = {
    "documents": DOCUMENT_COLUMNS,
    "chunks": f"document, embedding, ordinal, forms, {CHUNK_COLUMNS}",
    "embeddings": "embedder, key, vector",
    "files": FILE_COLUMNS,
    "calibrations": "embedder, chunker, calibration",
}
"""The columns that the `checksum` of a row of each table is made of, in this order."""


def checksum_of(values: Iterable[Any]) -> bytes:
    """16 bytes of BLAKE2b over the values of one row; each comes with its type and length, so none runs into the next.

    Raises UnicodeEncodeError on a lone surrogate, which SQLite does not keep either.
    """
    digest = blake2b(digest_size=16)
    for value in values:
        if isinstance(value, bytes):
            kind, content = "b", value
        elif isinstance(value, str):
            kind, content = "s", value.encode()
        elif value is None or isinstance(value, int):  # a truth value comes back from SQLite as an integer
            kind, content = "i", b"" if value is None else f"{value:d}".encode()
        else:  # no row is written with one, but a damaged row may have it
            kind, content = "f", repr(value).encode()
        digest.update(f"{kind}{len(content)}:".encode())
        digest.update(content)
    return digest.digest()


def verify(what: str, values: Iterable[Any], checksum: object) -> None:
    """Raises IndexDamaged where the row is not as it was written; None, of an older index, tells nothing."""
    if checksum is not None and checksum != checksum_of(values):
        raise IndexDamaged(f"{what} in the index is not what was written", REPAIR_HINT)
