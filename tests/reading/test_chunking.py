from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.decoding import decode
from ragnotes.reading.front_matter import split_front_matter
from ragnotes.reading.markdown import load_markdown
from ragnotes.reading.text import load_text
from ragnotes.types import Chunk, CueMark, Document, Kind, PageMark

from .invariants import check_document, eval_folder

EMBEDDER = HashingEmbedder()
CORPUS = Path(__file__).parents[2] / "corpus"


def read(text: str, load: Callable[[bytes, str], Document] = load_markdown, path: str = "notes/plan.md") -> list[Chunk]:
    document = load(text.encode(), path)
    chunks = chunk_document(document, EMBEDDER)
    check_chunks(document, chunks)
    return chunks


def check_chunks(document: Document, chunks: list[Chunk]) -> None:
    """What holds for the chunks of every document."""
    text = document.text
    at = split_front_matter(text)[1] if document.kind is Kind.NOTE and document.path.endswith(".md") else 0
    for chunk in chunks:
        assert at <= chunk.start < chunk.end
        assert not text[at : chunk.start].strip()
        assert text[chunk.start : chunk.end] == chunk.text == chunk.text.strip()
        at = chunk.end
        if document.kind is Kind.NOTE:
            assert chunk.place.line is not None
            line_start = text.rfind("\n", 0, chunk.start) + 1
            assert text.count("\n", 0, line_start) < chunk.place.line <= text.count("\n", 0, chunk.end) + 1
        check_units(chunk)
    assert not text[at:].strip()
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    assert chunk_document(document, EMBEDDER) == chunks
    if chunks:
        assert max(EMBEDDER.count_tokens([chunk.embedded for chunk in chunks])) <= EMBEDDER.max_tokens


def check_units(chunk: Chunk) -> None:
    assert [unit.start for unit in chunk.units] == sorted(unit.start for unit in chunk.units)
    for unit in chunk.units:
        assert chunk.start <= unit.start < unit.end <= chunk.end
        assert unit.plain.strip()
        assert "\n" not in unit.plain


def words(count: int, first: int = 0) -> str:
    """A sentence of `count` different words."""
    return " ".join(f"w{number}" for number in range(first, first + count)).capitalize() + "."


def test_a_short_note_is_one_chunk_with_its_title_as_context() -> None:
    [chunk] = read("---\ndate: 2024-01-07\n---\n# Plan\n\nFirst *one*. Then [two](http://x.y).\n\n- item\n")
    assert chunk.text == "# Plan\n\nFirst *one*. Then [two](http://x.y).\n\n- item"
    assert chunk.context == "Plan > 2024-01-07"
    assert chunk.plain == "Plan\nFirst one. Then two.\nitem"
    assert chunk.embedded == "Plan > 2024-01-07\nPlan\nFirst one. Then two.\nitem"
    assert [unit.plain for unit in chunk.units] == ["First one.", "Then two.", "item"]
    assert chunk.links == ("http://x.y",)
    assert (chunk.place.heading, chunk.place.line, str(chunk.place.date)) == ("Plan", 4, "2024-01-07")


def test_a_title_made_from_the_name_is_not_embedded() -> None:
    [chunk] = read("Just text.")
    assert (chunk.context, chunk.embedded) == ("", "Just text.")


def test_sections_are_not_mixed_and_headings_stay_with_what_they_head() -> None:
    chunks = read(f"# A\n\n## B\n\n{words(40)}\n\n## C\n\n{words(40, 50)}\n")
    assert [(chunk.text.split("\n")[0], chunk.place.heading) for chunk in chunks] == [
        ("# A", "A > B"),
        ("## C", "A > C"),
    ]


def test_blocks_fill_a_chunk_up_to_its_target() -> None:
    paragraphs = [words(50, 100 * number) for number in range(5)]
    assert [chunk.text for chunk in read("\n\n".join(paragraphs))] == [
        "\n\n".join(paragraphs[:3]),
        "\n\n".join(paragraphs[3:]),
    ]


def test_chunks_under_one_heading_are_a_section_up_to_its_size() -> None:
    assert [chunk.section for chunk in read("\n\n".join(words(50, 100 * number) for number in range(5)))] == [0, 0]
    assert [chunk.section for chunk in read(f"# A\n\n{words(40)}\n\n## B\n\n{words(40, 50)}\n")] == [0, 1]
    long = [chunk.section for chunk in read("\n\n".join(words(100, 100 * number) for number in range(12)))]
    assert long == [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8]


