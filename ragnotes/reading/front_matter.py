"""The YAML block that opens a note: where it ends, and what it says of the note."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import frontmatter
import yaml

from ragnotes.dates import DayMonthOrder, date_of_value
from ragnotes.types import Metadata

__all__ = ["MAX_BYTES", "metadata_of", "split_front_matter"]

MAX_BYTES = 64 * 1024
"""A longer block is text: nobody writes one, and YAML is slow on hostile input."""

_DEEPEST = 20
_BLOCK = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_TAG_FIELDS = ("tags", "tag", "categories", "category", "keywords")
_DATE_FIELDS = ("date", "published", "created", "day")
_AUTHOR_FIELDS = ("author", "authors")
_LANGUAGE_FIELDS = ("lang", "language")


def split_front_matter(text: str) -> tuple[dict[str, Any], int]:
    """The fields of the front matter and the offset at which the body starts; ({}, 0) where there is none.

    A block that is no mapping or is too long is left in the body. Where YAML fails, or could be made to (aliases expand
    without bound, tags call constructors, deep nesting is slow), its `key: value` lines are read as they stand.
    """
    match = _BLOCK.match(text)
    if match is None or len(match[1]) > MAX_BYTES:
        return {}, 0
    try:
        fields = frontmatter.YAMLHandler().load(match[1]) if _harmless(match[1]) else _lines(match[1])
        json.dumps(fields, ensure_ascii=False, skipkeys=True, default=str).encode()
    except (yaml.YAMLError, ValueError, RecursionError):
        # ValueError: an impossible date such as 2023-02-31, an escape for half a character, a number without end
        fields = _lines(match[1])
    if fields is None and not match[1].strip():
        return {}, match.end()
    return (dict(fields), match.end()) if isinstance(fields, dict) and fields else ({}, 0)


def _harmless(block: str) -> bool:
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", block):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEEPEST:
            return False
    tokens = yaml.scan(block, Loader=yaml.SafeLoader)
    return not any(isinstance(token, yaml.AliasToken | yaml.TagToken) for token in tokens)


def _lines(block: str) -> dict[str, str] | None:
    """`key: value` lines of a block that YAML refuses, such as a title with a colon; None where a line is not one."""
    fields = {}
    for line in block.splitlines():
        key, colon, value = line.partition(":")
        if line.strip() and not line.startswith((" ", "\t", "-", "#")):
            if not colon or not re.fullmatch(r"[\w -]{1,40}", key):
                return None
            fields[key.strip()] = value.strip(" \t\"'")
    return fields


def metadata_of(fields: Mapping[str, Any], *, order: DayMonthOrder | None = None) -> Metadata:
    """Tags, author, date and language of a note; everything else that is a plain value goes to `extra`."""
    known = {*_TAG_FIELDS, *_DATE_FIELDS, *_AUTHOR_FIELDS, *_LANGUAGE_FIELDS}
    folded = {str(key).lower(): value for key, value in fields.items()}
    tags = [tag for name in _TAG_FIELDS for tag in _words(folded.get(name))]
    authors = [author for name in _AUTHOR_FIELDS for author in _words(folded.get(name), separator=r"\s*;\s*")]
    values = [folded[name] for name in _DATE_FIELDS if not isinstance(folded.get(name, True), bool)]
    days = (date_of_value(value, order=order) for value in values)
    language = next((str(folded[name]) for name in _LANGUAGE_FIELDS if folded.get(name)), None)
    extra = {
        key: str(value)
        for key, value in folded.items()
        if key not in known and isinstance(value, str | int | float | bool | date)
    }
    return Metadata(
        tags=tuple(dict.fromkeys(tag.lstrip("#") for tag in tags)),
        author=", ".join(authors) or None,
        date=next((day for day in days if day), None),
        language=language,
        extra=extra,
    )


def _words(value: object, *, separator: str = r"\s*,\s*|\s+(?=#)") -> list[str]:
    if isinstance(value, str):
        return [word for word in re.split(separator, value.strip().strip("[]")) if word]
    if isinstance(value, list):
        return [str(word) for word in value if isinstance(word, str | int | float | date) and str(word).strip()]
    return []
