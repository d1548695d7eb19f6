"""Which words of a text are denied or hedged, whether two texts do so alike, and whether one says the opposite.

"Rarely works" and "might have worked" are no "works", and "after lunch" holds every word of "before lunch" but one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

from ragnotes.asking.words import NEGATION, content_stems, stems

__all__ = ["Denial", "denials", "deny_alike", "is_opposed", "without_denials"]

Kind = Literal["denied", "seldom", "possible", "on condition"]

SCOPE = 4
"""A denial reaches over this many words of content, or to the end of its clause."""
TOLD = 0.6
"""A claim that holds this share of what a source denies speaks of it."""
MET = 0.5
"""Two denials are the same where they share this much of the shorter one's reach."""
MOST = 64
"""So many denials of a text are read: each is compared with each of the other text."""
CLAUSE_CHARS = 300
"""How far from a denial the borders of its clause are looked for."""

_HEDGES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("denied", NEGATION),
    (
        "seldom",
        re.compile(r"\b(?:rarely|barely|seldom|scarcely|kaum|selten|apenas|raramente|rarement)\b", re.IGNORECASE),
    ),
    (
        "possible",  # in May is a month
        re.compile(
            r"\b(?:[Mm]ight|may|[Cc]ould|[Ww]ould|[Pp]erhaps|[Mm]aybe|[Pp]ossibly|könnten?|würden?|vielleicht|podrían?"
            r"|quizás?|pourrai(?:t|ent)|peut-être)\b"
        ),
    ),
    ("on condition", re.compile(r"\b(?:(?<!\bas )if|unless|falls|sofern)\b", re.IGNORECASE)),
)
_CLAUSE_END = re.compile(r"[,;:.!?()–—]\s|[.!?]$|\bbut\b|\bsino\b|\bsondern\b", re.IGNORECASE)
_WORD = re.compile(r"\w+|[,;:.!?()]")
_OPPOSITES = """
on off, with against, more fewer, more less, before after, open close, all some, above below, over under, up down,
increase decrease, rise fall, inside outside, accept reject, allow forbid, most least, first last, true false,
gain lose, always sometimes, an aus, vor nach, mehr weniger, alle einige, mit gegen, öffnen schließen, öffnet schließt,
antes después, más menos, todos algunos, abre cierra, con contra, avant après, plus moins, tous certains, ouvre ferme
"""
"""Pairs of words that turn what is said round where one stands for the other, beside the same word."""


class Denial(NamedTuple):
    """The stems that a denial or hedge reaches, those before it in its clause, and which of them it is."""

    reach: frozenset[str]
    subject: frozenset[str]
    kind: Kind = "denied"


@lru_cache(maxsize=4096)
def denials(text: str) -> tuple[Denial, ...]:
    """The denials and hedges of a text, each with the words after it in its clause; those before it where none follow.

    A condition reaches what is said on it: what stands before it, or after its clause where it opens the sentence.
    """
    return tuple(denial for kind, pattern in _HEDGES for denial in _of_kind(text, kind, pattern))


def without_denials(text: str) -> str:
    """The text without the words that deny or hedge."""
    for _, pattern in _HEDGES:
        text = pattern.sub(" ", text)
    return text


def deny_alike(claim: str, source: str) -> bool:
    """Whether the claim denies nothing that the source does not, and tells nothing as true that the source denies.

    What only might be, seldom is or is on a condition is neither denied nor true.
    """
    mine, theirs = denials(claim), denials(source)
    left = list(theirs)
    for denial in mine:
        met = next((other for other in left if _meet(denial, other)), None)
        if met is None:
            return False
        left.remove(met)  # what is denied twice is not denied
    open_ones = [denial for denial in theirs if not any(_meet(denial, other) for other in mine)]
    told, counts = frozenset(content_stems(claim)), Counter(_content(source)) if open_ones else Counter[str]()
    return not any(_is_told(denial, told, counts) for denial in open_ones)


def is_opposed(claim: str, source: str) -> bool:
    """Whether the claim has a word beside another where the source has only its opposite: `before lunch`, `is off`."""
    mine, theirs = _turning(claim), _turning(source)
    return any(
        not beside & theirs.get(word, frozenset())
        and any(beside & theirs.get(other, frozenset()) for other in _OPPOSITE[word])
        for word, beside in mine.items()
    )


def _of_kind(text: str, kind: Kind, pattern: re.Pattern[str]) -> Iterator[Denial]:
    for match in islice(pattern.finditer(text), MOST):
        before = _CLAUSE_END.split(text[max(match.start() - CLAUSE_CHARS, 0) : match.start()])[-1]
        clauses = _CLAUSE_END.split(text[match.end() : match.end() + CLAUSE_CHARS])
        subject, reached = _content(before)[-SCOPE:], _content(clauses[0])[:SCOPE]
        if kind == "on condition":
            reached = subject or _content(" ".join(clauses[1:2]))[:SCOPE]
            subject = []
        yield Denial(frozenset(reached or subject), frozenset(subject if reached else ()), kind)


def _is_told(denial: Denial, told: frozenset[str], counts: Counter[str]) -> bool:
    """Whether a claim of those words tells as true what a source of those words denies.

    Where the source also says those words of something else ("the valve does not leak, the pump leaks"), it does so
    only if it speaks of what the denial is about.
    """
    if not denial.reach or len(denial.reach & told) < TOLD * len(denial.reach):
        return False
    elsewhere = all(counts[stem] > 1 for stem in denial.reach & told)
    return not elsewhere or bool(denial.subject & told)


def _meet(one: Denial, other: Denial) -> bool:
    shared = len(one.reach & other.reach)
    return one.kind == other.kind and shared >= MET * min(len(one.reach), len(other.reach))


def _content(text: str) -> list[str]:
    return content_stems(without_denials(text))


@lru_cache(maxsize=4096)
def _turning(text: str) -> dict[str, frozenset[str]]:
    """The words of a text that have an opposite, as stems, with the words of content right beside each."""
    tokens = _WORD.findall(text)
    found: dict[str, set[str]] = {}
    for at, token in enumerate(tokens):
        for stem in stems(token):
            if stem in _OPPOSITE:
                sides = (_content_beside(tokens, at, -1), _content_beside(tokens, at, 1))
                found.setdefault(stem, set()).update(side for side in sides if side)
    return {stem: frozenset(sides) for stem, sides in found.items()}


def _content_beside(tokens: Sequence[str], at: int, step: int) -> str | None:
    """The stem of the nearest word of content on that side, past two others at most; with its side, as `>lunch`."""
    for place in range(at + step, at + 4 * step, step):
        if not 0 <= place < len(tokens) or not tokens[place][0].isalnum():
            return None
        if found := content_stems(tokens[place]):
            return f"{'>' if step > 0 else '<'}{found[0]}" if found[0] not in _OPPOSITE else None
    return None


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, other in (stems(pair) for pair in _OPPOSITES.split(",")):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {stem: frozenset(others) for stem, others in found.items()}


_OPPOSITE = _opposites()
