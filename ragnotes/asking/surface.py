"""Words as they are written: what is counted is looked up by these, for stems bring `news` and `new` together.

A word agrees with itself, its plain plural or singular and its possessive, without regard to case and accents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from ragnotes.asking.words import STOP_WORDS
from ragnotes.matching import folded

__all__ = ["Written", "plain_forms"]

_TOKEN = re.compile(r"[a-z][a-z0-9]{0,20}\+\+|(?<![a-z0-9])[a-z]#(?![a-z])|(?<![\w.])\.[a-z][a-z0-9]*|[^\W_]+")
"""C++, C# and .NET are words of their own; text is folded before."""
_SYMBOLS = re.compile(r"^[.#@-]|[+#]$")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u1100-\u11ff\uf900-\ufaff]")
_POSSESSIVE = re.compile(r"(?<=\w)(?:['’]s?)$")
_NO_PLURAL = frozenset(
    """news lens gas series species always alias atlas bias canvas christmas paris james thomas texas kansas as has was
    does yes less across perhaps besides sometimes""".split()  # noqa: SIM905
)
_UNEVEN = "child children man men woman women person people mouse mice foot feet tooth teeth goose geese"
_PAIRS = dict(zip(_UNEVEN.split()[::2], _UNEVEN.split()[1::2], strict=True))
_ENDINGS = {"de": ("e", "en", "n", "er", "s"), "es": ("s", "es"), "pt": ("s", "es"), "fr": ("s", "x")}
_LEAST = 3
"""Letters that are left of a word without its ending."""


class Written:
    """The words of the parts of a text, to look words and phrases up in; no phrase goes from one part into the next."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._text = "\n".join(map(folded, parts))
        tokens = [_TOKEN.findall(part) for part in self._text.split("\n")]
        self._words = " \0 ".join(["", *(" ".join(each) for each in tokens), ""])
        self._joined = {
            left + right
            for each in tokens
            for left, right in pairwise(each)
            if left.isalpha() and right.isalpha() and left not in STOP_WORDS and right not in STOP_WORDS
        }

    def count(self, spellings: Sequence[str]) -> int:
        """How often one of the spellings stands there; one of several words is a phrase."""
        return sum(self._count(spelling) for spelling in dict.fromkeys(filter(None, map(_key, spellings))))

    def holds(self, spellings: Sequence[str]) -> bool:
        """Whether one of the spellings stands there, or is written apart there, as `KV cache` for `kvcache`."""
        return self.count(spellings) > 0 or any(_key(spelling) in self._joined for spelling in spellings)

    def _count(self, key: str) -> int:
        if _SYMBOLS.search(key):
            pattern = rf"(?<![\w#@.+-]){re.escape(key)}(?![\w+#])"
            return len(re.findall(pattern, self._text))
        if _UNSPACED.search(key):
            return self._text.count(key)
        phrase = " ".join(_TOKEN.findall(key))
        return len(re.findall(f"(?<= ){re.escape(phrase)}(?= )", self._words)) if phrase else 0


@lru_cache(maxsize=4096)
def _key(spelling: str) -> str:
    return folded(spelling)


def plain_forms(word: str, language: str | None = None) -> list[str]:
    """The word without a possessive ending, then its plain plural and singular; a symbol has none."""
    bare = _POSSESSIVE.sub("", word)
    key = folded(bare)
    if not key.isalpha() or len(key) < _LEAST or _UNSPACED.search(key):
        return [bare]
    found = [*_in_english(key), *(form for form in _by_endings(key, _ENDINGS.get(language or "", ())))]
    return list(dict.fromkeys([bare, *(form for form in found if form not in _NO_PLURAL)]))


def _in_english(word: str) -> Iterator[str]:
    yield from (other for pair in _PAIRS.items() if word in pair for other in pair if other != word)
    if word not in _NO_PLURAL and word.endswith("s") and not word.endswith(("ss", "us", "is", "ics")):
        yield word[:-1]
        if word.endswith("ies"):
            yield f"{word[:-3]}y"
        elif word.endswith(("ches", "shes", "sses", "xes", "zes")):
            yield word[:-2]
    elif word not in _NO_PLURAL and word.endswith(("s", "x", "z", "ch", "sh")):
        yield f"{word}es"
    elif re.search(r"[^aeiou]y$", word):
        yield f"{word[:-1]}ies"
    if not word.endswith("s"):
        yield f"{word}s"


def _by_endings(word: str, endings: Sequence[str]) -> Iterator[str]:
    for ending in endings:
        yield word + ending
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            yield word.removesuffix(ending)
