"""Flags, environment and files into one frozen Settings: data only, nothing is built here.

Flags win over the environment (`RAGNOTES_…`), the environment over files, as `settings_sources` has them, and those
over the defaults. A bad value is a SettingsError that names the setting and where the value came from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from ragnotes.errors import SettingsError
from ragnotes.fields import Made, Within
from ragnotes.settings_sources import (
    DEFAULT_CORPUS,
    SECRET,
    SettingsSource,
    config_folder,
    folders_in,
    merged,
    sources_of,
)

__all__ = ["LOOPBACK_NAMES", "Settings", "is_loopback", "load_settings", "settings_with_origins"]

KEY_FILE = "api-key"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

_LINK = re.compile(r"(?!https?:|javascript:|data:)[a-z][a-z0-9+.-]*:[!-~]*\{path\}[!-~]*", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?")
_KEY = re.compile(r"[!-~]+")
_ONE_OF = ("model", "model_url")
"""Where two sources name one of these each, the stronger one counts."""


def _folders(value: object) -> object:
    return tuple(map(Path, folders_in(value))) if isinstance(value, str) else value


def _web_address(url: object) -> object:
    if isinstance(url, str) and not (_URL.fullmatch(url) and _can_be_asked(url)):
        raise ValueError("this is no URL such as http://127.0.0.1:8080/v1")
    return url


def _key(key: object) -> object:
    """The key without what a file or a shell added at its ends; None where nothing is left."""
    if not isinstance(key, str):
        return key
    key = key.strip()
    if key and not _KEY.fullmatch(key):
        raise ValueError("a key has ASCII letters, digits and signs only, and no spaces")
    return key or None


def _link(link: object) -> object:
    if isinstance(link, str) and not _LINK.fullmatch(link):
        raise ValueError("a link has a scheme and {path}: vscode://file{path}:{line}")
    return link


def _zone(name: object) -> object:
    from ragnotes.clock import zone_of

    return name if not isinstance(name, str) or zone_of(name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. None for a model means the bundled one."""

    corpus: Annotated[tuple[Path, ...], Within(min_length=1), Made(_folders)] = (Path(DEFAULT_CORPUS),)
    """The folders of notes; in the environment separated as in PATH."""
    index: Path = Path("indexes/default")
    embedder: Path | None = None
    """A sentence-transformers folder."""
    model: Path | None = None
    """A GGUF file."""
    model_url: Annotated[str | None, Made(_web_address)] = None
    """An OpenAI-compatible server that is asked instead of a GGUF file: evidence from the notes is sent there."""
    model_name: str | None = None
    """Which of that server's models; unset, the first."""
    model_api_key: Annotated[str | None, Made(_key)] = field(default=None, repr=False)
    server: str | None = None
    """The URL of a running server; `ask` is then only its client."""
    api_key: Annotated[str | None, Made(_key)] = field(default=None, repr=False)
    """What others must send, or its hash; a client sends it."""
    key_file: Path = field(default_factory=lambda: config_folder() / KEY_FILE)
    """Where `ragnotes key` keeps the hash of the key that it made."""
    require_key: bool = False
    """Whether a server that only this machine can reach asks for that key too."""
    host: str = "127.0.0.1"
    link: Annotated[str | None, Made(_link)] = None
    """What a terminal opens for a citation, such as `vscode://file{path}:{line}`; unset, the file itself."""
    port: Annotated[int, Within(ge=0, le=65535)] = 8000
    threads: Annotated[int, Within(ge=1)] = max(1, os.cpu_count() or 1)
    """Threads of the embedder and of the language model."""
    context_tokens: Annotated[int, Within(ge=512)] = 4096
    """The language model's context window, prompt and answer together; less where the model was trained on less."""
    answer_tokens: Annotated[int, Within(ge=16)] = 96
    queue_length: Annotated[int, Within(ge=1)] = 8
    """Questions that may wait for the model before new ones are refused."""
    max_file_bytes: Annotated[int, Within(ge=1)] = 64 * 1024 * 1024
    pdf_timeout_s: Annotated[float, Within(gt=0)] = 120.0
    day_first: bool | None = None
    """Whether `3/4` is 3 April, in notes that do not tell by themselves; unset, such dates are not read."""
    tz: Annotated[str | None, Made(_zone)] = None
    """The time zone that `yesterday` is told by, such as Europe/Madrid; unset, the machine's."""
    watch: bool = False
    """Whether a server keeps its index up to date by itself."""
    scan_every_s: Annotated[float, Within(ge=1)] = 60.0
    """While notes are watched, all of them are compared with the index so often, whatever was told of changes."""
    history: bool = True
    """Whether questions and answers are kept in the index directory."""
    pdf_memory_bytes: Annotated[int, Within(ge=256 * 1024**2)] = 2 * 1024**3


