"""Words as retrieval and verification compare them: terms, stems, numbers, negation."""

from __future__ import annotations

import re
from functools import lru_cache
from threading import Lock

import snowballstemmer

from ragnotes.asking.verbs import BASE_FORMS, other_forms
from ragnotes.forms import forms_asked, forms_in, spellings_asked
from ragnotes.languages import FUNCTION_WORDS, language_of

__all__ = [
    "NEGATION",
    "content_stems",
    "has_content",
    "held_stems",
    "names_in",
    "negated",
    "numbers_in",
    "other_spellings",
    "query_terms",
    "search_terms",
    "stems",
]

_WORD = re.compile(r"\w+(?:['’]\w+)?", re.UNICODE)
_COMPOUND = re.compile(r"\w+(?:[-_./+#@:]+\w+)+|\w\+\+|\w#", re.UNICODE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:¿¡\"“(] )(?<![¿¡\"“(])(?<!^)\b[A-ZÀ-Þ]\w*(?:-\w+)*")
_GERMAN = re.compile(
    r"\b(?:der|die|das|den|dem|ein|eine|und|ist|sind|wie|wer|wo|warum|welche[rs]?|nicht)\b", re.IGNORECASE
)
NEGATION = re.compile(
    r"\b(?:not(?!-|\s+only\b)|never|none|neither|nor|no(?!\.\s*[0-9]|\s+doubt\b)|without|cannot|nobody|nothing|nowhere"
    r"|hardly|fail(?:s|ed|ing)?\s+to|unable\s+to|refus(?:e|es|ed|ing)\s+to|lack(?:s|ed|ing)?"
    r"|kein\w*|nicht|nie|niemals|ohne|weder|nunca|jamás|sin|ningun\w*|ningún|tampoco|pas|jamais|rien|sans|aucune?"
    r"|não|non(?!-)|senza|niet|geen|nooit|zonder)\b"
    r"|n['’]t\b|\bn(?:e\b|['’])(?=[^.;]{1,40}\bplus\b)",  # French: with `pas` or `jamais` it is that word that counts
    re.IGNORECASE,
)
"""The words that deny."""

PLACES = frozenset(
    """arxiv github gitlab hacker hn internet news pdf reddit twitter url web wikipedia youtube""".split()  # noqa: SIM905
)

STOP_WORDS = FUNCTION_WORDS["en"]


def has_content(question: str) -> bool:
    """Whether there is more than stop words in it."""
    return any(word.lower() not in STOP_WORDS for word in _WORD.findall(question))


def query_terms(question: str) -> list[str]:
    """The words of a question to search by, each once, in order; identifiers both whole and in parts.

    The stop words of its language go, unless there is nothing else.
    """
    language = language_of(question) or "en"
    words = [word.lower() for word in _WORD.findall(question)]
    kept = [word for word in words if word.replace("’", "'") not in FUNCTION_WORDS[language]] or words
    return list(dict.fromkeys(kept + [compound.lower() for compound in _COMPOUND.findall(question)]))


def search_terms(question: str) -> list[str]:
    """The words of a question to search by, and the forms under which an index knows them besides."""
    terms = query_terms(question)
    verbs = [form for term in terms for form in other_forms(term)]
    return [*terms, *forms_asked(question, language_of(question)), *(form for form in verbs if form not in terms)]


def other_spellings(question: str) -> list[str]:
    """How else the words of a question may be written: `kv cache` for `KVCache`, `flashattention` for two words."""
    return spellings_asked(question, language_of(question))


def stems(text: str) -> list[str]:
    """The stems of all words, in order."""
    return [_stem(word.lower()) for word in _WORD.findall(text)]


def content_stems(text: str) -> list[str]:
    """The stems of the words that carry content, in order, repeats kept."""
    return [_stem(word) for word in (w.lower() for w in _WORD.findall(text)) if word not in STOP_WORDS]


def held_stems(text: str) -> set[str]:
    """The stems of all words that a text holds, those of the pieces and joined forms of its names included."""
    return {*stems(text), *stems(" ".join(forms_in(text, None)))}


def numbers_in(text: str) -> set[str]:
    """The numbers of a text, without grouping commas or leading zeros: `1,000` is `1000`, `03` is `3`."""
    return {re.sub(r",(?=\d{3})", "", number).lstrip("0") or "0" for number in _NUMBER.findall(text)}


def names_in(question: str) -> list[str]:
    """The capitalised words that open no sentence, in parts and lower-cased; none in German, which has capitals anyway.

    Names of places to look (GitHub, Hacker News) do not count: they say where, not what.
    """
    if _GERMAN.search(question):
        return []
    names = [word.lower() for name in _NAME.findall(question) for word in _WORD.findall(name)]
    return [name for name in names if name not in STOP_WORDS | PLACES and not name.isdigit()]


def negated(text: str) -> bool:
    """Whether the text denies something."""
    return bool(NEGATION.search(text))


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    with _STEMMING:  # the stemmer holds the word at hand, and threads ask at once
        word = re.sub(r"['’]s$", "", word).replace("’", "'")
        return str(_STEMMER.stemWord(BASE_FORMS.get(word, word)))


_STEMMER = snowballstemmer.stemmer("porter")
_STEMMING = Lock()
