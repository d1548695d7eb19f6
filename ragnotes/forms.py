"""The forms under which words are found besides their own: names of code in pieces and joined, symbols, writing without
spaces, stems of languages other than English.

A store keeps `forms_in` of what it searches; a question brings `forms_asked` and `spellings_asked`. Full text search
alone reads `KVCache` as one word, `kv_cache` as two, `C++` as a letter, and a Japanese sentence as one word.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from ragnotes.languages import FUNCTION_WORDS, stem_forms

__all__ = ["PRIVATE", "forms_asked", "forms_in", "spellings_asked"]

PRIVATE = "\ue000-\uf8ff"
"""The characters that marks are made of, as a range inside brackets: letters to full text search, in no word."""

_WORD = re.compile(r"\w+", re.UNICODE)
_HYPHENS = "\\-‐‑"
_NAME = re.compile(rf"\w+(?:[{_HYPHENS}.]+\w+)*", re.UNICODE)
_RUN = re.compile(rf"\w+(?:(?:\s+|[{_HYPHENS}.]+)\w+)*", re.UNICODE)
_SEPARATORS = re.compile(rf"[\s{_HYPHENS}._]+")
_SEAM = re.compile(
    r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
)
_ELIDED = re.compile(r"\b(?:[cdjlmnst]|qu|all|dall|dell|nell|sull|un)['’](\w+)", re.IGNORECASE)
"""French and Italian words behind an article that lost its vowel."""
_MAX_PIECES = 8
_MAX_JOINED = 24

_WITH_SYMBOLS = re.compile(
    r"(?<!\w)[A-Za-z]\w*\+\+|(?<![\w&])[A-Za-z]#(?![A-Za-z])"  # C++, C#
    r"|(?<![\w.])\.[A-Za-z]\w+|(?<![\w-])--[A-Za-z][\w-]*|(?<![\w#@&/])[#@][^\W\d_]\w*"  # .NET, --flag, #tag, @name
)
_SYMBOL = re.compile(r"\+\+|[#@]|--|\.[A-Za-z]\w")
"""Stands in all of these, and is looked for 25 times as fast."""
_BARE = re.compile(r"(?<![\w.+#@/-])(?:c|f|j|net)(?![\w+#]|[./'’-]\w)", re.IGNORECASE)
"""Names that others are made of by a symbol: where C stands alone, it says so."""
_SPELLED = {"c++": ("cpp", "cplusplus"), "c#": ("csharp",), "f#": ("fsharp",), ".net": ("dotnet",)}
_LETTERS = {ord(mark): 0xE000 + ord(mark) for mark in string.punctuation}
_ALONE = chr(0xE000 + ord(" "))

_HIRAGANA = "\u3040-\u309f"
_UNSPACED = re.compile(rf"[{_HIRAGANA}\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_GRAMMAR = re.compile(rf"[{_HIRAGANA}]{{2}}")


def forms_in(text: str, language: str | None) -> list[str]:
    """The forms of the words of a text, repeats kept: a search counts how often a word occurs."""
    forms = [form for name in _NAME.findall(text) for form in _forms_of(name)]
    return [*forms, *_symbols(text), *_unspaced(text), *stem_forms(text, language)]


def forms_asked(question: str, language: str | None) -> list[str]:
    """What `forms_in` may have given for the words of a question, to be searched for beside them, each once."""
    versions = (_without_version(_pieces_of(name)) for name in _NAME.findall(question))
    plain = [" ".join(pieces) for pieces in versions if len(pieces) > 1]
    return list(dict.fromkeys([*plain, *_symbols(question), *_unspaced(question), *stem_forms(question, language)]))


def spellings_asked(question: str, language: str | None) -> list[str]:
    """How else the words of a question may stand in a text, each once: in pieces, as phrases, or joined.

    To be searched for in the text alone: among its forms the same words would count twice.
    """
    spellings = [word.lower() for word in _ELIDED.findall(question)]
    for name in _NAME.findall(question):
        pieces = _pieces_of(name)
        if len(pieces) > len(_words(name)):
            spellings.append(" ".join(pieces))
    for run in _RUN.findall(question):
        spellings += _joined(_words(run), language or "en")
    return list(dict.fromkeys(spellings))


@lru_cache(maxsize=20_000)
def _forms_of(name: str) -> tuple[str, ...]:
    """A name in pieces and joined. Most of a text is words that came before, and nothing of them is left."""
    words = _words(name)
    pieces = [part for word in words for part in _pieces(word)]
    return (*(pieces if len(words) < len(pieces) else ()), *_joined(words, "en"))


def _words(name: str) -> list[str]:
    return [word for word in _SEPARATORS.split(name) if word]


def _pieces(word: str) -> list[str]:
    """A word cut where its case changes or digits begin or end; whole if that leaves crumbs, as of a random id."""
    pieces = _SEAM.split(word)
    whole = len(pieces) > _MAX_PIECES or (len(pieces) > 2 and len(word) < 2 * len(pieces))
    return [part.lower() for part in ([word] if whole else pieces)]


def _pieces_of(name: str) -> list[str]:
    return [piece for word in _words(name) for piece in _pieces(word)]


def _without_version(pieces: Sequence[str]) -> Sequence[str]:
    """`v 0 3 36` and `2304 01904 v 2` as they are written where the version is not: `0 3 36`, `2304 01904`."""
    if pieces[:1] == ["v"]:
        return pieces[1:]
    return pieces[:-2] if pieces[-2:-1] == ["v"] and len(pieces) > 3 else ()


def _joined(words: Sequence[str], language: str) -> Iterator[str]:
    """Neighbours written as one word: `kvcache`, `gpt3`, `email`; not two numbers, nor what grammar put together."""
    grammar = FUNCTION_WORDS[language]
    for left, right in pairwise(word.lower() for word in words):
        short = len(left) + len(right) <= _MAX_JOINED
        if short and not (left[0].isdigit() and right[0].isdigit()) and left not in grammar and right not in grammar:
            yield left + right


def _symbols(text: str) -> Iterator[str]:
    for name in map(str.lower, _WITH_SYMBOLS.findall(text) if _SYMBOL.search(text) else ()):
        yield name.translate(_LETTERS)
        yield from _SPELLED.get(name, ())
    for name in _BARE.findall(text):
        yield name.lower() + _ALONE


def _unspaced(text: str) -> Iterator[str]:
    """Pairs of neighbouring characters in writing that has no spaces, and what stands between such writing.

    Pairs of hiragana alone are left out: most are endings and particles.
    """
    if not _UNSPACED.search(text):
        return
    for word in filter(_UNSPACED.search, _WORD.findall(text)):
        yield from (part.lower() for part in _UNSPACED.split(word) if part and part != word)
        for run in _UNSPACED.findall(word):
            pairs = ("".join(pair) for pair in pairwise(run)) if len(run) > 1 else iter(run)
            yield from (pair for pair in pairs if not _GRAMMAR.fullmatch(pair))
