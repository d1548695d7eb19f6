"""Which filters let nothing of the notes through, and what there is that comes near.

A misspelt tag finds nothing, and neither does a silent note; only the first can be mended by the person who asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from ragnotes.answers import Filters, Unmatched
from ragnotes.asking.own_time import FROM_QUESTION
from ragnotes.matching import folded
from ragnotes.ports import FilterName, Snapshot

__all__ = ["unmatched"]

NEAR = 3
LIKENESS = 0.5


def unmatched(snapshot: Snapshot, filters: Filters) -> tuple[Unmatched, ...]:
    """The values that by themselves let no passage through, each with up to three of the index that come near.

    () where something passes, and also where each filter lets something through but all together nothing.
    """
    if not filters or snapshot.any_passes(filters):
        return ()
    return tuple(
        Unmatched(name, value, _near(name, value, snapshot.values_of(name)))
        for name, value, alone in _apart(filters)
        if not snapshot.any_passes(alone)
    )


def _apart(filters: Filters) -> Iterator[tuple[FilterName, str, Filters]]:
    """Each value of the filters that somebody gave, with its name, and as a filter of its own."""
    dates_given = filters.source != FROM_QUESTION
    if filters.since and dates_given:
        yield "since", filters.since.isoformat(), Filters(since=filters.since)
    if filters.until and dates_given:
        yield "until", filters.until.isoformat(), Filters(until=filters.until)
    for tag in filters.tags:
        yield "tags", tag, Filters(tags=(tag,))
    for path in filters.paths:
        yield "paths", path, Filters(paths=(path,))
    for kind in filters.kinds:
        yield "kinds", kind.value, Filters(kinds=(kind,))
    for speaker in filters.speakers:
        yield "speakers", speaker, Filters(speakers=(speaker,))


def _near(name: FilterName, value: str, existing: Sequence[str]) -> tuple[str, ...]:
    """The closest first: what holds the value as a part, then what is spelt like it or has a part that is."""
    if name in ("since", "until", "kinds"):
        return tuple(existing)
    wanted = folded(value).strip("#*/ ")
    by_key = {folded(name): name for name in sorted(existing, reverse=True)}
    holding = sorted((key for key in by_key if wanted and wanted in key), key=lambda key: (len(key), key))
    parts: dict[str, list[str]] = {}
    for key in sorted(by_key):
        for part in {key, *key.replace("/", " ").split()}:
            parts.setdefault(part, []).append(key)
    alike = [key for part in get_close_matches(wanted, parts, NEAR, LIKENESS) for key in parts[part]]
    return tuple(dict.fromkeys(by_key[key] for key in [*holding, *alike]))[:NEAR]
