"""Server-sent events out of the bytes of a response.

Source: WHATWG HTML, "Interpreting an event stream". Ids and times to reconnect are passed over.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator

__all__ = ["EventTooLong", "events"]


class EventTooLong(ValueError):
    """A line or event is longer than its reader wants to keep."""


def events(chunks: Iterable[bytes], *, longest: int) -> Iterator[tuple[str, str]]:
    """Name and content of each event; comments are skipped, and so is an event that the end cuts short.

    Raises EventTooLong where a line, or the lines of an event, have more than `longest` characters.
    """
    name, content, size = "message", list[str](), 0
    for line in _lines(chunks, longest):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if content:
                yield name, "\n".join(content)
            name, content, size = "message", [], 0
        elif field == "event":
            name = value
        elif field == "data":
            content.append(value)
            size = _checked(size + len(value) + 1, longest)


def _lines(chunks: Iterable[bytes], longest: int) -> Iterator[str]:
    """Lines end with CR, LF or both, and nothing else: JSON may hold the line ends of Unicode as they are."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")("replace"), translate=True)
    begun, size = list[str](), 0
    for chunk in chunks:
        text: str = decoder.decode(chunk)
        rest, *more = text.split("\n")
        begun.append(rest)
        size = _checked(size + len(rest), longest)
        for following in more:
            yield "".join(begun)
            begun, size = [following], _checked(len(following), longest)


def _checked(size: int, longest: int) -> int:
    if size > longest:
        raise EventTooLong(f"an event has more than {longest} characters")
    return size
