"""Whether the evidence bears on the question at all."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from ragnotes.answers import Evidence, Filters, Hit
from ragnotes.asking.own_time import FROM_QUESTION, tells_of
from ragnotes.asking.own_words import speaks_of_own_notes
from ragnotes.asking.words import has_content, held_stems, names_in, numbers_in, stems
from ragnotes.matching import folded
from ragnotes.ports import Snapshot

__all__ = ["reason_to_abstain"]

MIN_SCORE = 0.47
"""The best evidence's score under which the notes are taken to be silent; docs/log.md has the curve."""
SLIP = 0.8
"""How much alike two spellings of one name are."""
PIECES = 3
"""The best pieces of evidence, whose passages together must know the names and numbers of the question."""
MIN_COVERAGE_IN_TIME = 0.5
"""Within the time asked for, evidence that holds this share of the rest of the question is enough."""


def reason_to_abstain(
    snapshot: Snapshot,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    filters: Filters,
    left_out: Sequence[str],
    *,
    question: str,
    subject: str,
) -> str | None:
    """Why the notes hold no answer, None where they may.

    `empty_index`; `stale`: what was found is in files that changed or went; `filtered_out`; `no_match`; `low_support`.
    Asked for a time and no `subject`, whatever was noted then bears on the question; asked for neither, nothing does.
    """
    if snapshot.count() == 0:
        return "empty_index"
    if not hits and left_out:
        return "stale"
    if not hits:
        return "filtered_out" if filters else "no_match"
    of_a_time = filters.source == FROM_QUESTION and not has_content(subject)
    if of_a_time and not any(tells_of(hit.chunk.place.date, filters) for hit in hits):
        return "filtered_out"
    if not evidence:
        return "no_match"
    in_time = filters.source == FROM_QUESTION and evidence[0].coverage >= MIN_COVERAGE_IN_TIME
    if has_content(subject) and not in_time and evidence[0].score < MIN_SCORE:
        return "low_support"
    if not has_content(subject) and not _asks_for_a_time(question, filters):
        return "low_support"
    return "low_support" if _speaks_of_another(question, subject, evidence[:PIECES]) else None


def _asks_for_a_time(question: str, filters: Filters) -> bool:
    """Whether it asks what was noted at some time: its own, that of given dates (`what did I do?`), or the latest."""
    of_given_days = filters.source is not None and speaks_of_own_notes(question)
    return filters.source == FROM_QUESTION or filters.order is not None or of_given_days


def _speaks_of_another(question: str, subject: str, evidence: Sequence[Evidence]) -> bool:
    """Whether the question names somebody, something or a number that the best passages know nothing of.

    Asked for Tom's birthday, notes of Nina's hold no answer, however near they are. The question tells which words are
    names, and the subject which of them count: the name of a month does not.
    """
    known = " ".join(
        " ".join((hit.chunk.context, hit.chunk.plain, hit.source.title, hit.source.path, *hit.chunk.links))
        for hit in {item.hit.chunk.chunk_id: item.hit for item in evidence}.values()
    )
    held = {folded(stem) for stem in held_stems(known)}
    wanted = set(stems(subject))
    names = [name for word in names_in(question) if (name := stems(word)[0]) in wanted]
    foreign = [name for name in names if not _is_known(folded(name), held)]
    return bool(foreign) or not numbers_in(subject) <= numbers_in(known)


def _is_known(name: str, held: set[str]) -> bool:
    """Whether the name, or one that a slip of the pen makes of it, is there."""
    return name in held or bool(get_close_matches(name, [word for word in held if word[:1] == name[:1]], 1, SLIP))
