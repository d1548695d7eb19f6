"""The measures, by name, and what a share of questions is worth: its value with a 95 % interval.

Ranking measures are computed by ir-measures (trec_eval); this is the only module that imports it. Each question
contributes a `Tally` to each measure, so that one way of resampling serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ANSWERING",
    "LOWER_IS_BETTER",
    "NOTHING",
    "RETRIEVAL",
    "Estimate",
    "Tally",
    "differ",
    "estimate",
    "rank_tallies",
]

RETRIEVAL = ("recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")
ANSWERING = (
    "answer_hit",
    "list_share",
    "citation_precision",
    "quote_validity",
    "abstention_precision",
    "abstention_recall",
    "wrongly_abstained",
)
LOWER_IS_BETTER = frozenset({"wrongly_abstained"})

RESAMPLES = 2000
SEED = 20_240_607
"""Fixed, so that the same answers give the same interval."""


class Tally(NamedTuple):
    """What one question adds to a measure: `got` of `of`. A measure is the sum of `got` over the sum of `of`."""

    got: float
    of: float


NOTHING = Tally(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure over `n` questions with its 95 % interval; None where no question counts for it."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def rank_tallies(
    relevant: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Tally]]:
    """What every question adds to the ranking measures, by question and measure.

    `relevant` gives the grades of the items that answer each question (the qrels), `ranked` the items found, best
    first. A question for which nothing was found counts with 0.
    """
    from ir_measures import RR, R, iter_calc, nDCG

    names = dict(zip((R @ 1, R @ 5, R @ 10, RR @ 10, nDCG @ 10), RETRIEVAL, strict=True))
    qrels = {question: dict(grades) for question, grades in relevant.items()}
    run = {question: {item: -float(rank) for rank, item in enumerate(items)} for question, items in ranked.items()}
    tallies: dict[str, dict[str, Tally]] = {question: {} for question in qrels}
    for metric in iter_calc(list(names), qrels, run):
        tallies[metric.query_id][names[metric.measure]] = Tally(round(metric.value, 6), 1.0)
    return tallies


def estimate(tallies: Sequence[Tally]) -> Estimate:
    """The measure of these questions, with the percentile interval of 2,000 resamples of the questions.

    Where all questions agree the interval has no width: it tells of the spread among them, not of what is yet unseen.
    """
    counted = [tally for tally in tallies if tally.of]
    if not counted:
        return Estimate(None, None, None, 0)
    values = np.array(counted)
    low, high = _interval(_ratio(_resamples(len(values)) @ values))
    return Estimate(_share(counted), low, high, len(counted))


def differ(old: Sequence[Tally], new: Sequence[Tally]) -> Estimate:
    """New minus old over the same questions, with the interval of a paired bootstrap; question i is at i in both."""
    either = [(mine, theirs) for mine, theirs in zip(old, new, strict=True) if mine.of or theirs.of]
    before, after = _share([mine for mine, _ in either]), _share([theirs for _, theirs in either])
    if before is None or after is None:
        return Estimate(None, None, None, 0)
    weights = _resamples(len(either))
    mine, theirs = (np.array(side) for side in zip(*either, strict=True))
    low, high = _interval(_ratio(weights @ theirs) - _ratio(weights @ mine))
    return Estimate(round(after - before, 6), low, high, len(either))


def _share(tallies: Sequence[Tally]) -> float | None:
    of = sum(tally.of for tally in tallies)
    return round(sum(tally.got for tally in tallies) / of, 6) if of else None


def _resamples(n: int) -> NDArray[np.float64]:
    """How often each of n questions is drawn, shape (RESAMPLES, n); rows sum to n."""
    return np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares for sums of shape (RESAMPLES, 2); NaN for a resample in which no question counts."""
    with np.errstate(invalid="ignore"):
        ratio: NDArray[np.float64] = sums[:, 0] / sums[:, 1]
    return ratio


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return round(float(low), 6), round(float(high), 6)
