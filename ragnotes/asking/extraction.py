"""The answer that the evidence itself gives, and when a model's draft may stand in its place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragnotes.asking.verification import Checked
from ragnotes.asking.words import content_stems
from ragnotes.types import Evidence, Support

__all__ = ["extract", "stands"]

MAX_SENTENCES = 3
MAX_WORDS = 34
"""A second sentence is added only while the answer stays about this short."""
CLOSE = 0.85
"""How near a further piece must come to the best one's score."""

_WHEN = re.compile(r"^\s*(?:when|on (?:what|which) (?:day|date)|what (?:day|date)|cuándo|wann)\b", re.IGNORECASE)
_OWN = re.compile(r"\b(?:I|we|my|our|ich|wir|mein\w*|mi|mis|yo)\b", re.IGNORECASE)
_LINK = re.compile(
    r"\b(?:links?|urls?|websites?|web ?pages?|repos?|repository|repositories|arxiv|github|where)\b", re.I
)


def extract(question: str, evidence: Sequence[Evidence]) -> list[Checked]:
    """The best piece of evidence, and others nearly as good while the answer stays short; no evidence gives [].

    Asked when the person did something, an answer opens with the date of the notes; when the rest of the world did
    something, that date says nothing. Asked for a link, an answer ends with the links.
    """
    chosen: list[Evidence] = []
    words = 0
    for item in evidence:
        size = len(item.unit.plain.split())
        if chosen and (
            words + size > MAX_WORDS or item.score < CLOSE * chosen[0].score or len(chosen) == MAX_SENTENCES
        ):
            break
        if not any(_repeats(item, other) for other in chosen):
            chosen.append(item)
            words += size
    return [Checked(_sentence(question, item), item, Support.SUPPORTED) for item in chosen]


def stands(question: str, draft: Sequence[Checked], extracted: Sequence[Checked]) -> bool:
    """Whether a checked draft may replace the evidence: it rests on the best piece, and says what was not asked."""
    if not any(_repeats(item.evidence, extracted[0].evidence) for item in draft):
        return False
    return not set(content_stems(" ".join(item.text for item in draft))) <= set(content_stems(question))


def _repeats(item: Evidence, other: Evidence) -> bool:
    """The same words again, or a part of a span that is already quoted."""
    overlaps = item.unit.start < other.unit.end and other.unit.start < item.unit.end
    return item.unit.plain == other.unit.plain or (overlaps and item.hit.source == other.hit.source)


def _sentence(question: str, item: Evidence) -> str:
    text = item.unit.plain
    if (
        _WHEN.search(question)
        and _OWN.search(question)
        and item.place.date is not None
        and str(item.place.date) not in text
    ):
        text = f"{item.place.date}: {text}"
    if _LINK.search(question) and item.links:
        text = f"{text} ({', '.join(item.links)})"
    return text
