"""Numbers in brackets, which in an answer are citations and nothing else."""

from __future__ import annotations

import re

__all__ = ["NUMBERS", "without_foreign_markers"]

NUMBERS = r"\[\s*\d+(?:\s*[,;–-]\s*\d+)*\s*\]"
"""The pattern of a marker, whoever wrote it: `[1]`, `[2, 3]`, `[4–6]`."""
_FOREIGN = re.compile(rf"(?:\s+|(?<![^\W\d])(?<![])]))(?:{NUMBERS})+")
"""Not where it belongs to the name before it, as in `tokens[0]`."""


def without_foreign_markers(text: str) -> str:
    """A sentence of a note without the numbers by which the note cites: an answer has numbers of its own.

    What is nothing but such numbers stays as it is.
    """
    kept = _FOREIGN.sub("", text).strip()
    return kept if any(character.isalnum() for character in kept) else text
