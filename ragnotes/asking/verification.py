"""A draft and its evidence to sentences that are checked.

The model proposes, this module decides. A sentence of the draft is kept only where one piece of evidence carries it:
every word and number, those that the question did not bring in the order of the evidence, and the denial. A small
model puts true words together into false sentences; docs/decisions/0003 has what weaker rules let through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragnotes.answers import Evidence, Support
from ragnotes.asking.words import content_stems, negated, numbers_in

__all__ = ["MAX_SENTENCES", "Checked", "check_sentence", "is_refusal", "support_of"]

MAX_SENTENCES = 3
MIN_WORDS = 3
SUPPORTED_ORDER = 0.8
"""The share of the words in both that must stand in the same order; of those not in the question all must."""

_REFUSAL = re.compile(r"\b(?:notes?|excerpts?)\b[^.]*\b(?:do|does|did) not (?:say|mention|hold|contain|specify)", re.I)


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence of an answer with the evidence that carries it best."""

    text: str
    evidence: Evidence
    support: Support


def is_refusal(sentence: str) -> bool:
    """Whether the sentence says that the notes are silent."""
    return bool(_REFUSAL.search(sentence))


def check_sentence(question: str, sentence: str, evidence: Sequence[Evidence]) -> Checked | None:
    """The sentence with the smallest piece of evidence that carries it; None where none does."""
    carriers = [item for item in evidence if support_of(question, sentence, item) is Support.SUPPORTED]
    if not carriers or len(sentence.split()) < MIN_WORDS:
        return None
    return Checked(sentence, min(carriers, key=lambda item: len(item.text)), Support.SUPPORTED)


def support_of(question: str, sentence: str, evidence: Evidence) -> Support:
    """How well `evidence` carries `sentence` as an answer to `question`.

    Unsupported: a word or number that stands neither in the evidence nor in its heading, also one of the question's (of
    "stem bolts: 5 Nm" a model makes "the torque for the crank bolts is 5 Nm"), a denial in one of the two only, or a
    question told as a fact. Weak: all of that holds, but words stand in another order, which can turn their meaning
    ("74 for quotes, 118 for text" into "74 for text"), some of the numbers are left out ("3 of 7"), or what comes first
    is ("polars in Python beats pandas"), unless the question said it.
    """
    words, asked = content_stems(sentence), set(content_stems(question))
    said = content_stems(evidence.unit.plain)
    around = {*said, *content_stems(f"{evidence.unit.lead} {evidence.place.heading or ''} {evidence.place.date or ''}")}
    if not words or any(word not in around for word in words):
        return Support.UNSUPPORTED
    if not numbers_in(sentence) <= numbers_in(f"{evidence.unit.plain} {evidence.unit.lead} {evidence.place.date}"):
        return Support.UNSUPPORTED
    if negated(sentence) != negated(evidence.unit.plain) or ("?" in evidence.unit.plain and "?" not in sentence):
        return Support.UNSUPPORTED
    shared, new = [word for word in words if word in said], [word for word in words if word not in asked]
    ordered = common_subsequence(new, said) == len(new)
    mostly = bool(shared) and common_subsequence(shared, said) >= SUPPORTED_ORDER * len(shared)
    whole = not numbers_in(sentence) or numbers_in(evidence.unit.plain) <= numbers_in(sentence)
    is_row = " | " in evidence.unit.plain  # whose cells each say something
    opening = [] if is_row else said[: min((said.index(word) for word in shared), default=0)]
    if ordered and mostly and whole and asked.issuperset(opening):
        return Support.SUPPORTED
    return Support.WEAK


def common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest sequence of words that both hold in order, gaps allowed."""
    previous = [0] * (len(right) + 1)
    for word in left:
        row = [0]
        for n, other in enumerate(right):
            row.append(previous[n] + 1 if word == other else max(previous[n + 1], row[n]))
        previous = row
    return previous[-1]
