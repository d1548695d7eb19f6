"""The command `eval`: measures an index by questions whose answers are known, and drafts such questions."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ragnotes import console
from ragnotes.cli_calibrate import calibrate_index, warn_of_stale_files
from ragnotes.errors import IndexMismatch, UsageError
from ragnotes.evaluation.benchmark import Benchmark, read_benchmark, write_corpus
from ragnotes.evaluation.comparison import ComparisonJson, compare, missed, parse_floors
from ragnotes.evaluation.outcomes import ask_all
from ragnotes.evaluation.questions import QuestionSet, read_questions
from ragnotes.evaluation.report import ReportJson, read_report, report_of
from ragnotes.evaluation.tables import comparison_lines, report_lines
from ragnotes.options import (
    CorpusOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    ModelOption,
    ModelUrlOption,
    NoLlmOption,
)
from ragnotes.running import Code, OpenLibrary, opened, print_json
from ragnotes.service.encoding import summary_json
from ragnotes.service.library import Library
from ragnotes.settings import Settings, load_settings
from ragnotes.types import FileStatus

__all__ = ["evaluate"]

BENCHMARK_FOLDER = "benchmark"
"""Inside the index of a benchmark: its documents as Markdown, so that a second run finds the same corpus."""

FileArgument = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="Questions (JSONL), or a folder in BEIR's shape.")
]
AnswersOption = Annotated[bool, typer.Option("--answers", help="Measure answers too, not search alone.")]
CompareOption = Annotated[
    Path | None, typer.Option("--compare", metavar="OLD.json", help="What changed since this --json report.")
]
FailUnderOption = Annotated[
    list[str] | None,
    typer.Option("--fail-under", metavar="MEASURE=SHARE", help="Exit 1 where it is not reached; repeatable."),
]
ProposeOption = Annotated[
    int | None, typer.Option("--propose", metavar="N", min=1, max=1000, help="Draft N questions from your notes.")
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where the drafts go. [default: stdout]")]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="Another seed drafts other questions.")]
CalibrateOption = Annotated[
    bool, typer.Option("--calibrate", help="Fit to the questions of FILE when to say that the notes do not say.")
]
UncalibrateOption = Annotated[bool, typer.Option("--uncalibrate", help="Go back to what was shipped. Takes no FILE.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite the file of --out.")]


class ComparedReportJson(ReportJson):
    """A report with what changed since an earlier one."""

    comparison: ComparisonJson


def evaluate(
    ctx: typer.Context,
    file: FileArgument = None,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    answers: AnswersOption = False,
    no_llm: NoLlmOption = False,
    compare_with: CompareOption = None,
    fail_under: FailUnderOption = None,
    propose_count: ProposeOption = None,
    out: OutOption = None,
    seed: SeedOption = 0,
    force: ForceOption = False,
    calibrate_to_file: CalibrateOption = False,
    uncalibrate: UncalibrateOption = False,
    embedder: EmbedderOption = None,
    model: ModelOption = None,
    model_url: ModelUrlOption = None,
) -> None:
    """Measure search and answers by the questions of FILE, calibrate by them, or draft such a file with --propose."""
    flags = {"corpus": corpus, "index": index, "embedder": embedder, "model": model, "model_url": model_url}
    settings = load_settings(flags)
    if calibrate_to_file or uncalibrate:
        others = answers or no_llm or compare_with or fail_under or propose_count or out or force
        if others or calibrate_to_file == uncalibrate or uncalibrate == bool(file):
            raise UsageError(
                "--calibrate goes with FILE and --json alone, --uncalibrate alone", "see: ragnotes eval --help"
            )
        calibrate_index(ctx.obj, settings, file, as_json=as_json)
        return
    if (file is None) == (propose_count is None):
        raise UsageError("eval needs either FILE or --propose N", "see: ragnotes eval --help")
    if file is None or propose_count is not None:
        if answers or no_llm or as_json or compare_with or fail_under:
            raise UsageError("--propose goes with --out, --seed and --force alone", "evaluate in a second run")
        _draft(ctx.obj, settings, propose_count or 0, out, seed=seed, force=force)
        return
    if out is not None or force:
        raise UsageError("--out and --force go with --propose", "write the figures to a file with --json > FILE")
    floors = parse_floors(fail_under or (), answers=answers)
    earlier = read_report(compare_with) if compare_with else None
    with _measured(ctx.obj, settings, file, index) as (library, asked):
        report = _report(library, asked, answers=answers, llm=not no_llm)
    comparison = compare(earlier, report) if earlier else None
    _show(report, comparison, as_json=as_json)
    short = missed(report, floors)
    for line in short:
        console.show_note(line)
    raise typer.Exit(Code.ERROR if short else Code.DONE)


@contextmanager
def _measured(
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
        own_settings = settings.model_copy(update={"corpus": (corpus,), "index": place})
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


def _report(library: Library, asked: QuestionSet, *, answers: bool, llm: bool) -> ReportJson:
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


def _show(report: ReportJson, comparison: ComparisonJson | None, *, as_json: bool) -> None:
    if comparison and not comparison.same_file:
        console.show_note(
            f"the questions have changed since; compared are the {comparison.questions} that are the same in both"
        )
    if as_json:
        print_json(ComparedReportJson(**dict(report), comparison=comparison) if comparison else report)
        return
    console.show_lines([*report_lines(report), *(["", *comparison_lines(comparison)] if comparison else [])])


def _draft(library: OpenLibrary, settings: Settings, count: int, out: Path | None, *, seed: int, force: bool) -> None:
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