_NAMES = frozenset(each.name for each in fields(Settings))


def is_loopback(host: str) -> bool:
    """Whether a name or address to bind is reached from this machine only."""
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: `127.example.org` may lead anywhere
        return host.lower() in LOOPBACK_NAMES


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings of this run; flags whose value is None or empty count as not given."""
    return _settings_of(sources_of(flags, _NAMES))


def settings_with_origins(flags: Mapping[str, Any]) -> tuple[Settings, dict[str, str]]:
    """The settings of this run, and where each that is no default was set: `--port`, `RAGNOTES_PORT`, or which file."""
    sources = sources_of(flags, _NAMES)
    overruled = _overruled(sources)
    origins = {name: source.name_of(name) for source in reversed(sources) for name in source.values}
    return _settings_of(sources), {name: origin for name, origin in origins.items() if name not in overruled}


def _settings_of(sources: Sequence[SettingsSource]) -> Settings:
    values = merged(sources) | _overruled(sources)
    return _of_words(values) or _checked(values, sources)


def _of_words(values: Mapping[str, Any]) -> Settings | None:
    """The settings where none needs more than its own look at a string or a path; None where one does, or is bad.

    For the thin client: to import pydantic takes longer than all that it does.
    """
    made = dict[str, Any]()
    try:
        for name, value in values.items():
            made[name] = _WORDS[name](value)
    except (KeyError, TypeError, ValueError):
        return None
    return Settings(**made) if made.get("corpus", True) else None


def _checked(values: Mapping[str, Any], sources: Sequence[SettingsSource]) -> Settings:
    """The settings of any values, each made what its field says. Raises SettingsError."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Settings).validate_python(values)
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        origin = next((source.name_of(name) for source in sources if name in source.values), name)
        got = "" if name in SECRET else f", got {problem['input']!r}"
        raise SettingsError(
            f"{origin}: {problem['msg'].removeprefix('Value error, ')}{got}",
            "correct it, or leave it out",
        ) from None  # pydantic's own error shows what was given, also of keys


def _word(value: object) -> object:
    if not isinstance(value, str):
        raise TypeError("no string")
    return value


_WORDS: Mapping[str, Callable[[Any], object]] = {
    "server": _word,
    "api_key": lambda key: _key(_word(key)),
    "link": lambda link: _link(_word(link)),
    "tz": lambda name: _zone(_word(name)),
    "corpus": lambda paths: tuple(map(Path, paths)) if isinstance(paths, list) else _folders(_word(paths)),
    **dict.fromkeys(("index", "embedder", "model"), Path),
}
"""What the settings that a thin client may be given are made by."""


def _overruled(sources: Sequence[SettingsSource]) -> dict[str, None]:
    """None for those of `_ONE_OF` that the strongest source overrules by naming the other, not where it names both."""
    for source in sources:
        if named := [name for name in _ONE_OF if name in source.values]:
            return {name: None for name in _ONE_OF if name not in named}
    return {}


def _can_be_asked(url: str) -> bool:
    """Whether host and port are such that a request to them can be made at all."""
    import httpx  # takes longer to import than the thin client takes to ask

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return bool(parsed.host) and (parsed.port is None or 0 < parsed.port < 65536)
