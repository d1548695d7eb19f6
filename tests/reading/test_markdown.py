from __future__ import annotations

import time
from datetime import date

import pytest

from ragnotes.reading.front_matter import split_front_matter
from ragnotes.reading.markdown import load_markdown
from ragnotes.types import BlockKind, DateMark, DateRange, Document, HeadingMark, Kind

from .invariants import check_document


def load(text: str, path: str = "notes/plan.md") -> Document:
    document = load_markdown(text.encode(), path)
    check_document(document, body_start=split_front_matter(document.text)[1])
    return document


def blocks_of(document: Document) -> list[tuple[BlockKind, int, str, str]]:
    """Kind, depth, lead and text of each block."""
    return [(block.kind, block.depth, block.lead, document.text[block.start : block.end]) for block in document.blocks]


def paths_of(document: Document) -> list[tuple[str, ...]]:
    return [mark.path for mark in document.marks if isinstance(mark, HeadingMark)]


def dates_of(document: Document) -> list[tuple[str, str | None]]:
    """Each date mark: the line it stands at, and the date that begins there."""
    return [
        (document.text[mark.start :].lstrip("\n").split("\n")[0], str(mark.date) if mark.date else None)
        for mark in document.marks
        if isinstance(mark, DateMark)
    ]


def day(year: int, month: int, number: int) -> DateRange:
    return DateRange(date(year, month, number), date(year, month, number))


def test_the_stored_text_is_the_file_but_for_mark_and_line_ends() -> None:
    document = load_markdown(
        b"\xef\xbb\xbf---\r\na: b\r\n---\r\nIt\xc3\xa2\xe2\x82\xac\xe2\x84\xa2s [x](http://y.z)\r", "a.md"
    )
    assert document.text == "---\na: b\n---\nItâ€™s [x](http://y.z)\n"
    assert [(block.start, block.end) for block in document.blocks] == [(13, 35)]


@pytest.mark.parametrize(
    ("text", "title", "titled"),
    [
        ("---\ntitle: Stated *here*\n---\n# Written\n", "Stated here", True),
        ("---\nTitle: Stated\n---\n# Written\n", "Stated", True),
        ("---\ntitle: 2024\n---\n", "2024", True),
        ("---\ntitle:\n---\n# Written\n", "Written", True),
        ("---\ntitle: [a, b]\n---\n# Written\n", "Written", True),
        ("intro\n\n# [Written](http://x.y) ##\n", "Written", True),
        ("# C#\n", "C#", True),
        ("Two\nlines\n=====\n", "Two lines", True),
        ("## Second level\n\n# First level\n", "plan", False),
        ("> # Quoted\n", "plan", False),
        ("#\n", "plan", False),
        ("", "plan", False),
    ],
)
def test_the_title_comes_from_front_matter_then_the_first_heading_then_the_name(
    text: str, title: str, titled: bool
) -> None:
    document = load(text)
    assert (document.title, document.titled) == (title, titled)


def test_heading_paths_follow_the_levels() -> None:
    document = load("# A\n## B\n#### C\n### D\n## E #\n# F\nSet\n---\n- # in an item\n")
    assert paths_of(document) == [
        ("A",),
        ("A", "B"),
        ("A", "B", "C"),
        ("A", "B", "D"),
        ("A", "E"),
        ("F",),
        ("F", "Set"),
    ]


def test_a_heading_as_long_as_a_text_is_cut_for_its_path_alone() -> None:
    document = load("# " + "word " * 100)
    assert paths_of(document) == [(("word " * 40).strip() + " …",)]
    assert document.text[document.blocks[0].start : document.blocks[0].end] == "# " + ("word " * 100).strip()


def test_nested_items_carry_the_items_above_them() -> None:
    document = load("Buy:\n\n- **Fruit**\n  - apples\n    and pears\n    1. green\n- [x] Bread\n\n  fresh\n")
    assert blocks_of(document) == [
        (BlockKind.PARAGRAPH, 0, "", "Buy:"),
        (BlockKind.ITEM, 0, "", "- **Fruit**"),
        (BlockKind.ITEM, 1, "Fruit", "- apples\n    and pears"),
        (BlockKind.ITEM, 2, "Fruit > apples", "1. green"),
        (BlockKind.ITEM, 0, "", "- [x] Bread"),
        (BlockKind.ITEM, 0, "", "fresh"),
    ]


