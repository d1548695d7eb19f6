"""Questions about the notes themselves: "which notes mention FAISS?", "how many notes …?", "how often did I …?".

The best few passages cannot answer them; `mentions` looks through all of the store. "How many people work there?" and
"which notes did Beethoven play?" ask of the world, and are none of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from ragnotes.answers import Filters
from ragnotes.asking.own_time import FROM_QUESTION
from ragnotes.asking.words import has_content
from ragnotes.languages import language_of
from ragnotes.question_dates import days_asked
from ragnotes.types import Kind
from ragnotes.written_dates import DayMonthOrder

__all__ = ["QUOTED", "MentionQuestion", "mentions_asked"]

_NOTES = (
    r"(?P<noun>notes?|entr(?:y|ies)|files|documents|transcripts|journal\s+entries|log\s+entries"
    r"|notas?|entradas?|apuntes|notiz(?:en)?|einträge[n]?|dateien|dokumente[n]?)"
)
_MY = r"(?:of\s+)?(?:all\s+)?(?:the\s+|my\s+|our\s+|mis\s+|nuestr[ao]s\s+|meine[nr]?\s+|unsere[nr]?\s+|the\s+other\s+)?"
_TIME = (
    r"(?P<time>\s+(?:from|in|of|since|before|after|between|during|until|dated|de|en|desde|antes|entre|aus|von|vom|im"
    r"|seit"
    r"|vor|nach|zwischen)\s+.{2,40}?)?"
)
_SPEAK = (
    r"(?:(?P<named>mention(?:s|ed|ing)?|name[sd]?|cite[sd]?|reference[sd]?|contain(?:s|ed|ing)?|include[sd]?"
    r"|refer(?:s|red|ring)?\s+to|mencion\w+|contienen?|citan?|erwähn\w+|nennen|nennt|enthalten|enthält)"
    r"|discuss(?:es|ed|ing)?|cover(?:s|ed|ing)?|(?:talk|speak|write|wrote|spoke|talked|tell|told)(?:s|ing)?"
    r"\s+(?:about|of|on)"
    r"|deal(?:s|t|ing)?\s+with|say\s+(?:something|anything)\s+(?:about|on)|(?:are|is|were|was)\s+(?:all\s+)?(?:about"
    r"|on)"
    r"|about|on|with|regarding|concerning|hablan?\s+(?:de|sobre)|tratan?\s+(?:de|sobre)|sobre|handel[nt]\s+von"
    r"|sprechen\s+(?:über|von)|über|zu[mr]?|zum\s+thema)"
)
_NOTE_VERB = (
    r"(?:mention|note|cite|discuss|refer\s+to|(?:talk|write|speak)\s+(?:about|of|on)|bring\s+up|mentioned|noted"
    r"|cited|discussed"
    r"|referred\s+to|(?:talked|written|wrote|spoken)\s+(?:about|of|on)|brought\s+up)"
)
_HAVE = (
    r"(?:\s+(?:do|did|have|had)\s+(?:I|we)(?:\s+(?:have|write|take|make|keep|got|written|taken))?"
    r"|\s+(?:are|were|is)\s+there|\s+hay|\s+tengo|\s+(?:habe|gibt)\s+(?:ich|es))?"
)
_LEAD = r"^\W*(?:(?:and|so|please|can\s+you|could\s+you)\s+)*"
_WHAT = r"(?P<what>.+?)"
_END = r"[\s?.!]*$"

_WHICH = tuple(
    re.compile(_LEAD + pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"(?:in\s+)?(?:which|what|welche[nr]?|qué|cu[aá]les|en\s+qué|in\s+welche[nr])\s+(?:de\s+|von"
        rf"\s+)?{_MY}{_NOTES}{_TIME}{_HAVE}"
        rf"(?:\s+(?:that|which|do|did|se))?(?:\s+(?:I|we))?\s+{_SPEAK}\s+{_WHAT}",
        rf"(?:in\s+)?(?:which|what)\s+{_MY}{_NOTES}{_TIME}\s+(?:did|do|have)\s+(?:I|we)\s+{_NOTE_VERB}\s+{_WHAT}",
        rf"(?:in\s+)?(?:which|what)\s+{_MY}{_NOTES}{_TIME}\s+(?:is|are|was|were)\s+{_WHAT}\s+(?:mentioned|named"
        rf"|cited|discussed|referenced|covered)",
        rf"(?:list|show|find|give|get)\s+(?:me\s+)?(?:all\s+)?{_MY}{_NOTES}{_TIME}\s+(?:that\s+|which\s+)?{_SPEAK}"
        rf"\s+{_WHAT}",
        rf"where\s+(?:do|does|did|have)\s+(?:I|we|my\s+notes|our\s+notes)\s+(?:\w+ly\s+|ever\s+)?{_NOTE_VERB}"
        rf"\s+{_WHAT}",
        rf"do\s+(?:I|we)\s+have\s+(?:any\s+)?{_NOTES}{_TIME}\s+(?:that\s+)?{_SPEAK}\s+{_WHAT}",
    )
)
_HOW_MANY = tuple(
    re.compile(_LEAD + pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"(?:in\s+)?(?:how\s+many|wie\s?viele[nr]?|cu[aá]nt[ao]s|en\s+cu[aá]nt[ao]s|in\s+wie\s?viele[nr]?)"
        rf"\s+(?:de\s+|von\s+)?{_MY}{_NOTES}{_TIME}{_HAVE}"
        rf"(?:\s+(?:that|which|do|did|se))?(?:\s+(?:I|we))?\s+{_SPEAK}\s+{_WHAT}",
        rf"(?:in\s+)?how\s+many\s+{_MY}{_NOTES}{_TIME}\s+(?:did|do|have)\s+(?:I|we)\s+{_NOTE_VERB}\s+{_WHAT}",
        rf"(?:in\s+)?how\s+many\s+{_MY}{_NOTES}{_TIME}\s+(?:is|are|was|were)\s+{_WHAT}\s+(?:mentioned|named|cited"
        rf"|discussed|referenced|covered)",
    )
)
_ALL = re.compile(
    _LEAD + rf"(?:how\s+many|wie\s?viele|cu[aá]nt[ao]s)\s+{_MY}{_NOTES}"
    r"(?:\s+(?:do|did|have)\s+(?:I|we)\s+(?:have|write|take|make|keep|written|taken)|\s+are\s+there"
    r"|\s+habe\s+ich|\s+gibt\s+es|\s+tengo|\s+hay)(?:\s+in\s+(?:total|all))?" + _END,
    re.IGNORECASE,
)
"""How many notes there are at all, or in a time."""
_HOW_OFTEN = tuple(
    re.compile(_LEAD + pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"how\s+(?:often|many\s+times)\s+(?:do|does|did|have)\s+(?:I|we|my\s+notes|our\s+notes)\s+(?:\w+ly\s+"
        rf"|ever\s+)?{_NOTE_VERB}\s+{_WHAT}",
        rf"how\s+(?:often|many\s+times)\s+(?:is|are|was|were|has|have)\s+{_WHAT}\s+(?:been\s+)?(?:mentioned|noted"
        rf"|cited|discussed|referred\s+to)"
        r"(?:\s+in\s+(?:the|my|our)\s+notes)?",
        r"how\s+many\s+mentions\s+(?:of|are\s+there\s+of)\s+" + _WHAT + r"(?:\s+(?:are\s+there|do\s+I\s+have))?",
        rf"wie\s+oft\s+(?:habe|haben)\s+(?:ich|wir)\s+{_WHAT}\s+(?:erwähnt|notiert|genannt)",
        rf"cu[aá]ntas\s+veces\s+(?:he\s+mencionado|mencion[eé]|mencionamos)\s+{_WHAT}",
    )
)
_IN_NOTES = re.compile(r"(?<!\s)\s+(?:in|from|across|of)\s+(?:all\s+)?(?:of\s+)?(?:my|our|the)\s+notes$", re.IGNORECASE)
_BEFORE_DAYS = re.compile(
    r"\b(?:in|on|during|since|before|after|until|from|between|throughout|within|of|dated|en|durante|desde|de|im|am"
    r"|seit|aus|vom|vor|nach)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_AFTER_NOTES = re.compile(rf"\b{_NOTES}\s*$", re.IGNORECASE)
_RELATIVE = re.compile(r"^(?:last|this|past|yesterday|today|over|letzte|diese|gestern|heute|ayer|hoy)", re.IGNORECASE)

_ALL_OF_MINE = re.compile(
    r"^\s*(?:(?:of|in)\s+(?:mine|ours|total|all)|in\s+(?:the|my|our)\s+(?:notes|vault|index|corpus|collection))$",
    re.IGNORECASE,
)
_IN_KIND = re.compile(
    r"^\s*(?:in|from|of|en|aus|von)\s+(?:all\s+)?(?:the\s+|my\s+|our\s+)?(?P<kind>papers|pdfs|transcripts)$",
    re.IGNORECASE,
)
_KINDS = {"papers": Kind.PAPER, "pdfs": Kind.PAPER, "transcripts": Kind.TRANSCRIPT, "transcript": Kind.TRANSCRIPT}
QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»]+)[\"“”»]|(?<!\w)'([^']+)'(?!\w)")
_OR = re.compile(r"(?<!\s)\s+(?:or|oder|o|ou)\s+", re.IGNORECASE)
_AND = re.compile(r"(?<!\s)\s+(?:and|as\s+well\s+as|und|sowie|y|et)\s+", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:anything|something|everything)\s+(?:about|on|regarding)\s+", re.IGNORECASE)
_SAYS_WORD = re.compile(
    r"^(?:both\s+|either\s+|sowohl\s+|tanto\s+)?(?:(?:the|das|den|la|el|le)\s+(?:words?|terms?|phrases?|names?|expressions?"
    r"|wort|begriff|namen?|palabra|término|mot|terme)\s+)?",
    re.IGNORECASE,
)
_SAYS_MORE = re.compile(
    r"\b(?:but|not|without|except|excluding|besides|neither|nor|most|least|(?:more|less|fewer|other)\s+than|apart\s+from"
    r"|instead\s+of|twice|once|often|aber|nicht|ohne|außer|pero|sin|excepto|mais|sans|sauf)\b"
    r"|\b(?:and|or|but|so|y|und|et)\s+(?:who|whom|what|when|how|why|where|which|do|does|did|is|are|was|were|have|has|it"
    r"|they|tell|say|mention|show|list|give|was|wann|wie|qué|cuándo|que|quand)\b|[?!.;]\s|,\s(?:and|who|what|when|how)\b"
    r"|\b(?:mention|mentions|mentioned)\b",
    re.IGNORECASE,
)
"""What limits or goes on beyond a thing to look for: no words of it are looked for, and no total would be right."""


@dataclass(frozen=True, slots=True)
class MentionQuestion:
    """What the notes are searched for without end, and within which filters.

    `subject` is how it was said, `parts` what is looked for: one of the alternatives, and all parts of it somewhere in
    a note. Without a subject all notes count. `each` counts mentions, not notes. Only a `strict` question is about the
    very words: what "is about" something may say it in others.
    """

    subject: str
    filters: Filters
    each: bool = False
    strict: bool = True
    parts: tuple[tuple[str, ...], ...] = ()
    language: str | None = None


def mentions_asked(
    question: str, filters: Filters, *, today: date, order: DayMonthOrder | None = None
) -> MentionQuestion | None:
    """What the question wants looked up in all notes; None for every other question.

    A time at its beginning, at its end, or after "notes" limits the search, unless there are bounds already.
    """
    rest, limited = _without_days(question, filters, today, order)
    for pattern in (*_HOW_MANY, *_WHICH, *_HOW_OFTEN):
        found = pattern.match(rest)
        what = _ABOUT.sub("", _IN_NOTES.sub("", found["what"].strip(" ,;"))) if found else ""
        if found is None or not has_content(what):
            continue
        parts, each = _parts(what), pattern in _HOW_OFTEN
        inside = _inside(found, limited)
        if inside is None or not parts or (each and any(len(part) > 1 for part in parts)):
            return None
        loose = pattern in _WHICH and not found.groupdict().get("named", "mention")
        return MentionQuestion(what, inside, each, not loose, parts, language_of(question))
    found = _ALL.match(rest)
    inside = _inside(found, limited) if found else None
    return MentionQuestion("", inside) if inside is not None else None


def _inside(found: re.Match[str], filters: Filters) -> Filters | None:
    """The filters with the kind of notes that is asked for; None where the notes are limited by something else."""
    groups = found.groupdict()
    limit = groups.get("time") or ""
    of_kind = _IN_KIND.match(limit)
    if limit.strip() and not of_kind and not _ALL_OF_MINE.match(limit):
        return None
    kind = _KINDS.get((of_kind["kind"] if of_kind else groups.get("noun") or "").lower())
    if kind is None:
        return filters
    return replace(filters, kinds=(kind,)) if kind in filters.kinds or not filters.kinds else None


def _parts(what: str) -> tuple[tuple[str, ...], ...]:
    """The alternatives that are looked for, each of what must all be there; () where more is said than that."""
    if _SAYS_MORE.search(QUOTED.sub(" ", what)):
        return ()
    parts = tuple(
        tuple(_SAYS_WORD.sub("", part.strip()) for part in _split(_AND, each)) for each in _split(_OR, what.strip())
    )
    return parts if all(has_content(part) for each in parts for part in each) else ()


def _split(joint: re.Pattern[str], text: str) -> list[str]:
    """The text between the joints that stand in no quotation marks."""
    masked = QUOTED.sub(lambda found: "x" * len(found[0]), text)
    spans = [found.span() for found in joint.finditer(masked)]
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _without_days(question: str, filters: Filters, today: date, order: DayMonthOrder | None) -> tuple[str, Filters]:
    """The question without the days that limit it, and the filters with them."""
    asked = days_asked(question, today=today, order=order)
    own = filters.source == FROM_QUESTION
    if asked is None or ((filters.since or filters.until) and not own):
        return question, filters
    before, after = asked.text[: asked.start], asked.text[asked.end :]
    led = bool(_BEFORE_DAYS.search(before)) or bool(_RELATIVE.match(asked.text[asked.start :]))
    before = _BEFORE_DAYS.sub("", before)
    at_an_end = not after.strip(" ?.!") or not before.strip() or _AFTER_NOTES.search(before)
    if not (led and at_an_end):
        return question, filters
    rest = " ".join(f"{before} {after}".split()).lstrip(" ,")
    return (
        (rest, filters)
        if own
        else (rest, replace(filters, since=asked.days.since, until=asked.days.until, source=FROM_QUESTION))
    )
