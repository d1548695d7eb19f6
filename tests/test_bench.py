"""`make bench` in small: every part yields its figures, and those that no clock decides are right."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from benchmarks.speed.__main__ import main
from benchmarks.speed.aims import AIMS, PARTS
from benchmarks.speed.engines import ROOT
from benchmarks.speed.figures import Figure, Result, Table, in_rounds, percentile, read_result, write_result
from benchmarks.speed.page import page
from benchmarks.speed.parts.embedding import gflop
from benchmarks.speed.parts.indexing import recall
from ragnotes.evaluation.questions import Question

OF_PEERS = {"index vaults", "index seed-notes", "index recall@1", "index recall@5", "first token"} | {
    "search plain",
    "search txtai",
}
BY_CLOCK = re.compile("index (?!recall)|embed|search|million (?!recall)|together|ask|rate|first token|memory")


def test_the_work_of_an_embedding_is_that_of_its_products() -> None:
    tokens, width, layers = 3, 384, 6
    weights = 4 * width * width + 2 * width * 4 * width
    attention = 2 * tokens * width
    assert gflop([tokens]) == pytest.approx(2 * layers * tokens * (weights + attention) / 1e9)
    assert gflop([2, 5]) == pytest.approx(gflop([2]) + gflop([5]))


def test_recall_counts_questions_whose_evidence_is_among_the_first() -> None:
    found: Mapping[str, Sequence[Sequence[str]]] = {
        "first": [["the evidence **stands** here", "a heading"], ["no"]],
        "third": [["no"], ["neither"], ["a heading", "the evidence stands here"]],
        "sixth": [["no"]] * 5 + [["the evidence stands here"]],
        "never": [["no"]],
    }
    questions = [Question(name, name, evidence="The evidence stands") for name in found]
    assert recall(found.__getitem__, questions) == {1: 0.25, 5: 0.5}


def test_rounds_are_told_by_median_and_least() -> None:
    assert in_rounds([3.0, 2.0, 7.0], "x") == "3.00x (least 2.00x of 3 rounds)"
    assert in_rounds([250.4], " ms", digits=0) == "250 ms (least 250 ms of 1 round)"
    assert [percentile(range(1, 101), share) for share in (0.5, 0.95, 1.0)] == [50, 95, 100]


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    result = Result("embed", [Figure("embed", "0.7", True)], [Table("T", ["a"], [["1"]])], day="2026-01-02", rounds=2)
    write_result(tmp_path, result)
    assert read_result(tmp_path, "embed") == result
    assert read_result(tmp_path, "index") is None


def test_the_page_names_every_aim_and_the_run_of_each_figure() -> None:
    measured = Result("embed", [Figure("embed", "0.7 | 3", True)], [], day="2026-01-02", commit="abc", rounds=2)
    written = page({"embed": measured}, plots=[])
    rows = [line for line in written.splitlines() if line.startswith("| ") and "make bench" in line]
    assert len(rows) == len(AIMS)
    assert sum("| not measured | - |" in row for row in rows) == len(AIMS) - 1
    assert "0.6 or more | 0.7 \\| 3 | yes | `make bench BENCH=embed` |" in written
    assert "on 2026-01-02 at commit abc, 2 rounds" in written
    assert "1 of 1 figures reached." in written


def test_peers_have_the_versions_that_ragnotes_was_tested_with() -> None:
    def pinned(file: Path) -> dict[str, str]:
        lines = file.read_text("utf-8").lower().replace("_", "-").splitlines()
        return dict(line.split("==") for line in lines if "==" in line)

    mine, theirs = pinned(ROOT / "constraints.txt"), pinned(ROOT / "benchmarks" / "speed" / "peers.txt")
    shared = mine.keys() & theirs.keys()
    assert {"torch", "sentence-transformers", "faiss-cpu", "llama-cpp-python"} <= shared
    assert {name: theirs[name] for name in shared} == {name: mine[name] for name in shared}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run without peers."""
    folder = tmp_path_factory.mktemp("bench")
    none = str(folder / "no-peers")
    main(["--small", "--work", str(folder / "work"), "--out", str(folder / "benchmarks.md"), "--peers", none])
    return folder


@pytest.mark.model
def test_every_part_yields_its_figures(small: Path) -> None:
    figures = {figure.key for part in PARTS for figure in _result(small, part).figures}
    expected = AIMS.keys() - OF_PEERS - (set() if shutil.which("curl") else {"ask served"})
    assert figures == expected
    assert all(_result(small, part).tables for part in PARTS)
    written = (small / "benchmarks.md").read_text("utf-8")
    assert "A small run" in written
    assert all(f"`make bench BENCH={part}`" in written for part in PARTS)


@pytest.mark.model
def test_what_no_clock_decides_is_reached(small: Path) -> None:
    figures = [figure for part in PARTS for figure in _result(small, part).figures]
    right = {figure.key: figure.reached for figure in figures if not BY_CLOCK.search(figure.key)}
    assert right == dict.fromkeys(("mean cosine", "worst cosine", "dense nDCG", "fused nDCG", "million recall"), True)


@pytest.mark.model
def test_what_is_indexed_is_found(small: Path) -> None:
    found = next(
        table for table in _result(small, "index").tables if table.header[0] == "engine" and len(table.header) == 3
    )
    (name, first, fifth), *rest = found.rows
    assert (name, rest) == ("ragnotes", [])
    assert 0.5 <= float(first) <= float(fifth) <= 1


def _result(folder: Path, part: str) -> Result:
    result = read_result(folder / "work" / "results", part)
    assert result, part
    return result
