"""What a question wants to be told first: a day, a year, a number; in English, German, Spanish and French."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["AskedFor", "asked_kind", "asks_for_more", "asks_openly", "counted_in"]


class AskedFor(StrEnum):
    """What a short answer would be."""

    DATE = "date"
    YEAR = "year"
    NUMBER = "number"


_LEAD = r"^[\s¿¡]*+(?:and\s+|so\s+|but\s+|y\s+|und\s+|et\s+)?"
_KINDS = (
    (
        AskedFor.YEAR,
        _LEAD + r"(?:(?:in|by|since|during|en|im|in|seit|depuis)\s+)?"
        r"(?:what|which|qué|welche[ms]?|quelle)\s+(?:year|año|jahr|année)\b|\b(?:in|by)\s+(?:what|which)\s+year\b",
    ),
    (
        AskedFor.DATE,
        _LEAD + r"(?:since\s+|until\s+|by\s+|desde\s+|seit\s+|depuis\s+)?(?:when|cu[aá]ndo|wann|quand)\b(?!\s+\w+ing\b)"
        r"|" + _LEAD + r"(?:on|in|en|an|am)?\s*(?:what|which|qué|welche[nmrs]?|quelle)\s+"
        r"(?:days?|dates?|month|día|fecha|mes|tag|datum|monat|jour|mois)\b",
    ),
    (
        AskedFor.NUMBER,
        r"\bhow\s+(?:many|much|long|far|tall|high|deep|old|fast|big|large|wide|heavy)\b|\bwieviele?\b|\bwie"
        r"\s+(?:viele?|lange?|weit|hoch|alt)\b"
        r"|\bcu[aá]nt[oa]s?\b|\bcombien\b"
        r"|\bwhat\s+(?:did|do|does|will)\s+.{1,60}\b(?:pay|cost|spend)\b"
        r"|^\s*what(?:['’]s|\s+is|\s+was)\s+the\s+(?:[\w'’-]+\s+){0,4}(?:number|price|cost|population|area|height|weight"
        r"|length)\b",
    ),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
_COUNTED = re.compile(
    r"\b(?:how\s+(?:many|much)|wie\s?viele?|cu[aá]nt[oa]s?|combien\s+d(?:e\s+|['’]))\s+"
    r"(?P<noun>(?:(?!(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|of|in|on|at|for|to|there|the"
    r"|hay|son|habe?n?|hat|gibt|sind|waren|y|il)\b)[\w'’-]+\s*){1,4})",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:in\s+(?:more\s+|full\s+)?detail|explain|elaborate|everything|at\s+length|thorough(?:ly)?|step\s+by\s+step"
    r"|tell\s+me\s+(?:all|more)\s+about|all\s+(?:that\s+)?(?:I|we)\s+know\s+(?:about|of)|describe|summar(?:y|i[sz]e)"
    r"|ausführlich|im\s+(?:Detail|Einzelnen)|erklär(?:e|st|t|en)?|alles\s+(?:über|zu)|beschreib(?:e|t|en)?"
    r"|en\s+detalle|detalladamente|explica(?:r|me)?|todo\s+(?:sobre|lo\s+que)|describe|descríbeme"
    r"|en\s+détail|expliquer?(?:-moi)?|explique[sz]?|tout\s+(?:sur|ce\s+que)|décri(?:s|re|vez))\b",
    re.IGNORECASE,
)

_OPEN = re.compile(
    r"\b(?:what|which|who|whom|whose|why|how|where|wer|wen|wem|wessen|warum|wieso|weshalb|wie|wo|welche[mnrs]?"
    r"|was\s+(?:ist|sind|war|waren|hat|habe|kann)|qué|cu[aá]l(?:es)?|quién(?:es)?|cómo|dónde|quoi|quel(?:le)?s?|qui"
    r"|pourquoi|comment|où)\b",
    re.IGNORECASE,
)


def asks_openly(question: str) -> bool:
    """Whether it asks with a question word, and not for yes or no."""
    return _OPEN.search(question) is not None


def asks_for_more(question: str) -> bool:
    """Whether the question wants more told than the shortest answer: "explain …", "in detail", "everything about …"."""
    return _MORE.search(question) is not None


def asked_kind(question: str) -> AskedFor | None:
    """What kind of thing the question wants first; None where no short answer would do."""
    return next((kind for kind, pattern in _PATTERNS if pattern.search(question)), None)


def counted_in(question: str) -> str:
    """What the question wants counted, as `botanical gardens` in "how many botanical gardens does it have?", or ""."""
    found = _COUNTED.search(question)
    return found["noun"].strip() if found else ""
