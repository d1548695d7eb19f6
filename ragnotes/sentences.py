"""Where sentences end, as offsets into the text they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from syntok import segmenter

from ragnotes.languages import FUNCTION_WORDS

__all__ = ["sentence_spans"]

_PARAGRAPH_GAP = re.compile(r"\n\s*\n")
_ONE = re.compile(r"[\w\s,/'\"-]*+[.!?]?\s*+")
"""Words with nothing between them that ends a sentence: syntok would find one, and take its time over each word."""
_LEFT_CHARS, _RIGHT_CHARS = 24, 40
"""How much before and behind a border says that there is none."""
_NO_END = (
    # A title or rank goes before a name, and such short forms before anything.
    (
        r"\b(?:Adm|Capt|Cdr|Cmdr|Col|Cpl|Gen|Gov|Hon|Lt|Maj|Messrs|Pres|Prof|Pvt|Rep|Rev|Sen|Sgt|Supt|Mme|Mlle)",
        r"[A-ZÀ-Þ]",
    ),
    (r"\b(?:e\.g|i\.e|approx|cf|esp|incl|resp|viz|bzw|usw|evtl|ggf|vgl|p\.\s?ej)", r"[^\W_]"),
    (r"\b[Ee][Ee]", r"UU\b"),
    (r"\b(?:av|apr)", r"J\.?-?C"),
    # A number belongs to what it is the number of.
    (
        r"\b(?:Nos?|pp?|[Vv]ols?|[Cc]h(?:ap)?|[Ff]igs?|[Ee]qs?|[Ee]ds?|[Ss]ecs?|[Aa]rts?|[Aa]bs|Nr|Bd|[Cc]ap|[Nn]úm"
        r"|[Pp]ágs?|ca?|cca)",
        r"\(?[0-9]",
    ),
    (r"\bal", r"[(\[][0-9]"),
)
_JOINED = tuple((re.compile(rf"{left}\.\s*\Z"), re.compile(right)) for left, right in _NO_END)
_DAY = re.compile(r"\b[0-9]{1,2}\.\s*\Z")
_MONTH = re.compile(r"(?:Jan(?!uary)|Jän|Feb(?!ruary)|März|Apr|Mai\b|Jun(?!e\b)|Jul(?!y\b)|Aug|Sep|Okt|Nov|Dez)")
"""In German the month goes on after its day. Some have the same names in English, where it does not."""
_ENGLISH, _GERMAN = (FUNCTION_WORDS[one] - FUNCTION_WORDS[other] for one, other in (("en", "de"), ("de", "en")))
_WORD = re.compile(r"\w+")
_AROUND = 200
"""Characters before and behind a date that tell its language."""
_INITIALS = re.compile(r"(?:^|[\s(“\"'])(?:[A-Z]\.\s?){2,}\s*\Z")
_NAME = re.compile(r"[A-ZÀ-Þ][\w’'-]*")
_PARTICLES = frozenset(("da", "de", "del", "den", "der", "di", "du", "el", "la", "las", "le", "los", "van", "von"))
_OPENING = frozenset().union(*FUNCTION_WORDS.values(), ("after", "before", "during", "however")) - _PARTICLES
"""With these a sentence opens, rather than a name goes on: `in the U.S. He …`, but `W. E. B. Du Bois`."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the sentences of `text`, in order, without surrounding white space.

    Together they hold every non-space character. Rules: syntok (English, German, Spanish), and of its borders those
    are left out that part an abbreviation from what it belongs to; other languages fall back to what the rules make of
    their punctuation. White-space text gives [].
    """
    if _ONE.fullmatch(text) and not _PARAGRAPH_GAP.search(text):
        return _trimmed(text, 0, len(text))
    starts: list[int] = []
    for first, last in _paragraph_spans(text):  # one at a time: syntok pads each with all the text before it
        paragraph_starts: list[int] = []
        for paragraph in segmenter.analyze(text[first:last]):
            paragraph_starts += [first + sentence[0].offset for sentence in paragraph if sentence]
        starts += [start for start in paragraph_starts if start == paragraph_starts[0] or not _goes_on(text, start)]
    if not starts:
        return _trimmed(text, 0, len(text))
    starts[0] = 0
    spans: list[tuple[int, int]] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        spans += _trimmed(text, start, end)
    return spans


def _goes_on(text: str, start: int) -> bool:
    """Whether the sentence before goes on at `start`, for it seems to end in an abbreviation."""
    left, right = text[max(0, start - _LEFT_CHARS) : start], text[start : start + _RIGHT_CHARS]
    if not left.rstrip().endswith("."):
        return False
    if any(before.search(left) and after.match(right) for before, after in _JOINED):
        return True
    if _DAY.search(left) and _MONTH.match(right):
        return not _is_english(text[max(0, start - _AROUND) : start + _AROUND])
    name = _NAME.match(right) if _INITIALS.search(left) else None
    return name is not None and name[0].lower() not in _OPENING


def _is_english(text: str) -> bool:
    """Whether the text has more words that are only English than such that are only German."""
    words = set(_WORD.findall(text.lower()))
    return len(words & _ENGLISH) > len(words & _GERMAN)


def _paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for gap in _PARAGRAPH_GAP.finditer(text):
        yield start, gap.start()
        start = gap.end()
    yield start, len(text)


def _trimmed(text: str, start: int, end: int) -> list[tuple[int, int]]:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return []
    start += len(piece) - len(piece.lstrip())
    return [(start, start + len(stripped))]
