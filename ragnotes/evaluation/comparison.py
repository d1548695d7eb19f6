"""Two reports over the same questions: which measures differ, and by more than chance would have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ragnotes.errors import EvaluationError, UsageError
from ragnotes.evaluation.measures import ANSWERING, LOWER_IS_BETTER, NOTHING, RETRIEVAL, Estimate, Tally, differ
from ragnotes.evaluation.report import ReportJson, ResultJson

__all__ = ["ComparisonJson", "DifferenceJson", "compare", "missed", "parse_floors"]

Verdict = Literal["better", "worse", "no difference"]


class DifferenceJson(BaseModel):
    """New minus old, over `n` questions that both have; `low` and `high` bound its 95 % interval."""

    model_config = ConfigDict(frozen=True)

    difference: float
    low: float
    high: float
    n: int
    verdict: Verdict


class ComparisonJson(BaseModel):
    """What changed since the earlier report. `same_file` says that its questions were these to the letter."""

    model_config = ConfigDict(frozen=True)

    questions: int
    same_file: bool
    changed_settings: dict[str, tuple[str, str]]
    measures: dict[str, DifferenceJson]


def compare(old: ReportJson, new: ReportJson) -> ComparisonJson:
    """How `new` differs from `old` in each measure that both have, by paired bootstrap over their common questions.

    A question is common if its id and its words are. Raises EvaluationError where none is.
    """
    before = {(result.id, result.question): result for result in old.results}
    pairs = [(before[key], result) for result in new.results if (key := (result.id, result.question)) in before]
    if not pairs:
        raise EvaluationError(
            f"{old.settings.source} and {new.settings.source} have no question in common",
            "compare two evaluations of the same questions",
        )
    found = {
        name: differ(_tallies(name, [pair[0] for pair in pairs]), _tallies(name, [pair[1] for pair in pairs]))
        for name in RETRIEVAL + ANSWERING
    }
    return ComparisonJson(
        questions=len(pairs),
        same_file=old.settings.sha256 == new.settings.sha256,
        changed_settings=_changed_settings(old, new),
        measures={name: shown for name, estimate in found.items() if (shown := _difference(name, estimate))},
    )


def parse_floors(words: Sequence[str], *, answers: bool) -> dict[str, float]:
    """Measures and the least each must reach, from `recall@5=0.9`. Raises UsageError.

    Of a measure that is better when lower it is the most it may reach.
    """
    floors: dict[str, float] = {}
    for word in words:
        name, _, number = word.partition("=")
        name = name.strip().lower()
        if name not in RETRIEVAL + ANSWERING:
            raise UsageError(
                f"--fail-under: there is no measure {name!r}", f"there are {', '.join(RETRIEVAL + ANSWERING)}"
            )
        if name in ANSWERING and not answers:
            raise UsageError(f"--fail-under {name} needs answers", "add --answers")
        try:
            floors[name] = float(number)
        except ValueError:
            raise UsageError(f"--fail-under: {word!r} gives no number", f"write {name}=0.9") from None
        if not 0 <= floors[name] <= 1:
            raise UsageError(f"--fail-under: {number} is no share", "give a number from 0 to 1")
    return floors


def missed(report: ReportJson, floors: Mapping[str, float]) -> list[str]:
    """A line for each measure that falls short; one that no question counts for does."""
    lines = []
    for name, floor in floors.items():
        measure = report.measures.get(name)
        if measure is None or measure.value is None:
            lines.append(f"{name} is not measured: no question counts for it")
        elif name in LOWER_IS_BETTER and measure.value > floor:
            lines.append(f"{name} is {measure.value:.3f}, over {floor:g}")
        elif name not in LOWER_IS_BETTER and measure.value < floor:
            lines.append(f"{name} is {measure.value:.3f}, under {floor:g}")
    return lines


def _tallies(name: str, results: Sequence[ResultJson]) -> list[Tally]:
    return [Tally(*result.tallies.get(name, NOTHING)) for result in results]


def _difference(name: str, found: Estimate) -> DifferenceJson | None:
    if found.value is None or found.low is None or found.high is None:
        return None
    verdict: Verdict = "no difference"
    if found.low > 0 or found.high < 0:
        verdict = "better" if (found.value > 0) != (name in LOWER_IS_BETTER) else "worse"
    return DifferenceJson(difference=found.value, low=found.low, high=found.high, n=found.n, verdict=verdict)


def _changed_settings(old: ReportJson, new: ReportJson) -> dict[str, tuple[str, str]]:
    before, after = old.settings.model_dump(), new.settings.model_dump()
    names = ("ragnotes", "embedder", "chunker", "llm", "model", "calibration")
    return {name: (str(before[name]), str(after[name])) for name in names if before[name] != after[name]}
