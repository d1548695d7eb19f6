"""What kind of thing a question asks for, by its words, and whether a text holds one of that kind.

Cheap and in general forms only: who asks for a name that the question does not give, when for a time, how many for a
number, what it costs for a sum of money. Where a question shows no kind, nothing is asked of the text.
"""

from __future__ import annotations

import re
from enum import StrEnum

from ragnotes.asking.words import stems
from ragnotes.written_dates import find_dates

__all__ = ["AnswerType", "holds_type", "type_asked"]


class AnswerType(StrEnum):
    """The kinds of answers that can be told by their look."""

    NAME = "name"
    TIME = "time"
    NUMBER = "number"
    MONEY = "money"


_START = r"^[\s¿¡\"'“(]*(?:(?:and|but|so|y|e|et|und)\s+)?"
_NAME = re.compile(
    _START + r"(?:(?:by|to|from|with|for|of|de|con|von|mit)\s+)?"
    r"(?:who|whom|whose|qui[eé]n(?:es)?|wer|wem|wen|wessen|qui\s+(?!est-ce\s+que)|chi\s|quem)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    _START + r"(?:(?:since|until|by|in|on|desde|hasta|en|seit|bis|am|depuis|à|de)\s+)?"
    r"(?:when|cu[aá]ndo|wann|quand|quando"
    r"|(?:what|which|qué|welche[nmrs]?|quelle?|che)\s+(?:exact\s+)?"
    r"(?:day|date|year|month|century|decade|día|fecha|mes|año|siglo|tag|datum|jahr|monat|année|date|jour|mois|siècle))\b",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"^(?=.*\b(?:how\s+much|what|which|cu[aá]nto|qu[eé]|wie\s*viel|was|combien|quel)\b)"
    r".*\b(?:costs?|price[sd]?|paid|pay|salary|salaries|wages?|fees?|rent|budget|cuesta|costó|precio|sueldo|kosten|kostet"
    r"|kostete|preis|gehalt|coûte|coûté|prix|salaire)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\bhow\s+(?:many|much|tall|old|long|far|big|large|heavy|high|deep|wide|fast|often)\b"
    r"|\b(?:cu[aá]nt[oa]s?|wie\s*viele?|wie\s+(?:hoch|gro[sß]+|alt|lang|schwer|oft)|combien|quant[iae])\b"
    r"|\b(?:what|which)\s+(?:\w+\s+)?(?:number|percentage|percent|share|population|temperature)\b",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_NUMBER_WORD = re.compile(
    r"\b(?:zero|none|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|twenty|thirty|forty|fifty"
    r"|hundreds?|thousands?|millions?|billions?|half|twice|once|couple|several|dos|tres|cuatro|cinco|seis|siete|ocho"
    r"|nueve|diez|cien|mil|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|deux|trois|quatre|cinq|sept|huit|neuf|dix"
    r"|cent|mille)\b",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"[$€£¥]|\b(?:dollars?|euros?|pounds?|cents?|usd|eur|gbp|francs?|pesos?|free|cheap\w*|expensive|gratis|kostenlos"
    r"|gratuit\w*)\b",
    re.IGNORECASE,
)
_TIME_TOLD = re.compile(
    r"\b(?:1\d|20)\d\d(?:s|er)?\b|\b\d{1,2}(?::\d\d|[./-]\d{1,2})\b|\b\d+(?:st|nd|rd|th|e)?[\s-]+(?:centur|siglo|siècle)"
    r"|\b(?:jan(?:uary)?|feb(?:ruary)?|march|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre"
    r"|diciembre|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août"
    r"|septembre|octobre|novembre|décembre|(?:mon|tues|wednes|thurs|fri|satur|sun)day|centur(?:y|ies)|siglos?|siècles?"
    r"|ago|yesterday|today|tomorrow|(?:years?|months?|weeks?|days?)\s+(?:later|after|before|earlier)|war|reign)\b"
    r"|\bMay\b",
    re.IGNORECASE,
)
_INNER_NAME = re.compile(
    r"(?<=[\w,;:)’'\"] )(?<![.!?:] )[A-ZÀ-Þ][\w’'-]++|(?<![\w’'-])[A-ZÀ-Þ][\w’'-]++(?= (?:[a-z]{1,3} )?[A-ZÀ-Þ])"
)


ANY_YEAR = 2000
"""Lets a date without its year be one."""


def type_asked(question: str) -> AnswerType | None:
    """The kind of thing that the question asks for, None where its words do not show it."""
    if _TIME.search(question):
        return AnswerType.TIME
    if _NAME.search(question):
        return AnswerType.NAME
    if _MONEY.search(question):
        return AnswerType.MONEY
    return AnswerType.NUMBER if _NUMBER.search(question) else None


def holds_type(kind: AnswerType, text: str, question: str) -> bool:
    """Whether the text holds a thing of that kind that the question does not itself give."""
    match kind:
        case AnswerType.NAME:
            asked = set(stems(question))
            return any(stem not in asked for name in _INNER_NAME.findall(text) for stem in stems(name))
        case AnswerType.TIME:
            return bool(_TIME_TOLD.search(text))
        case AnswerType.MONEY:
            return bool(_SUM.search(text))
        case AnswerType.NUMBER:
            undated = _without_dates(text)
            return bool(_DIGIT.search(undated) or _NUMBER_WORD.search(undated))


def _without_dates(text: str) -> str:
    """The text with a gap for each date: `12 May` counts nothing."""
    for found in reversed(find_dates(text, year=ANY_YEAR, order=None)):
        text = f"{text[: found.start]} {text[found.end :]}"
    return text
