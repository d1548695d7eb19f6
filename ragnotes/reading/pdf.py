"""PDF files: bytes to a Document with a mark for every physical page.

The parsing runs in a child process (`pdf_child`) with a clock and a memory limit, because a PDF of half a megabyte can
ask for gigabytes or minutes. This module judges what comes back and, with `pages`, finds its structure.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from math import ceil
from typing import Any

from ragnotes.children import module_path
from ragnotes.errors import LoadError
from ragnotes.reading.extraction import trimmed, without_controls
from ragnotes.reading.identity import document_id, sha256_of, stem_title
from ragnotes.reading.pages import first_title, structure_of_pages
from ragnotes.types import Block, BlockKind, Document, Kind, Metadata

__all__ = ["load_pdf"]

TRIES = 2
"""How often a file is given to a child before one that crashes is recorded as damaged, and left until it changes."""

_PROBLEMS = {
    "encrypted": ("the file needs a password", "save a copy without one"),
    "damaged": ("the file is no readable PDF", "open it in a viewer and save it again"),
    "no_text_layer": ("the pages are images without text", "run text recognition over it"),
    "timed_out": ("reading the file took too long", "raise the time limit, or split the file"),
    "out_of_memory": ("reading the file took too much memory", "split the file"),
}
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)  # glyphs of typesetting, which nobody types into a search
_FILE_NAME = re.compile(
    r"^Microsoft (?:Word|PowerPoint|Excel) - |^[\w.-]*[\d_.-][\w.-]*$"
    r"|\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|e?ps|indd|qxd|graffle|ai|od[tpg]|rtf|html?|txt)$",
    re.IGNORECASE | re.ASCII,
)
_NO_TITLES = frozenset({"untitled", "title", "document", "unknown", "none", "no title", "unbenannt", "sans titre"})


def load_pdf(content: bytes, path: str, *, timeout_s: float = 120.0, memory_bytes: int = 2 * 1024**3) -> Document:
    """The text and pages of a PDF; the stored text is the pages joined by blank lines.

    Raises LoadError: "encrypted", "damaged", "no_text_layer", "timed_out", or "out_of_memory".
    """
    found = _extract(content, timeout_s, memory_bytes)
    pages = [_clean(page) for page in found["pages"]]
    text, marks, blocks = structure_of_pages(pages)
    if not blocks:
        raise _error("no_text_layer")
    title = _stated_title(found, path) or first_title(next(page for page in pages if page))
    return Document(
        doc_id=document_id(path),
        path=path,
        kind=Kind.PAPER,
        title=title or stem_title(path),
        titled=bool(title),
        text=text,
        sha256=sha256_of(content),
        marks=marks,
        blocks=_with_title(text, blocks, title),
        metadata=_metadata(found),
    )


def _with_title(text: str, blocks: tuple[Block, ...], title: str) -> tuple[Block, ...]:
    """The blocks, the first one parted after the title where it begins with it."""
    first, rest = blocks[0], blocks[1:]
    words = r"\s+".join(re.escape(word) for word in title.split())
    match = re.match(words + r"(?=\s|$)", text[first.start : first.end]) if words else None
    if match is None:
        return blocks
    heading = replace(first, end=first.start + match.end(), kind=BlockKind.HEADING)
    start, end = trimmed(text, heading.end, first.end)
    return (heading, *([replace(first, start=start, end=end)] if start < end else []), *rest)


def _extract(content: bytes, timeout_s: float, memory_bytes: int) -> dict[str, Any]:
    """What the child found; raises LoadError for whatever else happens to it.

    One that a signal ended is given a second try: it may have been the system, short of memory, and not the file.
    """
    for _ in range(TRIES):
        child = _child(content, timeout_s, memory_bytes)
        if child.returncode == -getattr(signal, "SIGXCPU", 0) != 0:
            raise _error("timed_out")
        if child.returncode >= 0:
            break
    found = _answer(child.stdout) if child.returncode == 0 else {"reason": "damaged"}
    if "reason" in found:
        raise _error(str(found["reason"]))
    return found


def _child(content: bytes, timeout_s: float, memory_bytes: int) -> subprocess.CompletedProcess[bytes]:
    """The child, ended in whatever way but by the clock."""
    limits = (memory_bytes, ceil(timeout_s) + 1, os.getpid())
    try:
        return subprocess.run(
            # -P keeps the current folder, which may be somebody's notes, out of the child's module path
            [sys.executable, "-P", "-m", "ragnotes.reading.pdf_child", *map(str, limits)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            env={**os.environ, "PYTHONPATH": module_path()},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _error("timed_out") from error
    except OSError as error:  # no process or memory to spare: not the file's fault
        raise LoadError("unreadable", f"no process could be started to read it: {error}", "run again") from error


def _answer(output: bytes) -> dict[str, Any]:
    try:
        found = json.loads(output)
    except ValueError:
        return {"reason": "damaged"}
    pages = found.get("pages") if isinstance(found, dict) else None
    whole = isinstance(pages, list) and all(isinstance(page, str) for page in pages)
    return found if whole or (isinstance(found, dict) and "reason" in found) else {"reason": "damaged"}


def _error(reason: str) -> LoadError:
    problem, hint = _PROBLEMS.get(reason, _PROBLEMS["damaged"])
    return LoadError(reason if reason in _PROBLEMS else "damaged", problem, hint)


def _clean(page: str) -> str:
    return without_controls(_LINE_BREAKS.sub("\n", page)).translate(_LIGATURES).strip()


def _stated_title(found: dict[str, Any], path: str) -> str:
    """The title that the file states of itself; empty where it is a file's name or says nothing."""
    title = _stated(found, "title") or ""
    nameless = title.casefold() in _NO_TITLES or title.casefold() == stem_title(path).casefold()
    letters = sum(character.isalpha() for character in title)
    return "" if nameless or letters < 3 or _FILE_NAME.search(title) else title


def _stated(found: dict[str, Any], name: str) -> str | None:
    value = found.get(name)
    return " ".join(_clean(value).split()) or None if isinstance(value, str) else None


def _metadata(found: dict[str, Any]) -> Metadata:
    """A PDF says when the file was made, not of which day its content is, so that stays out of `date`."""
    unreadable = ", ".join(str(number) for number in found.get("unreadable", ()))
    extra = {"created": _stated(found, "created"), "unreadable_pages": unreadable or None}
    return Metadata(
        author=_stated(found, "author"),
        extra={name: value for name, value in extra.items() if value is not None},
    )
