"""How names, tags and paths are compared with what a person types for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import product

__all__ = ["folded", "path_fits", "spoken_by", "tag_key"]

_MOST_DOUBLE_STARS = 4


def folded(name: str) -> str:
    """The name without case and accents."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(mark for mark in apart if not unicodedata.combining(mark)).strip()


def spoken_by(speakers: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether there are speakers, and each has one of the wanted names as a part of the own."""
    names, parts = [folded(name) for name in speakers], [folded(name) for name in wanted]
    return bool(names) and all(any(part in name for part in parts) for name in names)


def tag_key(tag: str) -> str:
    """The tag as it is compared: without `#`, case, and the slashes and spaces around it."""
    return unicodedata.normalize("NFC", tag.casefold()).strip().lstrip("#").strip("/ ")


def path_fits(path: str, pattern: str) -> bool:
    """Whether a path, or a folder that it lies in, is the pattern or fits it as a shell pattern.

    `*` crosses folders, `**/` stands for any number of them, also none. Case counts, as it does on the disk; how
    accents are encoded does not.
    """
    path, pattern = unicodedata.normalize("NFC", path), unicodedata.normalize("NFC", pattern)
    pattern = pattern.removeprefix("./").rstrip("/")
    if pattern == ".":
        return True
    if path == pattern or path.startswith(f"{pattern}/"):  # also a name with brackets in it
        return bool(pattern)
    parts = pattern.split("**/", _MOST_DOUBLE_STARS)
    for joints in product(("", "*/"), repeat=len(parts) - 1):
        shell = "".join(part + joint for part, joint in zip(parts, (*joints, ""), strict=True))
        if fnmatchcase(path, shell) or fnmatchcase(path, f"{shell}/*"):
            return True
    return False
