"""Questions whose answers are known to the calibration of one's own index: when to answer, and how sure that is.

Only two numbers and a threshold are fitted, not the clues' weights: a person has tens of questions, not thousands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ragnotes.calibration import SHIPPED, Calibration
from ragnotes.errors import EvaluationError
from ragnotes.evaluation.outcomes import Outcome

__all__ = [
    "MIN_ANSWERABLE",
    "MIN_UNANSWERABLE",
    "Calibrated",
    "CalibratedJson",
    "calibrate",
    "calibrated_json",
    "calibrated_lines",
    "check_numbers",
]

MIN_ANSWERABLE, MIN_UNANSWERABLE = 20, 10
"""With fewer, one question moves a share by more than what is to be measured."""
MOST_FALSE = 0.05
"""The share of answerable questions that may be abstained from, where it is reached without losing abstentions."""
MOST_FALSE_AT_ALL = 0.08
PRIOR = 1.0
"""The standard deviation that slope and shift are taken to have around what was shipped, in log-odds."""
STEPS = 50
Z = 1.96


@dataclass(frozen=True, slots=True)
class Shares:
    """Questions abstained from, of the answerable and of the unanswerable ones, and from which confidence on."""

    threshold: float
    falsely: int
    answerable: int
    rightly: int
    unanswerable: int


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration, and what it changes on the questions that it was fitted to."""

    calibration: Calibration
    before: Shares
    after: Shares


