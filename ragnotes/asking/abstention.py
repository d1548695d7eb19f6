"""Whether the evidence bears on the question at all."""

from __future__ import annotations

from collections.abc import Sequence

from ragnotes.ports import Snapshot
from ragnotes.types import Evidence, Filters, Hit

__all__ = ["reason_to_abstain"]

MIN_SCORE = 0.47
"""The best evidence's score under which the notes are taken to be silent; docs/log.md has the curve."""


def reason_to_abstain(
    snapshot: Snapshot, hits: Sequence[Hit], evidence: Sequence[Evidence], filters: Filters, left_out: Sequence[str]
) -> str | None:
    """Why the notes hold no answer, None where they may.

    `empty_index`; `stale`: what was found is in files that changed or went; `filtered_out`; `no_match`; `low_support`.
    """
    if snapshot.count() == 0:
        return "empty_index"
    if not hits and left_out:
        return "stale"
    if not hits:
        return "filtered_out" if filters else "no_match"
    if not evidence:
        return "no_match"
    return "low_support" if evidence[0].score < MIN_SCORE else None
