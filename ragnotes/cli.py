"""The commands. stdout holds the result and nothing else; notices, progress and errors go to stderr.

What does a command's work is imported when it runs, so that `--help` and the commands themselves begin at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ragnotes import console
from ragnotes.cli_ask import ask, ask_main, links_of, search
from ragnotes.cli_backup import backup_command, restore_command
from ragnotes.cli_config import config
from ragnotes.cli_doctor import doctor
from ragnotes.cli_eval import evaluate
from ragnotes.cli_history import history_app
from ragnotes.cli_key import key
from ragnotes.cli_upkeep import check, forget_file, repair
from ragnotes.cli_watch import watch_notes
from ragnotes.kinds import FileStatus
from ragnotes.options import (
    CorpusOption,
    EmbedderOption,
    IndexOption,
    JsonOption,
    ModelOption,
    ModelUrlOption,
    RequireKeyOption,
    StrictOption,
    VersionOption,
    WatchOption,
)
from ragnotes.running import Code, OpenLibrary, exit_code, open_library, opened, print_json, run
from ragnotes.service.bodies import SyncBody
from ragnotes.settings import load_settings

__all__ = ["Code", "ask_main", "exit_code", "links_of", "main"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def ragnotes(ctx: typer.Context, *, _version: VersionOption = False) -> None:
    """Answers from your own notes, papers and transcripts, with the exact place for every sentence."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(Code.USAGE)


app.command()(ask)
app.command()(search)


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
    from ragnotes.cli_index import indexed

    settings = load_settings({"corpus": corpus, "index": index, "embedder": embedder})
    how = SyncBody(rebuild=rebuild, allow_empty=allow_empty, retry_failed=retry_failed)
    summary, failed = indexed(ctx.obj, settings, how, verbose=verbose)
    print_json(summary) if as_json else console.show_summary(summary, failed)
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
    model_url: ModelUrlOption = None,
) -> None:
    """List every file with its outcome."""
    from ragnotes.service.encoding import status_json

    settings = load_settings({"corpus": corpus, "index": index, "model": model, "model_url": model_url})
    with opened(ctx.obj, settings) as library:
        found = status_json(library.status())
    print_json(found) if as_json else console.show_status(found)
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
    model_url: ModelUrlOption = None,
    watch: WatchOption = None,
    require_key: RequireKeyOption = None,
) -> None:
    """Serve search and answers over HTTP."""
    from ragnotes.service.keys import sealed
    from ragnotes.service.server import serve as serve_library

    flags = {"corpus": corpus, "index": index, "host": host, "port": port, "embedder": embedder, "model": model}
    settings = sealed(load_settings({**flags, "model_url": model_url, "watch": watch, "require_key": require_key}))
    with opened(ctx.obj, settings) as library:
        serve_library(library, settings)


app.command(name="watch")(watch_notes)
app.command(name="eval")(evaluate)
app.command()(check)
app.command()(repair)
app.command(name="forget")(forget_file)
app.command(name="backup")(backup_command)
app.command(name="restore")(restore_command)
app.add_typer(history_app, name="history")
app.command()(key)
app.command()(config)
app.command()(doctor)


def main(args: Sequence[str] | None = None, *, library: OpenLibrary = open_library) -> int:
    """The command `ragnotes`; gives the exit code."""
    return run(app, "ragnotes", args, library)
