from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.reading.front_matter import MAX_BYTES, metadata_of, split_front_matter
from ragnotes.types import DateRange, Metadata

DAY = DateRange(date(2024, 1, 7), date(2024, 1, 7))


def test_the_fields_are_read_and_the_body_starts_after_the_closing_line() -> None:
    text = "---\ntitle: Plans\ntags: [a, b]\n---\nBody.\n"
    fields, body_start = split_front_matter(text)
    assert fields == {"title": "Plans", "tags": ["a", "b"]}
    assert text[body_start:] == "Body.\n"


@pytest.mark.parametrize("text", ["---\na: b\n...\nBody", "---  \na: b\n---\t\nBody", "---\na: b\n\n---\nBody"])
def test_ways_to_close_the_block(text: str) -> None:
    fields, body_start = split_front_matter(text)
    assert (fields, text[body_start:]) == ({"a": "b"}, "Body")


@pytest.mark.parametrize("text", ["---\n---\nBody", "---\n\n---\nBody"])
def test_an_empty_block_says_nothing_and_is_no_body(text: str) -> None:
    fields, body_start = split_front_matter(text)
    assert (fields, text[body_start:]) == ({}, "Body")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Body",
        "---",
        "---\nno end: here\n",
        " ---\na: b\n---\n",
        "----\na: b\n----\n",
        "---\njust prose\n---\n",
        "---\n- a\n- b\n---\n",
        "---\n# a comment\n---\n",
        "\n---\na: b\n---\n",
        f"---\na: {'x' * MAX_BYTES}\n---\n",
    ],
)
def test_what_is_no_mapping_stays_in_the_body(text: str) -> None:
    assert split_front_matter(text) == ({}, 0)


@pytest.mark.parametrize(
    ("block", "fields"),
    [
        ("title: Plans: the second part", {"title": "Plans: the second part"}),
        ("title: 'It's'\ntags: [a, b]", {"title": "It's", "tags": "[a, b]"}),
        ("date: 2023-02-31", {"date": "2023-02-31"}),
        ("title: {{title}}", {"title": "{{title}}"}),
        ("title: @home", {"title": "@home"}),
        ("a: &x [b]\nc: *x", {"a": "&x [b]", "c": "*x"}),
        ('a: !!int ""', {"a": "!!int"}),
        ("a: !!python/object:os.system x", {"a": "!!python/object:os.system x"}),
        ("a: 0x" + "f" * 5000, {"a": "0x" + "f" * 5000}),
        (r'title: "\ud83d"', {"title": r"\ud83d"}),
        ("a: " + "[" * 5000, {"a": "[" * 5000}),
    ],
    ids=lambda value: str(value)[:24],
)
def test_where_yaml_fails_the_lines_are_read_as_they_stand(block: str, fields: dict[str, str]) -> None:
    text = f"---\n{block}\n---\nBody"
    found, body_start = split_front_matter(text)
    assert (found, text[body_start:]) == (fields, "Body")


def test_metadata_is_read_from_the_fields_that_notes_use() -> None:
    fields, _ = split_front_matter(
        "---\nTitle: T\nTags: [ai, '#rag', ai]\ncategory: notes\nauthors:\n- Ann\n- Bob\ncreated: 2024-01-07\n"
        "lang: de\nrating: 4\ndone: true\nnested: {a: b}\n---\n"
    )
    assert metadata_of(fields) == Metadata(
        tags=("ai", "rag", "notes"),
        author="Ann, Bob",
        date=DAY,
        language="de",
        extra={"title": "T", "rating": "4", "done": "True"},
    )


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("a, b,, c", ("a", "b", "c")),
        ("machine learning", ("machine learning",)),
        ("#a #b/c", ("a", "b/c")),
        ("[a, b]", ("a", "b")),
        ([1, "two", None, ""], ("1", "two")),
        (None, ()),
        ({"a": 1}, ()),
    ],
)
def test_ways_to_write_tags(value: object, tags: tuple[str, ...]) -> None:
    assert metadata_of({"tags": value}).tags == tags


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ({"date": date(2024, 1, 7)}, DAY),
        ({"date": "2024-01-07"}, DAY),
        ({"date": "someday", "created": "2024-01-07"}, DAY),
        ({"date": True}, None),
        ({"published": None}, None),
    ],
)
def test_the_first_field_that_is_a_date_gives_it(fields: dict[str, object], day: DateRange | None) -> None:
    assert metadata_of(fields).date == day


YAML = st.text(alphabet="ab:-[]{}\"'#&*!|>? \n0129.\\u", max_size=60) | st.text(max_size=40)


@given(YAML)
@settings(deadline=None)
def test_any_block_is_read_and_can_be_stored(block: str) -> None:
    block = block.encode("utf-8", "replace").decode()
    text = f"---\n{block}\n---\nBody"
    fields, body_start = split_front_matter(text)
    assert 0 <= body_start <= len(text)
    assert body_start == 0 or text[:body_start].rstrip().endswith(("---", "..."))
    repr(metadata_of(fields)).encode()
