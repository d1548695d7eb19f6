"""The state machine of the tests, for longer."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings

from benchmarks.reliability.scenarios import Figure
from tests.test_state_machine import SHORT, follow_notes

__all__ = ["changes"]

EXAMPLES = 100
STEPS = 40


def changes(_work: Path, short: bool) -> list[Figure]:
    """Adds, edits, renames, deletes, touches, runs, crashes, rebuilds and searches; raises where one goes wrong."""
    how = SHORT if short else settings(SHORT, max_examples=EXAMPLES, stateful_step_count=STEPS)
    tried = follow_notes(how)
    return [
        Figure("sequences of changes tried", str(tried), "more than none", tried > 0),
        Figure("steps in each, at most", str(how.stateful_step_count)),
        Figure("that ended in another state than the dictionary, or than a fresh index", "0", "0"),
    ]