def test_a_small_rest_joins_the_chunk_before_it() -> None:
    paragraphs = [words(75), words(75, 100), words(10, 200)]
    assert [chunk.text for chunk in read("\n\n".join(paragraphs))] == ["\n\n".join(paragraphs)]


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    sentences = [words(60, 100 * number) for number in range(6)]
    assert [chunk.text for chunk in read(" ".join(sentences))] == [
        " ".join(sentences[:2]),
        " ".join(sentences[2:4]),
        " ".join(sentences[4:]),
    ]


def test_a_long_sentence_is_cut_at_words_and_a_long_table_at_rows() -> None:
    chunks = read(" ".join(f"w{number}" for number in range(500)))
    assert [chunk.text.split()[0] for chunk in chunks] == ["w0", "w194", "w388"]
    rows = "".join(f"| {words(20, 100 * number)} | x |\n" for number in range(12))
    chunks = read(f"| Words | Mark |\n|---|---|\n{rows}")
    assert all(chunk.text.startswith("| ") and chunk.text.endswith(" |") for chunk in chunks)
    assert [chunk.context for chunk in chunks] == ["", "Words | Mark"]
    chunks = read(f"| Words | Mark |\n|---|---|\n| {words(400)} | x |\n")
    assert {unit.shown for chunk in chunks for unit in chunk.units} == {""}


def test_a_word_without_end_is_cut_though_the_embedder_takes_it_for_one_token() -> None:
    chunks = read("Key:\n\n" + "QUJD" * 5000 + "\n")
    assert max(len(chunk.text) for chunk in chunks) <= 16 * 256
    assert "".join(chunk.text for chunk in chunks).endswith("QUJDQUJD")


def test_equal_passages_have_ids_of_their_own() -> None:
    chunks = read(f"## A\n\n{words(40)}\n\n## A\n\n{words(40)}\n")
    assert chunks[0].text == chunks[1].text
    assert chunks[0].chunk_id != chunks[1].chunk_id


def test_an_edit_elsewhere_keeps_the_id_of_a_passage() -> None:
    before = read(f"## A\n\n{words(40)}\n\n## B\n\n{words(40, 50)}\n")
    after = read(f"## A\n\n{words(41)}\n\n## B\n\n{words(40, 50)}\n")
    assert (before[0].chunk_id == after[0].chunk_id, before[1].chunk_id == after[1].chunk_id) == (False, True)


def test_the_context_is_cut_to_what_the_embedder_can_spare() -> None:
    chunks = read(f"# {words(90)}\n\n## {words(90, 100)}\n\nText.\n")
    assert EMBEDDER.count_tokens([chunks[-1].context])[0] <= 56
    assert chunks[-1].context.startswith("W0 w1 w2")


def test_a_list_is_quoted_with_the_line_that_announces_it() -> None:
    [chunk] = read("These four:\n\n- one\n- two\n\nAfter.\n")
    assert [(unit.plain, chunk.text[unit.start : unit.end]) for unit in chunk.units] == [
        ("These four: one; two", "These four:\n\n- one\n- two"),
        ("one", "- one"),
        ("two", "- two"),
        ("After.", "After."),
    ]


def test_rows_are_units_with_their_header_and_the_header_is_none() -> None:
    [chunk] = read("| City | Year |\n|---|---|\n| **Rome** | 2020 |\n| Oslo | |\n")
    assert [(unit.plain, unit.lead) for unit in chunk.units] == [
        ("Rome | 2020", "City | Year"),
        ("Oslo", "City | Year"),
    ]


def test_a_header_alone_in_its_chunk_is_quoted_by_no_answer() -> None:
    first, *rows = read("| Date | Card |\n|---|---|\n| 2024-01-07 | one |\n| 2024-02-07 | two |\n")
    assert (first.text.split("\n")[0], first.units) == ("| Date | Card |", ())
    assert [unit.plain for row in rows for unit in row.units] == ["2024-01-07 | one", "2024-02-07 | two"]


def test_a_table_in_html_is_read_by_rows() -> None:
    [chunk] = read("<table>\n<tr><th>Room</th><th>Lamp</th></tr>\n<tr><td>Bath</td><td>GU10</td></tr>\n</table>\n")
    assert chunk.plain == "Room | Lamp\nBath | GU10"
    [row] = chunk.units
    assert (row.plain, row.lead, row.shown) == ("Bath | GU10", "Room | Lamp", "Room: Bath | Lamp: GU10")
    assert chunk.text[row.start : row.end] == "<tr><td>Bath</td><td>GU10</td></tr>\n</table>"


def test_a_task_is_told_with_its_box() -> None:
    [chunk] = read("Text.\n\nTo do:\n\n- [ ] gas off\n1. [x] lights off\n")
    assert [(unit.plain, unit.shown) for unit in chunk.units] == [
        ("Text.", ""),
        ("To do: gas off; lights off", "To do: ☐ gas off; ☑ lights off"),
        ("gas off", "☐ gas off"),
        ("lights off", "☑ lights off"),
    ]


