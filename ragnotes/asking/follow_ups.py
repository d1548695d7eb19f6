"""Follow-up questions, written out in full from the turns before: "and in 2024?", "who wrote it?", "why?".

By rules, without a model. A question that is whole on its own is left alone: where a rule is in doubt it does nothing,
for a wrong subject answers another question than the one that was asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from ragnotes.asking.phrases import (
    AUX,
    DET,
    PREP,
    WH,
    Phrase,
    Span,
    date_in,
    is_code,
    name_spans,
    phrases_of,
    topic_of,
    wh_of,
)
from ragnotes.asking.pronouns import with_items_told, with_pronouns_told
from ragnotes.asking.referents import MAX_CHARS, RELATIONAL, day_meant, shown, thing_meant
from ragnotes.languages import language_of
from ragnotes.question_dates import days_asked
from ragnotes.turns import Turn

__all__ = ["written_out"]

FRAGMENT_WORDS = 6
NAME_WORDS = 3

_LEAD = re.compile(
    r"[¿¡\s]*(?P<lead>(?:(?:and|or|but|also|ok|okay|so|then|now|y|e|und|et|oder|aber|pero|mais)[\s,]+)*"
    r"(?:(?:what|how)\s+about\s+|what\s+of\s+|was\s+ist\s+mit\s+|wie\s+ist\s+es\s+mit\s+|qué\s+(?:hay|pasa)\s+(?:de|con)\s+"
    r"|qu['’]en\s+est-il\s+de\s+)?)[¿¡\s]*",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\b(?!(?:also|ok|okay|so|then|now)\b)\w", re.IGNORECASE)
"""What of a lead says that the question goes on; `ok` does not."""
_CLAUSE = re.compile(
    rf"\b(?:{AUX.pattern}|{WH.pattern}|I|we|you|he|she|it|they|hay|había|se|ich|wir)\b|\bn['’]t\b",
    re.IGNORECASE,
)
_WH_ALONE = re.compile(
    r"(?P<wh>why\s+not|why|when|where|who|how|since\s+when|by\s+whom|with\s+whom|how\s+much|how\s+many|how\s+long|how\s+often"
    r"|how\s+come|warum|wieso|wann|wo|wer|por\s+qué|cuándo|dónde|quién|cómo|pourquoi|quand|où|comment)"
    r"(?:\s+(?:exactly|then|so))?\W*",
    re.IGNORECASE,
)
_WH_OF_THAT = re.compile(
    r"(?:(?P<time>why|when)\s+(?:is|was)\s+(?:that|it)|(?P<place>where|who)\s+was\s+that)\W*", re.IGNORECASE
)
_MORE = re.compile(
    r"(?:(?:(?:can\s+you\s+)?(?:please\s+)?(?:tell|show|give)\s+me\s+)?(?:some\s+)?more(?:\s+(?:details?|info\w*|on\s+(?:that|it|this)"
    r"|about\s+(?:that|it|this)))?|go\s+on|elaborate|details|what\s+(?:else|more)|anything\s+else|what\s+else\s+is\s+there"
    r"|mehr|mehr\s+dazu|was\s+noch|más|algo\s+más|qué\s+más|plus\s+de\s+détails|quoi\s+d['’]autre)(?:\s+please)?\W*",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"(?:any|which|what)\s+others?(?:\s+ones?)?\W*", re.IGNORECASE)
_OF = re.compile(r"\s(?:of|de|du|des|del|von|vom)\s", re.IGNORECASE)
_PLACES = frozenset("in at near from to for en à im".split())  # noqa: SIM905
_FROM_TODAY = re.compile(
    r"(?:last|this|yesterday|today|tonight|gestern|heute|letzte|diese|ayer|hoy|est[ea]|hier|aujourd|the\s+(?:past|last))",
    re.IGNORECASE,
)
"""What such a date begins with takes the place of `in 2023`, preposition and all."""
_YEAR = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_SOME_DAY = date(2100, 12, 31)
"""A day to tell by whether a date says its year; which days it means matters not here."""
_CONTRACTED = re.compile(r"\b(what|who|where|how|when|that)['’]s\b", re.IGNORECASE)
_WHO = frozenset(("who", "wer", "quién"))
_WORD = re.compile(r"\w[\w'’./+#-]*")


def written_out(question: str, earlier: Sequence[Turn]) -> str | None:
    """The whole question that a follow-up stands for, by the turns before it, oldest first; None for any other."""
    if not earlier or max(len(question), len(earlier[-1].asked)) > MAX_CHARS:
        return None
    question = _CONTRACTED.sub(r"\1 is", " ".join(shown(question).split()))
    asked = " ".join(shown(earlier[-1].asked).split())
    lead = _LEAD.match(question)
    led = bool(lead and _GOES_ON.search(lead["lead"]))
    rest = question[lead.end() if lead else 0 :].strip()
    told = _ellipsis(rest, asked, earlier) or _fragment(rest, asked, earlier, led=led) or _told(question, rest, earlier)
    return told if told and told.casefold() not in (question.casefold(), asked.casefold()) else None


def _told(question: str, rest: str, earlier: Sequence[Turn]) -> str | None:
    """The question with its pronouns told; without `and` before a question that is whole otherwise."""
    if _CLAUSE.search(rest) is None:
        return with_items_told(question, earlier)
    return with_pronouns_told(rest if _CLAUSE.match(rest) else question, earlier)


def _ellipsis(rest: str, asked: str, earlier: Sequence[Turn]) -> str | None:
    """What is asked by a question word alone, or by `more`."""
    if _MORE.fullmatch(rest) or _OTHERS.fullmatch(rest):
        return _more(asked, earlier, others=_OTHERS.fullmatch(rest) is not None)
    alone = _WH_ALONE.fullmatch(rest) or _WH_OF_THAT.fullmatch(rest)
    return _asked_by(" ".join(alone[alone.lastgroup or 0].split()), asked, earlier) if alone else None


def _more(asked: str, earlier: Sequence[Turn], *, others: bool) -> str | None:
    wh = wh_of(asked)
    if wh and wh.noun and wh.word.lower() in ("which", "what"):
        return f"{wh.word} other {wh.noun} {wh.aux} {wh.rest}".replace("  ", " ") + "?"
    thing = thing_meant(earlier[-1:])
    if thing and not others:
        lead = {"de": "Mehr über", "es": "Más sobre", "fr": "Plus sur"}.get(language_of(asked) or "")
        return f"{lead or 'Tell me more about'} {thing}"
    if wh and wh.word.lower() == "what":
        return f"{wh.word} else{asked[len(wh.word) :]}"
    return None


def _asked_by(word: str, asked: str, earlier: Sequence[Turn]) -> str | None:
    """The question before, asked with another question word."""
    wh, bare = wh_of(asked), asked.rstrip(" ?!.")
    kind = "why" if word.lower() == "how come" else word.lower()
    if kind in _WHO or (wh and wh.word.lower() == kind):  # who: of what it is the subject, nobody said
        return None
    if kind in ("how much", "how many") and (thing := thing_meant(earlier[-1:])):
        return f"{word.capitalize()} did {thing} cost?" if kind == "how much" else f"{word.capitalize()} {thing}?"
    turned = kind not in ("why not", "how much", "how many", "with whom")
    states = wh is not None and wh.aux.lower() in ("is", "are") and not wh.noun and wh.word.lower() in ("what", "who")
    if turned and wh and wh.aux and not states:
        noun = wh.noun if wh.word.lower() in ("which", "what") else ""
        return f"{word.capitalize()} {wh.aux} {_with_noun(wh.rest, noun) if noun else wh.rest}?"
    if turned and not wh and (first := _WORD.match(bare)) and AUX.fullmatch(first.group()):
        return f"{word.capitalize()} {bare[0].lower()}{bare[1:]}?"
    return f"{bare}, {_and(asked)} {word.lower()}?"


def _with_noun(rest: str, noun: str) -> str:
    """`I choose the index in 2023`: what `which` asked for stands before the date."""
    dated = date_in(rest)
    at = dated[1].start if dated else len(rest)
    return " ".join(f"{rest[:at].rstrip()} the {noun} {rest[at:]}".split())


def _fragment(rest: str, asked: str, earlier: Sequence[Turn], *, led: bool) -> str | None:
    """The question before with another time, place or thing, where `rest` is no more than that."""
    piece = rest.rstrip(" ?!.")
    words = _WORD.findall(piece)
    if not words or len(words) > FRAGMENT_WORDS or _CLAUSE.search(piece) or re.search(r"\bmy\s+notes\b", piece):
        return None
    asks = rest.endswith("?")
    if piece.lower() in ("since then", "after that", "before that", "since") and (day := day_meant(earlier[-1:])):
        piece = f"{words[0]} {_bare(day)}"
    if date_in(piece) or re.fullmatch(r"(?:19|20)[0-9]{2}", piece):
        return _at_another_time(piece, asked) if led or asks or PREP.fullmatch(words[0]) else None
    if not led and len(words) <= 2 and words[-1].lower() in RELATIONAL and asks:
        return _relation(piece, earlier)
    named = name_spans(piece, opening=True)
    starts_with = PREP.fullmatch(words[0]) is not None and len(words) > 1
    if starts_with and (led or named):
        return _with_another_place(piece, asked, named)
    if led and _points(piece):
        return None
    whole_name = bool(named) and len(words) <= NAME_WORDS and asks and bool(name_spans(asked))
    if not led and not (whole_name and named[0].start == 0 and named[0].end == len(piece)):
        return None
    return _relation(piece, earlier) or _about_another_thing(piece, asked, named)


def _points(piece: str) -> bool:
    """Whether it is `the second one`, `those` or the like, and no thing of its own."""
    return re.search(
        r"\b(?:ones?|that|this|those|these|them|it|former|latter)\b", piece, re.IGNORECASE
    ) is not None or (
        re.fullmatch(r"(?:the\s+)?(?:first|second|third|fourth|fifth|last|others?)", piece, re.IGNORECASE) is not None
    )


def _at_another_time(piece: str, asked: str) -> str:
    old = date_in(asked)
    has_lead = PREP.fullmatch(piece.split(maxsplit=1)[0]) is not None or _FROM_TODAY.match(piece) is not None
    if old is None:
        is_year = re.fullmatch(r"(?:19|20)[0-9]{2}", piece) is not None
        lead = {"de": "", "es": "en ", "fr": "en "}.get(language_of(asked) or "", "in ")
        return _ended(asked, f"{lead}{piece}" if is_year else piece)
    year = _YEAR.search(old[0].text)
    from_today = days_asked(piece, today=_SOME_DAY)
    if year and not _YEAR.search(piece) and (from_today is None or from_today.yearless):
        piece = (
            f"{piece} de {year[0]}" if re.search(r"\bde\s+(?:19|20)[0-9]{2}$", old[0].text) else f"{piece} {year[0]}"
        )
    return _put(asked, old[1] if has_lead else old[0], piece)


def _with_another_place(piece: str, asked: str, named: Sequence[Span]) -> str | None:
    """The question before with the phrase of that preposition changed, or with one more."""
    preposition = piece.split(maxsplit=1)[0].lower()
    thing = piece[len(preposition) :].strip()
    same = [p for p in phrases_of(asked) if p.preposition and _alike(p, preposition, thing, named)]
    if same:
        lead = same[-1].preposition
        assert lead is not None
        return _put(asked, Span(lead.start, same[-1].span.end, ""), piece)
    if preposition in ("about", "on", "über", "sobre", "sur"):
        return _about_another_thing(thing, asked, name_spans(thing, opening=True))
    return _ended(asked, piece)


def _alike(phrase: Phrase, preposition: str, thing: str, named: Sequence[Span]) -> bool:
    old = phrase.preposition.text.lower() if phrase.preposition else ""
    places = old in _PLACES and preposition in _PLACES and bool(phrase.names) and bool(named)
    return old == preposition or (places and not is_code(phrase.names[-1].text) and not is_code(thing))


def _relation(piece: str, earlier: Sequence[Turn]) -> str | None:
    """`What is the price of the grill?` for `the price?`."""
    words = re.sub(r"^(?:the|its|der|die|das|el|la|le)\s+", "", piece, flags=re.IGNORECASE).split()
    if not words or len(words) > 2 or words[-1].lower() not in RELATIONAL:
        return None
    thing = thing_meant(earlier)
    verb = "are" if words[-1].lower() in ("authors", "costs") else "is"
    return f"What {verb} the {' '.join(words)} of {thing}?" if thing else None


def _about_another_thing(piece: str, asked: str, named: Sequence[Span]) -> str:
    """The question before about something else; what it was about is replaced by what is of its kind."""
    determined = DET.fullmatch(piece.split(maxsplit=1)[0]) is not None
    is_name = bool(named) and not (determined and len(named[0].text) < len(piece) / 2)
    old = _slot(asked, piece, is_name=is_name)
    if old is None or piece.casefold() in asked.casefold():
        return _ended(asked, f", {_and(asked)} {piece}")
    return _put(asked, old, piece)


def _slot(asked: str, piece: str, *, is_name: bool) -> Span | None:
    phrases = [phrase for phrase in phrases_of(asked) if phrase.about] or phrases_of(asked)
    keeps_determiner = DET.fullmatch(piece.split(maxsplit=1)[0]) is None
    if is_name:
        names = [(phrase, name) for phrase in phrases for name in phrase.names]
        alike = [pair for pair in names if is_code(pair[1].text) == is_code(piece)] or names
        if alike:
            phrase, name = alike[-1]
            return name if keeps_determiner else phrase.span
    topic = topic_of(asked)
    if topic is None:
        wh = wh_of(asked)
        at = asked.find(wh.noun) if wh and wh.noun and wh.word.lower() == "which" else -1
        return Span(at, at + len(wh.noun), wh.noun) if wh and at >= 0 and not is_name else None
    part = _OF.search(topic.span.text)
    if part and not _OF.search(piece):  # the side effects of | ibuprofen
        return Span(topic.span.start + part.end(), topic.span.end, topic.span.text[part.end() :])
    return topic.span


def _bare(day: str) -> str:
    """A day without the preposition before it."""
    found = date_in(day)
    return found[0].text if found else day


def _and(asked: str) -> str:
    return {"de": "und", "es": "y", "fr": "et"}.get(language_of(asked) or "", "and")


def _put(asked: str, span: Span, piece: str) -> str:
    told = f"{asked[: span.start]}{piece}{asked[span.end :]}"
    return told if told.endswith(("?", "!", ".")) or not asked.endswith("?") else f"{told}?"


def _ended(asked: str, piece: str) -> str:
    bare = asked.rstrip(" ?!.")
    end = "?" if asked.endswith("?") else ""
    return f"{bare}{piece}{end}" if piece.startswith(",") else f"{bare} {piece}{end}"
