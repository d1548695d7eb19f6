"""The options of the commands, each told once: its name, its type and its line in the help."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from ragnotes import __version__
from ragnotes.clock import moment_of, parse_day
from ragnotes.kinds import Kind
from ragnotes.service.limits import MAX_FILTER_CHARS, MAX_LIMIT, MAX_VALUE_CHARS, MAX_VALUES

__all__ = [
    "ContextOption",
    "ContinueOption",
    "ConversationOption",
    "CorpusOption",
    "EmbedderOption",
    "ExplainOption",
    "IndexOption",
    "JsonOption",
    "KeepUnsupportedOption",
    "KindOption",
    "LimitOption",
    "ModelOption",
    "ModelUrlOption",
    "NoHistoryOption",
    "NoLlmOption",
    "NowOption",
    "PathOption",
    "RequireKeyOption",
    "SinceOption",
    "SpeakerOption",
    "StrictOption",
    "TagOption",
    "TzOption",
    "UntilOption",
    "VersionOption",
    "WatchOption",
]

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
ModelUrlOption = Annotated[
    str | None,
    typer.Option("--model-url", metavar="URL", help="An OpenAI-compatible server; it is sent evidence of the notes."),
]
LimitOption = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=MAX_LIMIT, help="How many passages.")]
KeepUnsupportedOption = Annotated[
    bool, typer.Option("--keep-unsupported", help="Show what the model wrote and no note says, marked as such.")
]
NoLlmOption = Annotated[bool, typer.Option("--no-llm", help="Answer in the notes' own words.")]
ExplainOption = Annotated[bool, typer.Option("--explain", help="Show what the score of every passage is made of.")]
ContextOption = Annotated[bool, typer.Option("--context", help="Show what stands around every passage.")]
ContinueOption = Annotated[bool, typer.Option("-c", "--continue", help="Go on with the last conversation.")]
ConversationOption = Annotated[
    str | None, typer.Option("--conversation", metavar="ID", help="Go on with this one, or: new, last.")
]
NoHistoryOption = Annotated[bool, typer.Option("--no-history", help="Keep nothing of question and answer.")]
WatchOption = Annotated[
    bool | None, typer.Option("--watch/--no-watch", help="Keep the index up to date with the notes meanwhile.")
]
RequireKeyOption = Annotated[
    bool | None,
    typer.Option("--require-key/--no-require-key", help="Ask for the key on this machine too. See: ragnotes key"),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit 4 unless every file is in the index.")]


def _checked(parse: Callable[[str], object]) -> Callable[[str], object]:
    def checked(text: str) -> object:
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return checked


_day = _checked(parse_day)
SinceOption = Annotated[
    date | None, typer.Option("--since", metavar="DATE", parser=_day, help="Notes of this day or later.")
]
UntilOption = Annotated[
    date | None, typer.Option("--until", metavar="DATE", parser=_day, help="Notes of this day or earlier.")
]


def _few(values: list[str] | list[Kind] | None) -> list[str] | list[Kind] | None:
    if values and len(values) > MAX_VALUES:
        raise typer.BadParameter(f"{len(values)} values, over the limit of {MAX_VALUES}")
    if any(len(value) > MAX_VALUE_CHARS for value in values or ()) or sum(map(len, values or ())) > MAX_FILTER_CHARS:
        raise typer.BadParameter(f"over the limit of {MAX_VALUE_CHARS} characters, or {MAX_FILTER_CHARS} in all")
    return values


TagOption = Annotated[
    list[str] | None, typer.Option("--tag", metavar="T", callback=_few, help="Notes with this tag; repeatable.")
]
PathOption = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="GLOB", callback=_few, help="Files and folders whose path fits; repeatable."),
]
KindOption = Annotated[
    list[Kind] | None, typer.Option("--kind", metavar="note|paper|transcript", callback=_few, help="Repeatable.")
]
SpeakerOption = Annotated[
    list[str] | None, typer.Option("--speaker", metavar="S", callback=_few, help="What this speaker says; repeatable.")
]
NowOption = Annotated[
    datetime | None, typer.Option("--now", metavar="ISO", parser=_checked(moment_of), help="As if asked then.")
]
TzOption = Annotated[str | None, typer.Option("--tz", metavar="NAME", help="As if asked there: Europe/Madrid.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ragnotes {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
]
