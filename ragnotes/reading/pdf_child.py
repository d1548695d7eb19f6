"""The process that reads one PDF: bytes on stdin, one JSON object on stdout, its own memory and CPU time capped.

Run as `python -m ragnotes.reading.pdf_child MEMORY_BYTES CPU_SECONDS PARENT`. A hostile or broken file can hang,
exhaust or kill this process, never the one that asked. The object has either `reason`, a code of LoadError, or `pages`
(text by physical page), `unreadable` (numbers of pages that failed), `title`, `author` and `created`.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import warnings
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

from ragnotes.children import end_with_parent, limit_process

__all__ = ["main", "read_pdf"]

_MAX_CHARS = 16_000_000
"""More text than the longest books hold: a file that expands beyond it is a bomb, and the parent has to hold it."""


class _Refused(Exception):
    """The file as a whole cannot be read; the argument is the reason code."""


def main(arguments: list[str]) -> int:
    """Read the PDF on stdin within the limits given and answer on stdout. Returns 0: the answer says what failed."""
    memory_bytes, cpu_s, parent = (int(argument) for argument in arguments)
    limit_process(memory_bytes, cpu_s)
    end_with_parent(parent)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answer_to = sys.stdout
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - whatever a library prints must not mix with the answer
        sys.stdout = nowhere
        answer = _read_input()
        sys.stdout = answer_to
    json.dump(answer, answer_to)
    return 0


def read_pdf(content: bytes) -> dict[str, Any]:
    """What the module promises for the PDF in `content`."""
    try:
        return _read(content)
    except _Refused as refusal:
        return {"reason": str(refusal)}
    except (FileNotDecryptedError, DependencyError, NotImplementedError):  # also ciphers that pypdf does not know
        return {"reason": "encrypted"}
    except (MemoryError, LimitReachedError):
        return {"reason": "out_of_memory"}
    except Exception:  # any other failure of the parser is the file's: see the module's docstring
        return {"reason": "damaged"}


def _read_input() -> dict[str, Any]:
    try:
        return read_pdf(sys.stdin.buffer.read())
    except MemoryError:
        return {"reason": "out_of_memory"}


def _read(content: bytes) -> dict[str, Any]:
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise _Refused("encrypted")
    pages: list[str] = []
    failures: dict[int, Exception] = {}
    total = 0
    for number, page in enumerate(reader.pages, start=1):
        try:
            pages.append(page.extract_text())
        except MemoryError:
            raise
        except Exception as failure:  # one bad page must not cost the others
            pages.append("")
            failures[number] = failure
        total += len(pages[-1])
        if total > _MAX_CHARS:
            raise _Refused("out_of_memory")
    _check_any_text(pages, list(failures.values()))
    return {"pages": pages, "unreadable": list(failures), **_properties(reader)}


def _check_any_text(pages: list[str], failures: list[Exception]) -> None:
    if any(page.strip() for page in pages):
        return
    if any(isinstance(failure, LimitReachedError) for failure in failures):
        raise _Refused("out_of_memory")
    raise _Refused("damaged" if failures or not pages else "no_text_layer")


def _properties(reader: PdfReader) -> dict[str, str | None]:
    """Title, author and creation date as the file states them; None for each that is absent or unreadable."""
    found: dict[str, str | None] = {"title": None, "author": None, "created": None}
    try:
        stated = reader.metadata
        if stated is not None:
            found["title"], found["author"] = stated.title, stated.author
            found["created"] = stated.creation_date.isoformat() if stated.creation_date else None
    except Exception:  # properties are an extra; pypdf raises many kinds on broken ones
        return found
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
