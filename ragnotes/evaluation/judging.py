"""Whether a passage holds the evidence of a question, and whether a text gives one of its accepted answers.

Both compare folded strings, so that an honest copy counts however it was copied: from the source, from the rendered
page, or with other line breaks. Neither judges meaning.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ragnotes.answers import Citation, Hit

__all__ = ["Folded", "citation_parts", "fold", "gives_answer", "hit_parts", "holds", "holds_evidence", "normalised"]

_LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*+\])*+)\]\(\s*+<?([^()\s<>]*+(?:\([^()\s]*+\)[^()\s<>]*+)*+)>?[^()]*+\)")
_URL = re.compile(r"(?:\b\w+://|\bwww\.|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/)\S+", re.IGNORECASE)
_WIKILINK = re.compile(r"!?\[\[(?:[^\[\]|\n]*+\|)?([^\[\]\n]*+)\]\]")
_MARKUP = str.maketrans({"|": " ", ">": " ", "<": " "} | dict.fromkeys("*_`~#\\", ""))
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


class Folded(NamedTuple):
    """A text without what copying changes: as it stands, with links as their text, and with their targets too."""

    verbatim: str
    words: str
    linked: str


def holds_evidence(parts: Iterable[str], evidence: str) -> bool:
    """Whether any one part contains the evidence, white space, case, Markdown markup and links to their text folded.

    Evidence of markup alone is compared as it stands; empty evidence is in nothing.
    """
    return holds([fold(part) for part in parts], evidence)


def holds(parts: Iterable[Folded], evidence: str) -> bool:
    """As `holds_evidence`, for parts that are folded once and asked often."""
    wanted = _fold_evidence(evidence)
    return any(
        needle and needle in text
        for part in parts
        for needle, text in zip(wanted, part, strict=True)  # like with like
    )


def hit_parts(hit: Hit) -> tuple[str, ...]:
    """Where a hit may hold the evidence: its text, heading, title and links."""
    return hit.chunk.text, hit.chunk.place.heading or "", hit.source.title, *hit.chunk.links


def citation_parts(citation: Citation) -> tuple[str, ...]:
    """Where a citation may hold the evidence: its quote and the links in it."""
    return citation.quote, *citation.links


def gives_answer(text: str, answer: str) -> bool:
    """Whether `text` contains `answer` on word borders after SQuAD's normalisation.

    In a URL the answer may also stand as written: without its punctuation a URL is one long word without borders.
    """
    wanted = normalised(answer)
    if not wanted:
        return False
    if f" {wanted} " in f" {normalised(text)} ":
        return True
    as_written = re.compile(rf"(?<!\w){re.escape(answer.strip())}(?!\w)", re.IGNORECASE)
    return any(as_written.search(url) for url in _URL.findall(text))


def normalised(text: str) -> str:
    """Lower case, without punctuation, English articles and extra white space.

    Source: the evaluation script of Rajpurkar et al., SQuAD, EMNLP 2016; other scripts' punctuation goes as well.
    """
    kept = "".join(
        character
        for character in text.lower()
        if character not in string.punctuation and not unicodedata.category(character).startswith("P")
    )
    return " ".join(_ARTICLE.sub(" ", kept).split())


def fold(text: str) -> Folded:
    text = unicodedata.normalize("NFC", text).casefold()
    words = _LINK.sub(r"\1", _LINK.sub(r"\1", text))  # twice: an image inside a link
    linked = _LINK.sub(r"\1 \2", _LINK.sub(r"\1 \2", text))
    return Folded(_squash(text), _without_markup(words), _without_markup(linked))


@lru_cache(maxsize=4096)
def _fold_evidence(evidence: str) -> Folded:
    return fold(evidence)


def _without_markup(text: str) -> str:
    return _squash(_WIKILINK.sub(r"\1", text).translate(_MARKUP))


def _squash(text: str) -> str:
    return " ".join(text.split())
