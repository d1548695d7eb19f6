"""Whether a sentence asserts what stands at one place of it, or denies it, doubts it, supposes it or asks it."""

from __future__ import annotations

import re

from ragnotes.asking.words import negated

__all__ = ["asserted"]

_HEDGE = re.compile(
    r"\b(?:might|(?-i:may)(?!\s\d)|could|would|if|unless|whether|perhaps|maybe|possibly|probably|presumably|supposedly"
    r"|allegedly|reportedly|apparently|rarely|seldom|scarcely|barely|almost|nearly|(?:un)?likely|unclear|unsure"
    r"|uncertain|unconfirmed|unverified|debunk\w{0,3}|disputed|rumou?r(?:s|ed)?|thinks?|thought|believe[sd]?|guess(?:es|ed)?|suspect(?:s|ed)?|claim(?:s|ed)?|wrong(?:ly)?"
    r"|false(?:ly)?|instead\s+of|rather\s+than|refused|failed\s+to|ceased|denie[sd]|cancel+ed|postponed"
    r"|(?:planned|expected|supposed|scheduled|wanted|hoped|intended|tried|meant|going)\s+to"
    r"|vielleicht|könnten?|würden?|wahrscheinlich|vermutlich|angeblich|womöglich|falls|fast|beinahe|selten|kaum"
    r"|quizás?|tal\s+vez|podrían?|probablemente|supuestamente|casi|raramente|apenas"
    r"|peut-être|pourrai(?:en)?t|probablement|presque|rarement)\b",
    re.IGNORECASE,
)
_TURN = r"(?:(?<=\w{4})|(?<=\d))[.!?;:]\s|\n|\s(?:but|yet|while|whereas|aber|sondern|während|pero|sino|mientras|mais)\s"
_TURN_BEFORE = re.compile(_TURN, re.IGNORECASE)
_TURN_AFTER = re.compile(rf"{_TURN}|[,–—(]\s?(?:not|nicht|no|rather|although|though|which|who|where)\s", re.IGNORECASE)
_ASIDE = re.compile(r",\s(?:which|who|whose|where|though|although|perhaps)\s[^,.;]{1,200},", re.IGNORECASE)
_REASON = re.compile(r"[,(–—]|\s(?:as|because|since|after|so|to)\s", re.IGNORECASE)
"""Behind which a hedge speaks of something else."""
_TAKEN_BACK = re.compile(
    r"[.!?;]\s+(?:but\s+)?(?:it|they|this|that|these|he|she|we|i)\s(?:do|does|did|is|was|are|were|has|have|will)(?:n['’]t|\s+not)\b"
    r"|[.!?;]\s+(?:wrong|not\s+true|false|no longer)\b|\bdebunked\b",
    re.IGNORECASE,
)
"""What comes after a sentence and takes it back."""
_ENDS_SENTENCE = re.compile(r"[.!?](?:\s|$)")
MOST_CHARS = 500
"""How much before and behind is read."""


def asserted(text: str, start: int, end: int, *, question: str = "") -> bool:
    """Whether the part of the sentence around `text[start:end]` says it plainly; a hedge of the question is none.

    A comma ends no denial: "in 1932, the bridge was not opened" tells no year.
    """
    first, last = max(0, start - MOST_CHARS), end + MOST_CHARS
    turn = _TURN_AFTER.search(text, end, last)
    before, after = _ASIDE.sub(",", text[first:start]), _ASIDE.sub(",", text[end : turn.start() if turn else last])
    before = _TURN_BEFORE.split(before)[-1]
    if negated(f"{before} {after}") and not negated(question):
        return False
    known, around = question.lower(), f"{before} {_REASON.split(after, maxsplit=1)[0]}"
    if any(hedge[0].lower() not in known for hedge in _HEDGE.finditer(around)):
        return False
    if _TAKEN_BACK.search(text, end, last):
        return False
    ends = _ENDS_SENTENCE.search(text, end, last)
    return ends is None or ends[0][0] != "?"
