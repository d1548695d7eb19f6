"""Rolling captions undone, so that every word stands once.

YouTube's automatic captions are a window of lines that moves on: each cue repeats the end of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ragnotes.reading.captions import Cue

__all__ = ["without_repeats"]

_ROLLING_SHARE = 0.3
"""A file rolls where this share of its cues repeats; elsewhere people say "yeah" twice, and both times count."""
_FEWEST_WORDS = 3
_LONGEST_WORDS = 60


def without_repeats(cues: Sequence[Cue]) -> list[Cue]:
    """`cues` without the words that each repeats of the one before, and without cues that only repeat."""
    repeats = [0, *(_repeated(last.text, cue.text) for last, cue in pairwise(cues))]
    if sum(count > 0 for count in repeats) < max(2, _ROLLING_SHARE * len(cues)):
        return list(cues)
    kept: list[Cue] = []
    for cue, count in zip(cues, repeats, strict=False):
        words = cue.text.split()
        if count == 0:
            kept.append(cue)
        elif count < len(words):
            kept.append(replace(cue, text=" ".join(words[count:])))
        elif kept and cue.t_end is not None:
            kept[-1] = replace(kept[-1], t_end=max(cue.t_end, kept[-1].t_end or 0.0))
    return kept


def _repeated(last: str, text: str) -> int:
    """How many words at the start of `text` are the end of `last`: whole lines, or else several words."""
    before, lines = _lines(last), _lines(text)
    for count in range(min(len(before), len(lines)), 0, -1):
        if before[-count:] == lines[:count]:
            return sum(len(line.split()) for line in lines[:count])
    spoken, words = last.split(), text.split()
    for count in range(min(len(spoken), len(words), _LONGEST_WORDS), _FEWEST_WORDS - 1, -1):
        if spoken[-count:] == words[:count]:
            return count
    return 0


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]
