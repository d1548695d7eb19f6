"""The commands `backup` and `restore`. They work on the directory itself, also while a server has it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragnotes import console
from ragnotes.options import CorpusOption, IndexOption
from ragnotes.running import Code
from ragnotes.settings import load_settings

__all__ = ["backup_command", "restore_command"]

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]


def backup_command(
    file: FileArgument,
    *,
    index: IndexOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    no_history: Annotated[bool, typer.Option("--no-history", help="Leave out what was asked before.")] = False,
) -> None:
    """Save the index and its history to FILE, also while it is served or written to."""
    from ragnotes.backups import back_up

    settings = load_settings({"index": index})
    saved = back_up(settings.index, file, force=force, history=not no_history)
    kept = "no history" if no_history else f"{saved.conversations} conversations"
    size = file.stat().st_size / 1e6
    console.show_lines([f"{file}: generation {saved.generation}, {saved.documents} documents, {kept}, {size:.1f} MB"])
    raise typer.Exit(Code.DONE)


def restore_command(
    file: FileArgument,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    moved: Annotated[bool, typer.Option("--moved", help="Accept that the notes stood in another folder.")] = False,
    no_history: Annotated[bool, typer.Option("--no-history", help="Leave what was asked as it is.")] = False,
) -> None:
    """Put the index of FILE in the place of this one, also while it is served, and add its history to this one's."""
    from ragnotes.backups import restore

    settings = load_settings({"corpus": corpus, "index": index})
    saved, generation = restore(settings.index, settings.corpus, file, moved=moved, history=not no_history)
    console.show_lines(
        [f"{settings.index}: generation {generation}, {saved.documents} documents, as saved {saved.created_at}"]
    )
    raise typer.Exit(Code.DONE)
