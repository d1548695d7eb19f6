"""Whether the evidence bears on the question at all."""

from __future__ import annotations

from collections.abc import Sequence

from ragnotes.ports import Snapshot
from ragnotes.types import Evidence, Filters, Hit

__all__ = ["reason_to_abstain"]

MIN_SCORE = 0.47
"""The best evidence's score under which the notes are taken to be silent; docs/log.md has the curve."""


def reason_to_abstain(
    snapshot: Snapshot, hits: Sequence[Hit], evidence: Sequence[Evidence], filters: Filters
) -> str | None:
    """Why the notes hold no answer: `empty_index`, `filtered_out`, `no_match` or `low_support`; None where they may."""
    if snapshot.count() == 0:
        return "empty_index"
    if not hits:
        return "filtered_out" if filters else "no_match"
    if not evidence:
        return "no_match"
    return "low_support" if evidence[0].score < MIN_SCORE else None
