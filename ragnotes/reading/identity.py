"""What a file is known by: the id of its path, the digest of its bytes, and a title for want of a better one."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

__all__ = ["document_id", "sha256_of", "stem_title"]


def document_id(path: str) -> str:
    """The id of the document at `path`: "d" and 16 hexadecimal digits. An edit keeps it, a move changes it."""
    name = path.encode("utf-8", errors="backslashreplace")  # a name that is no UTF-8 arrives as lone surrogates
    return "d" + hashlib.sha256(name).hexdigest()[:16]


def sha256_of(content: bytes) -> str:
    """The digest of a file's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def stem_title(path: str) -> str:
    """The file's name without folder and suffix, as text that any encoder takes."""
    stem = PurePosixPath(path).stem or path
    return stem.encode("utf-8", errors="replace").decode("utf-8")
