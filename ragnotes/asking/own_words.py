"""The words by which a question speaks of its asker's own notes and time, in English, Spanish and German.

What is asked here of a question is answered by its wording alone; `own_time` draws the conclusions.
"""

from __future__ import annotations

import re

from ragnotes.answers import Order
from ragnotes.asking.words import STOP_WORDS
from ragnotes.date_words import MONTHS, UNITS, WEEKDAYS, any_word
from ragnotes.languages import i_did_in_spanish

__all__ = ["asks_for_a_kind", "content_of", "of_a_thing", "of_my_things", "order_asked", "speaks_of_own_notes"]

_NOTES = r"(?:notes?|logs?|logbook|journals?|diary|diaries|entry|entries|notebooks?)"
_BOOKS = r"(?:logs?|logbook|journals?|diary|diaries|notebooks?)"
_NO_NAME = rf"(?!\s+of\s+(?:the\s+)?(?!{any_word([*MONTHS, *WEEKDAYS])})(?-i:[A-ZÀ-Þ]))"
"""After a journal: that of Physics, or the diary of somebody, is not one's own."""
_OWN_ENGLISH = (
    r"(?:did|do|have|had|was|were|am|are)(?:n['’]t)?\s+(?:I|we)"
    r"|(?:I|we)(?:['’]ve|['’]d)?\s+(?:\w+ly\s+|also\s+|just\s+|first\s+|last\s+|ever\s+)?(?:\w+ed|read|wrote|written|saw"
    r"|seen|did|done|was|were|had|put|made|met|went|bought|got|found|spent|ate|ran|said|told|thought|felt|kept|took|gave"
    r"|began|came|left|slept|built|sent|learnt|heard|paid|sold|held|won|lost|drew|grew|swam|rode|drove|spoke|knew|cut)"
    rf"|(?:my|our)\s+(?:\w+\s+)?{_NOTES}|(?:in|from|through)\s+(?:the|my|our)\s+{_NOTES}\b{_NO_NAME}"
    rf"|(?:notes?|entry|entries)\b{_NO_NAME}\s+(?:of|on|in)|(?:the|my|our)\s+{_BOOKS}\b{_NO_NAME}\s+(?:of|on|in)"
    rf"|{_NOTES}\s+(?:from|for|between|during|since|before|after|until|dated)"
    r"|logged|noted|jotted|written\s+down|(?:journal|diary|log)\s+entr(?:y|ies)"
)
_OWN_SPANISH = (
    r"(?:he|hemos|había|habíamos)\s+\w+(?:do|to|cho)"
    r"|hice|fui|estuve|tuve|puse|dije|vi|pude|quise|vine|traje|supe|anduve|lei|escribi|anote|aprendi"
    r"|leímos|hicimos|fuimos|vimos|decidimos|hablamos|escribimos|anotamos|comimos|compramos|estuvimos|tuvimos|acordamos"
    r"|(?:mis|mi|nuestr[oa]s?)\s+(?:notas|apuntes|entradas|anotaciones|diario|bitácora|registro)"
    r"|(?:notas|apuntes|entradas|anotaciones)\s+(?:tengo\s+)?del?"
)
_OWN_GERMAN = (
    r"(?:habe?|haben|hatten?|bin|sind|war|waren|wurden?|\w+ten?|las|schrieb|sah|ging|fand|kam|traf|aß|trank|sprach|lief"
    r"|fuhr|begann|nahm|dachte)\s+(?:ich|wir)|ich\s+(?:\w+\s+){0,8}(?:habe|bin|hatte|war)"
    r"|(?:meine|unsere)[nmrs]?\s+(?:notizen|einträge|aufzeichnungen)"
    r"|(?:mein|unser)(?:em|en|es)?\s+(?:tagebuch|logbuch|journal)"
    r"|(?:notizen|einträge|aufzeichnungen)\s+(?:von|vom|aus|im|der|zu)"
)
_OWN = re.compile(rf"\b(?:{_OWN_ENGLISH}|{_OWN_SPANISH}|{_OWN_GERMAN})\b", re.IGNORECASE)
_MY_THINGS = re.compile(r"\b(?:was|were|how)\s+(?:my|our)\b|\b(?:war|waren)\s+(?:mein|unser)\w*\b", re.IGNORECASE)

