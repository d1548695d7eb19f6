"""How much a request may ask for: told to servers, to clients, and in the options of the commands. Imports nothing."""

from __future__ import annotations

__all__ = ["MAX_FIELDS", "MAX_FILTER_CHARS", "MAX_LIMIT", "MAX_LISTED", "MAX_VALUES", "MAX_VALUE_CHARS"]

MAX_LIMIT = 100
MAX_LISTED = 1000
"""Conversations in one list."""
MAX_VALUES = 100
"""Values that one filter may list: each is a part of one SQL expression, and SQLite bounds how deep that may be."""
MAX_VALUE_CHARS = 1000
MAX_FILTER_CHARS = 4000
"""Of all values of one filter: to prepare a shell pattern takes the square of its length."""
MAX_FIELDS = 100
"""Of a request: a million misspelt ones would be as many faults."""
