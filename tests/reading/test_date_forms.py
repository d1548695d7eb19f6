"""Every passage has the date that its note gives it, however it is written; what only looks like a date gives none."""

from __future__ import annotations

import pytest

from ragnotes.dates import DayMonthOrder
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.places import Places
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.loaders import Limits, load_document
from ragnotes.types import BlockKind, Document

DAY_FIRST, MONTH_FIRST = DayMonthOrder.DAY_FIRST, DayMonthOrder.MONTH_FIRST


def load(text: str, path: str = "note.md", order: DayMonthOrder | None = None) -> Document:
    return load_document(text.encode(), path, Limits(), order=order)


def date_of(document: Document, words: str) -> str | None:
    days = Places(document).date(document.text.index(words))
    return str(days) if days else None


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("31 March 2023", "2023-03-31"),
        ("30 April", "2023-04-30"),
        ("2023-03-31", "2023-03-31"),
        ("Mon, Mar 31", "2023-03-31"),
        ("31.03.2023", "2023-03-31"),
        ("31. März 2023", "2023-03-31"),
        ("31 de marzo de 2023", "2023-03-31"),
        ("Viernes 31 de marzo", "2023-03-31"),
        ("[[2023-03-31]]", "2023-03-31"),
        ("📅 2023-03-31", "2023-03-31"),
        ("Week 12 2023", "2023-03-20/2023-03-26"),
        ("2023 week 12", "2023-03-20/2023-03-26"),
        ("KW 12/2023", "2023-03-20/2023-03-26"),
        ("2023-W12", "2023-03-20/2023-03-26"),
        ("Semana 12 de 2023", "2023-03-20/2023-03-26"),
        ("March", "2023-03-01/2023-03-31"),
        ("Q2 2023", "2023-04-01/2023-06-30"),
        ("2023-Q2", "2023-04-01/2023-06-30"),
        ("Q2", "2023-04-01/2023-06-30"),
        ("Summer 2023", "2023-06-01/2023-08-31"),
        ("Winter 2023/24", "2023-12-01/2024-02-29"),
        ("31 mars 2023", "2023-03-31"),
        ("1er février 2023", "2023-02-01"),
        ("31 marzo 2023", "2023-03-31"),
        ("31 de março de 2023", "2023-03-31"),
        ("2023.03.31", "2023-03-31"),
        ("Mars 2020", None),
        ("2023.4.1", None),
        ("Week 12", None),
        ("Spring cleaning", None),
        ("PyCharm 2023.1.2", None),
    ],
)
def test_headings(heading: str, expected: str | None) -> None:
    document = load(f"# 2023\n\n## {heading}\n\nWords.\n")
    assert date_of(document, "Words") == (expected or "2023-01-01/2023-12-31")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("2023-03-31.md", "2023-03-31"),
        ("20230331-note.md", "2023-03-31"),
        ("2023_03_31.md", "2023-03-31"),
        ("2023-W13.md", "2023-03-27/2023-04-02"),
        ("March 2023.md", "2023-03-01/2023-03-31"),
        ("Q2 2023.md", "2023-04-01/2023-06-30"),
        ("daily/2023/03/31.md", "2023-03-31"),
        ("talks/2023-03-31 standup.vtt", "2023-03-31"),
        ("2023-03-31 page.html", "2023-03-31"),
        ("03-04-2023.md", None),
        ("arxiv-2304.01904.md", None),
    ],
)
def test_file_names(path: str, expected: str | None) -> None:
    text = "WEBVTT\n\n00:00.000 --> 00:02.000\nWords.\n" if path.endswith("vtt") else "Words.\n"
    assert date_of(load(text, path), "Words") == expected


def test_an_unsettled_file_name_is_read_by_the_setting() -> None:
    assert date_of(load("Words.\n", "03-04-2023.md", DAY_FIRST), "Words") == "2023-04-03"
    assert date_of(load("Words.\n", "03-04-2023.md", MONTH_FIRST), "Words") == "2023-03-04"


def test_rows_have_the_date_of_their_column() -> None:
    document = load("| What | Date |\n|---|---|\n| swam | 2023-05-05 |\n| rested | |\n| ran | 6 May 2023 |\n\nAfter.\n")
    assert [date_of(document, word) for word in ("swam", "rested", "ran", "After")] == [
        "2023-05-05",
        None,
        "2023-05-06",
        None,
    ]
    chunks = chunk_document(document, HashingEmbedder())
    assert [str(chunk.place.date) for chunk in chunks if "|" in chunk.text] == [
        "None",
        "2023-05-05",
        "None",
        "2023-05-06",
    ]


