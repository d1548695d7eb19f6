"""The commands. stdout holds the result and nothing else; notices, progress and errors go to stderr.

Engines are imported by the commands that need them, so that `--help`, and `ask` as the client of a server, are quick.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from ragnotes import __version__, client, console
from ragnotes.asking.answering import Request
from ragnotes.errors import IndexMissing, RagnotesError, SettingsError, UsageError
from ragnotes.service.bodies import MAX_LIMIT, AskBody, FiltersBody, filters_of, parse_day, request_of
from ragnotes.service.encoding import event_json, found_json, status_json, summary_json
from ragnotes.service.library import Library
from ragnotes.service.wire import AnswerJson, EventJson, FileJson, SummaryJson
from ragnotes.settings import Settings, load_settings
from ragnotes.types import FileStatus, Kind

__all__ = ["Code", "ask_main", "exit_code", "main"]


class Code(IntEnum):
    """Exit codes."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    ABSTAINED = 3
    INCOMPLETE = 4
    INTERRUPTED = 130


_CODES: Mapping[type[RagnotesError], Code] = {
    UsageError: Code.USAGE,
    SettingsError: Code.USAGE,
    IndexMissing: Code.INCOMPLETE,
}
"""All other errors are Code.ERROR."""

_MISUSE = typer.BadParameter.__mro__[1]
"""The base of what typer raises on a wrong command line; it is not exported."""

OpenLibrary = Callable[[Settings], Library]

CorpusOption = Annotated[
    list[Path] | None, typer.Option("--corpus", metavar="DIR", help="Folder of notes; repeatable. [default: corpus]")
]
IndexOption = Annotated[
    Path | None, typer.Option("--index", metavar="DIR", help="The index of these notes. [default: indexes/default]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the JSON alone.")]
EmbedderOption = Annotated[
    Path | None, typer.Option("--embedder", metavar="DIR", help="A sentence-transformers folder.")
]
ModelOption = Annotated[Path | None, typer.Option("--model", metavar="FILE", help="A GGUF file.")]
LimitOption = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=MAX_LIMIT, help="How many passages.")]
ExplainOption = Annotated[bool, typer.Option("--explain", help="Show score, cosine and bm25 of every passage.")]
ContextOption = Annotated[bool, typer.Option("--context", help="Show what stands around every passage.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit 4 unless every file is in the index.")]