def test_code_formulas_and_quotes_are_quoted_with_the_line_that_announces_them() -> None:
    [chunk] = read("To start:\n\n```sh\nkey 2x\n\nwait\n```\n\nDad says:\n> Go slow.\n\nThen:\n\n$$\na\n\nb\n$$\n")
    assert [unit.plain for unit in chunk.units] == [
        "To start: key 2x wait",
        "key 2x wait",
        "Dad says: Go slow.",
        "Go slow.",
        "Then: a b",
        "a b",
    ]
    assert chunk.plain == "To start:\nsh\nkey 2x\nwait\nDad says:\nGo slow.\nThen:\na\nb"
    assert chunk.text[chunk.units[1].start : chunk.units[1].end] == "```sh\nkey 2x\n\nwait\n```"


def test_a_callout_is_quoted_with_its_title() -> None:
    [chunk] = read("> [!todo] Before leaving\n> - [ ] gas off\n")
    assert [unit.shown for unit in chunk.units] == ["Before leaving: ☐ gas off", "☐ gas off"]
    [chunk] = read("> [!info] Harbour code\n> Ask first.\n> - gate 4711\n")
    assert [(unit.lead, unit.plain) for unit in chunk.units] == [
        ("", "Harbour code: Ask first. gate 4711"),
        ("Harbour code", "Ask first."),
        ("Harbour code", "gate 4711"),
    ]


def test_a_definition_is_quoted_after_its_term() -> None:
    [chunk] = read("Text.\n\nHull\n: the shell\n  of a boat\n: a husk\n")
    assert [unit.plain for unit in chunk.units] == ["Text.", "Hull: the shell of a boat; a husk"]


def test_a_footnote_far_below_brings_the_sentence_that_refers_to_it() -> None:
    chunks = read(
        f"The wire is copper.[^w] More.\n\n{words(150)}\n\n## End\n\n{words(30, 200)}\n\n[^w]: Cost 34 € at Obi.\n"
    )
    note = chunks[-1]
    assert note.plain.endswith("Cost 34 € at Obi. (The wire is copper.)")
    assert (note.units[-1].plain, note.units[-1].lead) == ("Cost 34 € at Obi.", "The wire is copper.")
    assert note.text[note.units[-1].start - note.start :] == "[^w]: Cost 34 € at Obi."
    assert [unit.plain for unit in chunks[0].units][:2] == ["The wire is copper.", "More."]


def test_a_footnote_beside_its_sentence_does_not_repeat_it() -> None:
    [chunk] = read("The wire is copper[^w].\n\n[^w]: Cost 34 €.\n")
    assert chunk.plain == "The wire is copper.\nCost 34 €."


def test_a_heading_without_text_is_quoted_itself() -> None:
    [chunk] = read("# Only this\n")
    assert [unit.plain for unit in chunk.units] == ["Only this"]


def test_reference_links_are_kept_with_the_passage_that_uses_them() -> None:
    chunks = read(f"See [it][r].\n\n## B\n\n{words(40)}\n\n[r]: http://x.y\n")
    assert chunks[0].links == ("http://x.y",)


def test_pages_and_speakers_are_parted_and_placed() -> None:
    text = "One page.\n\nNext page."
    note = load_markdown(text.encode(), "a.md")
    paper = replace(note, kind=Kind.PAPER, verbatim=False, marks=(PageMark(0, 1), PageMark(11, 2)))
    assert [(chunk.place.page, chunk.place.line) for chunk in chunk_document(paper, EMBEDDER)] == [(1, None), (2, None)]
    talk = replace(
        note, kind=Kind.TRANSCRIPT, verbatim=False, marks=(CueMark(0, 1.0, 2.0, "Ann"), CueMark(11, 2.0, 5.5, "Bob"))
    )
    [chunk] = chunk_document(talk, EMBEDDER)
    assert (chunk.place.t_start, chunk.place.t_end, chunk.place.speaker) == (1.0, 5.5, "Ann, Bob")


def test_a_document_without_text_has_no_chunks() -> None:
    assert read("---\ntitle: Only this\n---\n\n \n") == []


