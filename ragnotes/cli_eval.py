"""The command `eval`: measures an index by questions whose answers are known, and drafts such questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragnotes import console
from ragnotes.errors import UsageError
from ragnotes.options import (
    CorpusOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    ModelOption,
    ModelUrlOption,
    NoLlmOption,
)
from ragnotes.running import Code
from ragnotes.settings import load_settings

__all__ = ["evaluate"]

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
    from ragnotes.cli_calibrate import calibrate_index
    from ragnotes.cli_measure import draft, measured, report_on, show
    from ragnotes.evaluation.comparison import compare, missed, parse_floors
    from ragnotes.evaluation.report import read_report

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
        draft(ctx.obj, settings, propose_count or 0, out, seed=seed, force=force)
        return
    if out is not None or force:
        raise UsageError("--out and --force go with --propose", "write the figures to a file with --json > FILE")
    floors = parse_floors(fail_under or (), answers=answers)
    earlier = read_report(compare_with) if compare_with else None
    with measured(ctx.obj, settings, file, index) as (library, asked):
        report = report_on(library, asked, answers=answers, llm=not no_llm)
    comparison = compare(earlier, report) if earlier else None
    show(report, comparison, as_json=as_json)
    short = missed(report, floors)
    for line in short:
        console.show_note(line)
    raise typer.Exit(Code.ERROR if short else Code.DONE)
