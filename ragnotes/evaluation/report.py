"""Outcomes to a report: every figure with its interval, every question with its rank, and the settings they hold for.

A report is what `--json` prints and what `--compare` reads again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ragnotes import __version__
from ragnotes.answers import Mode
from ragnotes.calibration import Calibration
from ragnotes.errors import EvaluationError
from ragnotes.evaluation.measures import ANSWERING, NOTHING, RETRIEVAL, Tally, estimate
from ragnotes.evaluation.outcomes import Outcome
from ragnotes.evaluation.questions import QuestionSet, read_text
from ragnotes.types import Manifest

__all__ = ["MeasureJson", "ReportJson", "ResultJson", "SettingsJson", "read_report", "report_of"]


class MeasureJson(BaseModel):
    """A measure over `n` questions; `low` and `high` bound its 95 % interval. None where no question counts."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None
    high: float | None
    n: int


class TypeJson(BaseModel):
    """The questions of one type."""

    model_config = ConfigDict(frozen=True)

    questions: int
    measures: dict[str, float]


class LatencyJson(BaseModel):
    model_config = ConfigDict(frozen=True)

    p50: float
    p95: float


class ResultJson(BaseModel):
    """One question: the rank of the first relevant hit, the answer, and what it adds to each measure (got, of)."""

    model_config = ConfigDict(frozen=True)

    id: str
    type: str
    question: str
    answerable: bool
    rank: int | None
    search_ms: float
    tallies: dict[str, tuple[float, float]]
    mode: Mode | None = None
    answer: str | None = None
    answer_ms: float | None = None


class SettingsJson(BaseModel):
    """What the figures hold for. `model` wrote at least one of the answers; None where none did.

    `calibration` says what the index was calibrated by; None where it was not.
    """

    model_config = ConfigDict(frozen=True)

    ragnotes: str
    source: str
    sha256: str
    embedder: str
    chunker: str
    generation: int
    answers: bool
    llm: bool
    model: str | None
    calibration: str | None = None


class ReportJson(BaseModel):
    """All figures of one evaluation."""

    model_config = ConfigDict(frozen=True)

    settings: SettingsJson
    questions: int
    answerable: int
    measures: dict[str, MeasureJson]
    types: dict[str, TypeJson]
    modes: dict[str, int]
    latency_ms: dict[str, LatencyJson]
    results: list[ResultJson]


def report_of(
    asked: QuestionSet,
    outcomes: Sequence[Outcome],
    *,
    manifest: Manifest,
    generation: int,
    answers: bool,
    llm: bool,
    calibration: Calibration | None = None,
) -> ReportJson:
    """The report of these outcomes; measures that no question counts for are left out of it."""
    models = {outcome.answer.model for outcome in outcomes if outcome.answer and outcome.answer.model}
    return ReportJson(
        settings=SettingsJson(
            ragnotes=__version__,
            source=asked.source,
            sha256=asked.sha256,
            embedder=manifest.embedder,
            chunker=manifest.chunker,
            generation=generation,
            answers=answers,
            llm=answers and llm,
            model=min(models, default=None),
            calibration=calibration.origin if calibration else None,
        ),
        questions=len(outcomes),
        answerable=sum(outcome.question.answerable for outcome in outcomes),
        measures=_measures(outcomes),
        types=_types(outcomes),
        modes=_modes(outcomes),
        latency_ms=_latency(outcomes),
        results=[_result(outcome) for outcome in outcomes],
    )


def read_report(file: Path) -> ReportJson:
    """The report that `--json` printed into this file. Raises EvaluationError on anything else."""
    try:
        return ReportJson.model_validate_json(read_text(file))
    except ValidationError as error:
        problem = error.errors()[0]
        raise EvaluationError(
            f"{file} is no report of an evaluation: {'.'.join(map(str, problem['loc']))} {problem['msg']}".strip(),
            "make one: ragnotes eval FILE --json > OLD.json",
        ) from None


def _measures(outcomes: Sequence[Outcome]) -> dict[str, MeasureJson]:
    estimates = {
        name: estimate([outcome.tallies.get(name, NOTHING) for outcome in outcomes]) for name in RETRIEVAL + ANSWERING
    }
    return {name: MeasureJson(**asdict(found)) for name, found in estimates.items() if found.n}


def _types(outcomes: Sequence[Outcome]) -> dict[str, TypeJson]:
    """The types in the order of the file, with the shares of their questions."""
    types: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        types.setdefault(outcome.question.type, []).append(outcome)
    return {
        name: TypeJson(questions=len(members), measures=_shares([member.tallies for member in members]))
        for name, members in types.items()
    }


def _shares(tallies: Sequence[Mapping[str, Tally]]) -> dict[str, float]:
    sums = {
        name: [sum(part) for part in zip(*(each.get(name, NOTHING) for each in tallies), strict=True)]
        for name in RETRIEVAL + ANSWERING
    }
    return {name: round(got / of, 6) for name, (got, of) in sums.items() if of}


def _modes(outcomes: Sequence[Outcome]) -> dict[str, int]:
    modes = [outcome.answer.mode for outcome in outcomes if outcome.answer]
    return {mode.value: modes.count(mode) for mode in Mode} if modes else {}


def _latency(outcomes: Sequence[Outcome]) -> dict[str, LatencyJson]:
    times = {
        "search": [outcome.search_ms for outcome in outcomes],
        "answer": [outcome.answer_ms for outcome in outcomes if outcome.answer_ms is not None],
    }
    return {
        name: LatencyJson(p50=round(float(p50), 1), p95=round(float(p95), 1))
        for name, found in times.items()
        if found
        for p50, p95 in [np.percentile(found, [50, 95])]
    }


def _result(outcome: Outcome) -> ResultJson:
    question, answer = outcome.question, outcome.answer
    return ResultJson(
        id=question.id,
        type=question.type,
        question=question.text,
        answerable=question.answerable,
        rank=outcome.rank if question.answerable else None,
        search_ms=outcome.search_ms,
        tallies={name: (tally.got, tally.of) for name, tally in outcome.tallies.items()},
        mode=answer.mode if answer else None,
        answer=answer.text if answer else None,
        answer_ms=outcome.answer_ms,
    )
