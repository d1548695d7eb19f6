"""What a calibration is fitted to, and what it changes: values, on made-up confidences."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ragnotes.answers import NO_FILTERS, Answer, Mode
from ragnotes.calibration import SHIPPED, Calibration
from ragnotes.errors import EvaluationError
from ragnotes.evaluation.calibrating import calibrate, calibrated_json, calibrated_lines
from ragnotes.evaluation.outcomes import Outcome
from ragnotes.evaluation.questions import Question

NOW = "2026-11-21T12:00:00+00:00"


def outcome(number: int, confidence: float | None, *, answerable: bool, answered: bool | None = None) -> Outcome:
    """A question asked under the shipped calibration; without a confidence, `answered` says what came of it."""
    answers = answered if answered is not None else (confidence or 0.0) >= SHIPPED.threshold
    answer = Answer(
        question="?",
        mode=Mode.EXTRACTIVE if answers else Mode.ABSTAINED,
        reason=None if answers else "low_support",
        sentences=(),
        citations=(),
        passages=(),
        filters=NO_FILTERS,
        model=None,
        generation=1,
        timings_ms={},
        usage={},
        confidence=confidence,
    )
    question = Question(str(number), "?", evidence="x" if answerable else "", answerable=answerable)
    return Outcome(question, 1, 1.0, {}, answer, 1.0)


def outcomes(answerable: Sequence[float], unanswerable: Sequence[float]) -> list[Outcome]:
    return [outcome(n, confidence, answerable=True) for n, confidence in enumerate(answerable)] + [
        outcome(100 + n, confidence, answerable=False) for n, confidence in enumerate(unanswerable)
    ]


def test_the_threshold_comes_between_what_the_notes_hold_and_what_they_do_not() -> None:
    known, unknown = [0.2 + 0.01 * n for n in range(20)], [0.05 + 0.01 * n for n in range(10)]
    found = calibrate(outcomes(known, unknown), None, fitted_at=NOW)
    after = calibrated_json(found).after
    assert (after.false_abstention.value, after.abstention.value) == (0.0, 1.0)
    fitted = found.calibration
    assert fitted.confidence(SHIPPED.log_odds(0.14)) < fitted.threshold < fitted.confidence(SHIPPED.log_odds(0.2))
    assert (fitted.answerable, fitted.unanswerable, fitted.fitted_at) == (20, 10, NOW)


def test_a_confidence_is_nearer_the_truth_after_fitting() -> None:
    low = [0.02 + 0.001 * n for n in range(20)]
    fitted = calibrate(outcomes([*low[10:], *[0.1] * 10], low[:10]), None, fitted_at=NOW).calibration
    assert fitted.confidence(SHIPPED.log_odds(0.1)) > 0.1


def test_answerable_questions_alone_lose_at_most_one_in_twenty() -> None:
    known = [0.01 * n for n in range(1, 41)]
    found = calibrate(outcomes(known, []), None, fitted_at=NOW)
    assert calibrated_json(found).after.false_abstention.value == 0.05
    assert (found.calibration.slope, found.calibration.shift) == (SHIPPED.slope, SHIPPED.shift)
    assert calibrated_lines(calibrated_json(found))[1] == (
        "abstention        not known: every question has its answer in the notes"
    )


def test_what_a_rule_decided_stays_and_is_not_fitted_to() -> None:
    known, unknown = [0.7] * 20, [0.3] * 10
    ruled = [outcome(200, 0.0, answerable=True), outcome(201, None, answerable=False, answered=True)]
    alone = calibrate(outcomes(known, unknown), None, fitted_at=NOW)
    both = calibrate([*outcomes(known, unknown), *ruled], None, fitted_at=NOW)
    assert both.calibration.threshold == alone.calibration.threshold
    after = calibrated_json(both).after
    assert (after.false_abstention.n, after.false_abstention.value) == (21, round(1 / 21, 4))
    assert (after.abstention.n, after.abstention.value) == (11, round(10 / 11, 4))


def test_a_second_fit_starts_from_what_was_shipped() -> None:
    known, unknown = [0.3 + 0.01 * n for n in range(20)], [0.1 + 0.01 * n for n in range(12)]
    first = calibrate(outcomes(known, unknown), None, fitted_at=NOW).calibration

    def asked_again(confidences: Sequence[float]) -> list[float]:
        return [first.confidence(SHIPPED.log_odds(confidence)) for confidence in confidences]

    again = calibrate(outcomes(asked_again(known), asked_again(unknown)), first, fitted_at=NOW).calibration
    assert again.slope == pytest.approx(first.slope, abs=0.01)
    assert again.threshold == pytest.approx(first.threshold, abs=0.01)


@pytest.mark.parametrize(
    ("answerable", "unanswerable", "words"),
    [(19, 10, "19 answerable questions are too few"), (20, 9, "9 questions that the notes do not answer are too few")],
)
def test_too_few_questions_are_refused(answerable: int, unanswerable: int, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        calibrate(outcomes([0.7] * answerable, [0.3] * unanswerable), None, fitted_at=NOW)


def test_confidences_survive_the_way_to_log_odds_and_back() -> None:
    fitted = Calibration(0.4, slope=2.0, shift=-0.5)
    assert [fitted.confidence(fitted.log_odds(value)) for value in (0.0001, 0.3, 0.9999)] == [0.0001, 0.3, 0.9999]
    assert 0 < fitted.log_odds(1.0) < 10
