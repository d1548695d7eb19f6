from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.errors import LoadError
from ragnotes.reading.transcript import load_transcript, monotone_times
from ragnotes.types import BlockKind, CueMark, Document, Kind

from .invariants import check_document, eval_folder


def load(source: str, path: str = "talk.vtt") -> Document:
    document = load_transcript(source.encode(), path)
    check_document(document)
    return document


def cues_of(document: Document) -> list[tuple[str, float | None, float | None, str | None]]:
    """Each cue's words with its times and speaker."""
    marks = [mark for mark in document.marks if isinstance(mark, CueMark)]
    ends = [mark.start for mark in marks[1:]] + [len(document.text)]
    return [
        (document.text[mark.start : end].strip(), mark.t_start, mark.t_end, mark.speaker)
        for mark, end in zip(marks, ends, strict=True)
    ]


def test_webvtt_is_read_with_its_voices_title_and_language() -> None:
    document = load(
        "WEBVTT - A talk\nKind: captions\nLanguage: en\n\nNOTE not spoken\n\nSTYLE\n::cue { color: red }\n\nintro\n"
        "00:01.000 --> 00:02.500 align:start\n<v.loud Ann B>Hello <i>and</i>\nwelcome,\n\n2\n"
        "00:00:02.500 --> 00:00:04.000\nto R&amp;D in\n2009\n\n"
        "00:04.000 --> 00:05.000\n<v Bob>Thanks.</v> <v Ann B>Well.\n"
    )
    assert (document.title, document.titled, document.metadata.language) == ("A talk", True, "en")
    assert document.kind is Kind.TRANSCRIPT
    assert document.text == "Hello and welcome, to R&D in 2009\n\nThanks.\n\nWell."
    assert cues_of(document) == [
        ("Hello and welcome,", 1.0, 2.5, "Ann B"),
        ("to R&D in 2009", 2.5, 4.0, "Ann B"),
        ("Thanks.", 4.0, 5.0, "Bob"),
        ("Well.", 4.0, 5.0, "Ann B"),
    ]
    assert [block.kind for block in document.blocks] == [BlockKind.CUE] * 3


def test_subrip_is_read_with_prefixed_speakers() -> None:
    document = load(
        "1\n00:00:01,000 --> 00:00:02,000\nCollins-Sussman:\nWho are we?\n\n2\n00:00:02,000 --> 00:00:03,000\nRight.\n"
        "De Paor: You tell me\n\n3\n00:00:03,000 --> 00:00:04,000\nthis: everything is\n\n4\n"
        "00:00:04,000 --> 00:00:05,000\n>> MAN #2: Fine.\n",
        "talk.srt",
    )
    assert cues_of(document) == [
        ("Collins-Sussman: Who are we?", 1.0, 2.0, "Collins-Sussman"),
        ("Right.", 2.0, 3.0, "Collins-Sussman"),
        ("De Paor: You tell me", 2.0, 3.0, "De Paor"),
        ("this: everything is", 3.0, 4.0, "De Paor"),
        (">> MAN #2: Fine.", 4.0, 5.0, "MAN #2"),
    ]
    assert (document.title, document.titled) == ("talk", False)


