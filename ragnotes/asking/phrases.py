"""The phrases of a question: its dates, the names in it, what it is about. Told by function words and form alone.

There is no grammar here. What cannot be told is left out, so that a question is rather left alone than bent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ragnotes.date_words import MONTHS, WEEKDAYS, any_word
from ragnotes.question_dates import days_asked

__all__ = [
    "AUX",
    "DET",
    "PREP",
    "WH",
    "Phrase",
    "Span",
    "Wh",
    "date_in",
    "name_spans",
    "phrases_of",
    "topic_of",
    "wh_of",
]

LONGEST = 600
"""Of a text, so many characters are looked at; of a question with more nothing would follow."""
LONGEST_CODE = 60

_AUX_WORDS = (
    "is|are|was|were|am|be|been|do|does|did|has|have|had|can|could|will|would|should|shall|may|might|must"
    "|ist|sind|war|waren|hat|habe|haben|hatte|kann|wird|wurde|kostet"
    "|es|está|están|son|fue|era|ha|tiene|cuesta|est|sont|était|ai|peut|coûte"
)
AUX = re.compile(rf"(?:{_AUX_WORDS})", re.IGNORECASE)
_WORDS_DET = (
    "the|an|a|my|our|your|his|her|its|their|this|that|these|those|der|die|das|den|dem|des|ein|eine|einen|einem|einer"
    "|mein|meine|meinen|meinem|meiner|el|la|los|las|un|una|mi|mis|le|les|une|mon|ma|mes|l"
)
DET = re.compile(rf"(?:{_WORDS_DET})", re.IGNORECASE)
_ABOUT = "about|for|of|regarding|concerning|over|über|für|von|sobre|para|de|del|du|des|pour"
_WHERE = (
    "in|at|on|from|near|to|into|with|without|by|than|within|during|since|until|before|after|under|via|between|as|per"
    "|im|am|bei|aus|mit|ohne|nach|seit|vor|auf|en|con|sin|desde|hasta|à|au|aux|avec|sans|chez|dans|depuis|sur"
)
PREP = re.compile(rf"(?:{_ABOUT}|{_WHERE})", re.IGNORECASE)
_IS_ABOUT = re.compile(rf"(?:{_ABOUT})", re.IGNORECASE)
_ENDS_A_PHRASE = re.compile(
    rf"(?:{_ABOUT}|{_WHERE}|{_AUX_WORDS}|and|or|but|nor|that|which|who|whom|whose|when|where|while|because|if|so|then|not"
    r"|I|we|you|he|she|it|they|me|us|him|them|there|und|oder|ich|wir|dass|y|o|que|yo|et|ou|je|nous|again|too|also|ever"
    r"|now|today|please|exactly|really|still|already|yet|here|gelesen|notiert|geschrieben|gekauft|bezahlt|gemacht)",
    re.IGNORECASE,
)
_OF = re.compile(r"(?:of|de|du|des|del|von|vom)", re.IGNORECASE)
_VERB_BEFORE_VERB = re.compile(
    r"(?:need|want|have|plan|try|like|hope|decide|learn|start|forget|remember|get|intend)", re.IGNORECASE
)
_VERB_LAST = re.compile(r"(?:habe|hat|haben|hatte|hatten|bin|ist|sind|war|waren|kann|wird|wurde)", re.IGNORECASE)
"""After these a German verb stands at the end."""
_PRONOUN = re.compile(r"(?:I|we|you|he|she|it|they|one|people|someone|anyone|ich|wir|man|yo|je|nous|on)", re.IGNORECASE)
_ADVERB = re.compile(
    r"(?:also|ever|just|first|last|really|actually|already|not|n't|always|never|\w{3,}ly)", re.IGNORECASE
)
_WH_WORD = (
    "who|whom|whose|what|which|when|where|why|how|wer|wem|wen|was|welche[nmrs]?|wann|wo|warum|wie|woher|wohin"
    "|qué|cuál|cuáles|quién|quiénes|cuándo|dónde|cómo|cuánto|cuánta|cuántos|cuántas|adónde"
    "|qui|que|quoi|quel|quels|quelle|quelles|quand|où|pourquoi|comment|combien"
)
WH = re.compile(rf"(?:{_WH_WORD})", re.IGNORECASE)
_SPECIFYING = re.compile(r"(?:which|what|whose|welche[nmrs]?|quels?|quelles?)", re.IGNORECASE)
_DEGREE = re.compile(
    r"(?:much|many|long|often|far|old|large|big|fast|high|well|tall|heavy|expensive|good)", re.IGNORECASE
)
_BARE_VERB = re.compile(
    r"(?:work|works|cost|need|handle|use|mean|say|support|compare|run|do|help|make|take|perform|look|differ|fit|get|have"
    r"|require|contain|cover|affect|cause|improve|change|happen|exist|last|weigh|sound|taste|feel|come|go|give|show|like"
    r"|want|think|know|live|move|start|stop|end|begin|open|close|find|buy|sell|pay|write|read|recommend|suggest|decide"
    r"|reach|hold|produce|carry|explain|agree|win|lose|keep|store|build|call|become|grow|eat|drink|speak|publish|release|fail|mention|treat|behave)",
    re.IGNORECASE,
)
_THIRD_PERSON = re.compile(r"\w+(?:ses|[^s]s)", re.IGNORECASE)
_PARTICIPLE = re.compile(
    r"(?:\w{2,}ed|written|built|made|born|held|sold|bought|found|founded|paid|taken|given|known|sent|shown|drawn|kept|lost"
    r"|won|left|run|set|put|said|read|free|faster|better|cheaper|slower|larger|smaller|bigger|good|bad|open|available)",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"(?:(?:please\s+)?(?:tell\s+me|show\s+me|give\s+me|list|find|explain|summari[sz]e|describe|compare|remind\s+me)"
    r"(?:\s+(?:all|everything|something))?)\s+",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\w+(?:[-'’._/+#]+\w+)*[+#]{0,2}|[^\w\s]")
_QUOTED = re.compile(r"[\"“«„*]([^\"”»“*]{2,80})[\"”»“*]")
_NO_NAME = re.compile(
    rf"(?:I|{_WH_WORD}|{_AUX_WORDS}|{_WORDS_DET}|{any_word([*MONTHS, *WEEKDAYS])}|and|or|but)", re.IGNORECASE
)
_CODE = re.compile(
    r"(?=.*[^\W_])(?:.*\d.*|[A-Z]{2,}s?|.*[a-z].*[A-Z].*|[A-Za-z]+[A-Z]{2,}\w*|\w+[._]\w+.*|\w+-\w*\d.*)"
)
_YEAR = re.compile(r"(?<![\w./:-])(?:19|20)[0-9]{2}(?![\w]|[-./:]\w)")
_DATE_LEAD = re.compile(
    r"\b(?:(?:in|on|during|since|until|till|before|after|from|by|for|of|im|am|seit|bis|vor|nach|vom|en|el|de|del|desde|hasta"
    r"|durante|depuis|avant|après|pendant|le)\s+)?(?:(?:the|el|le|der|dem|year|jahr)\s+)*$",
    re.IGNORECASE,
)
_FAR_DAY = date(2100, 12, 31)
"""A day to tell dates by whose place in the text alone is wanted."""


class Span(NamedTuple):
    """A stretch of a question."""

    start: int
    end: int
    text: str


class _Token(NamedTuple):
    start: int
    end: int
    text: str

    def fits(self, pattern: re.Pattern[str]) -> bool:
        return pattern.fullmatch(self.text) is not None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase: with its determiner, with the preposition before it, and the names it holds."""

    span: Span
    preposition: Span | None
    about: bool
    names: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Wh:
    """How a question begins: `which | embedder | did | I choose`; noun and aux may be "", `rest` is what follows."""

    word: str
    noun: str
    aux: str
    rest: str


