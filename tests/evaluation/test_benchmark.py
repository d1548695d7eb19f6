from __future__ import annotations

import json
from pathlib import Path

import pytest

from ragnotes.errors import EvaluationError
from ragnotes.evaluation.benchmark import read_benchmark, write_corpus
from tests.evaluation.conftest import Run

DOCUMENTS = [
    {"_id": "d1", "title": "Zebras", "text": "Zebras have stripes. " * 40 + "A foal stands after an hour."},
    {"_id": "MED/2 é", "title": "", "text": "Whales sing at night."},
    {"_id": "med/2 é", "title": "Bees\nand wasps", "text": "Bees dance."},
]
QUERIES = [
    {"_id": "1", "text": "Do zebras have stripes?"},
    {"_id": "2", "text": "When do whales sing?"},
    {"_id": "3", "text": "Nobody judged this one."},
]
QRELS = "query-id\tcorpus-id\tscore\n1\td1\t1\n2\tMED/2 é\t2\n2\td1\t0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    folder.mkdir()
    for name, rows in (("corpus", DOCUMENTS), ("queries", QUERIES)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "qrels.tsv").write_text(QRELS)
    return folder


def test_documents_become_notes_and_judged_queries_questions(folder: Path, tmp_path: Path) -> None:
    benchmark = read_benchmark(folder)
    whales = next(name for name, text in benchmark.documents.items() if "Whales" in text)
    assert [(question.id, question.text) for question in benchmark.questions.questions] == [
        ("1", "Do zebras have stripes?"),
        ("2", "When do whales sing?"),
    ]
    assert benchmark.questions.relevant == {"1": {"d1.md": 1}, "2": {whales: 2}}
    write_corpus(benchmark, tmp_path / "notes")
    written = {file.name: file.read_text("utf-8") for file in (tmp_path / "notes").iterdir()}
    assert written == benchmark.documents
    assert len(written) == 3
    assert written["d1.md"].startswith("# Zebras\n\nZebras have stripes.")
    assert written[whales] == "Whales sing at night.\n"
    assert "# Bees and wasps\n\nBees dance.\n" in written.values()


def test_what_is_written_already_is_left_and_what_is_gone_is_removed(folder: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    write_corpus(read_benchmark(folder), notes)
    before = {file.name: file.stat().st_mtime_ns for file in notes.iterdir()}
    (notes / "stray.md").write_text("old")
    write_corpus(read_benchmark(folder), notes)
    assert {file.name: file.stat().st_mtime_ns for file in notes.iterdir()} == before


def test_judgements_may_stand_in_a_folder_and_test_comes_first(folder: Path) -> None:
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels" / "dev.tsv")
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n3\td1\t1\n")
    assert [question.id for question in read_benchmark(folder).questions.questions] == ["1", "2", "3"]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n2\td1\t1\n")
    assert [question.id for question in read_benchmark(folder).questions.questions] == ["2"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("qrels.tsv", None, "holds no qrels.tsv; name a question file"),
        ("qrels.tsv", "header\n1 d1 1\n", "qrels.tsv, line 2 is no judgement"),
        ("qrels.tsv", "header\n1\td1\thigh\n", "qrels.tsv, line 2 is no judgement"),
        ("qrels.tsv", "header\n9\td1\t1\n", "judges query 9, which is not in queries.jsonl"),
        ("qrels.tsv", "header\n1\td1\t0\n", "holds no query with a relevant document"),
        ("corpus.jsonl", "[]\n", "corpus.jsonl, line 1 is no JSON object"),
        ("corpus.jsonl", '{"title": "x"}\n', "a line has no _id"),
        ("queries.jsonl", '{"_id": "1"}\n', "a line has no text"),
        ("queries.jsonl", None, "queries.jsonl cannot be read"),
    ],
)
def test_what_is_missing_is_named(folder: Path, name: str, content: str | None, problem: str) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(EvaluationError) as caught:
        read_benchmark(folder)
    assert problem in str(caught.value)


def test_a_benchmark_is_indexed_asked_and_judged_by_document(run: Run, folder: Path) -> None:
    code, out, err = run("eval", str(folder), "--json", "--answers", "--no-llm")
    assert code == 0, err
    report = json.loads(out)
    assert {name: found["value"] for name, found in report["measures"].items()} == {
        "recall@1": 1,
        "recall@5": 1,
        "recall@10": 1,
        "mrr@10": 1,
        "ndcg@10": 1,
        "quote_validity": 1,
        "wrongly_abstained": 0,
    }
    assert [result["rank"] for result in report["results"]] == [1, 1]
    assert err.startswith("added 3, ")
    assert not Path("indexes").exists()


def test_an_index_that_is_kept_is_not_embedded_again_and_a_persons_own_is_not_touched(run: Run, folder: Path) -> None:
    first, second = (run("eval", str(folder), "--index", "bench") for _ in range(2))
    assert first[:2] == second[:2]
    assert "3 embedded" in first[2]
    assert "unchanged 3" in second[2]
    assert " 0 embedded" in second[2]
    assert run("index", "--index", "own")[0] == 0
    code, out, err = run("eval", str(folder), "--index", "own")
    assert (code, out) == (1, "")
    assert "own is the index of " in err
    assert not Path("own/benchmark").exists()


def test_a_judged_document_that_is_not_in_the_corpus_is_an_error(run: Run, folder: Path) -> None:
    (folder / "qrels.tsv").write_text(QRELS.replace("MED/2 é", "gone"))
    code, out, err = run("eval", str(folder))
    assert (code, out) == (1, "")
    assert "no relevant document of 2 is in the index" in err
