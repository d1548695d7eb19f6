"""Whether the evidence bears on the question at all."""

from __future__ import annotations

from collections.abc import Sequence

from ragnotes.asking.own_time import FROM_QUESTION
from ragnotes.asking.words import has_content
from ragnotes.ports import Snapshot
from ragnotes.types import Evidence, Filters, Hit

__all__ = ["reason_to_abstain"]

MIN_SCORE = 0.47
"""The best evidence's score under which the notes are taken to be silent; docs/log.md has the curve."""
MIN_COVERAGE_IN_TIME = 0.5
"""Within the time asked for, evidence that holds this share of the rest of the question is enough."""


def reason_to_abstain(
    snapshot: Snapshot,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    filters: Filters,
    left_out: Sequence[str],
    *,
    subject: str,
) -> str | None:
    """Why the notes hold no answer, None where they may.

    `empty_index`; `stale`: what was found is in files that changed or went; `filtered_out`; `no_match`; `low_support`.
    Asked for a time and no `subject`, whatever was noted then bears on the question.
    """
    if snapshot.count() == 0:
        return "empty_index"
    if not hits and left_out:
        return "stale"
    if not hits:
        return "filtered_out" if filters else "no_match"
    if not evidence:
        return "no_match"
    in_time = filters.source == FROM_QUESTION and evidence[0].coverage >= MIN_COVERAGE_IN_TIME
    if not has_content(subject) or in_time or evidence[0].score >= MIN_SCORE:
        return None
    return "low_support"
