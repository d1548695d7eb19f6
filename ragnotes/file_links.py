"""From the place of a citation to a link that a terminal opens: a file on this machine, at its line or page."""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from ragnotes.inside import resolve_inside
from ragnotes.service.shapes import PlacedShape

__all__ = ["Linked", "links_into", "no_links"]

Linked = Callable[[PlacedShape], str | None]
"""The link to a place, None where there is none."""

_SAFE = "/" + string.ascii_letters + string.digits + "-._~"


def no_links(_: PlacedShape) -> str | None:
    return None


def links_into(roots: Sequence[Path], template: str | None = None) -> Linked:
    """Links to files under `roots`, None for a file that is not there.

    Without a template they are `file:///notes/log.md#12` and `file:///papers/a.pdf#page=3`: kitty, iTerm2 and VS Code
    go to the line, other programs open the file. A template has `{path}`, `{line}` and `{page}`, 1 where unknown.
    """

    def linked(placed: PlacedShape) -> str | None:
        file = _file(roots, placed.path)
        return _uri(file, placed, template) if file else None

    return linked


def _file(roots: Sequence[Path], path: str) -> Path | None:
    """The file that a path of the index names; never one outside the roots."""
    folders = [root.resolve() for root in roots]
    if len(folders) > 1:
        name, _, path = path.partition("/")
        folders = [folder for folder in folders if folder.name == name]
    files = [file for folder in folders if (file := resolve_inside(folder, path))]
    try:
        return next((file for file in files if file.is_file() and not file.is_symlink()), None)
    except (OSError, ValueError):  # no name that a file could have
        return None


def _uri(file: Path, placed: PlacedShape, template: str | None) -> str:
    path = quote(os.fsencode(file.as_posix()), safe=_SAFE)  # so nothing of a name can end or steer the link
    path = path if path.startswith("/") else f"/{path}"
    if template is None:
        line = f"#{placed.line}" if placed.line is not None else ""
        return f"file://{path}" + (f"#page={placed.page}" if placed.page is not None else line)
    if "://{path}" not in template:
        template = template.replace("/{path}", "{path}")
    numbers = {"{line}": str(placed.line or 1), "{page}": str(placed.page or 1), "{path}": path}
    for name, value in numbers.items():
        template = template.replace(name, value)
    return template
