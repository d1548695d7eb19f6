"""Mojibake undone, for derived text only: the stored text stays what the person wrote."""

from __future__ import annotations

import ftfy
from ftfy.badness import is_bad

__all__ = ["repair_mojibake"]

_HALF_QUOTE = "â€"
"""What is left of a closing quote whose third byte, 0x9D, is unassigned in cp1252 and was dropped on the way."""


def repair_mojibake(text: str) -> str:
    """`text` with UTF-8 that was read as another encoding read aright, where ftfy is sure; otherwise `text` itself.

    Works line by line, so that sound characters elsewhere do not hinder a repair. Quotes, ligatures, entities and
    widths stay as they are.
    """
    if text.isascii() or not is_bad(text):
        return text
    return "\n".join(_repair_line(line) for line in text.split("\n"))


def _repair_line(line: str) -> str:
    if line.isascii():
        return line
    repaired = str(ftfy.fix_encoding(line))
    return repaired if repaired == line else repaired.replace(_HALF_QUOTE, "”")
