"""Whether a sentence tells one piece of evidence in its own words and order.

A small model puts true words together into false sentences: "74 for quotes, 118 for text" becomes "74 for text". No
agreement of words or meaning sees that; so what a model wrote must hold the words and numbers of its evidence, those
that the question did not bring in the same order. docs/decisions/0003 has what weaker rules let through.
"""

from __future__ import annotations

from collections.abc import Sequence

from ragnotes.answers import Evidence, Support
from ragnotes.asking.denial import denials, is_opposed
from ragnotes.asking.quantities import LONGEST, dates_agree, numbers_agree, without_dates
from ragnotes.asking.words import content_stems, negated, numbers_in

__all__ = ["common_subsequence", "support_of"]

MOST_WORDS = 512
"""Of a sentence; the order of more is not looked at."""
SUPPORTED_ORDER = 0.8
"""The share of the words in both that must stand in the same order; of those not in the question all must."""


def support_of(question: str, sentence: str, evidence: Evidence) -> Support:
    """How well `evidence` carries `sentence` as an answer to `question`.

    Unsupported: a word or number that stands neither in the evidence nor in its heading, also one of the question's
    (of "stem bolts: 5 Nm" a model makes "the torque for the crank bolts is 5 Nm"), a denial or hedge in one only, the
    opposite of a word, or a question told as a fact. Weak: all of that holds, but words stand in another order, which
    can turn their meaning ("74 for quotes, 118 for text" into "74 for text"), some of the numbers are left out ("3 of
    7"), or what comes first is ("polars in Python beats pandas"), unless the question said it.
    """
    words, asked = content_stems(sentence[:LONGEST])[:MOST_WORDS], set(content_stems(question[:LONGEST]))
    said = content_stems(evidence.unit.plain[:LONGEST])[:MOST_WORDS]
    if not words or len(sentence) > LONGEST or not _is_told(sentence, evidence):
        return Support.UNSUPPORTED
    held = set(said)
    shared, new = [word for word in words if word in held], [word for word in words if word not in asked]
    ordered = common_subsequence(new, said) == len(new)
    mostly = bool(shared) and common_subsequence(shared, said) >= SUPPORTED_ORDER * len(shared)
    whole = not numbers_in(sentence) or numbers_in(evidence.unit.plain) <= numbers_in(sentence)
    is_row = " | " in evidence.unit.plain  # whose cells each say something
    opening = [] if is_row else said[: min((said.index(word) for word in shared), default=0)]
    if ordered and mostly and whole and asked.issuperset(opening):
        return Support.SUPPORTED
    return Support.WEAK


def _is_told(sentence: str, evidence: Evidence) -> bool:
    """Whether the evidence or its heading has every word, number and date, and denies, hedges and asks alike."""
    plain, noted = evidence.unit.plain[:LONGEST], evidence.place.date
    around = f"{evidence.unit.lead} | {evidence.place.heading or ''}"[:LONGEST]
    dated, rest = dates_agree(sentence, f"{plain} | {around}", noted)
    if not dated or not set(content_stems(rest)) <= set(content_stems(f"{plain} {around}")):
        return False
    if not numbers_agree(rest, without_dates(plain, noted), without_dates(around, noted)):
        return False
    alike = negated(sentence) == negated(plain) and _hedges(sentence) == _hedges(plain)
    return alike and not is_opposed(sentence, plain) and ("?" not in plain or "?" in sentence)


def _hedges(text: str) -> set[str]:
    return {denial.kind for denial in denials(text) if denial.kind != "denied"}


def common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest sequence of words that both hold in order, gaps allowed, of the first of them."""
    left, right = left[:MOST_WORDS], right[:MOST_WORDS]
    previous = [0] * (len(right) + 1)
    for word in left:
        row = [0]
        for n, other in enumerate(right):
            row.append(previous[n] + 1 if word == other else max(previous[n + 1], row[n]))
        previous = row
    return previous[-1]
