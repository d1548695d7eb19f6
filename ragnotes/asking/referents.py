"""What `it`, `she`, `there` and `the second one` of a question stand for: names and subjects of the turns before it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from ragnotes.asking.phrases import (
    Phrase,
    date_in,
    is_code,
    name_spans,
    phrases_of,
    topic_of,
    wh_of,
)
from ragnotes.languages import FUNCTION_WORDS
from ragnotes.turns import Turn

__all__ = [
    "MAX_CHARS",
    "RELATIONAL",
    "brief",
    "day_meant",
    "deed_meant",
    "item_meant",
    "person_meant",
    "place_meant",
    "several_meant",
    "shown",
    "thing_meant",
    "things_meant",
]

MAX_CHARS = 300
"""A longer question is no follow-up; of an earlier turn, no more of its question and of each sentence is looked at."""
TURNS_BACK = 3
"""How far back a subject is looked for where the last turn has none."""
SHORT_WORDS = 6

RELATIONAL = frozenset(
    """price cost costs author authors size date link title licence license name address version owner weight length
    duration rent number""".split()  # noqa: SIM905 - a paragraph reads better than a column of quotes
)
"""What is asked of a thing, rather than the thing itself, in `the price of the grill`."""

_NOTES = frozenset({"note", "notes", "entry", "entries", "log", "journal", "diary", "something", "anything"})
_OF = re.compile(r"(?:the\s+)?(?P<head>\w+)\s+of\s+(?P<thing>.+)", re.IGNORECASE)
_MINE = re.compile(r"(?:my|our|the|mein\w*|mi|mon|ma)\s+\w+(?:\s+\w+)?", re.IGNORECASE)
_WHO = re.compile(r"(?:who|whom|wer|quién|quiénes|qui)", re.IGNORECASE)
_WHICH = re.compile(r"(?:which|what)", re.IGNORECASE)
_WHERE = re.compile(r"(?:where|wo|dónde|où)", re.IGNORECASE)
_KINDS = re.compile(r"(?:kind|sort|type|time|day|date|year|month|else|colou?r|percentage|share)s?\b.*", re.IGNORECASE)
_LISTED = re.compile(r"\s*(?:,\s*(?:and|or|und|y|et)\s+|,|;|\s+(?:and|or|und|y|et)\s+)\s*")
_PAST_ITS_NOUN = re.compile(r"\s(?:of|on|about|for|from|in|at|by|with|that|which|who|I|we|you|they|he|she)\s|:", re.I)
_PLURAL = re.compile(
    r"(?!(?:gas|lens|news|atlas|canvas|physics|mathematics)$)\w+[^\Wsui]s|\w+(?:ses|ies|ues|ois)"
    r"|people|children|men|women|mice|feet|teeth|criteria|staff|police",
    re.IGNORECASE,
)
_PERSON = re.compile(r"[A-ZÀ-Þ][\w'’-]*\.?(?:\s+[A-ZÀ-Þ][\w'’-]*\.?){0,3}")


def shown(text: str) -> str:
    """The text without characters that are not shown, such as those that turn the direction."""
    return "".join(char for char in text if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf"))


def brief(turn: Turn) -> Turn:
    """The turn with its question and the sentences of its answer shortened, without what is not shown."""
    question, *answer = (shown(text[:MAX_CHARS]) for text in (turn.asked, *turn.answer))
    return replace(turn, question=question, rewritten=None, answer=tuple(answer))


def thing_meant(earlier: Sequence[Turn]) -> str | None:
    """What `it` and `they` are: what a `which` question was answered with or asks for, else what the turn is about."""
    return _latest(earlier, _thing)


def things_meant(earlier: Sequence[Turn]) -> str | None:
    """What `they` and `those` are: as `thing_meant`, but `my notes on FAISS` rather than FAISS."""
    return _latest(earlier, _things)


def several_meant(earlier: Sequence[Turn]) -> str | None:
    """What `they` and `which ones` are: things that are many, or the items of a list in the last answer."""
    found = things_meant(earlier)
    if found and _is_plural(found):
        return found
    listed = _listed(brief(earlier[-1])) if earlier else []
    return f"{', '.join(listed[:-1])} and {listed[-1]}" if 1 < len(listed) <= SHORT_WORDS else None


def person_meant(earlier: Sequence[Turn]) -> str | None:
    """Who `she` and `he` are: whom a `who` question was answered with, else whom the question names."""
    return _latest(earlier, _person)


def place_meant(earlier: Sequence[Turn]) -> str | None:
    """Where `there` is, with its preposition."""
    return _latest(earlier, _place)


def deed_meant(earlier: Sequence[Turn]) -> str | None:
    """What `do that` is, where it was asked how, when or why one does it."""
    return _latest(earlier[-1:], _deed)


def day_meant(earlier: Sequence[Turn]) -> str | None:
    """Which day, month or year `that day` is, as the question before said it, or its answer."""
    return _latest(earlier, _day)


def item_meant(earlier: Sequence[Turn], number: int) -> str | None:
    """The item of that number in what was answered, or among the names that were asked about; -1 is the last."""
    if not earlier:
        return None
    items = _items(brief(earlier[-1]))
    at = number - 1 if number > 0 else len(items) + number
    return items[at] if len(items) > 1 and 0 <= at < len(items) else None


def _latest(earlier: Sequence[Turn], of: Callable[[Turn], str | None]) -> str | None:
    return next((found for turn in reversed(earlier[-TURNS_BACK:]) if (found := of(brief(turn)))), None)


def _thing(turn: Turn) -> str | None:
    wh = wh_of(turn.asked)
    if wh and wh.noun and _WHICH.fullmatch(wh.word) and not _KINDS.fullmatch(wh.noun) and wh.rest:
        return _name_answered(turn, code=True) or _described(wh.noun, wh.aux, wh.rest)
    phrase = topic_of(turn.asked)
    return (_work_about(turn.asked, phrase) or _told(phrase)) if phrase else None


def _things(turn: Turn) -> str | None:
    phrase = topic_of(turn.asked)
    return (phrase and _work_about(turn.asked, phrase, notes=True)) or _thing(turn)


def _work_about(asked: str, phrase: Phrase, *, notes: bool = False) -> str | None:
    """`The book about lichens`, where the question names both; notes only if they are meant, which are many."""
    for before in phrases_of(asked):
        lead = phrase.preposition
        if lead and lead.text.lower() in ("about", "on", "by") and before.span.end + 1 == lead.start:
            work = before.span.text.split()[-1].lower()
            if " " in before.span.text and (notes or work not in _NOTES):
                return asked[before.span.start : phrase.span.end]
    return None


def _described(noun: str, aux: str, rest: str) -> str:
    """What a `which` question asks for: `the embedder I did choose`, `the paper that introduced late chunking`."""
    if not aux:
        return f"the {noun} that {rest}"
    pronoun = re.match(r"(I|we|you|they|he|she)\b\s*(.*)", rest)
    if pronoun:
        return f"the {noun} {pronoun[1]} {aux} {pronoun[2]}"
    return f"the {noun} that {aux} {rest}" if aux.lower() not in ("do", "does", "did") else f"the {noun}: {rest}"


def _told(phrase: Phrase) -> str:
    """A phrase as it is said again: the grill, where its price was asked for."""
    relation = _OF.fullmatch(phrase.span.text)
    return relation["thing"] if relation and relation["head"].lower() in RELATIONAL else phrase.span.text


def _person(turn: Turn) -> str | None:
    wh = wh_of(turn.asked)
    asks_who = wh is not None and _WHO.fullmatch(wh.word) is not None
    if asks_who and (answered := _name_answered(turn, code=False)):
        return answered
    for phrase in () if asks_who else phrases_of(turn.asked):
        lead = phrase.preposition.text.lower() if phrase.preposition else ""
        for name in phrase.names:
            if not is_code(name.text) and lead not in ("in", "at", "from", "near", "to"):
                return re.sub(r"['’]s$", "", name.text)
    topic = None if asks_who else topic_of(turn.asked)
    return topic.span.text if topic and _MINE.fullmatch(topic.span.text) else _name_answered(turn, code=False)


def _name_answered(turn: Turn, *, code: bool) -> str | None:
    """The one name that the answer gives and the question does not; None where there are several, or none.

    `code` says that it may be an identifier, which is nobody's name.
    """
    if not turn.answer:
        return None
    first = turn.answer[0].strip().rstrip(".!")
    asked = turn.asked.lower()
    if len(first.split()) <= 4 and len(turn.answer) == 1 and (_PERSON.fullmatch(first) or (code and is_code(first))):
        return first if first.lower() not in asked else None
    found = [name.text for name in name_spans(first, opening=True)]
    new = [re.sub(r"['’]s$", "", name) for name in found if name.lower() not in asked]
    new = [name for name in new if name.lower() not in FUNCTION_WORDS["en"] and (code or not is_code(name))]
    if code:
        codes = [name for name in new if is_code(name)]
        return codes[0] if len(set(codes)) == 1 and len(turn.answer) == 1 else None
    return new[0] if new and (len(set(new)) == 1 or first.startswith(new[0])) else None


def _place(turn: Turn) -> str | None:
    wh = wh_of(turn.asked)
    for phrase in phrases_of(turn.asked):
        lead = phrase.preposition.text.lower() if phrase.preposition else ""
        if phrase.names and lead in ("in", "at", "near", "from", "to", "en", "à"):
            return f"{lead if lead in ('at', 'near', 'en', 'à') else 'in'} {phrase.span.text}"
    if wh and _WHERE.fullmatch(wh.word) and (name := _name_answered(turn, code=False)):
        return f"in {name}"
    names = [name.text for phrase in phrases_of(turn.asked) for name in phrase.names if not is_code(name.text)]
    return f"in {names[-1]}" if names else None


def _deed(turn: Turn) -> str | None:
    wh = wh_of(turn.asked)
    deed = re.match(r"(?:I|we|you|one)\s+(.+)", wh.rest) if wh and wh.aux and not wh.noun else None
    return deed[1] if deed and wh and wh.word.lower() in ("how", "when", "why", "where") else None


def _day(turn: Turn) -> str | None:
    for text in (turn.asked, *turn.answer[:1]):
        if (found := date_in(" ".join(text.split()))) is not None:
            dated = found[1].text
            return dated if dated != found[0].text else f"on {dated}"
    return next((f"on {place.date}" for place in turn.cited[:1] if place.date and "/" not in place.date), None)


def _is_plural(thing: str) -> bool:
    """Whether the noun of a phrase is one for many, or there are several: `the pumps of the house`, `Tom and Nina`."""
    head = _PAST_ITS_NOUN.split(thing)[0].split()
    word = head[-1] if head else ""
    return bool(re.search(r"\band\b", thing)) or (not word[:1].isupper() and _PLURAL.fullmatch(word) is not None)


def _items(turn: Turn) -> list[str]:
    return _listed(turn) or [name.text for name in name_spans(turn.asked)]


def _listed(turn: Turn) -> list[str]:
    """The items of an answer that is a list, else []."""
    if len(turn.answer) > 1:
        return [_head(sentence) for sentence in turn.answer]
    if turn.answer:
        listed = [part for part in _LISTED.split(turn.answer[0].strip().rstrip(".")) if part]
        if len(listed) > 1 and all(len(part.split()) <= SHORT_WORDS for part in listed):
            return listed
    return []


def _head(sentence: str) -> str:
    """What stands for an item of a list: all of it where it is short, else the name in it, else its first words."""
    words = sentence.strip().rstrip(".;").split()
    if len(words) <= SHORT_WORDS:
        return " ".join(words)
    names = [name.text for name in name_spans(sentence, opening=True) if name.text.lower() not in FUNCTION_WORDS["en"]]
    return names[0] if names else " ".join(words[:SHORT_WORDS])
