"""Caption files to cues: who said what, from which second to which, in WebVTT, SubRip, ASS, MicroDVD, SubViewer, SBV
and Whisper's JSON.

pysubs2 reads the formats it knows. Before it sees a WebVTT or SubRip file, notes, styles and broken cues are taken
out, which it would append to the cue before. The format is told by the content: suffixes such as .sub mean several.
"""

from __future__ import annotations

import html
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import pysubs2
from pysubs2.exceptions import Pysubs2Error
from pysubs2.formats.subrip import SubripFormat
from pysubs2.formats.webvtt import WebVTTFormat

from ragnotes.errors import LoadError
from ragnotes.reading.extraction import without_controls

__all__ = ["Cue", "read_cues", "read_whisper"]

_SBV_TIMES = re.compile(
    r"\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.](\d{1,3}),(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.](\d{1,3})\s*"
)
_FRAMES = re.compile(r"\s*\{\s*\d+\s*\}\s*\{\s*\d+\s*\}")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^<>\n]+)>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}")
_ASSUMED_FPS = 25.0


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: its lines without markup, its seconds (None where unknown), and the speaker its markup names."""

    text: str
    t_start: float | None
    t_end: float | None
    speaker: str | None = None


def read_cues(text: str) -> list[Cue]:
    """The cues of a caption file, in the order of the file; broken ones are left out.

    An empty file, and one with nothing but headers, gives []. Raises LoadError("damaged") where text is left that no
    format explains.
    """
    text = without_controls(text)
    if text.startswith("WEBVTT"):
        return _timed(text, WebVTTFormat, "vtt")
    first = next((line for line in text.split("\n") if line.strip()), "")
    if "[Script Info]" in text or re.search(r"^Dialogue:", text, re.MULTILINE):
        cues = _styled(text)
    elif _FRAMES.match(first):
        cues = _framed(text)
    elif any(_SBV_TIMES.fullmatch(line) for line in text.split("\n")):
        cues = list(_sbv(text))
    else:
        cues = _timed(text, SubripFormat, "srt")
    if first and not cues:
        raise LoadError("damaged", "no cue of the file can be read", "check that it is a caption file")
    return cues


def read_whisper(text: str) -> list[Cue]:
    """The segments of Whisper's JSON as cues.

    Raises LoadError: "not_a_transcript" for any other JSON, which is no fault of the file, or "damaged".
    """
    segments = _segments(text)
    if segments is None:
        raise LoadError("not_a_transcript", "the file is not Whisper's JSON: an object with a list of segments")
    found = []
    for segment in segments:
        if isinstance(segment, dict) and isinstance(segment.get("text"), str):
            speaker = segment.get("speaker")
            found.append(
                Cue(
                    without_controls(segment["text"]),
                    _seconds(segment.get("start")),
                    _seconds(segment.get("end")),
                    _name(without_controls(speaker)) if isinstance(speaker, str) else None,
                )
            )
    if segments and not found:
        raise LoadError("damaged", "no segment of the file has text")
    return found


def _segments(text: str) -> list[Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    segments = found.get("segments") if isinstance(found, dict) else None
    return segments if isinstance(segments, list) else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if isfinite(seconds) and seconds >= 0 else None


def _timed(text: str, grammar: type[SubripFormat], name: str) -> list[Cue]:
    """WebVTT and SubRip, of which only blocks with a sound time line reach pysubs2."""
    blocks = _blocks_of(text, grammar, blank_ends=name == "vtt")
    return [cue for event in _events("\n".join(blocks), name, keep_html_tags=True) for cue in _voices(event)]


def _blocks_of(text: str, grammar: type[SubripFormat], *, blank_ends: bool) -> Iterator[str]:
    """Each sound cue as pysubs2 reads it best: a number, the times, the lines. A last number ends the last cue."""
    lines: list[str] = []
    times = ""
    for line in [*text.split("\n"), "-->"]:
        if "-->" in line:
            if times:
                yield _block(times, lines if blank_ends else _without_number(lines))
            times = line if len(grammar.TIMESTAMP.findall(line)) == 2 else ""
            lines = []
        elif blank_ends and not line.strip():
            lines.append("")
            if times and any(kept.strip() for kept in lines):
                yield _block(times, lines)
                times = ""
        else:
            lines.append(line)
    yield "0"


def _block(times: str, lines: list[str]) -> str:
    return "\n".join(["0", times, *(line for line in lines if line.strip()), ""])


def _without_number(lines: list[str]) -> list[str]:
    """The lines of a SubRip cue without the number of the next, which stands alone after a blank line."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if lines and re.fullmatch(r"\s*\d+\s*", lines[-1]) and (len(lines) == 1 or not lines[-2].strip()):
        return lines[:-1]
    return lines


def _events(text: str, name: str, *, keep_html_tags: bool = False, fps: float | None = None) -> list[pysubs2.SSAEvent]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pysubs2 warns of styles, which are of no use here
        return list(pysubs2.SSAFile.from_string(text, format_=name, fps=fps, keep_html_tags=keep_html_tags).events)


def _voices(event: pysubs2.SSAEvent) -> Iterator[Cue]:
    """The cue, or one for each voice in it."""
    parts = _VOICE.split(str(event.text).replace(r"\N", "\n"))
    named = [(None, parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    for name, words in named:
        plain = html.unescape(_TAG.sub("", words))
        if plain.strip() or len(named) == 1:
            speaker = _name(html.unescape(name)) if name else None
            yield Cue(without_controls(plain), event.start / 1000, event.end / 1000, speaker)


def _styled(text: str) -> list[Cue]:
    """ASS and SSA. A line that pysubs2 refuses is left out with no harm to the others."""
    name = "ass" if re.search(r"^\[V4\+", text, re.MULTILINE) or "v4.00+" in text else "ssa"
    found = []
    for line in text.split("\n"):
        if not line.startswith("Dialogue:"):
            continue
        try:
            event = _events(f"[Events]\n{line}\n", name)[0]
        except (ValueError, Pysubs2Error):
            continue
        if not event.is_drawing:
            words = html.unescape(_TAG.sub("", str(event.plaintext)))
            found.append(Cue(without_controls(words), event.start / 1000, event.end / 1000, _name(str(event.name))))
    return found


def _framed(text: str) -> list[Cue]:
    """MicroDVD counts frames; where the file does not say how many make a second, the times are unknown."""
    known = True
    try:
        events = _events(text, "microdvd")
    except (ValueError, OverflowError, Pysubs2Error):
        known = False
        try:
            events = _events(text, "microdvd", fps=_ASSUMED_FPS)
        except (ValueError, OverflowError, Pysubs2Error):
            return []
    return [
        Cue(
            without_controls(html.unescape(str(event.plaintext))),
            event.start / 1000 if known else None,
            event.end / 1000 if known else None,
        )
        for event in events
    ]


def _sbv(text: str) -> Iterator[Cue]:
    """SBV and SubViewer: a line `start,end`, then the words; SubViewer writes [br] for a line break."""
    times: re.Match[str] | None = None
    lines: list[str] = []
    for line in [*text.split("\n"), "0:00:00.0,0:00:00.0"]:
        found = _SBV_TIMES.fullmatch(line)
        if found is None:
            lines.append(line)
            continue
        if times is not None:
            words = "\n".join(lines).replace("[br]", "\n")
            plain = html.unescape(_TAG.sub("", words)).strip()
            yield Cue(without_controls(plain), _clock(*times.groups()[:4]), _clock(*times.groups()[4:]))
        times, lines = found, []


def _clock(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _name(name: str) -> str | None:
    return " ".join(without_controls(name).split()) or None
