"""The command as a person uses it: over a real index with an embedder that needs no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.conftest import CACHE, DRAWERS, NOWHERE, PRICE, Run, Write

RANKING = {"recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10"}


def report_of(run: Run, *words: str) -> dict[str, Any]:
    code, out, err = run("eval", *words, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.usefixtures("indexed")
def test_search_is_measured_over_answerable_questions(run: Run, write: Write) -> None:
    report = report_of(run, str(write(PRICE, CACHE, NOWHERE)))
    assert (report["questions"], report["answerable"]) == (3, 2)
    assert report["measures"].keys() == RANKING
    assert report["measures"]["recall@10"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 2}
    assert [result["rank"] for result in report["results"]] == [1, 1, None]
    assert report["types"]["fact"]["questions"] == 1
    assert report["modes"] == {}
    settings = report["settings"]
    assert (settings["embedder"], settings["generation"], settings["answers"]) == ("hashing-64", 2, False)


@pytest.mark.usefixtures("indexed")
def test_the_rank_is_that_of_the_first_hit_with_the_evidence(run: Run, write: Write) -> None:
    aside = PRICE | {"question": "Which cache needs an exact prefix, or any text?"}
    report = report_of(run, str(write(aside)))
    rank = report["results"][0]["rank"]
    assert rank > 1
    assert report["measures"]["mrr@10"]["value"] == pytest.approx(1 / rank, abs=1e-6)
    assert report["measures"]["recall@1"]["value"] == 0


@pytest.mark.usefixtures("indexed")
def test_answers_are_judged_too(run: Run, write: Write) -> None:
    report = report_of(run, str(write(PRICE, CACHE, NOWHERE)), "--answers", "--no-llm")
    values = {name: found["value"] for name, found in report["measures"].items()}
    assert {name: values[name] for name in values.keys() - RANKING} == {
        "answer_hit": 1,
        "citation_precision": 1,
        "quote_validity": 1,
        "abstention_precision": 1,
        "abstention_recall": 1,
        "wrongly_abstained": 0,
    }
    assert report["modes"] == {"generated": 0, "extractive": 2, "abstained": 1}
    assert report["latency_ms"].keys() == {"search", "answer"}
    assert "690" in report["results"][0]["answer"]


@pytest.mark.usefixtures("indexed")
def test_questions_that_went_wrong_are_named(run: Run, write: Write) -> None:
    elsewhere: dict[str, object] = {"note": "log-2024.md", "evidence": "in a parking lot", "answers": ["parking"]}
    abstained = NOWHERE | elsewhere | {"answerable": True}
    code, out, _ = run("eval", str(write(PRICE | {"answerable": False}, abstained)), "--answers", "--no-llm")
    assert code == 0
    assert "wrongly abstained: 1 (q4)\n" in out
    assert "answered though the notes do not say: 1 (q1)\n" in out
    assert "answers: 0 generated, 1 extractive, 1 abstained\n" in out


@pytest.mark.usefixtures("indexed")
def test_a_question_without_answers_counts_for_search_alone(run: Run, write: Write) -> None:
    report = report_of(run, str(write(PRICE | {"answers": []})), "--answers", "--no-llm")
    assert "answer_hit" not in report["measures"]
    assert report["measures"]["recall@1"]["n"] == 1


@pytest.mark.usefixtures("indexed")
def test_figures_are_printed_in_columns(run: Run, write: Write) -> None:
    code, out, err = run("eval", str(write(PRICE, CACHE, NOWHERE)))
    assert (code, err) == (0, "")
    assert out == (
        "3 questions, 2 answerable · hashing-64 · generation 2\n"
        "\n"
        "measure    value   95 % interval  n\n"
        "recall@1   1.000  1.000 to 1.000  2\n"
        "recall@5   1.000  1.000 to 1.000  2\n"
        "recall@10  1.000  1.000 to 1.000  2\n"
        "mrr@10     1.000  1.000 to 1.000  2\n"
        "ndcg@10    1.000  1.000 to 1.000  2\n"
        "\n"
        "type   n  recall@1  recall@5  mrr@10\n"
        "fact   1     1.000     1.000   1.000\n"
        "table  1     1.000     1.000   1.000\n"
    )


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"evidence": "691 euros"}, "error: the evidence of q1 is nowhere in the index; copy it"),
        ({"note": "log-2023.md"}, "error: the index does not hold the note of q1; correct `note`"),
        ({"note": "2024.md"}, "error: the index does not hold the note of q1"),
    ],
)
def test_what_no_system_could_find_is_an_error_and_no_zero(
    run: Run, write: Write, change: dict[str, object], problem: str
) -> None:
    code, out, err = run("eval", str(write(PRICE | change, CACHE)))
    assert (code, out) == (1, "")
    assert err.startswith(problem)


@pytest.mark.usefixtures("indexed")
def test_evidence_that_a_border_cuts_in_two_is_a_miss_and_no_error(run: Run, write: Write) -> None:
    across = "three right instead of five. ## 16 March 2024 * Bought the used graphics card"
    assert report_of(run, str(write(PRICE | {"evidence": across})))["measures"]["recall@10"]["value"] == 0
    assert "not among the first 10: 1 (q1)\n" in run("eval", "questions.jsonl")[1]


def test_without_an_index_the_exit_code_is_4(run: Run, write: Write) -> None:
    for words in (("eval", str(write(PRICE))), ("eval", "--propose", "3")):
        code, out, err = run(*words)
        assert (code, out) == (4, "")
        assert err == "error: there is no index in indexes/default; run: ragnotes index\n"


@pytest.mark.usefixtures("indexed")
def test_stale_files_are_named_on_stderr(run: Run, write: Write) -> None:
    Path("corpus/new.md").write_text("New words.\n")
    code, out, err = run("eval", str(write(PRICE)))
    assert code == 0
    assert err == "note: new.md changed since the notes were indexed; run: ragnotes index\n"
    assert out.startswith("1 question, ")


@pytest.mark.usefixtures("indexed")
def test_a_floor_that_is_missed_is_named_and_exits_1(run: Run, write: Write) -> None:
    file = str(write(PRICE, PRICE | {"id": "q5", "question": "Which cache needs an exact prefix, or any text?"}))
    assert run("eval", file, "--fail-under", "recall@1=0.5", "--fail-under", "recall@10=1")[0] == 0
    code, out, err = run("eval", file, "--fail-under", "recall@1=0.6", "--fail-under", "recall@10=1")
    assert (code, err) == (1, "note: recall@1 is 0.500, under 0.6\n")
    assert out.startswith("2 questions")


@pytest.mark.usefixtures("indexed")
def test_an_earlier_report_is_compared_question_by_question(run: Run, write: Write) -> None:
    old = Path("old.json")
    old.write_text(run("eval", str(write(PRICE | {"question": "exact prefix, any text?"}, CACHE)), "--json")[1])
    code, out, err = run("eval", str(write(PRICE, CACHE, DRAWERS)), "--compare", "old.json")
    assert code == 0
    assert err.startswith("note: the questions have changed since; compared are the 1 ")
    assert "over 1 common questions" in out
    assert "recall@1   +0.000  +0.000 to +0.000  1  no difference\n" in out
    compared = report_of(run, "questions.jsonl", "--compare", "old.json")["comparison"]
    assert (compared["questions"], compared["same_file"]) == (1, False)
    assert compared["measures"]["mrr@10"]["verdict"] == "no difference"


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize("content", ["{}", "no json", '{"settings": 1}'])
def test_what_is_no_report_cannot_be_compared_with(run: Run, write: Write, content: str) -> None:
    Path("old.json").write_text(content)
    code, _, err = run("eval", str(write(PRICE)), "--compare", "old.json")
    assert code == 1
    assert err.startswith("error: old.json is no report of an evaluation")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "eval needs either FILE or --propose N"),
        (("questions.jsonl", "--propose", "3"), "eval needs either FILE or --propose N"),
        (("--propose", "0"), "'--propose'"),
        (("--propose", "3", "--answers"), "--propose goes with --out, --seed and --force alone"),
        (("questions.jsonl", "--out", "x"), "--out and --force go with --propose"),
        (("questions.jsonl", "--fail-under", "speed=1"), "there is no measure 'speed'; there are recall@1, "),
        (("questions.jsonl", "--fail-under", "answer_hit=1"), "--fail-under answer_hit needs answers"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(run: Run, words: tuple[str, ...], problem: str) -> None:
    code, out, err = run("eval", *words)
    assert (code, out) == (2, "")
    assert problem in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_missing_question_file_is_one_line_and_1(run: Run) -> None:
    code, out, err = run("eval", "none.jsonl")
    assert (code, out) == (1, "")
    assert err == "error: none.jsonl cannot be read: No such file or directory; check its name and permissions\n"
