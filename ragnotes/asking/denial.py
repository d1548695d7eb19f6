"""Which words of a text are denied, and whether two texts deny the same."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from ragnotes.asking.words import content_stems

__all__ = ["Denial", "denials", "deny_alike", "without_denials"]

SCOPE = 4
"""A denial reaches over this many words of content, or to the end of its clause."""
TOLD = 0.6
"""A claim that holds this share of what a source denies speaks of it."""

MET = 0.5
"""Two denials are the same where they share this much of the shorter one's reach."""

_NEGATION = re.compile(
    r"\b(?:not(?!-|\s+only\b)|never|none|neither|nor|no(?!\.\s*[0-9]|\s+doubt\b)|without|cannot|nobody|nothing|nowhere"
    r"|hardly|fail(?:s|ed|ing)?\s+to|unable\s+to|refus(?:e|es|ed|ing)\s+to|lack(?:s|ed|ing)?"
    r"|kein\w*|nicht|nie|niemals|ohne|weder|nunca|jamás|sin|ningun\w*|ningún|tampoco|pas|jamais|rien|sans|aucune?"
    r"|não|non(?!-)|senza|niet|geen|nooit|zonder)\b"
    r"|n['’]t\b|\bn(?:e\b|['’])(?=[^.;]{1,40}\bplus\b)",  # French: with `pas` or `jamais` it is that word that counts
    re.IGNORECASE,
)
_DENIAL_WORD = frozenset(
    """not never none neither nor no without cannot nobodi noth nowher hardli fail unabl refus lack nicht nie niemal ohn
    weder nunca jamá sin tampoco pa jamai san aucun não
    rien non senza niet geen nooit zonder t n ne""".split()  # noqa: SIM905 - stems, as `content_stems` has them
)
_CLAUSE_END = re.compile(r"[,;:.!?()–—]\s|[.!?]$|\bbut\b|\bsino\b|\bsondern\b", re.IGNORECASE)


class Denial(NamedTuple):
    """The stems that a denial reaches, and those before it in its clause."""

    reach: frozenset[str]
    subject: frozenset[str]


@lru_cache(maxsize=4096)
def denials(text: str) -> tuple[Denial, ...]:
    """The denials of a text, each with the words after it in its clause; those before it where none follow."""
    found = []
    for match in _NEGATION.finditer(text):
        before, after = _CLAUSE_END.split(text[: match.start()])[-1], _CLAUSE_END.split(text[match.end() :])[0]
        subject, reached = _content(before)[-SCOPE:], _content(after)[:SCOPE]
        found.append(Denial(frozenset(reached or subject), frozenset(subject if reached else ())))
    return tuple(found)


def without_denials(text: str) -> str:
    """The text without the words that deny."""
    return _NEGATION.sub(" ", text)


def deny_alike(claim: str, source: str) -> bool:
    """Whether the claim denies nothing that the source does not, and tells nothing as true that the source denies."""
    mine, theirs = denials(claim), denials(source)
    left = list(theirs)
    for denial in mine:
        met = next((other for other in left if _meet(denial, other)), None)
        if met is None:
            return False
        left.remove(met)  # what is denied twice is not denied
    return not any(_is_told(denial, claim, source) for denial in theirs if not any(_meet(denial, o) for o in mine))


def _is_told(denial: Denial, claim: str, source: str) -> bool:
    """Whether the claim tells as true what the source denies.

    Where the source also says those words of something else ("the valve does not leak, the pump leaks"), it does so
    only if it speaks of what the denial is about.
    """
    told = set(content_stems(claim))
    if not denial.reach or len(denial.reach & told) < TOLD * len(denial.reach):
        return False
    counts = Counter(_content(source))
    elsewhere = all(counts[stem] > 1 for stem in denial.reach & told)
    return not elsewhere or bool(denial.subject & told)


def _meet(one: Denial, other: Denial) -> bool:
    return len(one.reach & other.reach) >= MET * min(len(one.reach), len(other.reach))


def _content(text: str) -> list[str]:
    return [stem for stem in content_stems(text) if stem not in _DENIAL_WORD]