_BEFORE_DATE = (
    r"\s+(?:(?:back\s+)?(?:in|on|during|since|before|after|between|from|by|en|el|entre|desde)\s+(?:the\s+|el\s+)?)?$"
)
_DONE_TO_A_THING = re.compile(
    r"\b(?P<verb>[a-zà-ÿ]+(?:ed|ad[oa]s?|id[oa]s?)|born|built|fought|held|written|made)"
    rf"(?:\s+(?:in|at|by|en|por)\s+(?!the\b)\w+)?{_BEFORE_DATE}",
    re.IGNORECASE,
)
_OTHERS_DOING = re.compile(  # "did I note who won the prize in": the year is the winner's
    r"\b(?:I|we|my|our)\b.*\b(?:who|whose|whom|which|how|why)\s+(?!.*\b(?:I|we|my|our)\b)", re.IGNORECASE
)
_THING_OF = re.compile(
    r"\b(?:papers?|articles?|books?|posts?|models?|films?|movies?|videos?|talks?|songs?|albums?|versions?|releases?)"
    r"\s+(?:from|of)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_THING_AFTER = re.compile(r"\s+\w+(?:te|ene)[nsrm]?\s+[A-ZÄÖÜ]")  # das im Juni 2023 veröffentlichte Modell
_NOTED = re.compile(  # done to the notes themselves, or no participle at all
    r"logged|noted|jotted|recorded|saved|dated|added|happened|anotad[oa]s?|escrit[oa]s?|leíd[oa]s?|guardad[oa]s?|pasado"
    r"|sid[oa]|estad[oa]|id[oa]|comida|partido|vida",
    re.IGNORECASE,
)
_DONE_BY_ME = re.compile(r"\b(?:I|we|have|had|he|hemos|había|habíamos)\s+(?:\w+\s+)?$", re.IGNORECASE)

_NAMED_LAST = (
    r"(?:time|notes?|entr(?:y|ies)|mentions?|updates?|posts?|papers?|articles?|books?|links?|thing|meeting|run|session)"
)
_NEWEST = re.compile(
    rf"\b(?:(?:the\s+|my\s+|our\s+)?(?:latest|newest|most\s+recent(?:ly)?|last\s+{_NAMED_LAST})"
    rf"|(?:the|my|our)\s+last(?=\s+(?!{any_word(UNITS)}|few|couple|[0-9])\w+\s+(?:\w+\s+)?(?:that\s+)?(?:I|we)\b)"
    r"|(?<=\b[Ii] )last(?=\s+[a-z])|(?<=\bwe )last(?=\s+[a-z])|last(?=\s*\?*$)"
    r"|más\s+recientes?|(?:por\s+)?últim[oa]\s+(?:vez|nota|entrada|apunte|cosa|artículo|libro|enlace|reunión)"
    r"|neueste[nmrs]?|jüngste[nmrs]?|zuletzt|(?:das\s+)?letzte[nmrs]?\s+(?:mal|notiz|eintrag|artikel|buch|link|treffen))\b",
    re.IGNORECASE,
)
_OLDEST = re.compile(
    r"\b(?:earliest|oldest|(?:the\s+|my\s+)?first\s+(?:time|notes?|entr(?:y|ies)|mentions?)"
    r"|(?<=\b[Ii] )first(?=\s+[a-z])|(?<=\bwe )first(?=\s+[a-z])"
    r"|(?:por\s+)?primera\s+vez|más\s+antigu[oa]s?|zum\s+ersten\s+mal|älteste[nmrs]?)\b",
    re.IGNORECASE,
)

_A_NOTE = (
    r"(?:notes?|entr(?:y|ies)|logs?|mentions?|links?(?!\s+(?:between|in)\b)|decisions?|notas?|entradas?|apuntes?|anotaci(?:ón|ones)|enlaces?"
    r"|notiz(?:en)?|einträge?|eintrag|aufzeichnung(?:en)?|tagebucheintrag)"
)
_ENDS_IN_A_NOTE = re.compile(rf"\b{_A_NOTE}(?:\s+del?)?\s*$", re.IGNORECASE)
_THEN_A_NOTE = re.compile(
    rf"\s+(?:\w+\s+){{0,2}}?{_A_NOTE}\b|\s+versions?\s+of\s+(?:my|our|the)\s+notes\b"
    r"|(?<=latest)\s+(?:news\s+|update\s+|updates\s+)?(?:on|about|with|regarding)\b"
    r"|(?<=neueste)s?\s+(?:zu[mr]?|über)\b|(?<=reciente)\s+sobre\b|(?<=vez)\s+que\s+\w+(?:mos|é|í)\b"
    r"|\s+(?:\w+\s+){0,2}?(?:that\s+|which\s+)?(?:I|we)\s+(?!know|can|could|should|may|need|want)\w",
    re.IGNORECASE,
)
_MINE_JUST_BEFORE = re.compile(
    r"\b(?:I|we|my|our|ich|wir|mein\w*|unser\w*|mis?|nuestr[oa]s?)(?:\s+\w+)?\s*$", re.IGNORECASE
)
_ABOUT_JUST_BEFORE = re.compile(r"\b(?:about|on|of|regarding|sobre|über|zu[mr]?)(?:\s+\w{2,3})?\s*$", re.IGNORECASE)

_ANY_ENTRY = """
    read reading wrote write written note notes noted log logs logged journal journals diary diaries entry entries
    record recorded saw seen watch watched did do save saved put happen happened happening going stuff thing things
    everything anything something paper papers article articles link links post posts work worked working said new
    interesting show list summarize summarise summary all any every day days time week weeks month months date
    between during since until before after within through throughout over up out so far around recap overview find
    found look down
"""
_CUALQUIER_NOTA = """
    qué que cuál cuáles cuándo quién cómo dónde hice hicimos hizo leí leímos leído lei anoté anotamos anotado escribí
    escribimos escrito notas nota apuntes anotaciones tengo diario entradas entrada mis mi me yo nosotros nuestras
    el la los las lo un
    una de del en al a y o sobre con por para entre desde hasta pasó ocurrió sucedió pasado ocurrido hay había he hemos
    fue era algo todo cosas nuevo día días es son está muéstrame
"""
_IRGENDEINE_NOTIZ = """
    was wer wie wo wann welche welcher welches welchen ich wir mir mich uns mein meine meinem meinen meiner unsere habe
    hab haben hatte hatten bin sind war waren wurde worden gelesen las geschrieben schrieb notiert notierte
    aufgeschrieben gemacht machte getan tat passiert geschah geschehen los gewesen notizen notiz eintrag einträge
    tagebuch logbuch journal der die das den dem des ein eine einem einen einer im in am an auf aus von vom bis zum zur
    zu und oder über mit für zwischen seit alles etwas dinge neues tag tage gab es stand steht zeige
"""
_SAYS_NOTHING = frozenset(f"{_ANY_ENTRY} {_CUALQUIER_NOTA} {_IRGENDEINE_NOTIZ}".split()) | STOP_WORDS
"""Words that fit whatever was noted, and those that bind them."""
_WORD = re.compile(r"\w+(?:['’]\w+)?")


def speaks_of_own_notes(question: str) -> bool:
    """Whether it speaks of what its asker did or noted: `did I read`, `my notes`, `leí`, `habe ich`."""
    return _OWN.search(question) is not None or i_did_in_spanish(question)


def of_my_things(question: str) -> bool:
    """Whether it asks how something of the asker's was: `where was my meeting`."""
    return _MY_THINGS.search(question) is not None


def of_a_thing(before: str, after: str) -> bool:
    """Whether a date between these two is one of a thing spoken of: `the model released in`, `papers from`."""
    done = _DONE_TO_A_THING.search(before)
    if done and not _NOTED.fullmatch(done["verb"]) and not _DONE_BY_ME.search(before[: done.start("verb")]):
        return True
    return (
        _OTHERS_DOING.search(before) is not None
        or _THING_OF.search(before) is not None
        or _THING_AFTER.match(after) is not None
    )


def order_asked(question: str) -> Order | None:
    """Whether it asks for what is newest in the notes (`latest note`, `the last time I`) or oldest; None for neither.

    The oldest person, and the latest version of a program, are things of the world, and no order of notes.
    """
    if _of_notes(_NEWEST, question):
        return "newest"
    return "oldest" if _of_notes(_OLDEST, question) else None


def _of_notes(superlative: re.Pattern[str], question: str) -> list[re.Match[str]]:
    """Where such a word is said of notes, or of what the asker did."""
    own = speaks_of_own_notes(question)
    return [match for match in superlative.finditer(question) if _is_of_notes(match, own=own)]


def _is_of_notes(match: re.Match[str], *, own: bool) -> bool:
    before = match.string[: match.start()]
    return (
        _ENDS_IN_A_NOTE.search(match.group()) is not None
        or _ENDS_IN_A_NOTE.search(before) is not None
        or _THEN_A_NOTE.match(match.string, match.end()) is not None
        or match.group().lower().startswith(("my ", "our "))
        or _MINE_JUST_BEFORE.search(before) is not None
        or (own and _ABOUT_JUST_BEFORE.search(before) is None)
    )


def content_of(question: str) -> list[str]:
    """The words of it that tell what to look for, beside noting, asking, and wanting the newest."""
    for superlative in (_NEWEST, _OLDEST):
        for match in reversed(_of_notes(superlative, question)):
            question = f"{question[: match.start()]} {question[match.end() :]}"
    return [word for word in _WORD.findall(question) if word.lower() not in _SAYS_NOTHING]


_KIND = re.compile(
    r"\b(?:papers?|articles?|books?|links?|posts?|talks?|videos?|artículos?|enlaces?|libros?|artikel|bücher|links?)\b",
    re.IGNORECASE,
)


def asks_for_a_kind(question: str) -> bool:
    """Whether it asks for one kind of what was noted, as in "which papers did I read in May?"."""
    return bool(_KIND.search(question))
