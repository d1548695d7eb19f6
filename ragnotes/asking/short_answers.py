"""The date, number or name that a question asks for, verbatim from the piece of evidence that holds it.

A wrong short answer is worse than none: where a piece holds two candidates, or none that the question does not already
say, there is no short answer and the sentence stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from ragnotes.answers import Evidence
from ragnotes.asking.hedges import asserted
from ragnotes.asking.question_forms import AskedFor, asked_kind, counted_in
from ragnotes.asking.short_names import name_told
from ragnotes.asking.words import STOP_WORDS, content_stems, held_stems, names_in, stems
from ragnotes.written_dates import DayMonthOrder, find_dates

__all__ = ["candidates", "disputed", "short_answer", "telling_first"]

_YEAR = re.compile(
    r"(?<![\w.,/$€£-])(?:1[0-9]{3}|20[0-9]{2})(?:s\b)?(?![\w%]|[.,/:-]\d|\s*(?:[a-z]+\s)?(?:km|m|kg|people)\b)"
)
_CENTURY = re.compile(r"\b(?:\d{1,2}(?:st|nd|rd|th)|1?[0-9]\.)\s+(?:century|Jahrhundert)\b", re.IGNORECASE)
_NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion"
    r"|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce"
    r"|deux|trois|quatre|cinq|sept|huit|neuf|dix)"
)
_IN_WORDS = rf"{_NUMBER_WORD}(?:(?:[\s-]|(?:(?<=hundred)|(?<=thousand)|(?<=million))\sand\s){_NUMBER_WORD})*"
_OTHER_NUMBER_WORD = (
    r"(?:hundreds|thousands|millions|veinte|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien(?:to)?"
    r"|\w+cient[oa]s|quinient[oa]s|mil|vingt|trente|quarante|cinquante|soixante|cents?|mille|elf|zwanzig|dreißig|hundert"
    r"|tausend|half|quarter|dozen)"
)
_SCALE = r"(?:\s(?:hundred|thousand|million|billion|trillion|millones|mil|Millionen|Milliarden|millions|milliards))?"
_DIGITS = r"(?:[$€£¥]\s?)?(?<![\w.,/:-])\d+(?:[.,]\d+)*" + _SCALE
_UNIT = (
    r"(?:\s?(?:%|°[CF]?|[$€£¥])|\s(?:percent|euros?|dollars?|pounds?|km²?|m²|mm²?|cm|kg|[kKMGT]i?B|ms|GHz|°C|EUR|USD))?"
)
_NUMBER = re.compile(
    rf"(?:{_DIGITS}(?![\w:]|[.,/-]\d){_UNIT}|(?<![\w-]){_IN_WORDS}(?!\w|-(?:vingt|dix)))", re.IGNORECASE
)
_ANY_NUMBER = rf"(?<!\w)(?:[$€£¥]?\d[\w.,:%/€$£-]*|{_NUMBER_WORD}|{_OTHER_NUMBER_WORD})(?!\w)"
_MONTH = r"\b(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic|avr|juil|août|déc)[a-zû]*"
_ARTICLE = r"(?:\s(?:on|in|by|am|im|en|el|the|about|around|le))?"
_TANGLED_BEFORE = re.compile(
    rf"{_ANY_NUMBER}\s(?:\w+\s){{0,3}}(?:or|to|through|till|until|bis|oder|ou|o|a|à){_ARTICLE}\s*$"
    rf"|(?:{_ANY_NUMBER}|{_MONTH})\s?(?:[–—/&+×-]|\b(?:or|to|bis|and|y|et|und|e|oder|x)){_ARTICLE}\s*$"
    rf"|{_ANY_NUMBER}\s(?:out\s)?(?:of|von|de|sur)(?:\s(?:the|den|los|las))?\s*$|{_OTHER_NUMBER_WORD}[\s-]*$"
    r"|\b(?:between|zwischen|entre|minus|menos|moins|almost|nearly|fast|beinahe|casi|presque|another|additional|extra"
    r"|further|weitere[rn]?|otr[oa]s|first|last|next|other|remaining|several|few|many|some|couple\s+of|mehrere|varios"
    r"|twice|double|half(?:\s+an?)?|over|under|above|below|beyond|über|unter|sobre|every|each|per|pro|cada)\s+$"
    r"|(?<!\w)[-−–]$",
    re.IGNORECASE,
)
"""Before a number or day that is one end of a range, a choice, a share, a part of a number, or negative."""
_TANGLED_AFTER = re.compile(
    rf"\s?(?:[–—/&+×-]|\b(?:to|or|and|bis|oder|und|o|y|ou|et|à|a)\s){_ARTICLE}\s?(?:{_ANY_NUMBER}|{_MONTH}\s\d)"
    r"|\s?\+|\W*(?:[\w-]+\s+){0,3}?(?:or|oder|o|ou)\s+(?:more|fewer|less|so|later|earlier|mehr|weniger|más|menos|plus)\b"
    r"|\s+(?:more|fewer|less|additional|extra|further|other|weitere|mehr|weniger|más|menos|out\s+of|half|hundreds?"
    r"|thousands?|dozens?)\b|\s+(?:and|und|y|et)\s+(?:a\s+)?(?:half|quarter)|\s\d+/\d"
    r"|,?\s?\(?(?:B\.?\s?C\b|v\.\s?Chr|v\.\s?u\.|a\.\s?C\b|av\.\s?J)",
    re.IGNORECASE,
)
"""Behind such a one, or behind a year before our time."""
_BOUND = re.compile(
    r"\b(?:(?:more|fewer|less|greater)\s+than|at\s+(?:least|most)|up\s+to|about|around|approximately|roughly|circa"
    r"|mehr\s+als|weniger\s+als|mindestens|höchstens|bis\s+zu|etwa|ungefähr|rund|más\s+de|menos\s+de|al\s+menos"
    r"|unos|unas|aproximadamente|plus\s+de|moins\s+de|au\s+moins|environ)\s+$",
    re.IGNORECASE,
)
"""What belongs to the number behind it: `more than 2,000`."""
_OVER = re.compile(r"(?<!spread )(?<!extends )(?<!distributed )(?<!paid )(?<!across )\b(?:over|under|über|unter)\s$")
_LARGE = re.compile(r"[$€£¥]?\s?\d{1,3}[,.]\d{3}\b|.*(?:hundred|thousand|[mb]illion|Millionen|Milliarden)$")
"""What "over" goes before as a bound, rather than as in "spread over three floors"."""
_BEFORE_CHARS = 60
_WORD = re.compile(r"\w+(?:['’]\w+)?")
_CLAUSE_END = re.compile(r"[,;:()–—]\s|\s\(|\s(?:and|but|yet|while|whereas|und|aber|y|pero|et|mais)\s", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[,;:()–—.!?](?:\s|$)")
_NOT_THEN = re.compile(
    r"\b(?:until|till|before|after|since|by|from|hasta|desde|antes\s+de|bis|seit|vor|nach)\s+(?:about\s+)?$",
    re.IGNORECASE,
)
"""Before a day on which the thing itself did not happen."""
_QUALIFIES = re.compile(r"\b(?:an?|the|this|that|his|her|its|their)\s+$", re.IGNORECASE)
"""Before a year that says which: `a 1643 publication`."""
_IS_HELD = re.compile(r"^\W*when\s+(?:is|are|do|does|can|should|must)\b", re.IGNORECASE)
CLOSE = {AskedFor.DATE: 0.9, AskedFor.YEAR: 0.9, AskedFor.NUMBER: 0.9}
"""From which share of the best score a piece that holds what is asked for goes before one that does not."""
RIVALS, RIVAL_SCORE = 6, 0.8
"""How many pieces are looked at for another date or number, and how near they must come to the best."""
LEAST_HELD = {AskedFor.DATE: 0.55, AskedFor.YEAR: 0.4, AskedFor.NUMBER: 0.4}
"""The share of the question's words that a piece must hold for its date or number to be the one asked for."""
_ASKS_FOR_A_VALUE = re.compile(
    r"\b(?:what|which|how|when|where|who|qué|cu[aá]l|cu[aá]nt[oa]s?|wie|was|welche[rsnm]?|wann|wer|quel(?:le)?s?"
    r"|combien)\b",
    re.IGNORECASE,
)
_MONEY_ASKED = re.compile(
    r"\bhow\s+much\s+(?:did|does|do|was|is|were|are|will|would|money)\b|\b(?:price|cost|costs|pay|paid|spend|spent)\b"
    r"|\b(?:kostet|gekostet|preis|bezahlt)\b|\b(?:cuesta|cost[oó]|precio|pagu[eé])\b",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"(?<![\w.,])(?:[$€£¥]\s?\d+(?:[.,]\d+)*(?:\s(?:million|billion|thousand))?|(?:EUR|USD|CHF|GBP)\s\d+(?:[.,]\d+)*"
    r"|\d+(?:[.,]\d+)*\s?(?:(?:million|billion|thousand)\s)?(?:[€£¥$]|(?:euros?|dollars?|pounds?|cents?|EUR|USD|CHF"
    r"|GBP)\b))",
    re.IGNORECASE,
)
_PER = re.compile(r"\s(?:per|pro|por|par)\s[\w/-]{1,30}(?:\s(?:and|per|und|y|et)\s[\w/-]{1,30})?", re.IGNORECASE)
"""What a sum is for: without it, it would be another one."""
_SUPERLATIVE = re.compile(
    r"\b(?:most|least|best|worst|\w+est|total|average|mean|más|menos|am\s+\w+sten)\b", re.IGNORECASE
)
MIN_CELLS, MIN_SHORT_FORM = 2, 3
_NEAR_WORDS, _NOUN_WORDS = 3, 2


