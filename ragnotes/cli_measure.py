"""What `eval` does: questions asked and judged, shown, or drafted."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from ragnotes import console
from ragnotes.cli_calibrate import warn_of_stale_files
from ragnotes.errors import IndexMismatch, UsageError
from ragnotes.evaluation.benchmark import Benchmark, read_benchmark, write_corpus
from ragnotes.evaluation.comparison import ComparisonJson
from ragnotes.evaluation.outcomes import ask_all
from ragnotes.evaluation.questions import QuestionSet, read_questions
from ragnotes.evaluation.report import ReportJson, report_of
from ragnotes.evaluation.tables import comparison_lines, report_lines
from ragnotes.running import OpenLibrary, opened, print_json
from ragnotes.service.encoding import summary_json
from ragnotes.service.library import Library
from ragnotes.settings import Settings
from ragnotes.types import FileStatus

__all__ = ["BENCHMARK_FOLDER", "draft", "measured", "report_on", "show"]

BENCHMARK_FOLDER = "benchmark"
"""Inside the index of a benchmark: its documents as Markdown, so that a second run finds the same corpus."""


class ComparedReportJson(ReportJson):
    """A report with what changed since an earlier one."""

    comparison: ComparisonJson


@contextmanager
def measured(
    library: OpenLibrary, settings: Settings, file: Path, index: Path | None
) -> Iterator[tuple[Library, QuestionSet]]:
    """The library to be measured and the questions for it: a person's own, or one made of a benchmark's documents."""
    if not file.is_dir():
        asked = read_questions(file)
        with opened(library, settings) as own:
            warn_of_stale_files(own)
            yield own, asked
        return
    benchmark = read_benchmark(file)
    with tempfile.TemporaryDirectory(prefix="ragnotes-eval-") as scratch:
        place = settings.index if index is not None else Path(scratch) / "index"
        corpus = place / BENCHMARK_FOLDER
        own_settings = replace(settings, corpus=(corpus,), index=place)
        with opened(library, own_settings) as own:
            _index_benchmark(own, benchmark, corpus)
            yield own, benchmark.questions


def _index_benchmark(library: Library, benchmark: Benchmark, corpus: Path) -> None:
    manifest = library.store().manifest() if library.indexed() else None
    if manifest is not None and manifest.roots != (str(corpus.resolve()),):  # refused before anything is written
        raise IndexMismatch(
            f"{corpus.parent} is the index of {', '.join(manifest.roots)}", "name another one for the benchmark"
        )
    write_corpus(benchmark, corpus)
    with console.indexing(verbose=False) as progress:
        summary = summary_json(library.update(progress))
    failed = [record for record in library.status().files if record.status is FileStatus.FAILED]
    console.show_summary(summary, [], on_stderr=True)
    if failed:
        console.show_note(f"{len(failed)} documents of the benchmark cannot be indexed, {failed[0].path} among them")


def report_on(library: Library, asked: QuestionSet, *, answers: bool, llm: bool) -> ReportJson:
    library.check_index()
    with library.store().reading() as snapshot:
        generation, calibration = snapshot.generation, snapshot.calibration()
    manifest = library.store().manifest()
    assert manifest is not None  # check_index has seen it
    with console.indexing(verbose=False) as progress:
        outcomes = ask_all(library, asked, answers=answers, llm=llm, progress=progress)
    if answers and llm and library.no_model:
        console.show_note(library.no_model)
    return report_of(
        asked,
        outcomes,
        manifest=manifest,
        generation=generation,
        answers=answers,
        llm=llm,
        calibration=calibration,
    )


def show(report: ReportJson, comparison: ComparisonJson | None, *, as_json: bool) -> None:
    if comparison and not comparison.same_file:
        console.show_note(
            f"the questions have changed since; compared are the {comparison.questions} that are the same in both"
        )
    if as_json:
        print_json(ComparedReportJson(**dict(report), comparison=comparison) if comparison else report)
        return
    console.show_lines([*report_lines(report), *(["", *comparison_lines(comparison)] if comparison else [])])


def draft(library: OpenLibrary, settings: Settings, count: int, out: Path | None, *, seed: int, force: bool) -> None:
    from ragnotes.evaluation.proposing import propose, question_line

    if out is not None and out.exists() and not force:
        raise UsageError(f"{out} exists", "name another file with --out, or overwrite it with --force")
    with opened(library, settings) as own:
        warn_of_stale_files(own)
        with own.store().reading() as snapshot:
            questions = propose(snapshot, count, seed=seed)
    lines = [question_line(question) for question in questions]
    if out is None:
        typer.echo("\n".join(lines))
    else:
        _write(out, lines)
    if len(questions) < count:
        console.show_note(f"only {len(questions)} could be drafted that do not repeat each other")
    kinds = Counter(question.type for question in questions)
    console.show_note(
        f"drafted {', '.join(f'{number} {kind}' for kind, number in sorted(kinds.items()))}:"
        " put them in your own words, drop what you would not ask, then run: ragnotes eval"
        f" {out or 'FILE'}"
    )


def _write(file: Path, lines: Sequence[str]) -> None:
    """Whole or not at all: a file that is being edited is not lost to a full disk."""
    scratch = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        scratch.write_text("\n".join(lines) + "\n", "utf-8")
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)
