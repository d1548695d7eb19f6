"""The form that a question wants its answer in: all mentions with their total, a list, a date first, or sentences.

Called once the evidence is picked, while the store is still open: totals and lists look further than the best passages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ragnotes.answers import Evidence, Filters
from ragnotes.asking.duplicates import outer_units, says_again
from ragnotes.asking.evidence import PASSAGES
from ragnotes.asking.extraction import Extract, extract
from ragnotes.asking.lists import asks_for_list, items_for
from ragnotes.asking.mention_questions import MentionQuestion
from ragnotes.asking.mentions import READ_AT_ONCE, find_mentions
from ragnotes.asking.own_words import asks_for_a_kind
from ragnotes.asking.words import has_content, stems
from ragnotes.dates import DayMonthOrder
from ragnotes.ports import Snapshot
from ragnotes.types import Source

__all__ = ["Formed", "form_answer", "passages_wanted"]

LIST_PASSAGES = 10
"""Passages whose units are judged where several things are asked for."""
MAX_COMPARED = 40
"""Up to so many noted pieces near copies are left out of their number too."""


@dataclass(frozen=True, slots=True)
class Formed:
    """What is to be told, or the reason to abstain; `total` where all mentions were counted."""

    extracted: Extract
    reason: str | None
    total: int | None = None
    left_out: tuple[str, ...] = ()


def passages_wanted(question: str) -> int:
    """From how many passages evidence is picked."""
    return LIST_PASSAGES if asks_for_list(question) else PASSAGES


def form_answer(
    snapshot: Snapshot,
    question: str,
    evidence: Sequence[Evidence],
    *,
    subject: str,
    filters: Filters,
    reason: str | None,
    mentions: MentionQuestion | None,
    is_fresh: Callable[[Source], bool],
    order: DayMonthOrder | None = None,
) -> Formed:
    """The answer in its form. `reason` is why the evidence gives none; counting all mentions does not depend on it.

    No mention at all is a reason of its own, unless the words may be told by others ("which notes are about …?").
    """
    if mentions is not None:
        found = find_mentions(snapshot, mentions, is_fresh)
        if found.total:
            return Formed(Extract(found.told, found.more, settled=True), None, found.total, found.left_out)
        if mentions.strict:
            why = reason if reason in ("empty_index", "filtered_out", "stale") else "no_match"
            return Formed(Extract(()), "stale" if found.left_out else why, 0, found.left_out)
    if reason is not None:
        return Formed(Extract(()), reason)
    items = items_for(snapshot, subject, evidence) if asks_for_list(question) else []
    extracted = extract(question, evidence, subject=subject, order=order, items=items)
    if not (has_content(subject) or filters.order or asks_for_a_kind(question)):
        untold = _noted(snapshot, filters, is_fresh) - len(extracted.told)
        extracted = replace(extracted, more=max(untold, extracted.more))
    return Formed(extracted, None)


def _noted(snapshot: Snapshot, filters: Filters, is_fresh: Callable[[Source], bool]) -> int:
    """How many pieces were noted in the time that was asked for; of a longer time only where there is nothing else.

    What a note says again counts once, and what stands in files that changed or went does not count.
    """
    inside = replace(filters, within=True)
    ids = [chunk_id for chunk_id, _ in snapshot.holding([], inside if snapshot.any_passes(inside) else filters)]
    fresh: dict[str, bool] = {}
    noted: dict[tuple[str, ...], str] = {}
    for first in range(0, len(ids), READ_AT_ONCE):
        for chunk, source in snapshot.passages(ids[first : first + READ_AT_ONCE]):
            if source.path not in fresh:
                fresh[source.path] = is_fresh(source)
            if fresh[source.path]:
                noted |= {tuple(stems(unit.plain)): unit.plain for unit in outer_units(chunk)}
    return len(noted) if len(noted) > MAX_COMPARED else len(_told_once(list(noted.values())))


def _told_once(texts: Sequence[str]) -> list[str]:
    """The texts without those that say again what one before says."""
    kept: list[str] = []
    for text in texts:
        if not any(says_again(text, other) for other in kept):
            kept.append(text)
    return kept