def short_answer(
    question: str, text: str, *, shown: str = "", context: str = "", order: DayMonthOrder | None = None
) -> str | None:
    """The one candidate in `text` of the kind that the question asks for; None where there is none or several.

    `shown` is how an answer tells a row, with the labels of its columns: then the cell under the asked one is it.
    `context` is what stands above the text: its title, its headings.
    """
    if cell := _cell(question, text, shown):
        return cell
    kind = asked_kind(question)
    if kind is None:
        return name_told(question, text)
    asked, held = set(content_stems(question)), held_stems(text)
    around = held | held_stems(context)
    if len(asked & held) < LEAST_HELD[kind] * len(asked) or not set(_particular(question)) <= around:
        return None
    if kind is AskedFor.NUMBER and _MONEY_ASKED.search(question):
        return _sum_told(question, text)
    found = candidates(kind, question, text, order=order)
    if len(found) > 1:
        found = candidates(kind, question, text, order=order, within=_nearest_clause(question, text))
    return found[0] if len(found) == 1 and found[0] else None


def _sum_told(question: str, text: str) -> str | None:
    """The only sum of money, where what stands in its clause speaks of the question as much as any other clause."""
    found = list(_unknown(AskedFor.NUMBER, question, text, None))
    told = _told(found[0], question, text) if len(found) == 1 else ""
    asked = set(content_stems(question))
    held = [(len(asked & set(stems(text[first:last]))), first, last) for first, last in _clauses(text)]
    most = max(count for count, _, _ in held)
    here = any(count == most and first <= found[0].start < last for count, first, last in held) if told else False
    return f"{told}{per[0]}" if told and here and (per := _PER.match(text, found[0].end)) else told if here else None


