"""The records of conversations: what was asked and answered before, as it was then.

An answer that is kept here is history: the notes may have changed since, so nothing in it is shown as the state of
them, and nothing in it is cited.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["LAST", "NEW", "CitedPlace", "Conversation", "ConversationLine", "Turn"]

NEW = "new"
"""As a conversation's id: begin another one."""
LAST = "last"
"""As a conversation's id: the one that was last asked in."""


@dataclass(frozen=True, slots=True)
class CitedPlace:
    """Where a citation of an earlier answer stood in the generation of that answer."""

    path: str
    title: str
    heading: str | None = None
    line: int | None = None
    page: int | None = None
    t_start: float | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation, the question that was searched in its place, and what was answered then.

    `answer` has the sentences of the answer; () where the notes did not say. `asked_at` is None in a turn that is kept
    nowhere.
    """

    question: str
    rewritten: str | None = None
    answer: tuple[str, ...] = ()
    cited: tuple[CitedPlace, ...] = ()
    asked_at: datetime | None = None
    generation: int = 0

    @property
    def asked(self) -> str:
        """The whole question, as it was searched."""
        return self.rewritten or self.question


@dataclass(frozen=True, slots=True)
class Conversation:
    """The last turns of a conversation, oldest first; `count` is the number of all."""

    id: str
    turns: tuple[Turn, ...]
    count: int


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """A conversation in a list: its first question, how many turns it has, and when the last was asked."""

    id: str
    question: str
    turns: int
    asked_at: datetime | None