class ShareJson(BaseModel):
    """A share of `n` questions with its 95 % interval; None where there are none."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None
    high: float | None
    n: int


class SharesJson(BaseModel):
    model_config = ConfigDict(frozen=True)

    threshold: float
    abstention: ShareJson
    false_abstention: ShareJson


class CalibratedJson(BaseModel):
    """What `eval --calibrate` did."""

    model_config = ConfigDict(frozen=True)

    threshold: float
    slope: float
    shift: float
    before: SharesJson
    after: SharesJson


def calibrate(outcomes: Sequence[Outcome], current: Calibration | None, *, fitted_at: str) -> Calibrated:
    """The calibration for these questions, asked and answered while `current` (None: the shipped one) held.

    With answerable questions alone, which cannot tell how much is abstained from, the threshold is where 5 % of them
    would be, and the rest stays as it was shipped. Raises EvaluationError on too few questions.
    """
    answerable, unanswerable = check_numbers([outcome.question.answerable for outcome in outcomes])
    now = current or SHIPPED
    judged = [outcome for outcome in outcomes if _confidence(outcome) is not None]
    scores = np.array([now.log_odds(_confidence(outcome) or 0.0) for outcome in judged])
    labels = np.array([outcome.question.answerable for outcome in judged])
    if not labels.sum() or (unanswerable and labels.all()):
        raise EvaluationError("what these questions ask for is told without a score", "ask for facts as well")
    slope, shift = _fitted(scores, labels) if unanswerable else (SHIPPED.slope, SHIPPED.shift)
    drawn = Calibration(0.5, slope, shift, answerable, unanswerable, fitted_at)
    threshold = _threshold(np.array([drawn.confidence(score) for score in scores.tolist()]), labels)
    fitted = Calibration(threshold, slope, shift, answerable, unanswerable, fitted_at)
    return Calibrated(fitted, _shares(outcomes, now, now), _shares(outcomes, now, fitted))


def check_numbers(answerable_or_not: Sequence[bool]) -> tuple[int, int]:
    """How many questions are answerable, and how many are not. Raises EvaluationError where they are too few."""
    answerable = sum(answerable_or_not)
    unanswerable = len(answerable_or_not) - answerable
    if answerable < MIN_ANSWERABLE:
        raise EvaluationError(
            f"{answerable} answerable questions are too few to calibrate by, {MIN_ANSWERABLE} are needed",
            f"draft more: ragnotes eval --propose {MIN_ANSWERABLE}",
        )
    if 0 < unanswerable < MIN_UNANSWERABLE:
        raise EvaluationError(
            f"{unanswerable} questions that the notes do not answer are too few to calibrate by,"
            f" {MIN_UNANSWERABLE} are needed",
            'write more of them, with "answerable": false, or leave them all out',
        )
    return answerable, unanswerable


def _confidence(outcome: Outcome) -> float | None:
    """None where no score decided: what was noted at some time is told, or nothing bears on the question at all."""
    answer = outcome.answer
    return answer.confidence if answer is not None and answer.confidence else None


def _fitted(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift of the logistic curve through the labels, both classes weighing alike, by Newton's method.

    Drawn towards what was shipped, the more the fewer questions there are.
    Source: Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    rows = np.stack([scores, np.ones_like(scores)], axis=1)
    each = np.where(labels, len(labels) / (2 * labels.sum()), len(labels) / (2 * (~labels).sum()))
    start = np.array([SHIPPED.slope, SHIPPED.shift])
    found = start.copy()
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -50, 50)))
        slope = rows.T @ (each * (chance - labels)) + (found - start) / PRIOR**2
        curve = (rows * (each * chance * (1 - chance))[:, None]).T @ rows + np.eye(2) / PRIOR**2
        step = np.linalg.solve(curve, slope)
        found = found - np.clip(step, -1, 1)
    return round(max(float(found[0]), 0.1), 4), round(float(found[1]), 4)


def _threshold(confidences: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """The confidence from which on to answer: halfway between two questions, or just under the lowest one.

    Of all, the one that loses least: it abstains from the most unanswerable questions, less the answerable ones; where
    more of these than may be would be lost, the highest that loses no more.
    """
    answerable, other = np.sort(confidences[labels]), np.sort(confidences[~labels])
    values = np.unique(confidences)
    cuts = [float(values[0]) / 2, *((values[1:] + values[:-1]) / 2).tolist()]
    most = MOST_FALSE_AT_ALL if len(other) else MOST_FALSE

    def lost(cut: float) -> float:
        return float(np.mean(answerable < cut))

    def gained(cut: float) -> float:
        return float(np.mean(other < cut)) if len(other) else lost(cut)

    allowed = [cut for cut in cuts if lost(cut) <= most]
    best: float = max(allowed, key=lambda cut: (gained(cut) - (lost(cut) if len(other) else 0.0), cut))
    return min(max(round(best, 4), 0.0001), 0.9999)


def _shares(outcomes: Sequence[Outcome], asked_with: Calibration, judged_by: Calibration) -> Shares:
    abstained = [_abstains(outcome, asked_with, judged_by) for outcome in outcomes]
    labels = [outcome.question.answerable for outcome in outcomes]
    falsely = sum(no and known for no, known in zip(abstained, labels, strict=True))
    return Shares(judged_by.threshold, falsely, sum(labels), sum(abstained) - falsely, len(labels) - sum(labels))


def _abstains(outcome: Outcome, asked_with: Calibration, judged_by: Calibration) -> bool:
    assert outcome.answer is not None  # they were asked for
    confidence = _confidence(outcome)
    if confidence is None:
        return not outcome.answer.answered
    return judged_by.confidence(asked_with.log_odds(confidence)) < judged_by.threshold


def calibrated_json(found: Calibrated) -> CalibratedJson:
    fitted = found.calibration
    return CalibratedJson(
        threshold=fitted.threshold,
        slope=fitted.slope,
        shift=fitted.shift,
        before=_shares_json(found.before),
        after=_shares_json(found.after),
    )


def calibrated_lines(found: CalibratedJson) -> list[str]:
    """What changed, a line each."""
    before, after = found.before, found.after
    rows = [
        f"threshold         {before.threshold:.3f} -> {after.threshold:.3f}",
        f"abstention        {_told(before.abstention)} -> {_told(after.abstention)}",
        f"false abstention  {_told(before.false_abstention)} -> {_told(after.false_abstention)}",
    ]
    if not after.abstention.n:
        rows[1] = "abstention        not known: every question has its answer in the notes"
    return rows


def _shares_json(shares: Shares) -> SharesJson:
    return SharesJson(
        threshold=shares.threshold,
        abstention=_share(shares.rightly, shares.unanswerable),
        false_abstention=_share(shares.falsely, shares.answerable),
    )


def _share(count: int, n: int) -> ShareJson:
    """Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927."""
    if not n:
        return ShareJson(value=None, low=None, high=None, n=0)
    share = count / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return ShareJson(
        value=round(share, 4), low=round(max(middle - half, 0.0), 4), high=round(min(middle + half, 1.0), 4), n=n
    )


def _told(share: ShareJson) -> str:
    if share.value is None:
        return "-"
    return f"{share.value:.3f} ({round(share.value * share.n)} of {share.n}; {share.low:.3f} to {share.high:.3f})"