def date_in(question: str) -> tuple[Span, Span] | None:
    """The words of the dates in a question, alone and with the preposition before them; None where there are none."""
    question = question[:LONGEST]
    asked = days_asked(question, today=_FAR_DAY)
    if asked and asked.text == question:
        start, end = asked.start, asked.end
    elif match := _YEAR.search(question):
        start, end = match.span()
    else:
        return None
    lead = _DATE_LEAD.search(question, 0, start)
    opens = lead.start() if lead else start
    return Span(start, end, question[start:end]), Span(opens, end, question[opens:end])


def name_spans(text: str, *, opening: bool = False) -> list[Span]:
    """The names in a text: quoted titles, identifiers, words with a capital. `opening`: the first word may be one too.

    Names side by side are one, together with a number after them: `RTX 3090`, `Nina Petrova`.
    """
    text = text[:LONGEST]
    tokens = _tokens(text)
    found = [Span(match.start(1), match.end(1), match[1]) for match in _QUOTED.finditer(text)]
    run: list[_Token] = []
    for number, token in enumerate([*tokens, _Token(len(text), len(text), ".")]):
        first = number == 0 or tokens[number - 1].text in ".!?¿¡"
        if _is_name(token, first=first and not opening) or (run and token.text.isdigit()):
            run.append(token)
            continue
        if run and not any(span.start <= run[0].start < span.end for span in found):
            found.append(Span(run[0].start, run[-1].end, text[run[0].start : run[-1].end]))
        run = []
    return sorted(found)


