"""What tells whether the notes hold the answer: a handful of clues, and their sum by weights.

They are of three kinds: how near the best evidence comes (in meaning, in words), how far it stands out from the rest,
and whether it holds the kind of thing asked for. docs/decisions/0006 has what each is worth, and what was left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from ragnotes.answers import Evidence, Hit
from ragnotes.asking.answer_types import AnswerType, holds_type, type_asked
from ragnotes.asking.asked_noun import asked_noun
from ragnotes.asking.asked_words import asked_words
from ragnotes.asking.words import held_stems, stems

__all__ = ["BIAS", "JUDGED_HITS", "PIECES", "WEIGHTS", "Clues", "clues_of", "known_in", "log_odds"]

PIECES = 3
"""The best pieces of evidence, whose passages together must know what the question speaks of."""
JUDGED_HITS = 10
"""The best passages, which the very best is compared with; however many are shown, so that a score does not change."""
LEAST, MOST = 0.3, 0.6
"""Within which shares of the highest weight the words of a question count."""


class Clues(NamedTuple):
    """All but the last lie in [0, 1]; `words` is 0 or more.

    `passage_cosine` is that of the passage nearest in meaning; `piece_coverage` the share of the question's rare words
    that one of the best pieces holds; `dense_margin` is how much nearer the best passage is than the last of ten,
    `lexical_margin` by how much the best BM25 goes over their median, as a share of it; `typed` is how surely the kind
    of thing asked for is there; `asked_noun` is 0 where no good passage has the noun that is asked for, else 1;
    `asked_words` is the share of the words that name nothing which the best passage has; `question_word` how near the
    best piece comes to what `who` or `when` means in the question; `words` the logarithm of how many words there are to
    cover.
    """

    passage_cosine: float
    piece_coverage: float
    dense_margin: float
    lexical_margin: float
    typed: float
    asked_noun: float
    asked_words: float
    question_word: float
    words: float


WEIGHTS = Clues(
    passage_cosine=5.16,
    piece_coverage=0.47,
    dense_margin=1.66,
    lexical_margin=0.51,
    typed=2.21,
    asked_noun=0.76,
    asked_words=2.45,
    question_word=3.09,
    words=1.01,
)
BIAS = -10.73
"""Logistic regression with no weight under 0, both classes and all sets weighing alike; docs/decisions/0006 names them.

Questions for another property of the right thing weigh six times what each other kind without an answer does: they are
what people ask in vain, and what is hardest to tell.
"""


def log_odds(clues: Clues) -> float:
    """The sum of the clues by their weights; over 0 the notes rather hold the answer than not."""
    return sum(weight * clue for weight, clue in zip(WEIGHTS, clues, strict=True)) + BIAS


def clues_of(
    question: str, rarity: Mapping[str, float], hits: Sequence[Hit], evidence: Sequence[Evidence], fit: float
) -> Clues:
    """The clues for a question whose words have this rarity; there is at least one hit, and one piece of evidence.

    `fit` is that of the question word and the best piece.
    """
    best, hits = evidence[:PIECES], hits[:JUDGED_HITS]
    evened = _evened(rarity)
    none = [0.0] * (JUDGED_HITS - len(hits))  # notes of a few passages: what else could be found says nothing
    cosines, bm25 = [hit.cosine for hit in hits] + none, [hit.bm25 for hit in hits] + none
    top = max(bm25)
    return Clues(
        passage_cosine=max([0.0, *cosines]),
        piece_coverage=max(_share(evened, f"{item.unit.plain} {item.unit.lead}") for item in best),
        dense_margin=max(cosines) - min(cosines),
        lexical_margin=(top - median(bm25)) / top if top else 0.0,
        typed=_typed(question, best),
        asked_noun=_has_noun(question, best),
        asked_words=_has_words(question, best[0].hit),
        question_word=fit,
        words=math.log(max(len(rarity), 1)),
    )


def known_in(hit: Hit) -> str:
    """All that a passage tells of itself: its text, headings, title, path and links."""
    chunk = hit.chunk
    return " ".join((chunk.context, chunk.plain, hit.source.title, hit.source.path, *chunk.links))


def _evened(rarity: Mapping[str, float]) -> dict[str, float]:
    """The weights drawn together: in a few notes it tells little that a common word is there, or is not."""
    most = max(rarity.values(), default=0.0)
    return {stem: min(max(weight, LEAST * most), MOST * most) for stem, weight in rarity.items()}


def _share(rarity: Mapping[str, float], text: str) -> float:
    total = sum(rarity.values())
    held = held_stems(text)
    return sum(weight for stem, weight in rarity.items() if stem in held) / total if total else 0.0


def _has_noun(question: str, best: Sequence[Evidence]) -> float:
    noun = asked_noun(question)
    known = held_stems(" ".join(known_in(item.hit) for item in best)) if noun else set()
    return 0.0 if noun and not known & set(stems(noun)) else 1.0


def _has_words(question: str, best: Hit) -> float:
    asked, held = asked_words(question), held_stems(known_in(best))
    return sum(stems(word)[0] in held for word in asked) / len(asked) if asked else 1.0


def _typed(question: str, best: Sequence[Evidence]) -> float:
    """1 where the best piece holds the kind of thing asked for; a third each for it, for any, and for its passage."""
    kind = type_asked(question)
    if kind is None:
        return 1.0
    pieces = [holds_type(kind, _dated(kind, item), question) for item in best]
    return (pieces[0] + any(pieces) + holds_type(kind, known_in(best[0].hit), question)) / 3


def _dated(kind: AnswerType, item: Evidence) -> str:
    day = f" {item.place.date}" if kind is AnswerType.TIME and item.place.date else ""
    return f"{item.unit.plain} {item.unit.lead}{day}"