def test_rows_carry_their_header_and_what_merged_cells_left_out() -> None:
    document = load(
        "| City | Year | Sum |\n|---|:-:|--:|\n| **Rome** | 2020 | 1 |\n| | 2021 | 2 |\n| | | 3 |\n| Oslo | | 4 |\n"
    )
    assert [(block.kind, block.lead) for block in document.blocks] == [
        (BlockKind.ROW, ""),
        (BlockKind.ROW, "City | Year | Sum"),
        (BlockKind.ROW, "City | Year | Sum > Rome"),
        (BlockKind.ROW, "City | Year | Sum > Rome > 2021"),
        (BlockKind.ROW, "City | Year | Sum"),
    ]


def test_headings_and_items_in_code_are_code() -> None:
    document = load("```sh\n# no heading\n- no item #notag\n```\n\n    # indented\n\nEnd.\n\n~~~\n# open to the end")
    assert [(kind, text) for kind, _, _, text in blocks_of(document)] == [
        (BlockKind.CODE, "```sh\n# no heading\n- no item #notag\n```"),
        (BlockKind.CODE, "# indented"),
        (BlockKind.PARAGRAPH, "End."),
        (BlockKind.CODE, "~~~\n# open to the end"),
    ]
    assert (paths_of(document), document.metadata.tags) == ([], ())


def test_quotes_footnotes_html_and_definitions_are_kept_whole() -> None:
    document = load("> as said\n> before\n\n[^1]: A note.\n\n<div>\nhtml\n</div>\n\n[ref]: http://x.y\n\n$$\nx\n$$\n")
    assert [(kind, text) for kind, _, _, text in blocks_of(document)] == [
        (BlockKind.QUOTE, "> as said\n> before"),
        (BlockKind.FOOTNOTE, "[^1]: A note."),
        (BlockKind.PARAGRAPH, "<div>\nhtml\n</div>"),
        (BlockKind.PARAGRAPH, "[ref]: http://x.y"),
        (BlockKind.CODE, "$$\nx\n$$"),
    ]


def test_the_title_of_a_callout_leads_what_stands_in_it() -> None:
    document = load("> [!warning]- Do not touch\n> The wire is live.\n> - use a tester\n\n> [!tip]\n> Wear gloves.\n")
    assert blocks_of(document) == [
        (BlockKind.QUOTE, 0, "", "> [!warning]- Do not touch"),
        (BlockKind.QUOTE, 0, "Do not touch", "> The wire is live."),
        (BlockKind.ITEM, 0, "Do not touch", "> - use a tester"),
        (BlockKind.QUOTE, 0, "tip", "> [!tip]\n> Wear gloves."),
    ]


def test_a_display_formula_is_whole_also_over_blank_lines() -> None:
    document = load("It is:\n\n$$\na = b\n\n- c\n$$\n\nBut $$ is money.\n\n$$ open\n\n# End\n\nshut $$\n")
    assert [text for kind, _, _, text in blocks_of(document) if kind is BlockKind.CODE] == ["$$\na = b\n\n- c\n$$"]
    assert [text for kind, _, _, text in blocks_of(document)][2:] == [
        "But $$ is money.",
        "$$ open",
        "# End",
        "shut $$",
    ]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("Hull\n: a shell\n: a husk\n", [("Hull", "Hull\n: a shell\n: a husk")]),
        ("Hull\n\n:   a shell\n\n:   a husk\n", [("Hull", "Hull\n\n:   a shell\n\n:   a husk")]),
        ("*Hull*  \n: a shell\n\nText.\n", [("Hull", "*Hull*  \n: a shell")]),
        ("Two lines\nof text\n: no term\n", []),
        (": alone\n", []),
        ("- item\n\n: no term\n", []),
    ],
)
def test_a_term_stays_with_its_definitions(text: str, blocks: list[tuple[str, str]]) -> None:
    found = [(lead, source) for kind, _, lead, source in blocks_of(load(text)) if kind is BlockKind.DEFINITION]
    assert found == blocks


