"""Where settings stand, the strongest first: flags, the environment, and files.

`ragnotes.toml` in the working directory, that of the first folder of notes, and the user's own `config.toml`. The first
two may have come with somebody else's notes, so they do not decide where questions and notes go, or who may ask.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragnotes.errors import SettingsError

__all__ = [
    "DEFAULT_CORPUS",
    "SECRET",
    "SettingsSource",
    "config_folder",
    "files_of",
    "folders_in",
    "merged",
    "sources_of",
]

SETTINGS_FILE = "ragnotes.toml"
OWN_FILE = "config.toml"
SECRET = frozenset({"api_key", "model_api_key"})
"""What no message shows, and no file keeps."""
NOT_IN_FOLDER = SECRET | {"server", "key_file", "require_key", "host", "link", "model_url", "model_name"}
"""Where questions and notes go, who may ask, and what a click opens: no file of a folder decides that."""
OF_NOTES = frozenset({"day_first", "tz"})
"""What belongs to notes, wherever they are asked from."""
MOST_BYTES = 64 * 1024
"""Of a settings file: one may come with somebody else's notes."""
_PATHS = ("corpus", "index", "embedder", "model", "key_file")
DEFAULT_CORPUS = "corpus"


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """Settings of one kind: `--` of flags, `RAGNOTES_` of the environment, or those of a file."""

    kind: str
    values: Mapping[str, Any]

    def name_of(self, name: str) -> str:
        """What a setting is called there: `--port`, `RAGNOTES_PORT`, `ragnotes.toml: port`."""
        if self.kind == "--":
            return f"--{name.replace('_', '-')}"
        return f"RAGNOTES_{name.upper()}" if self.kind == "RAGNOTES_" else f"{self.kind}: {name}"


def sources_of(flags: Mapping[str, Any], names: Collection[str]) -> list[SettingsSource]:
    """All sources, the strongest first; flags whose value is None or empty count as not given.

    Raises SettingsError for a file that cannot be read, or sets what there is not, or what it may not.
    """
    given = {name: value for name, value in flags.items() if value not in (None, (), [])}
    here, own = Path(SETTINGS_FILE), config_folder() / OWN_FILE
    stronger = [
        SettingsSource("--", given),
        SettingsSource("RAGNOTES_", _from_environment(names)),
        SettingsSource(SETTINGS_FILE, _allowed(_read(here), here, names, NOT_IN_FOLDER)),
    ]
    own_values = _located(_allowed(_read(own), own, names, SECRET), own.parent)
    weaker = [SettingsSource(str(own), own_values)]
    beside = _beside_notes(merged([*stronger, *weaker]).get("corpus", DEFAULT_CORPUS))
    # False also where that cannot be told, as the notes then cannot be read either, which is told better.
    if beside is not None and os.path.isfile(beside):  # noqa: PTH113
        values = {name: value for name, value in _read(beside).items() if name in OF_NOTES}
        weaker.insert(0, SettingsSource(str(beside), values))
    return [*stronger, *weaker]


def files_of(corpus: Sequence[Path]) -> list[Path]:
    """The files that are looked at for settings with these folders of notes, the strongest first."""
    beside = _beside_notes(corpus)
    return [Path(SETTINGS_FILE), *([] if beside is None else [beside]), config_folder() / OWN_FILE]


def merged(sources: Sequence[SettingsSource]) -> dict[str, Any]:
    """Each setting of the strongest source that has it."""
    return {name: value for source in reversed(sources) for name, value in source.values.items()}


def config_folder() -> Path:
    """Where this platform keeps what its user sets."""
    if sys.platform in {"darwin", "win32"}:
        from platformdirs import user_config_path

        return user_config_path("ragnotes", appauthor=False)
    # As platformdirs has it, which takes a tenth of the thin client's time to import; without a home, no error.
    return Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "ragnotes")  # noqa: PTH111


def _from_environment(names: Collection[str]) -> dict[str, Any]:
    found = {variable.lower(): value for variable, value in os.environ.items()}
    return {name: found[f"ragnotes_{name}"] for name in names if f"ragnotes_{name}" in found}


def _read(file: Path) -> dict[str, Any]:
    """What the file sets; {} where there is none. Raises SettingsError where it cannot be read."""
    try:
        if not file.is_file():
            return {}
        import tomllib  # only where there is something to read: the thin client waits for it

        with file.open("rb") as content:
            raw = content.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        return tomllib.loads(raw.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{file} cannot be read: {error}", "correct it, or remove it") from error


def _allowed(found: dict[str, Any], file: Path, names: Collection[str], refused: Collection[str]) -> dict[str, Any]:
    """What was found in the file. Raises SettingsError on what is no setting, or may not be set there."""
    for name in sorted(found):
        if name not in names:
            raise SettingsError(f"{file}: there is no setting {name}", "correct it, or leave it out")
        if name in refused:
            why = (
                "a file is no place for a key" if name in SECRET else "such a file may come with somebody else's notes"
            )
            raise SettingsError(
                f"{file}: {name} cannot be set there, because {why}", f"set RAGNOTES_{name.upper()} instead"
            )
    return found


def folders_in(corpus: str) -> list[str]:
    """The folders of notes in one string, separated as in PATH."""
    return [part for part in corpus.split(os.pathsep) if part]


def _located(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The values of the user's own file, with `~` as the home, and other paths from the folder that the file is in."""

    def placed(value: object) -> object:
        if isinstance(value, list):
            return [placed(each) for each in value]
        return str(folder / os.path.expanduser(value)) if isinstance(value, str) and value else value  # noqa: PTH111

    if isinstance(corpus := values.get("corpus"), str):
        values = values | {"corpus": folders_in(corpus)}
    return {name: placed(value) if name in _PATHS else value for name, value in values.items()}


def _beside_notes(corpus: object) -> Path | None:
    """The settings file of the first folder of what was given for `corpus`; None where that is the working directory,
    or no folder.
    """
    folders = folders_in(corpus) if isinstance(corpus, str) else corpus
    first = next(iter(folders), None) if isinstance(folders, list | tuple) else None
    if not isinstance(first, str | Path) or os.path.realpath(first) == os.path.realpath("."):
        return None
    return Path(first, SETTINGS_FILE)
