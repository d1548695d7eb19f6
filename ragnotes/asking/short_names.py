"""The person that a "who" question asks for, where the piece of evidence says so by the question's own verb.

"Who wrote X?" is answered by "Ana Ruiz first wrote X" and by "X was written by the poet Ana Ruiz"; a name that merely
stands in the same sentence is none. docs/log.md has how often this is right, and a wider rule that was not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragnotes.asking.hedges import asserted
from ragnotes.asking.words import STOP_WORDS, content_stems, held_stems, names_in, numbers_in, stems

__all__ = ["name_told"]

MORE_THAN_HELD = 0.5
"""The share of the question's words of which a piece must hold more for its name to be the one asked for."""

_CAPITALISED = r"(?:(?:al-|el-|d')?[A-ZÀ-Þ][\w’'-]*|(?:[A-Z]\.)+)"
_PARTICLE = r"(?:de|da|di|von|van|der|den|la|le|du|of the|al|bin|ibn)"
_NAME = rf"{_CAPITALISED}(?:\s(?:{_PARTICLE}\s)?{_CAPITALISED}){{0,4}}"
_TITLE = r"(?:(?:the|a|an|his|her|their|[a-z]+(?:ist|er|or|an|ect|ent|al))\s){0,4}"
_GOES_ON = r"(?:in|on|at|and|who|as|for|from|of|to|with|during|after|before|while|but|was|is|has|had)\b"
"""After a whole name; before any other word in small letters it is a part of one, as in `by the City council`."""
_BY = re.compile(rf"\s(?:[\w-]+\s){{0,3}}?by\s{_TITLE}({_NAME})(?![\w-]|\s(?!{_GOES_ON})[a-z])")
_BEFORE = re.compile(rf"({_NAME})(?:\s(?:[a-z]+ly|first|also|had|has|then|later|who)){{0,2}}\s$")
_BY_FOLLOWS = re.compile(r".{0,40}\bby\b", re.DOTALL)
_ONE_OF_SEVERAL = re.compile(r"(?:[\w.,]\s(?:and|or|und|oder|y|o|et|ou|with|nor)|&)\s$", re.IGNORECASE)
_WITH_OTHERS = re.compile(rf",?\s(?:(?:and|or|und|oder|y|o|et|ou|nor)|&)\s(?:(?:by|also)\s)*{_TITLE}{_CAPITALISED}")
_WHO = re.compile(r"^\W*(?:(?:and|but|so)\s+)?(?:by\s+)?who(?:m)?\s+(?P<rest>\S.*)$", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PASSIVE_STARTS = frozenset({"was", "were", "is", "are"})
_PASSES_BY = _PASSIVE_STARTS | {"has", "had", "have", "been", "be", "would", "could", "will"}
_PASSES_BY |= {"first", "originally", "also", "initially", "later", "eventually", "currently", "actually"}
_BEFORE_CHARS = 120


def name_told(question: str, text: str) -> str | None:
    """The one name of which `text` says what the question asks, verbatim; None where there is none or several."""
    verb = set(stems(_verb(question)))
    asked = set(content_stems(question))
    if not verb or len(asked & held_stems(text)) <= MORE_THAN_HELD * len(asked):
        return None
    if not set(stems(" ".join(names_in(question)))) <= held_stems(text) or not numbers_in(question) <= numbers_in(text):
        return None
    if numbers_in(question) and len(numbers_in(text)) > 1:  # which of them is whose?
        return None
    known = set(stems(question))
    found = [name for name in _names(question, verb, text) if not name or not set(stems(name)) <= known]
    return found[0] if len(set(found)) == 1 and found[0] else None


def _verb(question: str) -> str:
    """What somebody did who is asked for; "" where the question tells no deed, or asks whom it was done to."""
    match = _WHO.match(question)
    words = [word.lower() for word in _WORD.findall(match["rest"])] if match else []
    if words[:1] and words[0] in _PASSIVE_STARTS:  # "who was it painted by?", not "who was the painter?"
        deeds = [word for word in words[:-1] if word not in _PASSES_BY and word not in STOP_WORDS]
        return deeds[-1] if deeds and words[-1] == "by" else ""
    deed = next((word for word in words if word not in _PASSES_BY), "")
    return "" if deed in STOP_WORDS else deed  # "who had the idea?" tells none


def _names(question: str, verb: set[str], text: str) -> Iterator[str]:
    """The name at each form of the verb; "" for one that is not alone, or of whom it is not plainly said."""
    for word in _WORD.finditer(text):
        if word[0][0].isupper() or not verb & set(stems(word[0])):
            continue
        span = _by(text, word.end()) or _before(text, word)
        if span is None or text[slice(*span)].split(maxsplit=1)[0].lower() in STOP_WORDS:
            continue
        start, end = span
        alone = not (
            _ONE_OF_SEVERAL.search(text[max(0, start - _BEFORE_CHARS) : start]) or _WITH_OTHERS.match(text, end)
        )
        plain = asserted(text, min(start, word.start()), max(end, word.end()), question=question)
        yield text[start:end] if alone and plain else ""


def _by(text: str, end: int) -> tuple[int, int] | None:
    found = _BY.match(text, end)
    return found.span(1) if found else None


def _before(text: str, word: re.Match[str]) -> tuple[int, int] | None:
    if _BY_FOLLOWS.match(text, word.end()):
        return None
    first = max(0, word.start() - _BEFORE_CHARS)
    found = _BEFORE.search(text[first : word.start()])
    return (first + found.start(1), first + found.end(1)) if found else None
