from __future__ import annotations

import json

import pytest

from ragnotes.errors import LoadError
from ragnotes.reading.loaders import SUFFIXES, Limits, load_document
from ragnotes.types import Kind

from .invariants import check_document

WHISPER = json.dumps({"segments": [{"start": 0.0, "end": 2.0, "text": " Hello there."}]}).encode()


def test_the_suffixes_are_those_of_the_contract() -> None:
    assert sorted(SUFFIXES) == [
        *(".ass", ".htm", ".html", ".json", ".markdown", ".md", ".pdf", ".sbv", ".srt", ".sub", ".txt", ".vtt")
    ]


@pytest.mark.parametrize(
    ("path", "content", "kind", "text"),
    [
        ("a.md", b"# Hello there", Kind.NOTE, "# Hello there"),
        ("a.MarkDown", b"# Hello there", Kind.NOTE, "# Hello there"),
        ("a.b.TXT", b"Hello there", Kind.NOTE, "Hello there"),
        ("a.Html", b"<p>Hello <b>there</b></p>", Kind.NOTE, "Hello there"),
        ("a.htm", b"<p>Hello <b>there</b></p>", Kind.NOTE, "Hello there"),
        ("a.VTT", b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello there\n", Kind.TRANSCRIPT, "Hello there"),
        ("a.srt", b"1\n00:00:00,000 --> 00:00:02,000\nHello there\n", Kind.TRANSCRIPT, "Hello there"),
        ("a.json", WHISPER, Kind.TRANSCRIPT, "Hello there."),
    ],
)
def test_the_suffix_in_any_case_names_the_loader(path: str, content: bytes, kind: Kind, text: str) -> None:
    document = load_document(content, path, Limits())
    check_document(document)
    assert (document.path, document.kind, document.text) == (path, kind, text)


@pytest.mark.parametrize("suffix", [".md", ".txt", ".html"])
def test_an_empty_note_has_no_blocks(suffix: str) -> None:
    assert load_document(b"", "a" + suffix, Limits()).blocks == ()


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("a.json", b'{"name": "package"}', "not_a_transcript"),
        ("a.md", bytes(range(32)) * 20, "undecodable"),
        ("a.pdf", b"no pdf", "damaged"),
    ],
)
def test_what_cannot_be_read_has_its_reason(path: str, content: bytes, reason: str) -> None:
    with pytest.raises(LoadError) as error:
        load_document(content, path, Limits())
    assert error.value.reason == reason
