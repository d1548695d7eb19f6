"""Dates in front matter, file names, headings, items and questions: read where told, None where not."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.dates import (
    DatedLine,
    DayMonthOrder,
    date_marks,
    date_of_heading,
    date_of_item,
    date_of_path,
    date_of_value,
    infer_day_month_order,
    mentioned_dates,
    numeric_pairs,
)
from ragnotes.types import DateMark, DateRange

SEED_NOTES = Path(__file__).parents[1].parent / "shared" / "eval" / "seed-notes" / "notes"
DAY_FIRST, MONTH_FIRST = DayMonthOrder.DAY_FIRST, DayMonthOrder.MONTH_FIRST
MAY_2024 = "2024-05-01/2024-05-31"
YEAR_2023 = "2023-01-01/2023-12-31"


def iso(found: DateRange | None) -> str | None:
    return None if found is None else str(found)


def scan_lines(text: str) -> list[DatedLine]:
    """The headings and list items of simple Markdown; an item ends before the next line not indented deeper."""
    starts = [(match.start(), match[0]) for match in re.finditer(r".+", text)]
    lines = []
    for i, (start, line) in enumerate(starts):
        if heading := re.match(r"(#{1,6}) ", line):
            lines.append(DatedLine(start, start + len(line), len(heading[1]), 0, line))
        elif item := re.match(r"([ \t]*)[*-] ", line):
            width = len(item[1])
            after = (at for at, other in starts[i + 1 :] if len(other) - len(other.lstrip()) <= width)
            lines.append(DatedLine(start, next(after, len(text)), None, width, line.strip()))
    return lines


def marks_of(text: str, base: DateRange | None = None) -> list[tuple[str, str | None]]:
    """Each mark as the first line of the text that it covers, and its date."""
    return [
        (text[mark.start :].lstrip("\n").partition("\n")[0].strip(), iso(mark.date))
        for mark in date_marks(scan_lines(text), base=base, text=text)
    ]


def date_at(marks: tuple[DateMark, ...], offset: int) -> str | None:
    held = [mark.date for mark in marks if mark.start <= offset]
    return iso(held[-1]) if held else None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2015, 6, 11), "2015-06-11"),
        (datetime(2015, 6, 11, 23, 30, tzinfo=UTC), "2015-06-11"),
        ("2015-06-11", "2015-06-11"),
        (" 2015-06-11 ", "2015-06-11"),
        ("2015-06-11 10:00:00 -0500", "2015-06-11"),
        ("2015-06-11 10:00:00 -5", "2015-06-11"),
        ("2014-03-12T10:11:00-04:00", "2014-03-12"),
        ("2014-03-12T10:11:00.123Z", "2014-03-12"),
        ("June 11, 2015", "2015-06-11"),
        ("11 June 2015", "2015-06-11"),
        ("2015/06/11", "2015-06-11"),
        ("Thu, 11 Jun 2015 10:00:00 GMT", "2015-06-11"),
        ("[[2015-06-11]]", "2015-06-11"),
        ("2024-05", MAY_2024),
        ("Mayo de 2024", MAY_2024),
        ("2023", YEAR_2023),
        (2023, YEAR_2023),
        (20240514, "2024-05-14"),
        ("20240514", "2024-05-14"),
        ("2024-05-01/2024-05-31", MAY_2024),
        ("13/04/2023", "2023-04-13"),
        ("03/04/2023", None),
        ("2024-05-31/2024-05-01", None),
        ("2023-02-30", None),
        ("2023-13", None),
        ("soon", None),
        ("2023 papers", None),
        ("", None),
        (None, None),
        (True, None),
        (-5, None),
        (1700000000, None),
        (20.23, None),
        ([2023], None),
    ],
)
def test_front_matter_value_gives_its_days(value: object, expected: str | None) -> None:
    assert iso(date_of_value(value)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("2024-05-14.md", "2024-05-14"),
        ("2015-06-11-slug.md", "2015-06-11"),
        ("_posts/2014-03-21-29-minutes.md", "2014-03-21"),
        ("2024-12-5-18f-project-defaults.md", "2024-12-05"),
        ("20240514 note.md", "2024-05-14"),
        ("202405141230 zettel.md", "2024-05-14"),
        ("2024_05_14.md", "2024-05-14"),
        ("31.03.2023.md", "2023-03-31"),
        ("14 May 2024.md", "2024-05-14"),
        ("14-may-2024-standup.md", "2024-05-14"),
        ("Standup 2024-05-14.md", "2024-05-14"),
        ("standup-2024-05-14.md", "2024-05-14"),
        ("Ma\u0308rz 2024.md", "2024-03-01/2024-03-31"),
        ("May 2024.md", MAY_2024),
        ("2024-05.md", MAY_2024),
        ("2024-05-notes.md", MAY_2024),
        ("2024-W20.md", "2024-05-13/2024-05-19"),
        ("2024-W20-review.md", "2024-05-13/2024-05-19"),
        ("log-2024.md", "2024-01-01/2024-12-31"),
        ("2024 journal.md", "2024-01-01/2024-12-31"),
        ("2023.md", YEAR_2023),
        ("journal/2024/05/14.md", "2024-05-14"),
        ("journal/2024/05-May/14.md", "2024-05-14"),
        ("journal/2024/May/ideas.md", MAY_2024),
        ("journal/2024-05/14.md", "2024-05-14"),
        ("2024/05/3-ways-to-rest.md", MAY_2024),
        ("2024/05/31.md", "2024-05-31"),
        ("2024/02/31.md", "2024-02-01/2024-02-29"),
        ("2024/ideas.md", "2024-01-01/2024-12-31"),
        ("2024-05-14 offsite/notes.md", "2024-05-14"),
        ("2022/2024-05-14.md", "2024-05-14"),
        ("arxiv-2305.13048.md", None),
        ("2012.12877.pdf", None),
        ("gpt-2023-x.md", None),
        ("gpt-4-turbo-2024-04-09.md", None),
        ("claude-3-20240229.md", None),
        ("v1.2.3", None),
        ("paper-2017.md", None),
        ("20241399.md", None),
        ("chapter/05/14.md", None),
        ("notes.md", None),
        ("", None),
    ],
)
def test_path_gives_the_days_of_its_name(path: str, expected: str | None) -> None:
    assert iso(date_of_path(path)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31 March 2023", "2023-03-31"),
        ("## 01 May 2023", "2023-05-01"),
        ("March 31, 2023", "2023-03-31"),
        ("March 31st 2023", "2023-03-31"),
        ("Tuesday, March 31st, 2023", "2023-03-31"),
        ("31st of March 2023", "2023-03-31"),
        ("2023-03-31", "2023-03-31"),
        ("2023-03-31 Tuesday", "2023-03-31"),
        ("2023-03-31 (Fri)", "2023-03-31"),
        ("2023-03-31: standup", "2023-03-31"),
        ("**2023-03-31** Standup", "2023-03-31"),
        ("[[2023-03-31]]", "2023-03-31"),
        ("[[March 31st, 2023]]", "2023-03-31"),
        ("<2023-03-31 Fri>", "2023-03-31"),
        ("31.03.2023", "2023-03-31"),
        ("3/31/2023", "2023-03-31"),
        ("31-Mar-2023", "2023-03-31"),
        ("2. Mai 2024", "2024-05-02"),
        ("Donnerstag, den 2. Mai 2024", "2024-05-02"),
        ("3. März 2024", "2024-03-03"),
        ("14 de marzo de 2023", "2023-03-14"),
        ("Martes, 14 de marzo de 2023", "2023-03-14"),
        ("1º de enero del 2024", "2024-01-01"),
        ("Reunión del 14 de marzo de 2023", "2023-03-14"),
        ("3–5 March 2024", "2024-03-03/2024-03-05"),
        ("Week of 3 June 2024", "2024-06-03/2024-06-09"),
        ("Woche vom 3. Juni 2024", "2024-06-03/2024-06-09"),
        ("2024-W20", "2024-05-13/2024-05-19"),
        ("## 2023 Log", YEAR_2023),
        ("Work log 2023", YEAR_2023),
        ("2023", YEAR_2023),
        ("Tagebuch 2023", YEAR_2023),
        ("June 2023", "2023-06-01/2023-06-30"),
        ("June 2023 – reading", "2023-06-01/2023-06-30"),
        ("Journal, June 2023", "2023-06-01/2023-06-30"),
        ("Juni 2023", "2023-06-01/2023-06-30"),
        ("junio de 2023", "2023-06-01/2023-06-30"),
        ("Created [this page](/startups) for notes (March 15, 2023)", "2023-03-15"),
        ("Standup 2023-03-15", "2023-03-15"),
        ("Standup – 15 March 2023, 10:00", "2023-03-15"),
        ("30 April", None),
        ("03/04/2023", None),
        ("31 February 2023", None),
        ("The age of 2023 models", None),
        ("Models of 2023", None),
        ("Papers of June 2023", None),
        ("June 2023 papers", None),
        ("Top 10 papers", None),
        ("GPT-4", None),
        ("gpt-4-2023-03-14", None),
        ("arXiv 2305.13048", None),
        ("Section 3.2", None),
        ("2.5. Results", None),
        ("1.5 billion", None),
        ("May", None),
        ("March of the penguins", None),
        ("", None),
    ],
)
def test_heading_with_its_year_written(text: str, expected: str | None) -> None:
    assert iso(date_of_heading(text, year=None, order=None)) == expected


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("30 April", None, "2023-04-30"),
        ("April 30", None, "2023-04-30"),
        ("Sunday, 30 April", None, "2023-04-30"),
        ("30. April", None, "2023-04-30"),
        ("30 de abril", None, "2023-04-30"),
        ("Standup – 30 April", None, "2023-04-30"),
        ("April", None, "2023-04-01/2023-04-30"),
        ("Mai", None, MAY_2024.replace("2024", "2023")),
        ("3/20", None, "2023-03-20"),
        ("3/20", MONTH_FIRST, "2023-03-20"),
        ("3/20", DAY_FIRST, None),
        ("3/4", None, None),
        ("3/4", MONTH_FIRST, "2023-03-04"),
        ("3/4", DAY_FIRST, "2023-04-03"),
        ("31.03.", None, "2023-03-31"),
        ("12 February 2021", None, "2021-02-12"),
        ("29 February", None, None),
        ("Exercise 3/4", MONTH_FIRST, None),
        ("Only 3 May remain", None, None),
        ("2.5. Results", None, None),
        ("Top 10 papers", MONTH_FIRST, None),
        ("1.5 billion", DAY_FIRST, None),
    ],
)
def test_heading_takes_its_year_from_2023_around(text: str, order: DayMonthOrder | None, expected: str | None) -> None:
    assert iso(date_of_heading(text, year=2023, order=order)) == expected


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2/09 - Got stable diffusion working", MONTH_FIRST, "2023-02-09"),
        ("2/09 - Got stable diffusion working", DAY_FIRST, "2023-09-02"),
        ("2/09 - Got stable diffusion working", None, None),
        ("3/06 William J. Mitchell", MONTH_FIRST, "2023-03-06"),
        ("3/12 Success! dali etc", MONTH_FIRST, "2023-03-12"),
        ("2/13 - more GBC on autoencoders", None, "2023-02-13"),
        ("7/27 [article by Lucas](https://example.org)", MONTH_FIRST, "2023-07-27"),
        ("5/27/2022 casual listing", None, "2022-05-27"),
        ("3/4/2022 casual listing", None, None),
        ("3/4/2022 casual listing", DAY_FIRST, "2022-04-03"),
        ("__Jan 12__ text", None, "2023-01-12"),
        ("5/27/22 casual listing", None, "2022-05-27"),
        ("**2024-01-03**: text", None, "2024-01-03"),
        ("**2024-01-03:** text", None, "2024-01-03"),
        ("- 12 Jan: text", None, "2023-01-12"),
        ("12. Jan. – Text", None, "2023-01-12"),
        ("12 ene – texto", None, "2023-01-12"),
        ("[2024-01-03] text", None, "2024-01-03"),
        ("[2024-01-03 Wed 10:30] text", None, "2024-01-03"),
        ("[[2024-01-03]] text", None, "2024-01-03"),
        ("[x] 2024-01-03 text", None, "2024-01-03"),
        ("2024-01-03T10:00 text", None, "2024-01-03"),
        ("2024-01-03", None, "2024-01-03"),
        ("Jan 12 – text", None, "2023-01-12"),
        ("Jan 12, 2024 text", None, "2024-01-12"),
        ("Jan 12 - 3 papers read", None, "2023-01-12"),
        ("2. Mai 2024: Text", None, "2024-05-02"),
        ("24.12. Bescherung", None, "2023-12-24"),
        ("June 2022: moved house", None, "2022-06-01/2022-06-30"),
        ("24/7 - a day in July", DAY_FIRST, "2023-07-24"),
        ("24/7 support", None, None),
        ("24/7 support", DAY_FIRST, None),
        ("16/9 screens", None, None),
        ("8/32 MOE auxiliary-loss-free strategy", MONTH_FIRST, None),
        ("1/2 cup of flour", MONTH_FIRST, None),
        ("3/4 of the team", MONTH_FIRST, None),
        ("3/4 de taza", DAY_FIRST, None),
        ("9/10 would read again", MONTH_FIRST, None),
        ("3/20", MONTH_FIRST, None),
        ("1/2/3 go", MONTH_FIRST, None),
        ("2.5 Flash", DAY_FIRST, None),
        ("1.2.3 released", DAY_FIRST, None),
        ("1 may be enough", None, None),
        ("July 2023 Bret Victor update", None, None),
        ("[July 2023 Bret Victor update](https://example.org)", None, None),
        ("[2023-03-15 prompt engineering](https://example.org)", None, None),
        ("2023 MAD landscape", None, None),
        ("2305.13048 is RWKV", None, None),
        ("Read on 2024-01-03", None, None),
        ("10 Juniper trees", None, None),
        ("", None, None),
    ],
)
def test_item_gives_its_own_leading_date(text: str, order: DayMonthOrder | None, expected: str | None) -> None:
    assert iso(date_of_item(text, year=2023, order=order)) == expected


def test_item_without_a_known_year_has_no_date() -> None:
    assert date_of_item("2/13 - more GBC", year=None, order=MONTH_FIRST) is None
    assert date_of_item("Jan 12 – text", year=None, order=None) is None


def test_numeric_pairs_stand_at_starts_of_lines_items_and_headings() -> None:
    text = "## 3/20\n* 2/09 - Got\n  - **2/12** x\n1. 5/27/2023 y\n24/7 z\n1/2 cup\nin 4/5 cases\n31-03-2023 w\n3/06\n"
    assert numeric_pairs(text) == [(3, 20), (2, 9), (2, 12), (5, 27), (31, 3), (3, 6)]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([(2, 9), (2, 12), (2, 13)], MONTH_FIRST),
        ([(9, 2), (13, 2)], DAY_FIRST),
        ([(2, 13), (13, 2)], None),
        ([(8, 32), (2, 13)], MONTH_FIRST),
        ([(2, 9), (2, 12)], None),
        ([(1, 5), (2, 4), (3, 1), (4, 12), (5, 2)], MONTH_FIRST),
        ([(5, 1), (4, 2), (1, 3), (12, 4), (2, 5)], DAY_FIRST),
        ([(5, 2), (4, 12), (3, 1), (2, 4), (1, 5)], MONTH_FIRST),
        ([(11, 3), (12, 1), (1, 5), (2, 4), (3, 1)], MONTH_FIRST),
        ([(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)], None),
        ([(8, 32)], None),
        ([], None),
    ],
)
def test_order_is_settled_by_the_samples_or_not_at_all(
    samples: list[tuple[int, int]], expected: DayMonthOrder | None
) -> None:
    assert infer_day_month_order(samples) == expected


def test_year_heading_gives_the_year_and_items_end_where_they_end() -> None:
    text = "intro\n## 2023 Log\n* 2/09 - a\n* 2/13 - b\n\t* nested\n* plain\n## Other\ntext\n"
    assert marks_of(text) == [
        ("## 2023 Log", YEAR_2023),
        ("* 2/09 - a", "2023-02-09"),
        ("* 2/13 - b", "2023-02-13"),
        ("* plain", YEAR_2023),
        ("## Other", None),
    ]


def test_nested_dated_item_ends_inside_its_parent() -> None:
    text = "## 20 September 2023\n* first\n\t* 7/27 nested\n\t* plain\n* 9/19 second\n\t* 8/01 inner\n* third\n"
    assert marks_of(text) == [
        ("## 20 September 2023", "2023-09-20"),
        ("* 7/27 nested", "2023-07-27"),
        ("* plain", "2023-09-20"),
        ("* 9/19 second", "2023-09-19"),
        ("* 8/01 inner", "2023-08-01"),
        ("* third", "2023-09-20"),
    ]


def test_heading_holds_until_one_of_its_level_or_above() -> None:
    text = "# 2023\n## April\n### 3 April\n#### Ideas\nx\n### 30 March\n## Notes\n# End\n"
    assert marks_of(text) == [
        ("# 2023", YEAR_2023),
        ("## April", "2023-04-01/2023-04-30"),
        ("### 3 April", "2023-04-03"),
        ("### 30 March", "2023-03-30"),
        ("## Notes", YEAR_2023),
        ("# End", None),
    ]


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (["28 April 2023", "30 April"], ["2023-04-28", "2023-04-30"]),
        (["28 Dec 2023", "30 Dec", "2 Jan", "5 Jan"], ["2023-12-28", "2023-12-30", "2024-01-02", "2024-01-05"]),
        (["5 Jan 2024", "2 Jan", "30 Dec", "28 Dec"], ["2024-01-05", "2024-01-02", "2023-12-30", "2023-12-28"]),
        (["1 Oct 2023", "5 Nov", "3 June"], ["2023-10-01", "2023-11-05", "2024-06-03"]),
        (["3 March 2023", "4 March", "2 March"], ["2023-03-03", "2023-03-04", "2023-03-02"]),
        (["30 April"], []),
    ],
)
def test_heading_without_year_follows_the_dates_before_it(headings: list[str], expected: list[str]) -> None:
    text = "".join(f"## {heading}\ntext\n" for heading in headings)
    assert [each for _, each in marks_of(text)] == expected


def test_base_date_holds_where_no_other_does_and_gives_the_year() -> None:
    base = DateRange.parse("2024-01-02")
    text = "intro\n## 30 December\nx\n## 5 November\ny\n## Ideas\n"
    assert marks_of(text, base) == [
        ("intro", "2024-01-02"),
        ("## 30 December", "2023-12-30"),
        ("## 5 November", "2023-11-05"),
        ("## Ideas", "2024-01-02"),
    ]


def test_numbers_stay_undated_where_the_file_settles_no_order() -> None:
    text = "# 2023\n* 2/09 - a\n* 2/12 - b\n"
    assert marks_of(text) == [("# 2023", YEAR_2023)]


def test_no_lines_give_no_marks_but_the_base() -> None:
    assert date_marks([], base=None, text="text") == ()
    assert date_marks([], base=DateRange.parse("2023-05-01"), text="text") == (
        DateMark(0, DateRange(date(2023, 5, 1), date(2023, 5, 1))),
    )


def test_seed_log_is_dated_entry_by_entry() -> None:
    path = SEED_NOTES / "gen-ai.md"
    if not path.exists():
        pytest.skip("the seed notes are not here")
    text = path.read_text(encoding="utf-8-sig")
    marks = date_marks(scan_lines(text), base=None, text=text)
    for quote, expected in (
        ("2/09 - Got stable diffusion", "2023-02-09"),
        ("3/06 William J. Mitchell", "2023-03-06"),
        ("for business notes on Generative AI (March", "2023-03-15"),
        ("3/20 Created [new page]", "2023-03-20"),
        ("A Brief History of LLaMA", "2023-04-30"),
        ("5/27/2023 casual", "2023-05-27"),
        ("Comment by [Jeremy Howard}", "2023-07-27"),
        ("8/01 [article by Ollama]", "2023-08-01"),
        ("July 2023 Bret Victor", "2023-07-05"),
        ("Summarization is the Killer Use Case", "2024-01-07"),
    ):
        assert (quote, date_at(marks, text.index(quote))) == (quote, expected)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What did I read about on 22 May 2023?", "2023-05-22"),
        ("What did I note on May 22nd, 2023?", "2023-05-22"),
        ("What did I write on 2024-01-07?", "2024-01-07"),
        ("What was on 5/27/2023?", "2023-05-27"),
        ("Which papers did I note in June 2023?", "2023-06-01/2023-06-30"),
        ("Which papers between 1 and 15 January 2024?", "2024-01-01/2024-01-15"),
        ("Which papers between January 1 and 15, 2024?", "2024-01-01/2024-01-15"),
        ("What happened from 3 to 5 March 2024?", "2024-03-03/2024-03-05"),
        ("between 28 May and 3 June 2023", "2023-05-28/2023-06-03"),
        ("from 20 December to 5 January 2024", "2023-12-20/2024-01-05"),
        ("between May and July 2023", "2023-05-01/2023-07-31"),
        ("between 1 May 2022 and 3 June 2023", "2022-05-01/2023-06-03"),
        ("What did I learn in 2023?", YEAR_2023),
        ("between 2021 and 2023", "2021-01-01/2023-12-31"),
        ("What since 2023?", "2023-01-01/2024-05-15"),
        ("What since 7 May 2024?", "2024-05-07/2024-05-15"),
        ("What after 7 May 2024?", "2024-05-08/2024-05-15"),
        ("What before 2023-05-22?", "0001-01-01/2023-05-21"),
        ("What until May 2023?", "0001-01-01/2023-05-31"),
        ("¿Qué leí el 14 de marzo de 2023?", "2023-03-14"),
        ("¿Qué leí del 14 de marzo al 3 de abril de 2023?", "2023-03-14/2023-04-03"),
        ("¿Qué leí en 2023?", YEAR_2023),
        ("¿Qué leí la semana pasada?", "2024-05-06/2024-05-12"),
        ("Was habe ich am 2. Mai 2024 gelesen?", "2024-05-02"),
        ("Was habe ich letzten Monat gelesen?", "2024-04-01/2024-04-30"),
        ("Was schrieb ich im Jahr 2023?", YEAR_2023),
        ("What did I read last week?", "2024-05-06/2024-05-12"),
        ("What did I read yesterday?", "2024-05-14"),
        ("What did I read last month?", "2024-04-01/2024-04-30"),
        ("What did I read last year?", YEAR_2023),
        ("What did I read this week?", "2024-05-13/2024-05-19"),
        ("What did I read in the last 10 days?", "2024-05-05/2024-05-15"),
        ("What did I read today?", "2024-05-15"),
        ("What did I read the day before yesterday?", "2024-05-13"),
        ("What did I write this month?", MAY_2024),
        ("What did I read in the past 2 months?", "2024-03-15/2024-05-15"),
        ("¿Qué leí ayer?", "2024-05-14"),
        ("¿Qué leí el año pasado?", YEAR_2023),
        ("¿Qué leí este mes?", MAY_2024),
        ("Was habe ich letzte Woche gelesen?", "2024-05-06/2024-05-12"),
        ("Was habe ich zwischen dem 3. und 5. März 2024 gelesen?", "2024-03-03/2024-03-05"),
        ("Did May 2023 come before 3 June 2023?", "2023-05-01/2023-06-02"),
        ("between 2023 and 2021", None),
        ("What can language models do today?", None),
        ("What are the best 2023 models?", None),
        ("What did I note on 22 May?", "2023-05-22"),
        ("What is in 2024-01-07.md?", None),
        ("What is gpt-4-2023-03-14?", None),
        ("What does arXiv 2305.13048 say?", None),
        ("Which is in 2023-x?", None),
        ("What was on 3/4/2023?", None),
        ("What since 7 June 2024?", None),
        ("How may I help?", None),
        ("", None),
    ],
)
def test_question_names_its_days(question: str, expected: str | None) -> None:
    assert iso(mentioned_dates(question, today=date(2024, 5, 15))) == expected


_WORDS = (
    "May mai März enero apr\u0130l augu\u017ft 2023 2024-05-14 31.12. 3/4 13/2 29 Feb 0 99 W53 12:30 - – : ( [ ] [[ ** "
    "# * log of between and to last week since before Tuesday 9999 0001 24/7 1st ٣ \u2028 I today"
)
_TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(_WORDS.split()), max_size=8).map(" ".join))
_YEARS = st.none() | st.integers(1, 9999)
_ORDERS = st.sampled_from([None, *DayMonthOrder])


def assert_reads_back(found: DateRange | None) -> None:
    assert found is None or (found.since <= found.until and DateRange.parse(str(found)) == found)


@given(_TEXTS, _YEARS, _ORDERS, st.dates())
def test_any_text_gives_a_range_or_none(text: str, year: int | None, order: DayMonthOrder | None, today: date) -> None:
    for found in (
        date_of_value(text),
        date_of_path(text),
        date_of_heading(text, year=year, order=order),
        date_of_item(text, year=year, order=order),
        mentioned_dates(text, today=today),
    ):
        assert_reads_back(found)
    infer_day_month_order(numeric_pairs(text))


@given(
    st.dates(), st.sampled_from(["{0:%Y-%m-%d}", "{0.day}.{0.month}.{0:%Y}", "{0:%d %B %Y}", "{0:%b} {0.day}, {0:%Y}"])
)
def test_every_written_day_is_read_back(day: date, form: str) -> None:
    day = day.replace(year=1800 + day.year % 300, day=min(day.day, 28))
    written = form.format(day)
    expected = DateRange(day, day)
    assert date_of_heading(written, year=None, order=None) == expected
    assert date_of_item(f"{written} - text", year=None, order=None) == expected
    assert date_of_value(written) == expected
    assert mentioned_dates(f"What on {written}?", today=day) == expected


_ENTRY = st.sampled_from(
    ["3 May 2023", "30 Dec", "2 Jan", "2/13 a", "2024-01-03 b", "2023", "April", "plain", "1/2 cup"]
)
_NOTE_LINE = st.tuples(st.sampled_from(["# ", "## ", "### ", "* ", "* ", "  * ", ""]), _ENTRY).map("".join)


@given(st.lists(_NOTE_LINE, max_size=20).map("\n".join), st.none() | st.dates().map(lambda day: DateRange(day, day)))
def test_marks_are_sorted_and_each_changes_the_date(text: str, base: DateRange | None) -> None:
    marks = date_marks(scan_lines(text), base=base, text=text)
    assert all(one.start < other.start and one.date != other.date for one, other in pairwise(marks))
    assert all(0 <= mark.start < len(text) for mark in marks)
    assert not base or not text or marks[0].start == 0


@given(st.lists(_NOTE_LINE, max_size=20))
def test_date_of_an_item_never_reaches_past_its_end(noted: list[str]) -> None:
    text = "\n".join(["# 2023", *noted, "# End", "tail"])
    lines = scan_lines(text)
    marks = date_marks(lines, base=None, text=text)
    starts = {line.start for line in lines}
    for line in lines:
        if line.level is None and line.depth == 0 and line.end not in starts:
            before = date_marks([each for each in lines if each.start < line.start], base=None, text=text)
            assert date_at(marks, line.end) == date_at(before, line.end)


@given(
    st.lists(
        st.builds(
            DatedLine, st.integers(0, 60), st.integers(0, 90), st.none() | st.integers(1, 6), st.integers(0, 3), _TEXTS
        )
    )
)
def test_marks_of_any_lines_are_sorted(lines: list[DatedLine]) -> None:
    marks = date_marks(lines, base=None, text="x" * 80)
    assert all(one.start < other.start for one, other in pairwise(marks))


def test_letters_that_only_look_like_those_of_a_month_are_read_and_break_nothing() -> None:
    today = date(2024, 7, 17)
    assert mentioned_dates("what did I read LAST APRİL", today=today) == mentioned_dates(
        "what did I read LAST APRIL", today=today
    )