def _particular(question: str) -> list[str]:
    """The stems of its names and of words with digits: what speaks of another model or year is no answer."""
    figures = [word for word in _WORD.findall(question) if any(map(str.isdigit, word))]
    return stems(" ".join([*names_in(question), *figures]))


def _cell(question: str, text: str, shown: str) -> str | None:
    """The figure of a row under the one label that the question names, while it names another cell by its words."""
    cells = [(label, value) for label, found, value in (cell.partition(": ") for cell in shown.split(" | ")) if found]
    if len(cells) < MIN_CELLS or not _ASKS_FOR_A_VALUE.search(question) or _SUPERLATIVE.search(question):
        return None
    asked = set(content_stems(question))
    told = [value for label, value in cells if _names(label, asked)]
    named = any(asked & set(stems(value)) for value in shown.split(" | ") if value.partition(": ")[2] not in told)
    new = [value for value in told if not set(stems(value)) <= set(stems(question)) and value in text]
    return new[0] if named and len(told) == 1 and new and any(map(str.isdigit, new[0])) else None


def _names(label: str, asked: set[str]) -> bool:
    """Whether all words of a label are asked for, short forms too: `Dim` for dimensions."""
    words = content_stems(label)
    return any(word.isalpha() for word in words) and all(
        any(word == stem or (len(word) >= MIN_SHORT_FORM and stem.startswith(word)) for stem in asked) for word in words
    )


def _nearest_clause(question: str, text: str) -> tuple[int, int]:
    """From where to where the clause of `text` with most words of the question goes; (0, 0) where two have as many."""
    asked = set(content_stems(question))
    clauses = sorted(
        ((len(asked & set(stems(text[first:last]))), (first, last)) for first, last in _clauses(text)), reverse=True
    )
    return clauses[0][1] if clauses[0][0] > (clauses[1][0] if len(clauses) > 1 else 0) else (0, 0)


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    """From where to where each clause goes."""
    ends = [match.span() for match in _CLAUSE_END.finditer(text)]
    return zip([0, *(end for _, end in ends)], [*(start for start, _ in ends), len(text)], strict=True)


def telling_first(question: str, evidence: Sequence[Evidence], *, order: DayMonthOrder | None = None) -> list[Evidence]:
    """The evidence; where a date or number is asked for, pieces close to the best that hold one go first."""
    kind = asked_kind(question)
    if kind is None:
        return list(evidence)
    least = CLOSE[kind] * max((item.score for item in evidence), default=0.0)

    def tells(item: Evidence) -> bool:
        return item.score >= least and any(each.core for each in _unknown(kind, question, item.unit.plain, order))

    return sorted(evidence, key=lambda item: not tells(item))


