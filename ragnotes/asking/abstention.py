"""Whether the notes hold the answer: how sure that is, and why not.

A score decides, but for what no score need decide: notes of a time that are told as they stand, and questions for
somebody or something that the best passages know nothing of.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from ragnotes.answers import Evidence, Filters, Hit
from ragnotes.asking.asked_words import USUAL_FIT, question_word_fit
from ragnotes.asking.clues import PIECES, clues_of, known_in, log_odds
from ragnotes.asking.evidence import in_context, question_weights
from ragnotes.asking.own_time import FROM_QUESTION, tells_of
from ragnotes.asking.own_words import speaks_of_own_notes
from ragnotes.asking.words import has_content, held_stems, names_in, numbers_in, stems
from ragnotes.calibration import SHIPPED
from ragnotes.matching import folded
from ragnotes.ports import Embedder, Snapshot

__all__ = ["confidence_in", "reason_to_abstain"]

SLIP = 0.8
"""How much alike two spellings of one name are."""
MIN_COVERAGE_IN_TIME = 0.5
"""Within the time asked for, evidence that holds this share of the rest of the question is enough."""


def confidence_in(
    snapshot: Snapshot,
    embedder: Embedder | None,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    filters: Filters,
    *,
    question: str,
    subject: str,
) -> float | None:
    """The probability, in [0, 1], that the notes hold the answer; 0 where a rule knows that they do not.

    None where no score decides: what was noted at some time is told, if it bears on the rest of the question at all.
    Without an `embedder`, which takes time, the question word fits as it usually does.
    """
    if not hits or not evidence or _speaks_of_another(question, subject, evidence[:PIECES]):
        return 0.0
    if not has_content(subject):
        return None if _asks_for_a_time(question, filters) else 0.0
    if filters.source == FROM_QUESTION and evidence[0].coverage >= MIN_COVERAGE_IN_TIME:
        return None
    text = in_context(evidence[0].hit, evidence[0].unit)
    fit = question_word_fit(embedder, question, text) if embedder else USUAL_FIT
    clues = clues_of(question, question_weights(snapshot, subject), hits, evidence, fit)
    return (snapshot.calibration() or SHIPPED).confidence(log_odds(clues))


def reason_to_abstain(
    snapshot: Snapshot,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    filters: Filters,
    left_out: Sequence[str],
    *,
    subject: str,
    confidence: float | None,
) -> str | None:
    """Why the notes hold no answer, None where they may; `confidence` is that of `confidence_in`.

    `empty_index`; `stale`: what was found is in files that changed or went; `filtered_out`; `no_match`; `low_support`.
    Asked for a time and no `subject`, whatever was noted then bears on the question.
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
    unsure = confidence is not None and confidence < (snapshot.calibration() or SHIPPED).threshold
    return "low_support" if unsure else None


def _asks_for_a_time(question: str, filters: Filters) -> bool:
    """Whether it asks what was noted at some time: its own, that of given dates (`what did I do?`), or the latest."""
    of_given_days = filters.source is not None and speaks_of_own_notes(question)
    return filters.source == FROM_QUESTION or filters.order is not None or of_given_days


def _speaks_of_another(question: str, subject: str, evidence: Sequence[Evidence]) -> bool:
    """Whether the question names somebody, something or a number that the best passages know nothing of.

    Asked for Tom's birthday, notes of Nina's hold no answer, however near they are. The question tells which words are
    names, and the subject which of them count: the name of a month does not.
    """
    known = " ".join(known_in(hit) for hit in {item.hit.chunk.chunk_id: item.hit for item in evidence}.values())
    held = {folded(stem) for stem in held_stems(known)}
    wanted = set(stems(subject))
    names = [name for word in names_in(question) if (name := stems(word)[0]) in wanted]
    foreign = [name for name in names if not _is_known(folded(name), held)]
    return bool(foreign) or not numbers_in(subject) <= numbers_in(known)


def _is_known(name: str, held: set[str]) -> bool:
    """Whether the name, or one that a slip of the pen makes of it, is there."""
    return name in held or bool(get_close_matches(name, [word for word in held if word[:1] == name[:1]], 1, SLIP))