def test_a_first_column_of_dates_needs_no_name_and_one_of_fractions_is_none() -> None:
    document = load("| | km |\n|---|---|\n| 2023-05-05 | five |\n| | six |\n| March 2023 | many |\n", "runs.md")
    assert [date_of(document, word) for word in ("five", "six", "many")] == [
        "2023-05-05",
        "2023-05-05",  # a merged cell
        "2023-03-01/2023-03-31",
    ]
    document = load("# 2023\n\n| How much | Of |\n|---|---|\n| 3/4 | cup |\n| 13/2 | spoon |\n")
    assert date_of(document, "cup") == "2023-01-01/2023-12-31"


def test_numbers_in_a_column_of_dates_are_settled_by_the_file() -> None:
    table = "# 2023\n\n| Date | What |\n|---|---|\n| 3/4 | ran |\n| 3/20 | swam |\n"
    assert [date_of(load(table), word) for word in ("ran", "swam")] == ["2023-03-04", "2023-03-20"]


@pytest.mark.parametrize(
    "second",
    [
        "<table>\n<tr><td>spoon</td><td>1/2/2023</td></tr>\n</table>\n",
        "<div>\n<table>\n<tr><td>spoon</td><td>1/2/2023</td></tr>\n</table>\n</div>\n",
        "<TABLE>\n<caption>Sizes</caption>\n<tr><td>spoon</td><td>1/2/2023</td></tr>\n</TABLE>\n",
        "| | |\n|---|---|\n| spoon | 1/2/2023 |\n",
    ],
)
@pytest.mark.parametrize("gap", ["", "\n"])
def test_a_table_without_a_head_has_nothing_of_the_table_before(second: str, gap: str) -> None:
    first = "<table>\n<tr><th>What</th><th>Date</th></tr>\n<tr><td>ran</td><td>13/2/2023</td></tr>\n</table>\n"
    document = load(f"{first}{gap}{second}")
    assert [date_of(document, word) for word in ("ran", "spoon")] == ["2023-02-13", None]
    (row,) = [b for b in document.blocks if "spoon" in document.text[b.start : b.end]]
    assert (row.lead, row.shown) == ("", "")


def test_due_dates_are_not_the_days_of_their_rows() -> None:
    assert date_of(load("| Task | Due date |\n|---|---|\n| paint | 2023-05-05 |\n"), "paint") is None


def test_nested_items_belong_to_the_date_of_their_parent() -> None:
    text = "# 2023 Log\n\n- 20/3: went out\n  - nested\n- 21/3\n  - below a bare date\n- plain\n"
    assert [date_of(load(text), word) for word in ("went", "nested", "below", "plain")] == [
        "2023-03-20",
        "2023-03-20",
        "2023-03-21",
        "2023-01-01/2023-12-31",
    ]


def test_a_line_that_is_a_date_heads_what_follows() -> None:
    document = load("# 2023\n\n**March 3**\n\nOne.\n\nTwo.\n\n2023-03-04\nThree.\n\n# Other\n\nFour.\n")
    assert [date_of(document, word) for word in ("One", "Two", "Three", "Four")] == [
        "2023-03-03",
        "2023-03-03",
        "2023-03-04",
        None,
    ]
    assert [block.kind for block in document.blocks[1:5]] == [
        BlockKind.HEADING,
        BlockKind.PARAGRAPH,
        BlockKind.PARAGRAPH,
        BlockKind.HEADING,
    ]


def test_a_date_before_a_text_dates_that_text() -> None:
    document = load("2023-03-31: one\n2023-04-01: two\nand more\n\nAfter.\n\n31 March 2023 was fine.\n")
    assert [date_of(document, word) for word in ("one", "two", "more", "After", "was")] == [
        "2023-03-31",
        "2023-04-01",
        "2023-04-01",
        None,
        None,
    ]
    assert len([block for block in document.blocks if block.kind is BlockKind.PARAGRAPH]) == 4


def test_plain_text_has_date_lines_too() -> None:
    text = "3 March 2023\nWorked on it.\n\nTo do:\n- buy milk\n\n4 March 2023\nRested.\n"
    document = load(text, "diary.txt")
    assert [date_of(document, word) for word in ("Worked", "buy", "Rested")] == [
        "2023-03-03",
        "2023-03-03",
        "2023-03-04",
    ]


@pytest.mark.parametrize(
    "line", ["Date: March 3, 2023", "**Date**: 2023-03-03", "created:: 2023-03-03", "Fecha: 3/3/2023"]
)
def test_a_stated_date_is_that_of_the_note(line: str) -> None:
    assert date_of(load(f"# Title\n\n{line}\n\n## Part\n\nWords.\n"), "Words") == "2023-03-03"


def test_html_has_the_dates_of_its_head_and_headings() -> None:
    page = (
        "<html><head><meta property='article:published_time' content='2023-03-31T10:00:00Z'></head>"
        "<body><p>First.</p><h2>4 April 2023</h2><p>Second.</p></body></html>"
    )
    document = load(page, "page.html")
    assert [date_of(document, word) for word in ("First", "Second")] == ["2023-03-31", "2023-04-04"]


