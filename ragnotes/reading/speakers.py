"""Who speaks in captions: voices that markup names, and prefixes such as "Goldin:" or ">> MAN:".

A wrong speaker is worse than none, since each holds until the next is named. So a prefix counts only between
sentences, and a name that the file uses as an ordinary word too ("Remember: …") only where it comes back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ragnotes.reading.captions import Cue

__all__ = ["SENTENCE_END", "Turn", "joint", "pause_s", "turns_of"]

SENTENCE_END = re.compile(r"[.!?…。！？♪][\"'”’»)\]]*$|[\])][.]?$|--$")
"""The end of a sentence, of a remark such as [laughter], or of one that was broken off."""

_SCENE_S = 60.0
"""After a silence this long the speaker is unknown until named again."""
_WORD = r"#?[^\W_](?:[\w.'’#]|-(?=\w))*"
_PREFIX = re.compile(rf"(?P<turn>(?:>>+|[-–—])\s*)?(?P<name>{_WORD}(?: {_WORD}){{0,3}}):\s+(?=\S)")
_TURN = re.compile(r">>+\s*")
_PARTICLES = frozenset({"de", "da", "del", "der", "di", "la", "le", "van", "von"})
_NO_NAME_WORDS = """
    answer caution e.g example examples fact hint http https i.e idea note notes p.s problem ps q question questions
    reminder rule solution step summary tip update warning
"""
_NO_NAMES = frozenset(_NO_NAME_WORDS.split())
_RECURRING = 3
_UNSPACED = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef\u0e00-\u0e7f]")


@dataclass(frozen=True, slots=True)
class Turn:
    """A cue on one line, with its speaker as far as known; `breaks` where another speaker begins."""

    cue: Cue
    breaks: bool


def turns_of(cues: Sequence[Cue]) -> list[Turn]:
    """The cues that have words, each with its speaker; a cue in which the speaker changes becomes several."""
    names = _names_of(cues)
    speaker: str | None = None
    last: Cue | None = None
    turns: list[Turn] = []
    for cue in _single_voiced(cues, names):
        named = cue.speaker or _prefix_name(cue.text, _after_end(last), names)
        turned = bool(_TURN.match(cue.text))
        if not named and not turned and last is not None and pause_s(last, cue) > _SCENE_S:
            speaker = None
        breaks = turned or (named is not None and named != speaker)
        if named or turned:
            speaker = named
        last = replace(cue, speaker=speaker)
        turns.append(Turn(last, breaks))
    return turns


def pause_s(last: Cue, cue: Cue) -> float:
    """The silence between two cues in seconds; 0 where a time is unknown, below 0 where they overlap."""
    end = last.t_end if last.t_end is not None else last.t_start
    return 0.0 if end is None or cue.t_start is None else cue.t_start - end


def joint(left: str, right: str) -> str:
    """What stands between two lines that run on: nothing at the start, nor in scripts that do without spaces."""
    if not left:
        return ""
    return "" if _UNSPACED.match(left[-1]) and _UNSPACED.match(right[0]) else " "


def _names_of(cues: Sequence[Cue]) -> frozenset[str]:
    """The prefixes of the file that name speakers."""
    counts: Counter[str] = Counter()
    words: set[str] = set()
    for cue in cues:
        words.update(re.findall(r"[^\W\d_]+", cue.text))
        for line in re.finditer(r"[^\n]+", cue.text):
            match = _PREFIX.match(cue.text, line.start())
            if match and _could_be_name(match["name"]):
                counts[match["name"]] += 1
    return frozenset(
        name
        for name, count in counts.items()
        if count >= _RECURRING or any(word.lower() not in words for word in re.findall(r"[^\W\d_]+", name))
    )


def _could_be_name(name: str) -> bool:
    words = name.split()
    return (
        name.casefold().rstrip(".") not in _NO_NAMES
        and words[0].casefold() not in _NO_NAMES
        and any(character.isalpha() for character in words[0])
        and not words[0][0].islower()
        and all(not word[0].islower() or word in _PARTICLES for word in words)
    )


def _prefix_name(text: str, after_end: bool, names: frozenset[str]) -> str | None:
    """The speaker that `text` begins with; within a sentence a name and a colon are part of it."""
    match = _PREFIX.match(text)
    if match is None or match["name"] not in names:
        return None
    return match["name"] if after_end or match["turn"] or match["name"].isupper() else None


def _after_end(last: Cue | None) -> bool:
    return last is None or bool(SENTENCE_END.search(last.text))


def _single_voiced(cues: Sequence[Cue], names: frozenset[str]) -> Iterator[Cue]:
    """The cues on one line each, cut before a line with which another speaker begins."""
    for cue in cues:
        text = ""
        rest = cue
        for line in re.finditer(r"[^\n]+", cue.text):
            words = " ".join(line[0].split())
            if not words:
                continue
            match = _PREFIX.match(cue.text, line.start())
            if text and (_TURN.match(words) or (match and match["name"] in names and SENTENCE_END.search(text))):
                yield replace(rest, text=text)
                text, rest = "", replace(cue, speaker=None)
            text += joint(text, words) + words
        if text:
            yield replace(rest, text=text)