WORDS = st.lists(
    st.sampled_from(
        [
            "word",
            "Ann.",
            "e.g.",
            "*a*",
            "`b. c`",
            "[x](http://y.z/a_b)",
            "été",
            "日本語。",
            "e\u0301",
            "\u200b",
            "|",
            "$x$",
            "#tag",
            "3.5",
        ]
    ),
    min_size=1,
    max_size=12,
).map(" ".join)
LONG = st.integers(100, 400).flatmap(
    lambda count: st.sampled_from(
        [
            "word " * count,
            "x. " * count,
            "a" * count,
            "[a](b) " * count,
            "日本" * count,
            "<!-- " + "c. " * count,
            "`a.b` " * count,
        ]
    )
)
BLOCKS = st.one_of(
    WORDS,
    LONG,
    WORDS.map("# {}".format),
    WORDS.map("### {} ###".format),
    WORDS.map("{}\n===".format),
    st.lists(WORDS, min_size=1, max_size=4).map(
        lambda items: "\n".join(f"{'  ' * (n % 3)}- {item}" for n, item in enumerate(items))
    ),
    st.lists(WORDS, min_size=1, max_size=4).map(
        lambda rows: "| a | b |\n|---|---|\n" + "\n".join(f"| {row} | |" for row in rows)
    ),
    WORDS.map("> {}\n> more".format),
    WORDS.map("```\n# {}\n".format),
    WORDS.map("[^1]: {}".format),
    WORDS.map("said.[^1] {0}\n[^1]: {0}\n\n    {0}".format),
    WORDS.map("> [!note] {0}\n> {0}\n> - {0}".format),
    WORDS.map("{0}\n: {0}\n\n: {0}".format),
    WORDS.map("$$\n{0}\n\n{0}\n$$".format),
    WORDS.map("> | a | b |\n> |---|---|\n> | {} | x |".format),
    WORDS.map("<table><caption>{0}</caption>\n<tr><th>{0}\n<tr><td>{0}</td><td>b</td></tr></table> {0}".format),
    st.sampled_from(
        [
            "---",
            "```",
            "<div>",
            "$$",
            "x $$",
            "<tr>",
            "</table>",
            "    indented",
            "[^1]:",
            "[r]: http://x.y",
            "{% x %}",
            "- 2024-01-02: met",
            "\u2028",
            "\ufeff",
            "|",
            "-",
            "1.",
        ]
    ),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20),
)
FRONT = st.sampled_from(["", "", "---\ntitle: T\n---\n", "---\nno end\n", "---\n---\n"])
NOTES = st.tuples(FRONT, st.lists(BLOCKS, max_size=8), st.sampled_from(["\n\n", "\n", "\n\n\n"])).map(
    lambda parts: parts[0] + parts[2].join(parts[1])
)


@given(NOTES)
@settings(deadline=None)
def test_any_note_keeps_the_invariants(text: str) -> None:
    document = load_markdown(text.encode(), "a.md")
    check_document(document, body_start=split_front_matter(text)[1])
    assert document.text == decode(text.encode()).text
    check_chunks(document, chunk_document(document, EMBEDDER))
    read(text, load_text, "a.txt")


def real_notes() -> list[Path]:
    folders = [eval_folder("vaults"), eval_folder("seed-notes"), eval_folder("transcripts/changelog")]
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".md", ".txt"))


def test_real_notes_keep_the_invariants() -> None:
    notes = real_notes()
    assert len(notes) > 600
    for path in notes[::5]:  # all of them pass, in 30 s
        check_file(path)


def test_the_sample_corpus_keeps_the_invariants() -> None:
    notes = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".md", ".txt"))
    assert notes
    for path in notes:
        check_file(path)


def check_file(path: Path) -> None:
    load = load_text if path.suffix == ".txt" else load_markdown
    document = load(path.read_bytes(), path.name)
    text = path.read_bytes().decode("utf-8-sig", "replace")
    assert "\ufffd" in text or document.text == text.replace("\r\n", "\n").replace("\r", "\n")
    body_start = split_front_matter(document.text)[1] if path.suffix == ".md" else 0
    check_document(document, body_start=body_start)
    check_chunks(document, chunk_document(document, EMBEDDER))


def log(entries: int) -> str:
    entry = "## Day {}\n\n- met **Ann** about [it](https://x.y/{}). It was fine.\n  - nested\n\nThen we went home.\n\n"
    return "# Log\n\n" + "".join(entry.format(number, number) for number in range(entries))


@pytest.mark.parametrize(
    "build",
    [
        log,
        lambda n: "word " * 4 * n,
        lambda n: "[a](" * 4 * n,
        lambda n: "a: b\n" * 4 * n,
        lambda n: f"# {'word ' * 4 * n}",
    ],
    ids=["log", "one line", "stray links", "lines", "one heading"],
)
def test_chunking_takes_linear_time(build: object) -> None:
    assert callable(build)
    seconds = []
    for size in (500, 2000):
        started = time.process_time()
        chunk_document(load_markdown(build(size).encode(), "a.md"), EMBEDDER)
        seconds.append(time.process_time() - started)
    assert seconds[1] < 12 * max(seconds[0], 0.05)  # four times the text; quadratic would be sixteen times