def _is_name(token: _Token, *, first: bool) -> bool:
    if token.text.isdigit() or token.fits(_NO_NAME) or not token.text[0].isalnum():
        return False
    if is_code(token.text):
        return True
    return token.text[0].isupper() and not first


def is_code(name: str) -> bool:
    """Whether a name is an identifier or an acronym, rather than a word with a capital: `FAISS`, `llama.cpp`."""
    words = re.sub(r"['’]s$", "", name[:LONGEST]).split()
    return any(len(word) <= LONGEST_CODE and _CODE.fullmatch(word) is not None for word in words)


def wh_of(question: str) -> Wh | None:
    """How a question with a question word begins; None for any other."""
    question = question[:LONGEST]
    tokens = _tokens(question)
    while tokens and not tokens[0].text[0].isalnum():
        tokens = tokens[1:]
    if not tokens or not tokens[0].fits(WH):
        return None
    at = 1
    if tokens[0].fits(_SPECIFYING) or (tokens[0].text.lower() == "how" and len(tokens) > 1 and tokens[1].fits(_DEGREE)):
        while at < len(tokens) and _goes_on(tokens[at], tokens[0]):
            at += 1
        if at == len(tokens) or not tokens[at].fits(AUX):
            at = _past_its_preposition(tokens, at) or _noun_without_aux(tokens, at)
    noun = question[tokens[1].start : tokens[at - 1].end] if at > 1 else ""
    aux = tokens[at].text if at < len(tokens) and tokens[at].fits(AUX) else ""
    rest_at = at + 1 if aux else at
    rest = question[tokens[rest_at].start :] if rest_at < len(tokens) else ""
    return Wh(tokens[0].text, noun, aux, rest.rstrip(" ?!."))


def _goes_on(token: _Token, wh: _Token) -> bool:
    pronoun = token.fits(_PRONOUN) and token.start > wh.end + 1
    return token.text[0].isalnum() and not token.fits(AUX) and not token.fits(PREP) and not pronoun


def _past_its_preposition(tokens: list[_Token], stop: int) -> int | None:
    """Where the auxiliary of `how many tokens per second does …` stands; None where none is near."""
    if stop < 2 or stop == len(tokens) or not tokens[stop].fits(PREP):
        return None
    return next((at for at in range(stop, min(stop + 5, len(tokens))) if tokens[at].fits(AUX)), None)


def _noun_without_aux(tokens: list[_Token], stop: int) -> int:
    """Where the noun of `which paper introduced …` ends: before the first word that looks like its verb."""
    for at in range(2, stop):
        verb = tokens[at].fits(_PARTICIPLE) or tokens[at].fits(_BARE_VERB) or tokens[at].fits(_THIRD_PERSON)
        plural = tokens[at].text.endswith("s") and at + 1 < stop and tokens[at + 1].fits(_PARTICIPLE)
        if verb and not plural:
            return at
    return min(2, stop)


def topic_of(question: str) -> Phrase | None:
    """What a question is about: the object of its verb, or of `about` and the like, rather than where and with what."""
    question = question[:LONGEST]
    phrases = phrases_of(question)
    told = [phrase for phrase in phrases if phrase.about and phrase.preposition]
    plain = [phrase for phrase in phrases if phrase.about and not phrase.preposition]
    if told or not plain:
        return told[-1] if told else next(iter(phrases), None)
    codes = [phrase for phrase in plain if any(is_code(name.text) for name in phrase.names)]
    is_person = bool(plain[0].names) and not codes and len(plain) > 1  # did Nina like | the book
    return codes[0] if codes else plain[-1 if is_person else 0]


