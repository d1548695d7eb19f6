from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.reading.dialogue import load_markdown_transcript, looks_like_transcript
from ragnotes.reading.front_matter import split_front_matter
from ragnotes.types import BlockKind, CueMark, HeadingMark, Kind

from .invariants import check_document, eval_folder

TALK = "\n\n".join(
    [
        "**Ann Lee:** Welcome. How are you?",
        "**Bob:** Fine.",
        r"**Ann Lee:** \[04:16\] Good.",
        r"\[1:05:00\] And more from me.",
        "**Break:** \\[1:06:00\\]",
        "**Bob:** Yes.",
        "**Ann Lee:** So.",
        "**Bob:** Bye.",
    ]
)


def test_each_paragraph_knows_its_speaker_and_its_time_where_it_is_told() -> None:
    document = load_markdown_transcript(TALK, "show/talk.md", "0" * 64)
    check_document(document)
    assert document.text == TALK
    assert (document.kind, document.title, document.titled) == (Kind.TRANSCRIPT, "talk", False)
    assert [document.text[block.start : block.end] for block in document.blocks] == TALK.split("\n\n")
    cues = [mark for mark in document.marks if isinstance(mark, CueMark)]
    assert [(cue.speaker, cue.t_start, cue.t_end) for cue in cues] == [
        ("Ann Lee", None, None),
        ("Bob", None, None),
        ("Ann Lee", 256.0, 3900.0),
        ("Ann Lee", 3900.0, 3960.0),
        (None, 3960.0, None),
        ("Bob", None, None),
        ("Ann Lee", None, None),
        ("Bob", None, None),
    ]


def test_turns_need_no_blank_line_and_headings_make_marks() -> None:
    text = "---\na: b\n---\n# Show\n**Ann:** one\n**Bob:** two\n## Part\n**Ann:** three\nmore\n"
    document = load_markdown_transcript(text, "talk.md", "0" * 64, body_start=13)
    check_document(document, body_start=13)
    assert [text[block.start : block.end] for block in document.blocks] == [
        *("# Show", "**Ann:** one", "**Bob:** two", "## Part", "**Ann:** three\nmore")
    ]
    assert [block.kind for block in document.blocks].count(BlockKind.HEADING) == 2
    assert [mark.path for mark in document.marks if isinstance(mark, HeadingMark)] == [("Show",), ("Show", "Part")]
    assert (document.title, document.titled) == ("Show", True)


@pytest.mark.parametrize(
    ("opening", "speaker", "t_start"),
    [
        ("**Ann:** hi", "Ann", None),
        ("**Ann**: hi", "Ann", None),
        ("**Ann** [00:12] hi", "Ann", 12.0),
        ("**Ann** (1:00:12): hi", "Ann", 3612.0),
        ("[00:12] **Ann:** hi", "Ann", 12.0),
        ("**[00:12] Ann:** hi", "Ann", 12.0),
        ("**Ann [00:12]:** hi", "Ann", 12.0),
        ("**Ann** 0:12\nhi", "Ann", 12.0),
        ("**bold** words", None, None),
        ("**Mind that 12:30 is** lunch", None, None),
        ("**what is it:** said", None, None),
    ],
)
def test_ways_of_writing_speaker_and_time(opening: str, speaker: str | None, t_start: float | None) -> None:
    document = load_markdown_transcript(opening, "talk.md", "0" * 64)
    assert document.marks == (CueMark(0, t_start, None, speaker),)


def test_a_conversation_is_a_transcript() -> None:
    assert looks_like_transcript(TALK)
    assert looks_like_transcript("\n\n".join(["**Ann:** Do you?", "**Bob:** I do."] * 10))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "**Key insights:** one\n\n**Next steps:** two\n\nplain\n",
        "\n\n".join(f"**Point {n}:** words?" for n in range(30)),
        "\n\n".join(["**Date:** 1:30", "**Mood:** fine?", "**Notes:** x"] * 10),
        "\n\n".join(["**Ann:** What?", "**Bob:** That."] * 3),
        "\n\n".join(["**Ann:** What? [1:30]", "**Bob:** That.", "prose", "prose", "prose"] * 10),
    ],
)
def test_a_note_with_bold_lead_ins_is_none(note: str) -> None:
    assert not looks_like_transcript(note)


PIECES = st.sampled_from(
    [
        *(
            "**Ann:** ",
            "**Bob**",
            ":",
            r"\[01:02\]",
            "[1:02:03.5]",
            " ",
            "\n",
            "\n\n",
            "# Head",
            "#",
            "words",
            "**",
            "é\u2028",
            "\x0b",
        )
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_keeps_the_invariants(text: str) -> None:
    looks_like_transcript(text)
    document = load_markdown_transcript(text.encode("utf-8", "replace").decode(), "a.md", "0" * 64)
    check_document(document)


def test_real_shows_are_transcripts_and_real_notes_are_not() -> None:
    shows = sorted(eval_folder("transcripts/changelog").rglob("*.md"))
    assert len(shows) == 13
    for path in shows:
        text = path.read_text()
        assert looks_like_transcript(text), path
        document = load_markdown_transcript(text, path.name, "0" * 64)
        check_document(document)
        cues = [mark for mark in document.marks if isinstance(mark, CueMark)]
        assert sum(cue.speaker is not None for cue in cues) >= 0.95 * len(cues)
        assert any(cue.t_start is not None for cue in cues)
    notes = [*eval_folder("vaults").rglob("*.md"), *eval_folder("seed-notes").rglob("*.md")]
    assert [path.name for path in notes if looks_like_transcript(_body(path.read_bytes()))] == []


def _body(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    return text[split_front_matter(text)[1] :]
