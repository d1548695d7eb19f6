"""The two commands as processes."""

from __future__ import annotations

import sys

__all__ = ["ask", "ragnotes"]

_START = "import sys; from ragnotes.starting import {name}; sys.exit({name}())"


def ragnotes(*words: str) -> list[str]:
    """`ragnotes` with these words, as its script starts it."""
    return [sys.executable, "-c", _START.format(name="ragnotes"), *words]


def ask(*words: str) -> list[str]:
    """`ask` with these words, as its script starts it."""
    return [sys.executable, "-c", _START.format(name="ask"), *words]
