"""The command `config`: every setting, its value, and where it was set."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import typer

from ragnotes import console
from ragnotes.calls import public
from ragnotes.options import CorpusOption, IndexOption, JsonOption
from ragnotes.running import Code, print_json
from ragnotes.settings import Settings, settings_with_origins
from ragnotes.settings_sources import SECRET, files_of

__all__ = ["config"]

DEFAULT = "default"
UNSET, HIDDEN = "-", "(set, not shown)"


@dataclass(frozen=True)
class _Shown:
    """A setting as JSON has it: `value` is what the setting is, and of a key whether there is one."""

    name: str
    value: object
    origin: str


@dataclass(frozen=True)
class _File:
    path: str
    found: bool


def config(*, corpus: CorpusOption = None, index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Show every setting, its value, and where it was set; no key is shown."""
    settings, origins = settings_with_origins({"corpus": corpus, "index": index})
    shown = [
        _Shown(name, _value(settings, name), origins.get(name, DEFAULT))
        for name in sorted(each.name for each in fields(Settings))
    ]
    files = [_File(str(path), path.is_file()) for path in files_of(settings.corpus)]
    if as_json:
        print_json({"settings": shown, "files": files})
    else:
        console.show_lines(_lines(shown, files))
    raise typer.Exit(Code.DONE)


def _value(settings: Settings, name: str) -> object:
    value = getattr(settings, name)
    if name in SECRET:
        return value is not None
    if isinstance(value, tuple):
        return [str(each) for each in value]
    if name == "server" and value is not None:
        return public(value)
    return str(value) if isinstance(value, Path) else value


def _lines(shown: list[_Shown], files: list[_File]) -> list[str]:
    rows = [(each.name, _in_words(each), each.origin) for each in shown]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    table = [f"{name:{widths[0]}}  {value:{widths[1]}}  {origin}" for name, value, origin in rows]
    places = [f"{file.path}{'' if file.found else ' (there is none)'}" for file in files]
    return [
        *table,
        "",
        "Flags win over RAGNOTES_…, and that over these files, the first of them before the next:",
        *places,
    ]


def _in_words(shown: _Shown) -> str:
    value = shown.value
    if shown.name in SECRET:
        return HIDDEN if value else UNSET
    if isinstance(value, list):
        return ", ".join(value)
    if value is None:
        return UNSET
    return str(value).lower() if isinstance(value, bool) else str(value)