def phrases_of(question: str) -> list[Phrase]:
    """The noun phrases of a question in order, beside its question word, its dates, and `I`."""
    question = question[:LONGEST]
    tokens = _body(question)
    dated = date_in(question)
    tokens = [token for token in tokens if not (dated and dated[1].start <= token.start < dated[1].end)]
    names = name_spans(question)
    found: list[Phrase] = []
    at = 0
    while at < len(tokens):
        end = at
        while end < len(tokens) and not _closes(tokens, at, end, names):
            end += 1
        if end > at and not (end == at + 1 and tokens[at].fits(DET)):
            found.append(_phrase(question, tokens, at, end, names))
        is_verb = end > at and end < len(tokens) and not tokens[end].fits(_ENDS_A_PHRASE) and not tokens[end].fits(DET)
        at = max(end + is_verb, at + 1)
    return found


def _closes(tokens: list[_Token], start: int, at: int, names: list[Span]) -> bool:
    """Whether the phrase from `start` has ended before the token `at`."""
    token = tokens[at]
    inside_name = any(name.start < token.start < name.end for name in names)
    if inside_name or (at > start and token.fits(_OF)):
        return False
    if not token.text[0].isalnum() or (token.fits(_ENDS_A_PHRASE) and not token.fits(DET)):
        return True
    if at == start:
        return False
    if token.fits(DET):
        return not tokens[at - 1].fits(_OF)
    ends = at + 1 == len(tokens) or not tokens[at + 1].text[0].isalnum() or tokens[at + 1].fits(_ENDS_A_PHRASE)
    named = any(name.end == tokens[at - 1].end for name in names)
    after_name = named and token.text.islower() and not tokens[start].fits(DET)  # FAISS needs, the Zettelkasten method
    return after_name or (ends and token.fits(_PARTICIPLE)) or (token.fits(_BARE_VERB) and not tokens[at - 1].fits(_OF))


def _phrase(question: str, tokens: list[_Token], start: int, end: int, names: list[Span]) -> Phrase:
    first, last = tokens[start], tokens[end - 1]
    before = tokens[start - 1] if start and tokens[start - 1].fits(PREP) else None
    noted = start > 1 and re.fullmatch(
        r"(?:notes?|papers?|talks?|articles?|books?|read|wrote|write)", tokens[start - 2].text
    )
    about = before is None or before.fits(_IS_ABOUT) or bool(noted and before.text.lower() == "on")
    return Phrase(
        Span(first.start, last.end, question[first.start : last.end]),
        Span(before.start, before.end, before.text) if before else None,
        about,
        tuple(name for name in names if first.start <= name.start and name.end <= last.end),
    )


def _body(question: str) -> list[_Token]:
    """The tokens after question word, auxiliary, `I` and its verb, or after `tell me`."""
    imperative = _IMPERATIVE.match(question)
    if imperative:
        return _tokens(question, imperative.end())
    wh = wh_of(question)
    tokens = _tokens(question)
    while tokens and not tokens[0].text[0].isalnum():
        tokens = tokens[1:]
    at = 1 + len(_tokens(wh.noun)) + bool(wh.aux) if wh else int(bool(tokens) and tokens[0].fits(AUX))
    if wh and not wh.aux and at < len(tokens) and wh.word.lower() not in ("how",):
        return tokens[at + 1 :]  # who wrote | Dune
    pronoun = at < len(tokens) and tokens[at].fits(_PRONOUN)
    if pronoun:
        at += 1
        while at < len(tokens) and tokens[at].fits(_ADVERB):
            at += 1
        if not (wh and (_VERB_LAST.fullmatch(wh.aux) or wh.aux.lower() in ("is", "are", "was", "were"))):
            at += 1  # the verb of `did I buy`
        while at < len(tokens) and tokens[at].text.lower() == "to" and tokens[at - 1].fits(_VERB_BEFORE_VERB):
            at += 2  # do I need to train
    return tokens[at:]


def _tokens(text: str, start: int = 0) -> list[_Token]:
    return [_Token(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(text, start)]
