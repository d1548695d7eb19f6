"""The newest first, or the oldest, of what bears on the question alike; nothing that bears on it less is drawn up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from ragnotes.answers import Evidence, Filters, Hit
from ragnotes.asking.evidence import coverage
from ragnotes.types import DateRange

__all__ = ["by_date", "in_order_of_notes", "of_the_outermost_day"]

ALIKE_COVERAGE = 0.8
"""A passage bears on the question like the best where it holds this share of what the best holds of its rare words."""
ALIKE_PASSAGE, ALIKE_EVIDENCE = 0.2, 0.6
"""And where its score is at least this share of the best."""
STEP = 1e-6


def by_date(ranked: Sequence[Hit], rarity: Mapping[str, float], filters: Filters) -> list[Hit]:
    """`ranked` with the dated passages that bear on the question like the best first, by date; the others follow.

    Scores stay those of the ranks, so that they fall from hit to hit. What is dated after `filters.today` is not newest
    and keeps its place behind. `rarity` weighs the stems of what is looked for; {} lets every passage count.
    """
    held = {hit.chunk.chunk_id: coverage(rarity, hit.chunk.plain, hit.chunk.context) for hit in ranked}
    least_held = ALIKE_COVERAGE * max(held.values(), default=0.0)
    least_score = ALIKE_PASSAGE * _top(ranked) if rarity else 0.0
    alike = [hit for hit in ranked if held[hit.chunk.chunk_id] >= least_held and hit.score >= least_score]
    days = {hit.chunk.chunk_id: _day(hit.chunk.place.date, filters) for hit in alike}
    dated = [hit for hit in alike if days[hit.chunk.chunk_id]]
    drawn = [_drawn_up(hit, filters) for hit in sorted(dated, key=lambda hit: _key(days[hit.chunk.chunk_id], filters))]
    chosen = {hit.chunk.chunk_id for hit in drawn}
    order = [*drawn, *(hit for hit in ranked if hit.chunk.chunk_id not in chosen)]
    return _rescored(order, [hit.score for hit in ranked], strictly=len(drawn))


def in_order_of_notes(ranked: Sequence[Hit]) -> list[Hit]:
    """`ranked` by date, path and place in the note, with the scores of the ranks; what has no date comes last."""

    def noted(hit: Hit) -> tuple[date, str, int]:
        days = hit.chunk.place.date
        return days.since if days else date.max, hit.source.path, hit.chunk.start

    return _rescored(sorted(ranked, key=noted), [hit.score for hit in ranked], strictly=len(ranked))


def of_the_outermost_day(evidence: Sequence[Evidence], filters: Filters) -> list[Evidence]:
    """The pieces of the newest date, or the oldest, among those that bear on the question like the best.

    Where none of those has a date, all the evidence as it stands.
    """
    least_score = ALIKE_EVIDENCE * max((item.score for item in evidence), default=0.0)
    least_held = ALIKE_COVERAGE * max((item.coverage for item in evidence), default=0.0)
    alike = [item for item in evidence if item.score >= least_score and item.coverage >= least_held]
    dated = [(day, item) for item in alike if (day := _day(item.place.date, filters))]
    if not dated:
        return list(evidence)
    outermost = min((day for day, _ in dated), key=lambda day: _key(day, filters))
    return [item for day, item in dated if day == outermost]


def _drawn_up(hit: Hit, filters: Filters) -> Hit:
    return replace(hit, signals=replace(hit.signals, drawn_up=filters.order)) if hit.signals else hit


def _top(ranked: Sequence[Hit]) -> float:
    return max((item.score for item in ranked), default=0.0)


def _day(days: DateRange | None, filters: Filters) -> date | None:
    """The day that a passage counts by: its first, or for the oldest its last; None where that is to come."""
    if days is None or (filters.today and days.since > filters.today):
        return None
    return days.since if filters.order == "newest" else days.until


def _key(day: date | None, filters: Filters) -> int:
    number = day.toordinal() if day else 0
    return -number if filters.order == "newest" else number


def _rescored(order: Sequence[Hit], scores: Sequence[float], *, strictly: int) -> list[Hit]:
    """The passages in this order with these scores, which fall at least a little over the first `strictly`."""
    rescored: list[Hit] = []
    highest = 1.0
    for number, (hit, score) in enumerate(zip(order, scores, strict=True)):
        rescored.append(replace(hit, score=round(max(min(score, highest), 0.0), 6)))
        highest = rescored[-1].score - (STEP if number < strictly else 0.0)
    return rescored