def _day(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


SinceOption = Annotated[
    date | None, typer.Option("--since", metavar="DATE", parser=_day, help="Notes of this day or later.")
]
UntilOption = Annotated[
    date | None, typer.Option("--until", metavar="DATE", parser=_day, help="Notes of this day or earlier.")
]
TagOption = Annotated[list[str] | None, typer.Option("--tag", metavar="T", help="Notes with this tag; repeatable.")]
PathOption = Annotated[
    list[str] | None, typer.Option("--path", metavar="GLOB", help="Files and folders whose path fits; repeatable.")
]
KindOption = Annotated[list[Kind] | None, typer.Option("--kind", metavar="note|paper|transcript", help="Repeatable.")]
SpeakerOption = Annotated[
    list[str] | None, typer.Option("--speaker", metavar="S", help="What this speaker says; repeatable.")
]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
ask_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ragnotes {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
]


@app.callback(invoke_without_command=True)
def ragnotes(ctx: typer.Context, *, _version: VersionOption = False) -> None:
    """Answers from your own notes, papers and transcripts, with the exact place for every sentence."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(Code.USAGE)


@app.command()
@ask_app.command()
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In your own words.", show_default=False)],
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Answer in the notes' own words.")] = False,
    limit: LimitOption = 10,
    explain: ExplainOption = False,
    context: ContextOption = False,
    deadline: Annotated[float | None, typer.Option(min=0.001, metavar="SECONDS", help="Answer within.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    path: PathOption = None,
    kind: KindOption = None,
    speaker: SpeakerOption = None,
    embedder: EmbedderOption = None,
    model: ModelOption = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="Ask this running server.")] = None,
) -> None:
    """Answer QUESTION from the notes. Exit code 3 means that they do not say."""
    flags = {"corpus": corpus, "index": index, "embedder": embedder, "model": model, "server": server}
    settings = load_settings(flags)
    filters = _filters(since, until, tag, path, kind, speaker)
    body = AskBody(
        question=_readable(question),
        limit=limit,
        llm=not no_llm,
        surroundings=context or not as_json,
        deadline_ms=deadline * 1000 if deadline else None,
        stream=True,
        **dict(filters),  # a model gives its fields
    )
    ignored = [f"--{name}" for name in ("corpus", "index", "embedder", "model") if flags[name]]
    answer = _ask_server(settings, body, ignored) if settings.server else _ask_here(ctx.obj, settings, body)
    console.show_left_out(answer.left_out)
    console.show_unmatched(answer.unmatched)
    if not no_llm:
        console.show_shortfall(answer)
    _print_json(answer) if as_json else console.show_answer(answer, explain=explain, context=context)
    raise typer.Exit(Code.DONE if answer.answered else Code.ABSTAINED)


@app.command()
def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", show_default=False)],
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    limit: LimitOption = 10,
    explain: ExplainOption = False,
    context: ContextOption = False,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    path: PathOption = None,
    kind: KindOption = None,
    speaker: SpeakerOption = None,
    embedder: EmbedderOption = None,
) -> None:
    """Show the passages for QUERY, best first."""
    settings = load_settings({"corpus": corpus, "index": index, "embedder": embedder})
    filters = filters_of(_filters(since, until, tag, path, kind, speaker))
    with _opened(ctx.obj, settings) as library, console.working("searching"):
        found = library.search(_readable(query), filters=filters, limit=limit, surroundings=context)
        shown = found_json(found)
    console.show_left_out(shown.left_out)
    console.show_unmatched(shown.unmatched)
    _print_json(shown) if as_json else console.show_found(shown, explain=explain, context=context)


@app.command(name="index")
def bring_up_to_date(
    ctx: typer.Context,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Start anew, also with another embedder.")] = False,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Accept that all notes are gone.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Read failed files again.")] = False,
    embedder: EmbedderOption = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="A line for each file.")] = False,
) -> None:
    """Bring the index up to date with the notes. Files that fail are reported, and the others are indexed."""
    settings = load_settings({"corpus": corpus, "index": index, "embedder": embedder})
    with _opened(ctx.obj, settings) as library:
        with console.indexing(verbose=verbose) as progress:
            done = library.update(progress, rebuild=rebuild, allow_empty=allow_empty, retry_failed=retry_failed)
        summary = summary_json(done)
        failed = _failed(library, summary) if not as_json else []
    _print_json(summary) if as_json else console.show_summary(summary, failed)
    raise typer.Exit(Code.INCOMPLETE if strict and summary.failed else Code.DONE)


@app.command()
def status(
    ctx: typer.Context,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
    model: ModelOption = None,
) -> None:
    """List every file with its outcome."""
    settings = load_settings({"corpus": corpus, "index": index, "model": model})
    with _opened(ctx.obj, settings) as library:
        found = status_json(library.status())
    _print_json(found) if as_json else console.show_status(found)
    whole = not any(file.status in (FileStatus.STALE, FileStatus.FAILED) for file in found.files)
    raise typer.Exit(Code.INCOMPLETE if strict and not whole else Code.DONE)


@app.command()
def serve(
    ctx: typer.Context,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="[default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one. [default: 8000]")] = None,
    embedder: EmbedderOption = None,
    model: ModelOption = None,
) -> None:
    """Serve search and answers over HTTP."""
    from ragnotes.service.server import serve as serve_library

    flags = {"corpus": corpus, "index": index, "host": host, "port": port, "embedder": embedder, "model": model}
    settings = load_settings(flags)
    with _opened(ctx.obj, settings) as library:
        serve_library(library, settings)


def open_library(settings: Settings) -> Library:
    from ragnotes.assembly import Library as LocalLibrary

    return LocalLibrary(settings)


def main(args: Sequence[str] | None = None, *, library: OpenLibrary = open_library) -> int:
    """The command `ragnotes`; gives the exit code."""
    return _run(app, "ragnotes", args, library)


def ask_main(args: Sequence[str] | None = None, *, library: OpenLibrary = open_library) -> int:
    """The command `ask`; gives the exit code."""
    return _run(ask_app, "ask", args, library)


def exit_code(error: RagnotesError) -> Code:
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), Code.ERROR)


def _run(commands: typer.Typer, name: str, args: Sequence[str] | None, library: OpenLibrary) -> int:
    """Runs a command; every error becomes one line and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal shows ? where it lacks a character
    try:
        return int(commands(args, prog_name=name, obj=library, standalone_mode=False) or Code.DONE)
    except RagnotesError as error:
        problem = error
    except (KeyboardInterrupt, typer.Abort):
        return Code.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has enough, as in `ragnotes status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Code.ERROR
    except Exception as error:
        if os.environ.get("RAGNOTES_DEBUG"):
            raise
        problem = _as_ragnotes_error(error, name)
    console.show_error(problem)
    return exit_code(problem)


def _as_ragnotes_error(error: Exception, name: str) -> RagnotesError:
    if isinstance(error, _MISUSE):
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return UsageError(message.rstrip("."), f"see: {name} --help")
    if isinstance(error, OSError):
        return RagnotesError(str(error), "check that path, its permissions and the free space")
    return RagnotesError(
        f"{type(error).__name__}: {error}", "this is a mistake in ragnotes; RAGNOTES_DEBUG=1 shows where"
    )


@contextmanager
def _opened(library: OpenLibrary, settings: Settings) -> Iterator[Library]:
    opened = library(settings)
    try:
        yield opened
    finally:
        opened.close()


def _ask_server(settings: Settings, body: AskBody, ignored: Sequence[str]) -> AnswerJson:
    assert settings.server
    if ignored:
        console.show_note(f"{', '.join(ignored)} without effect: {settings.server} answers from its own notes")
    with console.working("asking") as show:
        return client.ask(settings.server, body, api_key=settings.api_key, show=show)


def _ask_here(library: OpenLibrary, settings: Settings, body: AskBody) -> AnswerJson:
    request = request_of(body)
    with _opened(library, settings) as opened:
        if not opened.indexed():
            _index_first(opened)
        with console.working("searching") as show:
            return _answer(opened, request, show)


def _answer(library: Library, request: Request, show: Callable[[EventJson], None]) -> AnswerJson:
    for event in library.ask(request):
        _, shown = event_json(event)
        if isinstance(shown, AnswerJson):
            return shown
        show(shown)
    raise AssertionError("events end with Final")


def _index_first(library: Library) -> None:
    console.show_note("there is no index yet: indexing the notes first")
    with console.indexing(verbose=False) as progress:
        summary = summary_json(library.update(progress))
    console.show_summary(summary, _failed(library, summary), on_stderr=True)


def _failed(library: Library, summary: SummaryJson) -> list[FileJson]:
    """The files that failed; the corpus is walked for them only where there are some."""
    if not summary.failed:
        return []
    return [file for file in status_json(library.status()).files if file.status is FileStatus.FAILED]


def _filters(
    since: date | None,
    until: date | None,
    tag: list[str] | None,
    path: list[str] | None,
    kind: list[Kind] | None,
    speaker: list[str] | None,
) -> FiltersBody:
    return FiltersBody(
        since=since,
        until=until,
        tags=tuple(tag or ()),
        paths=tuple(path or ()),
        kinds=tuple(kind or ()),
        speakers=tuple(speaker or ()),
    )


def _readable(question: str) -> str:
    """The question. Raises UsageError where it came in bytes that are no text."""
    try:
        question.encode()
    except UnicodeEncodeError:
        raise UsageError("the question is not valid UTF-8", "check the terminal's encoding") from None
    return question


def _print_json(model: BaseModel) -> None:
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    typer.echo(json.dumps(model.model_dump(mode="json"), ensure_ascii=not utf8))
