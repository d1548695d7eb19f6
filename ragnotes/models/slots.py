"""The places of a prompt that texts fill. Imports nothing of ragnotes: who runs a template needs no more."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Part", "Slot"]


class Slot(StrEnum):
    """What fills a place of a template."""

    SYSTEM = "system"
    USER = "user"


Part = str | Slot
"""The template's own text, or a place for ours."""