def test_years_roll_over_in_either_order() -> None:
    up = load("## 28 December 2023\n\na1\n\n## 30 December\n\na2\n\n## 2 January\n\na3\n")
    assert [date_of(up, word) for word in ("a2", "a3")] == ["2023-12-30", "2024-01-02"]
    down = load("## 5 January 2024\n\na1\n\n## 2 January\n\na2\n\n## 30 December\n\na3\n")
    assert [date_of(down, word) for word in ("a2", "a3")] == ["2024-01-02", "2023-12-30"]


UNSETTLED = "# 2023\n\n- 3/4 first\n- 5/4 second\n"


def test_unsettled_numbers_are_no_dates_and_are_told() -> None:
    document = load(UNSETTLED)
    assert date_of(document, "first") == "2023-01-01/2023-12-31"
    assert document.metadata.extra["ambiguous_date"] == "3/4 first"


@pytest.mark.parametrize(("order", "expected"), [(DAY_FIRST, "2023-04-03"), (MONTH_FIRST, "2023-03-04")])
def test_the_setting_settles_what_the_file_does_not(order: DayMonthOrder, expected: str) -> None:
    document = load(UNSETTLED, order=order)
    assert date_of(document, "first") == expected
    assert "ambiguous_date" not in document.metadata.extra


def test_the_file_itself_wins_over_the_setting() -> None:
    document = load(f"{UNSETTLED}- 3/20 third\n", order=DAY_FIRST)
    assert date_of(document, "first") == "2023-03-04"
    document = load(f"{UNSETTLED}\nBack on 25/12/2023 or so.\n", order=MONTH_FIRST)
    assert date_of(document, "first") == "2023-04-03"


@pytest.mark.parametrize(
    "line",
    [
        "arXiv 2304.01904 on tides",
        "2304.01904 on tides",
        "3.11.2 is out",
        "10.1.2.3 is the printer",
        "555-1234 is the number",
        "2023-555-0101 is the number",
        "030 2023 1234 is the number",
        "GPT-3/4 compared",
        "3/4 cup of flour",
        "3/4 done",
        "3-2 for us",
        "16/9 screens",
        "12:30 lunch",
        "12.50 € for lunch",
        "$3/4 each",
        "2023-0042 is the case",
        "INV-2023-03-31 was paid",
        "2023-03-31-001 is the case",
        "2023.4.1 is a version",
        "1.5. Section",
        "24/7 support",
    ],
)
def test_what_looks_like_a_date_and_is_none(line: str) -> None:
    for order in (None, DAY_FIRST, MONTH_FIRST):
        document = load(f"# 2023\n\n- {line}\n\n{line}\n", order=order)
        assert {mark.date.since.year for mark in document.marks if hasattr(mark, "date") and mark.date} == {2023}
        assert date_of(document, line) == "2023-01-01/2023-12-31", order


def test_q4_is_a_quarter_in_a_heading_and_not_in_an_item() -> None:
    document = load("# 2023\n\n* Q4: drops a name\n\n## Q4\n\nWords.\n")
    assert [date_of(document, word) for word in ("drops", "Words")] == [
        "2023-01-01/2023-12-31",
        "2023-10-01/2023-12-31",
    ]


def test_a_lone_date_in_a_note_of_one_day_is_what_it_speaks_of() -> None:
    invitation = "---\ndate: 2014-06-25\n---\n\nCome!\n\n**Friday, June 27, 2014**\n\nBring a laptop.\n"
    assert date_of(load(invitation), "Bring") == "2014-06-25"
    diary = f"{invitation}\n**June 28**\n\nSlept.\n\n**June 29**\n\nWalked.\n"
    assert [date_of(load(diary), word) for word in ("Bring", "Walked")] == ["2014-06-27", "2014-06-29"]


def test_what_is_asked_for_of_days_and_months_holds_for_pages_too() -> None:
    page = (
        "<head><meta name=date content='5/4/2024'></head><p>First.</p>"
        "<h2>3/4/2024</h2><p>Second.</p><h2>Log</h2><p>Third.</p>"
    )
    document = load(page, "page.html", DAY_FIRST)
    assert [date_of(document, word) for word in ("First", "Second")] == ["2024-04-05", "2024-04-03"]
    assert date_of(load(page, "page.html", MONTH_FIRST), "Second") == "2024-03-04"
    assert date_of(load(page, "page.html"), "Second") is None
    assert date_of(load("<p>Text.</p>", "03-04-2024.html", DAY_FIRST), "Text") == date_of(
        load("Text.", "03-04-2024.md", DAY_FIRST), "Text"
    )
