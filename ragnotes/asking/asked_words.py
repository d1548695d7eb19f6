"""The words by which a question asks: its question word, and what it asks of the things that it names.

Asked "who built the bridge at Minot?", a note of that bridge holds every name. Whether it tells who built it shows in
`built`, and in whether anything in it is near to what `who` means in this question.
"""

from __future__ import annotations

import re

from ragnotes.asking.words import STOP_WORDS, names_in, stems
from ragnotes.ports import Embedder
from ragnotes.types import Tokens

__all__ = ["USUAL_FIT", "asked_words", "question_word_fit"]

USUAL_FIT = 0.55
"""The mean over questions that have an answer; stands where a question has no such word, or nothing is known of it."""
_WORD = re.compile(r"[\w’'-]+")
_QUESTION_WORDS = frozenset(
    """
who whom whose when where which what why how much many
quién quiénes qué cuál cuáles cuándo dónde cuánto cuánta cuántos cuántas cómo
qui que quoi quel quelle quels quelles quand où combien
wer wem wen wessen wann wo wohin welche welcher welches welchem welchen wie warum
""".split()  # noqa: SIM905
)


def asked_words(question: str) -> list[str]:
    """The words that carry content and name nothing: `built` and `bridge` in the example above."""
    named = {stem for name in names_in(question) for stem in stems(name)}
    return [word for index, word in enumerate(_WORD.findall(question)) if _asks(word, index > 0, named)]


def question_word_fit(embedder: Embedder, question: str, text: str) -> float:
    """How near in meaning any token of the text comes to a question word, as each is meant where it stands."""
    words = [match.span() for match in _WORD.finditer(question) if match[0].lower() in _QUESTION_WORDS]
    tokens = embedder.embed_tokens([question, text]) if words else None
    if tokens is None:
        return USUAL_FIT
    asked, told = tokens
    rows = [index for index, span in enumerate(asked.spans) if _within(span, words)]
    return _nearest(asked, rows, told)


def _asks(word: str, inside: bool, named: set[str]) -> bool:
    if word.lower() in STOP_WORDS | _QUESTION_WORDS or word.isdigit() or (inside and word[0].isupper()):
        return False
    return bool(stems(word)) and stems(word)[0] not in named


def _within(span: tuple[int, int], words: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in words)


def _nearest(asked: Tokens, rows: list[int], told: Tokens) -> float:
    if not rows or not len(told.vectors):
        return USUAL_FIT
    return max(0.0, float((asked.vectors[rows] @ told.vectors.T).max()))
