from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ragnotes.evaluation.judging import holds_evidence
from tests.evaluation.conftest import Run


def drafted(run: Run, *words: str) -> list[dict[str, object]]:
    code, out, err = run("eval", "--propose", *words)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("note", "kind", "text", "evidence", "answers"),
    [
        (
            "Read [the long paper](https://example.org/rag_(variants)/ 'title') twice.",
            "link",
            "What was the link for “the long paper”?",
            "https://example.org/rag_(variants)/",
            ["example.org/rag_(variants)"],
        ),
        (
            "| Cache | Rule |\n|---|---|\n| **Token** cache | any text |",
            "table",
            "What is the Rule of Token cache?",
            "| **Token** cache | any text |",
            ["any text"],
        ),
        (
            "## Drawers\n\n* missing text;\n* *bad* cut\n* wrong words",
            "list",
            "What is listed under “Drawers”?",
            "* missing text;",
            ["missing text", "bad cut", "wrong words"],
        ),
        (
            "The used graphics card cost 690 euros in cash.",
            "fact",
            "Which number is missing in “The used graphics card cost … euros in cash.”?",
            "The used graphics card cost 690 euros in cash.",
            ["690"],
        ),
        (
            "A long talk about programming by Peter Norvig in spring.",
            "fact",
            "Which name is missing in “A long talk about programming by … in spring.”?",
            "A long talk about programming by Peter Norvig in spring.",
            ["Peter Norvig"],
        ),
        (
            "## 7 January 2024\n\n* The **reranker** made dates worse than before.",
            "date",
            "When did I note “The reranker made dates worse than before”?",
            "* The **reranker** made dates worse than before.",
            ["7 January 2024", "January 7", "2024-01-07"],
        ),
    ],
    ids=["link", "table", "list", "number", "name", "date"],
)
def test_each_kind_of_content_gives_its_question(
    run: Run, note: str, kind: str, text: str, evidence: str, answers: list[str]
) -> None:
    shutil.rmtree("corpus/tech")
    Path("corpus/log-2024.md").write_text(f"# Note\n\n{note}\n")
    assert run("index")[0] == 0
    seeds = (drafted(run, "9", "--seed", str(seed)) for seed in range(6))
    by_text = {str(question["question"]): question for questions in seeds for question in questions}
    assert by_text[text] | {"id": ""} == {
        "id": "",
        "type": kind,
        "question": text,
        "note": "log-2024.md",
        "evidence": evidence,
        "answers": answers,
        "answerable": True,
    }


def test_all_that_was_noted_on_a_day_answers_what_was_noted_then(run: Run) -> None:
    shutil.rmtree("corpus/tech")
    Path("corpus/log-2024.md").write_text(
        "# Log\n\n## 7 January 2024\n\n* The reranker made dates worse.\n* A cold day without any snow.\n"
    )
    assert run("index")[0] == 0
    seeds = (drafted(run, "9", "--seed", str(seed)) for seed in range(6))
    asked = [question for drafts in seeds for question in drafts if "What did I note on" in str(question["question"])]
    assert {str(question["question"]) for question in asked} == {"What did I note on 7 January 2024?"}
    assert asked[0]["answers"] == ["The reranker made dates worse", "A cold day without any snow"]


@pytest.mark.parametrize(("name", "asked"), [("2024-01-07.md", True), ("theorem.md", False)])
def test_a_date_in_the_front_matter_alone_is_not_asked_for(run: Run, name: str, asked: bool) -> None:
    shutil.rmtree("corpus/tech")
    Path("corpus/log-2024.md").unlink()
    Path("corpus", name).write_text("---\ndate: 2024-01-07\n---\nEvery closed set of a compact space costs 12 euros.\n")
    assert run("index")[0] == 0
    assert (drafted(run, "1")[0]["type"] == "date") is asked


@pytest.mark.usefixtures("indexed")
def test_evidence_is_verbatim_and_no_two_drafts_share_it(run: Run) -> None:
    questions = drafted(run, "50")
    for question in questions:
        note = Path("corpus", str(question["note"])).read_text()
        assert holds_evidence([note], str(question["evidence"]))
        assert str(question["evidence"]) in note
        assert question["answers"]
    evidence = [question["evidence"] for question in questions]
    assert len(set(map(str, evidence))) == len(evidence)


@pytest.mark.usefixtures("indexed")
def test_the_same_seed_drafts_the_same_and_few_are_spread(run: Run) -> None:
    assert drafted(run, "5") == drafted(run, "5")
    assert drafted(run, "5", "--seed", "1") != drafted(run, "5")
    assert {question["type"] for question in drafted(run, "5")} == {"date", "fact", "link", "list", "table"}
    assert {question["note"] for question in drafted(run, "2")} == {"log-2024.md", "tech/caches.md"}


@pytest.mark.usefixtures("indexed")
def test_what_is_drafted_can_be_evaluated_as_it_stands(run: Run) -> None:
    code, out, err = run("eval", "--propose", "50", "--out", "drafts.jsonl")
    assert (code, out) == (0, "")
    assert "note: only " in err
    assert err.endswith("then run: ragnotes eval drafts.jsonl\n")
    assert run("eval", "drafts.jsonl", "--answers", "--no-llm")[0] == 0


@pytest.mark.usefixtures("indexed")
def test_a_file_is_overwritten_only_with_force(run: Run) -> None:
    Path("mine.jsonl").write_text("my own words")
    code, _, err = run("eval", "--propose", "3", "--out", "mine.jsonl")
    assert (code, Path("mine.jsonl").read_text()) == (2, "my own words")
    assert err == "error: mine.jsonl exists; name another file with --out, or overwrite it with --force\n"
    assert run("eval", "--propose", "3", "--out", "mine.jsonl", "--force")[0] == 0
    assert len(Path("mine.jsonl").read_text().splitlines()) == 3
    assert [file.name for file in Path().glob(".mine*")] == []


def test_what_two_places_would_answer_is_not_asked(run: Run) -> None:
    for name in ("a", "b"):
        Path("corpus", f"{name}.md").write_text(f"See [the same old words](https://example.org/{name}).\n")
    assert run("index")[0] == 0
    assert not [question for question in drafted(run, "50") if "same old words" in str(question["question"])]


def test_notes_that_give_no_question_are_an_error(run: Run) -> None:
    for note in Path("corpus").rglob("*.md"):
        note.write_text("Words.\n")
    assert run("index")[0] == 0
    code, out, err = run("eval", "--propose", "3")
    assert (code, out) == (1, "")
    assert err.startswith("error: no question can be drafted")
