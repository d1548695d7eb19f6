"""Filters and search words as SQL and FTS5 understand them. Nothing a person types is syntax here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragnotes.answers import Filters
from ragnotes.forms import PRIVATE
from ragnotes.matching import folded, path_fits, tag_key
from ragnotes.stores.rows import pack, placeholders, unpack
from ragnotes.stores.schema import AS_WRITTEN

__all__ = ["PATH_FUNCTION", "all_of", "any_of", "each_of", "passing", "path_matches"]

PATH_FUNCTION = "path_matches"
"""The name under which a connection must know `path_matches`."""


_LETTERS = re.compile(rf"(?:[^\W_]|[{PRIVATE}])+")
"""Roughly what FTS5 takes for a token."""


def path_matches(path: bytes, pattern: bytes) -> bool:
    """Whether a packed path fits a packed pattern, as `matching.path_fits` has it."""
    return path_fits(unpack(path), unpack(pattern))


def passing(filters: Filters) -> tuple[str, list[object]]:
    """A query for the row ids of the chunks that pass, and its parameters.

    A tag is found by itself and by those that it is nested in, a speaker by any part of the name, both without regard
    to case. A chunk without a date passes no bound on dates.
    """
    conditions: list[str] = []
    values: list[object] = []

    def require(condition: str, *given: object) -> None:
        conditions.append(condition)
        values.extend(given)

    if filters.kinds:
        require(f"documents.kind IN ({placeholders(filters.kinds)})", *(kind.value for kind in filters.kinds))
    if filters.paths:
        fits = " OR ".join(f"{PATH_FUNCTION}(documents.path, ?)" for _ in filters.paths)
        require(f"({fits})", *(pack(pattern) for pattern in filters.paths))
    if filters.without:
        require(f"documents.path NOT IN ({placeholders(filters.without)})", *(pack(path) for path in filters.without))
    if filters.tags:
        # "/" and "0" are neighbours: between them lies what is nested in the tag
        nested = " OR ".join("tag = ? OR (tag > ? AND tag < ?)" for _ in filters.tags)
        keys = [pack(tag_key(tag)) for tag in filters.tags]
        bounds = [bound for key in keys for bound in (key, key + b"/", key + b"0")]
        require(f"documents.id IN (SELECT document FROM tags WHERE {nested})", *bounds)
    if filters.speakers:
        spoken = " OR ".join("instr(chunks.speaker, ?) > 0" for _ in filters.speakers)
        require(f"({spoken})", *(pack(folded(speaker)) for speaker in filters.speakers))
    first, last = ("date_since", "date_until") if filters.within else ("date_until", "date_since")
    if filters.since:
        require(f"chunks.{first} >= ?", filters.since.isoformat())
    if filters.until:
        require(f"chunks.{last} <= ?", filters.until.isoformat())
    return (
        "SELECT chunks.id FROM documents CROSS JOIN chunks ON chunks.document = documents.id"
        f" WHERE {' AND '.join(conditions) or 'TRUE'}",
        values,
    )


def any_of(words: Sequence[str], *, as_written: Sequence[str] = ()) -> str:
    """The FTS5 expression that matches where any of the words does, as in `each_of`; "" for no words."""
    return " OR ".join(each_of(words, as_written=as_written))


def each_of(words: Sequence[str], *, as_written: Sequence[str] = ()) -> list[str]:
    """An FTS5 expression for each word that can be searched for.

    A word that the tokenizer cuts in several ("e-mail") is matched as a phrase, one without a letter matches nothing.
    Words that are cut alike ("e-mail", "e mail") are asked for once: FTS5 would count both. Those `as_written` are
    looked for in the text, not among the forms of its words.
    """
    asked = {_as_cut(word): _quoted(word) for word in words}
    written = {cut: _quoted(word) for word in as_written if (cut := _as_cut(word)) not in asked}
    return [*asked.values(), *(f"{{{AS_WRITTEN}}} : {word}" for word in written.values())]


def all_of(words: Sequence[Sequence[str]]) -> str:
    """The FTS5 expression that matches where of each word one spelling stands; "" for no words.

    A spelling of several words is matched as a phrase.
    """
    return " AND ".join(f"({any_of(spellings)})" for spellings in words if any(map(_as_cut, spellings)))


def _as_cut(word: str) -> str:
    return " ".join(_LETTERS.findall(word.lower()))


def _quoted(word: str) -> str:
    # FTS5 reads its expression up to the first NUL, and SQLite takes no lone surrogate.
    readable = word.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return '"' + readable.replace('"', '""') + '"'
