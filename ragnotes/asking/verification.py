"""A draft and its evidence to sentences that are checked.

The model proposes, this module decides. A sentence of the draft is kept only where one piece of evidence carries it:
every word that the question did not bring, every number, and the denial, in about the order of the evidence. A small
model puts true words together into false sentences; docs/log.md has what weaker rules let through. Markers such as
`[2]` are hints at most, and never survive in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragnotes.asking.words import content_stems, negated, numbers_in
from ragnotes.sentences import sentence_spans
from ragnotes.types import Evidence, Support

__all__ = ["Checked", "check_draft", "support_of"]

MAX_SENTENCES = 3
MIN_WORDS = 3
SUPPORTED_SHARE = 0.8
"""The share of a sentence's content words that the evidence or its heading must hold; the question holds the rest."""
SUPPORTED_ORDER = 0.8
"""The share of those words that must stand in the evidence in the same order."""

_MARKER = re.compile(r"\s*\[\s*\d+(?:\s*[,;]\s*\d+)*\s*\]")
_REFUSAL = re.compile(r"\b(?:notes?|excerpts?)\b[^.]*\b(?:do|does|did) not (?:say|mention|hold|contain|specify)", re.I)


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence of an answer with the evidence that carries it best."""

    text: str
    evidence: Evidence
    support: Support


def check_draft(question: str, draft: str, evidence: Sequence[Evidence]) -> list[Checked]:
    """The sentences of `draft` that some evidence carries at least weakly, in order, each once; the others are dropped.

    A draft that says that the notes are silent gives [], and so does one without evidence.
    """
    text = " ".join(_MARKER.sub("", draft).split())
    if not evidence or _REFUSAL.search(text):
        return []
    order = [Support.SUPPORTED, Support.WEAK, Support.UNSUPPORTED]
    kept: dict[str, Checked] = {}
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        verdicts = [(order.index(support_of(question, sentence, item)), n) for n, item in enumerate(evidence)]
        verdict, best = min(verdicts)
        if order[verdict] is not Support.UNSUPPORTED and len(sentence.split()) >= MIN_WORDS:
            kept.setdefault(sentence.lower(), Checked(sentence, evidence[best], order[verdict]))
    return list(kept.values())[:MAX_SENTENCES]


def support_of(question: str, sentence: str, evidence: Evidence) -> Support:
    """How well `evidence` carries `sentence` as an answer to `question`.

    Unsupported: a number or a word that stands neither in the evidence nor in the question, or a denial in one of the
    two only. Weak: all of that holds, but much of the sentence is the question's, or its words stand in another order.
    """
    words, asked = content_stems(sentence), set(content_stems(question))
    said = content_stems(evidence.unit.plain)
    if not words or any(word not in said for word in words if word not in asked):
        return Support.UNSUPPORTED
    if not numbers_in(sentence) <= numbers_in(f"{evidence.unit.plain} {evidence.unit.lead} {evidence.place.date}"):
        return Support.UNSUPPORTED
    if negated(sentence) != negated(evidence.unit.plain):
        return Support.UNSUPPORTED
    around = {*said, *content_stems(f"{evidence.unit.lead} {evidence.place.heading or ''} {evidence.place.date or ''}")}
    share = sum(word in around for word in words) / len(words)
    shared = [word for word in words if word in said]
    ordered = common_subsequence(shared, said) / len(shared) if shared else 0.0
    return Support.SUPPORTED if share >= SUPPORTED_SHARE and ordered >= SUPPORTED_ORDER else Support.WEAK


def common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest sequence of words that both hold in order, gaps allowed."""
    previous = [0] * (len(right) + 1)
    for word in left:
        row = [0]
        for n, other in enumerate(right):
            row.append(previous[n] + 1 if word == other else max(previous[n + 1], row[n]))
        previous = row
    return previous[-1]
