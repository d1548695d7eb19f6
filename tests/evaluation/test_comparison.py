from __future__ import annotations

import pytest

from ragnotes.errors import EvaluationError, UsageError
from ragnotes.evaluation.comparison import compare, missed, parse_floors
from ragnotes.evaluation.report import MeasureJson, ReportJson, ResultJson, SettingsJson


def report(*hits: float, first: int = 0, measure: str = "recall@1", **settings: str) -> ReportJson:
    """A report whose question i gives hits[i] to the measure."""
    known = {"sha256": "a", "embedder": "small", "source": "q.jsonl", "ragnotes": "1", "chunker": "c"} | settings
    value = sum(hits) / len(hits) if hits else None
    return ReportJson(
        settings=SettingsJson(generation=1, answers=True, llm=False, model=None, **known),
        questions=len(hits),
        answerable=len(hits),
        measures={measure: MeasureJson(value=value, low=value, high=value, n=len(hits))} if hits else {},
        types={},
        modes={},
        latency_ms={},
        results=[
            ResultJson(
                id=f"q{number}",
                type="fact",
                question=f"Question {number}?",
                answerable=True,
                rank=None,
                search_ms=1,
                tallies={measure: (hit, 1)},
            )
            for number, hit in enumerate(hits, start=first)
        ],
    )


def test_a_gain_that_resampling_does_not_undo_is_better_and_its_loss_worse() -> None:
    low, high = report(*[0] * 20, *[1] * 20), report(*[1] * 40)
    gain = compare(low, high).measures["recall@1"]
    assert (gain.difference, gain.n, gain.verdict) == (0.5, 40, "better")
    assert compare(high, low).measures["recall@1"].verdict == "worse"


def test_what_could_be_chance_is_no_difference() -> None:
    changed = compare(report(*[0, 1] * 20), report(*[1, 1], *[0, 1] * 19))
    assert changed.measures["recall@1"].difference == 0.025
    assert changed.measures["recall@1"].verdict == "no difference"


def test_fewer_wrong_abstentions_are_better() -> None:
    before, after = (report(*[hit] * 10, measure="wrongly_abstained") for hit in (1, 0))
    assert compare(before, after).measures["wrongly_abstained"].verdict == "better"


def test_only_common_questions_count_and_a_reworded_one_is_another() -> None:
    old, new = report(1, 1, 1), report(0, 0, 0, first=2, sha256="b")
    changed = compare(old, new)
    assert (changed.questions, changed.same_file) == (1, False)
    assert changed.measures["recall@1"].difference == -1
    reworded = old.model_copy(
        update={"results": [result.model_copy(update={"question": "Else?"}) for result in old.results]}
    )
    with pytest.raises(EvaluationError, match="have no question in common"):
        compare(reworded, old)


def test_what_one_report_does_not_measure_is_not_compared_and_settings_that_changed_are_told() -> None:
    changed = compare(report(1), report(1, measure="answer_hit", embedder="large"))
    assert changed.measures == {}
    assert changed.changed_settings == {"embedder": ("small", "large")}


def test_floors_name_each_measure_that_falls_short() -> None:
    floors = parse_floors(["Recall@1=0.8", "mrr@10=0.1", "wrongly_abstained=0.1"], answers=True)
    assert missed(report(1, 0), floors) == [
        "recall@1 is 0.500, under 0.8",
        "mrr@10 is not measured: no question counts for it",
        "wrongly_abstained is not measured: no question counts for it",
    ]
    assert missed(report(1, 0), {"recall@1": 0.5}) == []
    assert missed(report(1, 0, measure="wrongly_abstained"), floors)[-1] == "wrongly_abstained is 0.500, over 0.1"


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("recall@7=0.5", r"there is no measure 'recall@7'; there are recall@1, recall@5, .*wrongly_abstained"),
        ("recall@5", "gives no number; write recall@5=0.9"),
        ("recall@5=high", "gives no number"),
        ("recall@5=90", "90 is no share"),
        ("recall@5=nan", "nan is no share"),
        ("answer_hit=0.5", "needs answers; add --answers"),
    ],
)
def test_a_floor_that_cannot_be_used_is_a_usage_error(word: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_floors([word], answers=False)
