"""The fault matrix, and what is promised besides."""

from __future__ import annotations

from benchmarks.reliability import note_faults, served_faults, stored_faults
from benchmarks.reliability.promises import PROMISES, Promise
from benchmarks.reliability.row import Row

__all__ = ["PROMISES", "ROWS", "Promise", "Row"]

ROWS = (*stored_faults.ROWS, *note_faults.ROWS, *served_faults.ROWS)