@pytest.mark.parametrize(
    "words", ["Note: be kind.", "The metaphor is this: yes.", "Remember: remember it.", "at 12:30 we eat"]
)
def test_a_colon_alone_names_no_speaker(words: str) -> None:
    assert cues_of(load(f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n"))[0][3] is None


def test_broken_cues_are_left_out_with_no_harm_to_others() -> None:
    document = load(
        "1\n00:00:01,000 --> 00:00:02,000\nGood one.\n\n2\n00:00:xx --> 00:00:05\nBad one.\n\n3\n"
        "00:00:06,000 --> 00:00:07,000\n\n4\n00:00:08,000 --> 00:00:09,000\nIn\n1984\n"
    )
    assert [cue[0] for cue in cues_of(document)] == ["Good one.", "In 1984"]


def test_sbv_and_subviewer_are_read() -> None:
    document = load("0:00:02.900,0:00:15.230\nOne &amp; two\n\n00:00:15.23,00:00:16.00\nthree[br]four\n", "talk.sub")
    assert cues_of(document) == [("One & two", 2.9, 15.23, None), ("three four", 15.23, 16.0, None)]


def test_microdvd_has_times_only_where_it_says_its_frames_per_second() -> None:
    assert cues_of(load("{1}{1}25\n{25}{50}One|{y:i}two\n", "a.sub")) == [("One two", 1.0, 2.0, None)]
    assert cues_of(load("{25}{50}One|two\n", "a.sub")) == [("One two", None, None, None)]


def test_ass_is_read_with_its_actors() -> None:
    source = (
        "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,{\\i1}Hello,{\\i0}\\Nthere.\n"
        "Comment: 0,0:00:02.00,0:00:03.00,Default,Ann,0,0,0,,unsaid\nDialogue: broken\n"
    )
    assert cues_of(load(source, "a.ass")) == [("Hello, there.", 1.0, 2.0, "Ann")]


def test_whisper_json_is_read() -> None:
    segments = [
        {"start": 0.0, "end": 1.5, "text": " Hello.", "speaker": "SPEAKER_00"},
        {"start": None, "end": True, "text": "And."},
        {"start": 3, "end": 2, "text": "So."},
        {"text": 5},
    ]
    document = load(json.dumps({"text": "", "segments": segments}), "talk.json")
    assert cues_of(document) == [
        ("Hello.", 0.0, 1.5, "SPEAKER_00"),
        ("And.", None, None, "SPEAKER_00"),
        ("So.", 3.0, None, "SPEAKER_00"),
    ]


@pytest.mark.parametrize(
    ("source", "path", "reason"),
    [
        ("only prose, no times", "a.srt", "damaged"),
        ("1\n00:00:xx --> 00:00:05\nBad one.\n", "a.srt", "damaged"),
        ('{"segments": [1]}', "a.json", "damaged"),
        ('{"name": "package"}', "package.json", "not_a_transcript"),
        ("[" * 100_000, "a.json", "not_a_transcript"),
        ("a\0b", "a.vtt", "undecodable"),
    ],
)
def test_what_holds_no_cue_is_refused(source: str, path: str, reason: str) -> None:
    with pytest.raises(LoadError) as caught:
        load_transcript(source.encode(), path)
    assert caught.value.reason == reason


@pytest.mark.parametrize("source", ["", " \n\n", "WEBVTT\n", "1\n00:00:01,000 --> 00:00:02,000\n\n"])
def test_a_file_without_words_is_an_empty_document(source: str) -> None:
    document = load(source)
    assert (document.text, document.blocks, document.marks) == ("", (), ())


def test_rolling_captions_say_each_word_once() -> None:
    document = load(
        "WEBVTT\n\n00:00.000 --> 00:02.000\nso today<00:00:00.500><c> we</c>\n\n"
        "00:02.000 --> 00:02.010\nso today we\n\n"
        "00:02.010 --> 00:04.000\nso today we\ntalk about yeah\n\n00:04.000 --> 00:04.010\ntalk about yeah\n\n"
        "00:04.010 --> 00:06.000\ntalk about yeah\nyeah okay\n"
    )
    assert cues_of(document) == [
        ("so today we", 0.0, 2.01, None),
        ("talk about yeah", 2.01, 4.01, None),
        ("yeah okay", 4.01, 6.0, None),
    ]


def test_what_people_repeat_stays() -> None:
    cues = "".join(f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{words}\n\n" for n, words in enumerate("ab"))
    source = "1\n00:01:00,000 --> 00:01:01,000\nYeah.\n\n2\n00:01:01,000 --> 00:01:02,000\nYeah.\n\n"
    assert load(cues + source, "a.srt").text.endswith("Yeah. Yeah.")


def test_a_pause_after_a_sentence_begins_a_paragraph() -> None:
    document = load(
        "1\n00:00:01,000 --> 00:00:02,000\nOne.\n\n2\n00:00:05,000 --> 00:00:06,000\nTwo\n\n3\n"
        "00:00:09,000 --> 00:00:10,000\nthree.\n"
    )
    assert document.text == "One.\n\nTwo three."


def test_lines_of_scripts_without_spaces_are_joined_without_one() -> None:
    assert load("1\n00:00:01,000 --> 00:00:02,000\nソーシャル\n機能を\n\n").text == "ソーシャル機能を"


def test_passages_end_with_sentences_and_do_not_grow_too_long() -> None:
    sentence = "and then the speaker went on to say a little more about it"
    cues = [f"{n}, {sentence}{'.' if n % 3 == 2 else ''}" for n in range(30)]
    source = "".join(f"{n}\n00:{n:02}:00,000 --> 00:{n + 1:02}:00,000\n{words}\n\n" for n, words in enumerate(cues))
    document = load(source, "a.srt")
    passages = [document.text[block.start : block.end] for block in document.blocks]
    assert len(passages) == 5
    assert all(passage.endswith(".") and 240 <= len(passage) <= 480 for passage in passages)


def test_passages_without_sentences_end_between_cues() -> None:
    source = "".join(f"{n}\n00:{n:02}:00,000 --> 00:{n + 1:02}:00,000\n{f'word{n} ' * 8}\n\n" for n in range(20))
    document = load(source, "a.srt")
    starts = {mark.start for mark in document.marks}
    assert len(document.blocks) == 3
    assert all(block.start in starts and block.end - block.start <= 480 for block in document.blocks)


def test_times_that_go_back_are_dropped_and_a_stray_one_costs_only_itself() -> None:
    assert monotone_times([1.0, 99.0, 2.0, None, 2.0, 3.0]) == {0, 2, 4, 5}
    assert monotone_times([]) == set()


@given(st.lists(st.none() | st.floats(0, 50), max_size=12))
def test_kept_times_never_go_back_and_are_as_many_as_can_be(starts: list[float | None]) -> None:
    kept = [start for index, start in enumerate(starts) if index in monotone_times(starts) and start is not None]
    assert kept == sorted(kept)
    best: list[int] = []  # the longest run that ends at each time, by comparing all pairs
    known = [start for start in starts if start is not None]
    for index, start in enumerate(known):
        best.append(1 + max((best[before] for before in range(index) if known[before] <= start), default=0))
    assert len(kept) == max(best, default=0)


CAPTION_LINES = st.sampled_from(
    [
        *("", "1", "2", "WEBVTT", "NOTE x", "00:00:01,000 --> 00:00:02,000", "00:00:01.000 --> 00:00:03.000", "-->"),
        *(
            "0:00:01.5,0:00:02.5",
            "{1}{1}25",
            "{10}{20}text|more",
            "{10}{20}",
            "[Script Info]",
            "[V4+ Styles]",
            "[Events]",
        ),
        *(
            "Dialogue: 0,0:00:01.00,0:00:02.00,D,Ann,0,0,0,,hi",
            "Dialogue: ,",
            "<v Ann>hi",
            "Ann: hi",
            ">> hello",
            "word",
        ),
        *("word word.", "&lt;b&gt;", "<i>", "{\\an8}up", "\u2028", "\x0b", "日本語", "99:99:99,999 --> 00:00:00,000"),
        *("{1}{1}nan", "{1}{1}inf", "{1}{1}0", "{99999999999999999999}{9}x", "Style: x,y,z", "[Fonts]", "fontname: x"),
    ]
)


@given(st.lists(CAPTION_LINES, max_size=14).map("\n".join) | st.text(max_size=60))
def test_any_caption_file_gives_a_document_or_a_load_error(source: str) -> None:
    try:
        document = load_transcript(source.encode("utf-8", "replace"), "a.srt")
    except LoadError as error:
        assert error.reason in ("damaged", "undecodable")
    else:
        check_document(document)
        times = [mark.t_start for mark in document.marks if isinstance(mark, CueMark) and mark.t_start is not None]
        assert times == sorted(times)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "end", "text", "speaker"]), inner)
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"segments": JSON}) | JSON)
def test_any_json_gives_a_document_or_a_load_error(value: object) -> None:
    try:
        document = load_transcript(json.dumps(value).encode(), "a.json")
    except LoadError as error:
        assert error.reason in ("damaged", "not_a_transcript")
    else:
        check_document(document)


def test_real_captions_are_read_whole() -> None:
    folder = eval_folder("transcripts")
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".vtt", ".srt", ".sub"))
    documents = {path.name: load_transcript(path.read_bytes(), path.name) for path in files}
    for document in documents.values():
        check_document(document)
        assert document.blocks
        assert max(block.end - block.start for block in document.blocks) < 600
    talk = documents["IO2009_The_Myth_of_the_Genius_Programmer.en.vtt"]
    assert {mark.speaker for mark in talk.marks if isinstance(mark, CueMark)} == {"Fitzpatrick", "Collins-Sussman"}
    assert talk.title == "IO2009-The Myth of the Genius Programmer"
    assert documents["Accessibility-gfw-EN.sub"].marks[0] == CueMark(0, 2.9, 15.23)
