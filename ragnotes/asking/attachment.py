"""Names and numbers of a text, and whether another text says the same things of them.

"74 for quotes, 118 for text" holds every word of "74 for text", and "Savery paid Watt" those of "Watt paid Savery".
What tells them apart are the words beside each name and number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from ragnotes.asking.words import STOP_WORDS, content_stems, stems
from ragnotes.matching import folded

__all__ = ["attached_alike", "names_of", "words_of"]

WINDOW = 3
"""Words of content on each side that say what a name or number is about."""

NAME_MARGIN, NUMBER_MARGIN = 2, 1
"""What a claim says of one must fit another one by this many words more before it counts as taken from that."""

MOST_ANCHORS = 64
"""So many names and numbers of a text are compared: each is with each of the other text."""

_TOKEN = re.compile(r"[$€£]?[0-9]+(?:[.,:][0-9]+)*|[^\W\d_][\w]*(?:['’]\w+)?|[.!?:;\"“”(]")
_NAME = re.compile(r"[A-ZÀ-Þ]|\w+[A-Z0-9]")
_STOPS = frozenset('.!?:;"“”(')
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being)\s{1,3}(?:\w{1,30}ly\s{1,3})?\w{1,30}(?:ed|en|wn|ht|lt|ld|nd|de)\b"
    r"[^\n]{0,120}?\bby\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A name or number with the stems on its left and on its right."""

    word: str
    left: frozenset[str]
    right: frozenset[str]


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """All words of a text as `names_of` writes names."""
    return frozenset(_written(token) for token in _TOKEN.findall(text))


@lru_cache(maxsize=4096)
def names_of(text: str) -> tuple[str, ...]:
    """The names of a text, folded, in order: capitalised words and those with inner capitals or digits.

    The first word of a sentence counts where another name follows it, or where it is no ordinary form of a word.
    """
    tokens = _TOKEN.findall(text)
    return tuple(folded(re.sub(r"['’]s$", "", token)) for at, token in enumerate(tokens) if _is_name(tokens, at))


def attached_alike(claim: str, source: str) -> bool:
    """Whether no name or number of the claim has beside it what the source says of another one."""
    theirs = _anchors(source)
    directed = bool(_PASSIVE.search(claim)) == bool(_PASSIVE.search(source))
    return not any(_is_taken_for_another(anchor, theirs, directed) for anchor in _anchors(claim))


def _is_taken_for_another(anchor: _Anchor, theirs: Sequence[_Anchor], directed: bool) -> bool:
    own = [_likeness(anchor, other, directed) for other in theirs if other.word == anchor.word]
    others = [
        _likeness(anchor, other, directed)
        for other in theirs
        if other.word != anchor.word and other.word[:1].isdigit() == anchor.word[:1].isdigit()
    ]
    return (
        bool(own)
        and bool(others)
        and max(others) >= max(own) + (NUMBER_MARGIN if anchor.word[:1].isdigit() else NAME_MARGIN)
    )


def _likeness(one: _Anchor, other: _Anchor, directed: bool) -> int:
    mine, theirs = {one.word}, {other.word}
    if directed:
        return len((one.left & other.left) - mine - theirs) + len((one.right & other.right) - mine - theirs)
    return len(((one.left | one.right) & (other.left | other.right)) - mine - theirs)


@lru_cache(maxsize=4096)
def _anchors(text: str) -> tuple[_Anchor, ...]:
    tokens = _TOKEN.findall(text)
    words = [
        (stem[0], token[:1] in "$€£0123456789" or bool(_NAME.match(token)))
        for at, token in enumerate(tokens)
        if token not in _STOPS and (stem := content_stems(token) or (stems(token) if token[0].isdigit() else []))
    ]
    stemmed = [word for word, _ in words]
    return tuple(
        _Anchor(word, frozenset(stemmed[max(at - WINDOW, 0) : at]), frozenset(stemmed[at + 1 : at + 1 + WINDOW]))
        for at, (word, _) in islice(((at, pair) for at, pair in enumerate(words) if pair[1]), MOST_ANCHORS)
    )


def _written(token: str) -> str:
    return folded(re.sub(r"['’]s?$", "", token))


def _is_name(tokens: Sequence[str], at: int) -> bool:
    token = tokens[at]
    if not _NAME.match(token) or token.lower() in STOP_WORDS or token[0].isdigit() or token[0] in "$€£":
        return False
    opens = at == 0 or tokens[at - 1] in _STOPS
    inner = any(letter.isupper() or letter.isdigit() for letter in token[1:])
    return inner or not opens or (at + 1 < len(tokens) and bool(re.match(r"[A-ZÀ-Þ]", tokens[at + 1])))