def test_rows_are_told_with_their_labels_however_the_table_is_written() -> None:
    document = load(
        "Prices:\nTool | € | Shop\n--- | ---: | ---\nDrill | 89 | Obi\nSaw \\| jig | | Aldi\n\n"
        "> | Gate | Code |\n> |---|---|\n> | north | 4711 |\n\n| | |\n|---|---|\n| a | b |\n"
    )
    assert [(block.shown, block.lead) for block in document.blocks if block.kind is BlockKind.ROW and block.shown] == [
        ("Tool: Drill | €: 89 | Shop: Obi", "Tool | € | Shop"),
        ("Tool: Saw | jig | Shop: Aldi", "Tool | € | Shop"),
        ("Gate: north | Code: 4711", "Gate | Code"),
    ]


def test_what_merged_cells_left_out_is_told_too() -> None:
    document = load("| City | Year | Sum |\n|---|---|---|\n| Rome | 2020 | 1 |\n| | 2021 | 2 |\n")
    assert [block.shown for block in document.blocks][1:] == [
        "City: Rome | Year: 2020 | Sum: 1",
        "City: Rome | Year: 2021 | Sum: 2",
    ]


def test_lists_may_nest_deep_and_a_long_outline_is_cut() -> None:
    document = load("".join(f"{'  ' * depth}- level {depth}\n" for depth in range(25)))
    assert [block.depth for block in document.blocks] == list(range(25))
    assert document.blocks[4].lead == "level 0 > level 1 > level 2 > level 3"
    assert document.blocks[24].lead == "level 0 > … > level 22 > level 23"


def test_tags_are_those_a_person_wrote() -> None:
    document = load(
        "---\ntags: [stated]\n---\n# Title\n\n#first and (#second/part), **#third** #über #stated #first\n\n"
        '`#code` https://x.y/#url https://x.y/?a=#b [x](#anchor) [[#wiki]] C#sharp #1 &#x27; <a href="#top">\n'
    )
    assert document.metadata.tags == ("stated", "first", "second/part", "third", "über")


def test_dates_come_from_front_matter_then_the_name_and_from_headings_and_items() -> None:
    assert load("---\ndate: 2024-01-07\n---\nx", "2023-05-06 x.md").metadata.date == day(2024, 1, 7)
    assert load("x", "log/2023-05-06 x.md").metadata.date == day(2023, 5, 6)
    document = load("# Log 2024\n\n## 2024-03-01\n\nText.\n\n- 2024-02-28: an item\n- another\n\n## Open\n")
    assert dates_of(document) == [
        ("# Log 2024", "2024-01-01/2024-12-31"),
        ("## 2024-03-01", "2024-03-01"),
        ("- 2024-02-28: an item", "2024-02-28"),
        ("- another", "2024-03-01"),
        ("## Open", "2024-01-01/2024-12-31"),
    ]


def test_a_note_that_is_a_conversation_is_a_transcript() -> None:
    turns = "\n\n".join(f"**{name}:** [0{n}:00] Words." for n, name in enumerate(["Ann", "Bob"] * 4))
    document = load(f"---\ntitle: The talk\n---\n{turns}\n")
    assert (document.kind, document.title) == (Kind.TRANSCRIPT, "The talk")
    assert load("**Ann:** said so.").kind is Kind.NOTE


def test_many_dated_lines_in_a_paragraph_take_linear_time() -> None:
    seconds = []
    for size in (2_000, 16_000):
        started = time.process_time()
        load("2024-01-02\nsaid\n" * size)
        seconds.append(time.process_time() - started)
    assert seconds[1] < 16 * max(seconds[0], 0.05)  # eight times the text; a search for each line took 25 times as long