def disputed(question: str, short: str, evidence: Sequence[Evidence], *, order: DayMonthOrder | None = None) -> bool:
    """Whether another good piece, which says as much of the question, has only other candidates."""
    asked, kind = set(content_stems(question)), asked_kind(question)
    held = asked & held_stems(evidence[0].unit.plain)
    for item in evidence[1:RIVALS]:
        if item.score < RIVAL_SCORE * evidence[0].score or not held <= held_stems(item.unit.plain):
            continue
        name = None if kind else name_told(question, item.unit.plain)
        told = candidates(kind, question, item.unit.plain, order=order) if kind else [name] if name else []
        if told and not any(short in each or (each and each in short) for each in told):
            return True
    return False


def candidates(
    kind: AskedFor,
    question: str,
    text: str,
    *,
    order: DayMonthOrder | None = None,
    within: tuple[int, int] | None = None,
) -> list[str]:
    """What `text` holds of that kind and the question does not say, each once, in order; "" cannot be it.

    Only what lies `within` a part of the text counts, where one is given; what stands around it is read all the same.
    """
    first, last = within or (0, len(text))
    inside = (each for each in _unknown(kind, question, text, order) if first <= each.start < last)
    return list(dict.fromkeys(_told(each, question, text) for each in inside))


class _Candidate(NamedTuple):
    """Where it stands; `core` is what is told of it, "" where it cannot be it but counts as another one."""

    start: int
    end: int
    core: str


def _unknown(kind: AskedFor, question: str, text: str, order: DayMonthOrder | None) -> Iterator[_Candidate]:
    """What of that kind the question does not say, be it denied or a part of a range."""
    known = {*stems(question)}
    for each in _numbers(question, text) if kind is AskedFor.NUMBER else _dates(kind, question, text, order):
        if not each.core or not set(stems(each.core)) <= known:
            yield each


def _told(found: _Candidate, question: str, text: str) -> str:
    """The candidate with its bound; "" where the text denies or doubts it, or it is a part of something else."""
    before, after = text[max(0, found.start - _BEFORE_CHARS) : found.start], text[found.end : found.end + _BEFORE_CHARS]
    large = _OVER.search(before) if _LARGE.match(found.core) else None
    tangled = _TANGLED_AFTER.match(after) or (_TANGLED_BEFORE.search(before) and not large)
    if not found.core or tangled or not asserted(text, found.start, found.end, question=question):
        return ""
    bound = large or _BOUND.search(before)
    return f"{bound[0]}{found.core}" if bound else found.core


def _dates(kind: AskedFor, question: str, text: str, order: DayMonthOrder | None) -> Iterator[_Candidate]:
    end = 0
    spans = [(found.start, found.end) for found in find_dates(text, year=None, order=order) if found.complete]
    bare = [] if _IS_HELD.search(question) else [match.span() for match in _YEAR.finditer(text)]
    years_alone = set(bare)
    centuries = [match.span() for match in _CENTURY.finditer(text)]
    for start, stop in sorted([*spans, *bare, *centuries]):
        if start < end:
            continue
        end = stop
        led = text[max(0, start - _BEFORE_CHARS) : start]
        before = _NOT_THEN.search(led) or (_QUALIFIES.search(led) if (start, stop) in years_alone else None)
        if before is not None and before[0].split()[0].lower() not in question.lower().split():
            yield _Candidate(start, stop, "")  # one more day, and not the one asked for
            continue
        years = _YEAR.findall(text[start:stop]) if kind is AskedFor.YEAR else []
        yield _Candidate(start, stop, years[0] if len(years) == 1 else text[start:stop])


def _numbers(question: str, text: str) -> Iterator[_Candidate]:
    """The numbers that count what is asked for; where none does, none."""
    if _MONEY_ASKED.search(question):
        yield from (_Candidate(match.start(), match.end(), match[0]) for match in _MONEY.finditer(text))
        return
    noun = set(content_stems(counted_in(question))[:_NOUN_WORDS])
    for match in _NUMBER.finditer(text):
        following = _SENTENCE_END.split(text[match.end() : match.end() + _BEFORE_CHARS], maxsplit=1)[0]
        bare_year = _YEAR.fullmatch(match[0]) is not None
        near = takewhile(lambda word: word.lower() not in STOP_WORDS, _WORD.findall(following)[:_NEAR_WORDS])
        if not bare_year and noun & set(stems(" ".join(near))):
            yield _Candidate(match.start(), match.end(), match[0])
