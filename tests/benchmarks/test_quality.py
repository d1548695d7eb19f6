from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from benchmarks.quality.__main__ import main
from benchmarks.quality.perturbation import KINDS, Case, cases, gold_claims
from benchmarks.quality.statements import shortened, statement
from benchmarks.quality.verdicts import Share, judge
from ragnotes.answers import Support
from ragnotes.evaluation.questions import Question
from ragnotes.stores.local import LocalStore
from tests.asking.stage import index_notes

CORPUS = Path(__file__).parents[2] / "corpus"
NOTE = (
    "# Pumps\n\nSavery developed 3 water pumps in 1698. Watt was born in Greenock in 1736, a port of Scotland. "
    "Newcomen sold 12 engines in Dudley.\n"
)
QUESTIONS = (
    Question("q1", "When was Watt born?", note="pumps.md", evidence="1736", answers=("1736",)),
    Question("q2", "Who developed 3 water pumps?", note="pumps.md", evidence="Savery", answers=("Savery",)),
    Question("q3", "Where did Newcomen sell 12 engines?", note="pumps.md", evidence="Dudley", answers=("Dudley",)),
)


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("When was Watt born?", "1736", "Watt was born in 1736."),
        ("Who developed the pump?", "Savery", "Savery developed the pump."),
        ("In what country is Normandy located?", "France", "Normandy is located in France."),
        ("How many engines were sold?", "12", "12 engines were sold."),
        ("What is the capital of France?", "Paris", "The capital of France is Paris."),
        ("When did Savery build the pump?", "1698", "Savery built the pump in 1698."),
        ("Why is the sky blue?", "scattering", None),
    ],
)
def test_a_question_and_its_answer_become_a_statement(question: str, answer: str, said: str | None) -> None:
    assert statement(question, answer) == said


def test_a_sentence_loses_its_parenthesis_or_its_last_clause_but_not_the_answer() -> None:
    assert shortened("Watt (a Scot) improved the old engine.", "Watt") == "Watt improved the old engine."
    assert shortened("Watt improved the old engine, which was slow.", "Watt") == "Watt improved the old engine."
    assert shortened("Watt improved the old engine, which was slow.", "slow") is None


@pytest.fixture
def made(tmp_path: Path) -> list[Case]:
    store = index_notes(tmp_path, {"pumps.md": NOTE})
    found = perturbed(store)
    assert found == perturbed(store)  # the seed is fixed
    store.close()
    return found


def perturbed(store: LocalStore) -> list[Case]:
    with store.reading() as snapshot:
        golds = [("pumps", gold_claims(snapshot, QUESTIONS)), ("none", [])]
        return cases(golds, each=3)


def test_every_kind_makes_a_true_answer_false_in_its_own_way(made: list[Case]) -> None:
    assert {case.kind for case in made} == set(KINDS)
    for case in made:
        texts = [one.text for one in case.true], [one.text for one in case.false]
        spans = [one.evidence.unit.start for one in case.true], [one.evidence.unit.start for one in case.false]
        if case.kind == "swap":
            assert texts[0] == texts[1]
            assert spans[0] == spans[1][::-1]
        elif case.kind == "neighbour":
            assert texts[0] == texts[1]
            assert spans[0] != spans[1]
        else:
            assert texts[0] != texts[1]
            assert spans[0] == spans[1]


def test_who_calls_all_supported_catches_nothing_and_who_calls_none_so_is_always_alarmed(made: list[Case]) -> None:
    credulous, _, _ = judge(made, {"pumps": lambda claims: [Support.SUPPORTED] * len(claims)})
    assert (credulous.all_caught, credulous.all_false_alarms) == (Share(0, len(made)), Share(0, len(made)))
    strict, overlap, floor = judge(made, {"pumps": lambda claims: [Support.WEAK] * len(claims)})
    assert (strict.all_caught.got, strict.all_false_alarms.got) == (len(made), len(made))
    assert overlap.all_caught.of == len(made)
    assert 0 <= floor <= 1


@pytest.mark.model
def test_the_whole_measurement_runs_and_prints_every_figure_with_its_number(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(CORPUS, data / "seed-notes" / "notes")
    questions = [line for line in (CORPUS / "questions.jsonl").read_text("utf-8").splitlines() if line][:3]
    (data / "seed-notes" / "questions.jsonl").write_text("\n".join(questions), "utf-8")
    write(data / "squad" / "paragraphs.jsonl", [{"_id": "p1", "title": "Pumps", "text": NOTE.split("\n\n")[1]}])
    asked = [{"_id": q.id, "text": q.text, "paragraph": "p1", "answers": list(q.answers)} for q in QUESTIONS]
    silent = {"_id": "q4", "text": "Who sold the pump in Rome?", "paragraph": "p1", "answers": []}
    write(data / "squad" / "questions.jsonl", [*asked, silent])
    claim = {"id": "1", "claim": "Watt was born in 1736.", "label": "SUPPORTS", "doc_id": "1", "title": "Watt"}
    write(data / "claims" / "scifact_pairs.jsonl", [claim | {"abstract_sentences": ["Watt was born in 1736."]}])
    out = tmp_path / "quality.md"
    main(["--data", str(data), "--work", str(tmp_path / "work"), "--out", str(out), "--quick"])
    text = out.read_text("utf-8")
    assert "| squad, answerable | answer hit | 1.000 (3 of 3) | 0.82 |" in text
    assert "| squad, answerable | quotes valid at their offsets | 1.000" in text
    assert "| SUPPORTS | 1 | 0 | 0 | 1 | 1 |" in text
    assert "## Abstention at every threshold" in text


def write(file: Path, rows: Iterable[Mapping[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
