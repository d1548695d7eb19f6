"""Pronouns that point out of a question, told in full; those whose referent the question has itself are left alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ragnotes.asking.phrases import date_in, phrases_of, wh_of
from ragnotes.asking.referents import (
    MAX_CHARS,
    day_meant,
    deed_meant,
    item_meant,
    person_meant,
    place_meant,
    several_meant,
    thing_meant,
)
from ragnotes.date_words import ORDINALS, any_word
from ragnotes.languages import FUNCTION_WORDS
from ragnotes.turns import Turn

__all__ = ["with_items_told", "with_pronouns_told"]

_ADJECTIVE = (
    r"(?:true|possible|worth|ok|okay|good|bad|better|best|necessary|safe|legal|normal|important|easy|hard|likely|wise|fine"
    r"|enough|recommended|allowed|advisable|useful|correct|common|too|essential|clear|customary|usual|normal)"
)
_EMPTY_IT = re.compile(
    rf"\b(?:is|was)\s+it\s+(?:not\s+)?(?:a\s+)?(?:{_ADJECTIVE})\b(?=\s+\w)|\bit(?:['’]s|\s+is|\s+was)\s+{_ADJECTIVE}\b"
    r"|\b(?:does|did|would|will|do|can|should)\s+it\s+(?:take|make\s+(?:\w+\s+)?sense|matter|hurt)\b"
    r"|\bit\s+(?:takes?|took|costs?\s+to|seems?|turns?\s+out|rain\w*|snow\w*|makes\s+sense|comes\s+to|matters)\b"
    r"|\bwhat\s+(?:time|day|date|year|month|weekday|decade|century|season)\s+(?:is|was)\s+it\b"
    r"|\b(?:is|was)\s+it\s+(?:raining|snowing|cold|hot|warm|sunny|dark)\b|\bhow\s+far\s+is\s+it\b"
    r"|\bhow(?:\s+is|\s+was|['’]s)\s+it\s+going\b|\bwhat\s+is\s+it\s+like\s+to\b|\b(?:is|was)\s+it\s+(?!\w+ed\b)\w+\s+(?:that|who|how|whether|if|why|to)\b",
    re.IGNORECASE,
)
_BORDER = re.compile(
    r"[,;:.!?–—]|\b(?:as|and|or|but|because|if|when|that|which|who|whose|where|while|after|before|since|until|so|though"
    r"|although|than|to|without|by|how|why|what|und|oder|aber|weil|wenn|dass|y|o|pero|porque|si|que|et|ou|mais)\b"
    r"|\b(?:of|for|from|in|on|about)\s+(?=\w+ing\b)",
    re.IGNORECASE,
)
_NAMED_AFTER = re.compile(r"\b(?:if|when|once|after|before|because|while)\b(?P<clause>.+)", re.IGNORECASE)
_AUX_BEFORE = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\s+$", re.IGNORECASE
)
_AUX_AFTER = re.compile(r"\s+(?:is|are|was|were|do|does|did|has|have|can|could|will|would|should)\b", re.IGNORECASE)
_VERB_AFTER = re.compile(
    r"\s+(?:cost|mean|works?|happen|say|support|need|compare|run|come|written|built|made|sold|bought|born|called|free|open"
    r"|true|good|bad|better|worth|enough|still|really|any|\w+ed)\b",
    re.IGNORECASE,
)
_END = re.compile(
    r"\s*(?:[?.!,;]|$|\b(?:and|but|or|in|on|at|for|from|to|with|about|by|before|after|since|again|then|exactly|instead)\b)",
    re.IGNORECASE,
)
_TIME_AFTER = re.compile(
    r"\s+(?:week|month|year|morning|evening|afternoon|time|days?|weekend|summer|winter|spring|autumn|fall|quarter)\b",
    re.IGNORECASE,
)
_NOUN_AFTER = re.compile(r"\s+(?P<noun>\w+)", re.IGNORECASE)
_GENERIC = frozenset(
    "thing things stuff topic idea subject tool library project framework company database model method".split()  # noqa: SIM905
)
_WORKS = frozenset("paper papers book books article articles post posts talk talks video videos podcast film".split())  # noqa: SIM905


class _Pointer(NamedTuple):
    """Where a question points to what was said before, and what is to be put there."""

    start: int
    end: int
    meant: str


class _Rule(NamedTuple):
    """A pronoun in its surroundings, what it stands for, and how that is said in its place.

    `binds`: a subject of its own clause may be what it stands for, as in `Nina and her job`.
    """

    pattern: re.Pattern[str]
    meant: Callable[[Sequence[Turn]], str | None]
    form: str = "{}"
    binds: bool = False


def _rule(
    pattern: str, meant: Callable[[Sequence[Turn]], str | None], form: str = "{}", *, binds: bool = False
) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), meant, form, binds)


_ENDS = r"(?=\s*(?:[?.!,;]|$|(?:and|but|or|in|on|at|for|from|to|with|about|by|of|before|after|since|again|then)\b))"
_RULES = (
    _rule(r"\b(?:(?:on|in)\s+)?(?:that|the\s+same)\s+(?:day|week|month|year|date)\b", day_meant),
    _rule(
        rf"\b(?:I|we)\s+(?:read|hear|learn|write|wrote|note|noted)\s+(?P<p>that|this){_ENDS}", thing_meant, "about {}"
    ),
    _rule(
        rf"\b(?:says?|said|see|saw|find|found|mention|mentioned|mentions|get|got)\s+(?P<p>that|this){_ENDS}",
        thing_meant,
        "something about {}",
    ),
    _rule(r"\bdo\s+(?:that|it|this|so)\b", deed_meant),
    _rule(rf"\b(?:decided?|think|thought|believed?)\s+(?P<p>that|this){_ENDS}", thing_meant, "that about {}"),
    _rule(r"\bwhich\s+ones?\b(?!\s+of\b)", several_meant, "which of {}"),
    _rule(r"\bit\b", thing_meant),
    _rule(r"\b(?:they|them)\b", several_meant),
    _rule(r"\b(?:its|their)\b", thing_meant, "{}'s", binds=True),
    _rule(r"\b(?:she|he|him)\b", person_meant),
    _rule(rf"\bher\b{_ENDS}", person_meant),
    _rule(r"\b(?:her|his)\b(?=\s+\w)", person_meant, "{}'s", binds=True),
    _rule(r"\bthere\b(?=\s*(?:[?.!,]|$))", place_meant),
)
_OF_PERSONS = tuple(rule for rule in _RULES if rule.meant is person_meant)
_DEMONSTRATIVE = re.compile(r"\b(?:that|this|those|these)\b", re.IGNORECASE)
_NUMBER = rf"(?P<number>{any_word([*ORDINALS, 'fifth', 'former', 'latter'])})"
_ITEMS = (
    re.compile(rf"\b(?:the\s+)?{_NUMBER}\s+(?:ones?|of\s+(?:them|those|these))\b", re.IGNORECASE),
    re.compile(
        rf"(?<=\babout )the\s+{_NUMBER}(?=\W*$)|(?<=^and )the\s+{_NUMBER.replace('number', 'second')}(?=\W*$)", re.I
    ),
    re.compile(
        r"\bthe\s+(?P<number>former|latter)(?=\W*$|\s+(?:is|was|has|does|can|will)\b|\s+\w+\W*$)", re.IGNORECASE
    ),
)
_EXISTS = re.compile(
    r"\b(?:what|who|how\s+(?:many|much))\b.*\b(?:is|are|was|were)\s+there\b|^\W*(?:is|are)\s+there\b", re.IGNORECASE
)


def with_pronouns_told(question: str, earlier: Sequence[Turn]) -> str | None:
    """The question with what its pronouns stand for; None where none points out of it, or nothing fits.

    Only the first is told where several mean the same: those after it then refer to that.
    """
    if len(question) > MAX_CHARS:
        return None
    pointer = _item(question, earlier) or _by_rule(question, earlier, _RULES) or _demonstrative(question, earlier)
    if pointer is None:
        return None
    told = f"{question[: pointer.start]}{pointer.meant}{question[pointer.end :]}"
    person = _by_rule(told, earlier, _OF_PERSONS)  # when did she recommend it
    return f"{told[: person.start]}{person.meant}{told[person.end :]}" if person else told


def with_items_told(question: str, earlier: Sequence[Turn]) -> str | None:
    """`What about the second one?` with that item; None where there is no such."""
    item = _item(question, earlier) if len(question) <= MAX_CHARS else None
    return f"{question[: item.start]}{item.meant}{question[item.end :]}" if item else None


def _item(question: str, earlier: Sequence[Turn]) -> _Pointer | None:
    match = next((match for pattern in _ITEMS if (match := pattern.search(question))), None)
    if not match:
        return None
    word = match[match.lastgroup or 0].lower()
    number = {"fifth": 5, "former": 1, "latter": 2}.get(word) or ORDINALS[word]
    found = item_meant(earlier, number)
    return _Pointer(match.start(), match.end(), found) if found else None


def _by_rule(question: str, earlier: Sequence[Turn], rules: Sequence[_Rule]) -> _Pointer | None:
    for rule in rules:
        match = rule.pattern.search(question)
        if not match:
            continue
        group = "p" if "p" in rule.pattern.groupindex else 0
        start, end = match.span(group)
        if _says_nothing(question, start, end) or _is_told_here(question, start, end, binds=rule.binds):
            continue
        if (found := rule.meant(earlier)) and not _is_in(found, question):
            return _Pointer(start, end, rule.form.format(_possessor(found) if rule.binds else found))
    return None


def _demonstrative(question: str, earlier: Sequence[Turn]) -> _Pointer | None:
    """`that` and its like where they stand alone (`how much does that cost`) or before a noun of the turn before."""
    for match in _DEMONSTRATIVE.finditer(question):
        start, end = match.span()
        noun = _NOUN_AFTER.match(question, end)
        if _TIME_AFTER.match(question, end) or _is_told_here(question, start, end, binds=False):
            continue
        alone = _END.match(question, end) or (
            (_AUX_BEFORE.search(question, 0, start) or re.search(r"\bof\s+$", question[:start], re.IGNORECASE))
            and (_VERB_AFTER.match(question, end) or _AUX_AFTER.match(question, end))
        )
        form = "{}"
        if not alone and noun and noun["noun"].lower() in _WORKS:
            end, form = noun.end(), f"the {noun['noun']} about {{}}"
        elif not alone and noun and _was_said(noun["noun"], earlier):
            end = noun.end()
        elif not alone:
            continue
        if (found := thing_meant(earlier)) and not _is_in(found, question):
            return _Pointer(start, end, form.format(found))
    return None


def _says_nothing(question: str, start: int, end: int) -> bool:
    """Whether the word points nowhere: `is it true that`, `is there`."""
    word = question[start:end].lower()
    if word == "there":
        return _EXISTS.search(question) is not None
    if word == "it" and (start == 0 or _asks_when(question, start, end)):  # a statement; was it in May
        return True
    return word == "it" and any(match.start() <= start < match.end() for match in _EMPTY_IT.finditer(question))


def _asks_when(question: str, start: int, end: int) -> bool:
    """Whether it is `was it in May?`, which asks of what was said before and of no thing of it."""
    dated = date_in(question)
    alone = re.fullmatch(r"\W*(?:is|was)\s+", question[:start], re.IGNORECASE) is not None
    return (
        dated is not None and alone and not f"{question[end : dated[1].start]}{question[dated[1].end :]}".strip(" ?!.")
    )


def _is_told_here(question: str, start: int, end: int, *, binds: bool) -> bool:
    """Whether the question itself may hold what the word stands for: in a clause before it, or `if I buy the card`.

    A word of the same clause is not it, unless the pronoun `binds`: in `does Nina like it`, Nina is not `it`.
    """
    before = question[:start]
    wh = wh_of(question)
    binds = binds or _opens_a_clause(question, start, end)
    if binds and wh and not wh.aux and wh.word.lower() in ("who", "which", "what", "whose"):
        return True  # who deployed its army
    borders = [match.start() for match in _BORDER.finditer(before) if match.start() > 0]
    clause = before if binds else before[: borders[-1]] if borders else ""
    if phrases_of(clause) or (wh and wh.noun and wh.word.lower() != "how" and borders):
        return True
    after = _NAMED_AFTER.search(question, end)
    return bool(after and _clause_names(after["clause"]))


def _opens_a_clause(question: str, start: int, end: int) -> bool:
    """Whether the pronoun is the subject of a clause within the clause: `why did Nina think they …`, `let it go`."""
    word = question[start:end].lower()
    inner = start > 0 and word in ("he", "she", "they", "it") and not _AUX_BEFORE.search(question, 0, start)
    subject = word != "it"
    return inner and (subject or bool(_AUX_AFTER.match(question, end) or re.match(r"['’]s|\s+to\b", question[end:])))


def _clause_names(clause: str) -> bool:
    """Whether a clause such as `I buy the card` names a thing."""
    subject = re.match(r"\s*(?:I|we|you|they|he|she)\s+\w+\s*", clause)
    rest = clause[subject.end() :] if subject else clause
    return any(phrase.span.text.lower() not in ("it", "that") for phrase in phrases_of(f"is {rest}"))


def _was_said(noun: str, earlier: Sequence[Turn]) -> bool:
    word = noun.lower().rstrip("s")
    said = {each.lower().rstrip("s") for turn in earlier[-1:] for each in re.findall(r"\w+", turn.asked)}
    return noun.lower() not in FUNCTION_WORDS["en"] and (word in said or noun.lower() in _GENERIC)


def _is_in(found: str, question: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(found)}(?!\w)", question, re.IGNORECASE) is not None


def _possessor(found: str) -> str:
    """A name without a possessive ending of its own, before it takes one."""
    return found.removesuffix("'s").removesuffix("’s")
