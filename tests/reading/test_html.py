from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.errors import LoadError
from ragnotes.reading.html import load_html
from ragnotes.types import BlockKind, HeadingMark, Kind

from .invariants import check_document


def text_of(source: str) -> str:
    return load_html(source.encode(), "page.html").text


def test_a_page_reads_as_it_shows() -> None:
    page = """<html lang="de"><head><title> The  page </title><style>p {}</style></head><body><nav>menu</nav>
    <h1>Top <em>one</em></h1><p>Hello <b>bold</b> &amp;\n more<br>new line</p><script>x()</script>
    <ul><li>First<ul><li>Inner</ul><li>Second</ul><pre>  a\n    b\n</pre><blockquote>said</blockquote></body></html>"""
    document = load_html(page.encode(), "a/b.html")
    check_document(document)
    assert document.text == (
        "Top one\n\nHello bold & more\nnew line\n\n- First\n  - Inner\n- Second\n\n  a\n    b\n\nsaid"
    )
    assert (document.title, document.titled, document.kind) == ("The page", True, Kind.NOTE)
    assert document.metadata.language == "de"
    assert [block.kind.value for block in document.blocks] == [
        *("heading", "paragraph", "item", "item", "item", "code", "quote")
    ]
    assert [(block.depth, block.lead) for block in document.blocks[2:5]] == [(0, ""), (1, "First"), (0, "")]


def test_headings_make_paths() -> None:
    document = load_html(b"<h1>A</h1><h2>B</h2>x<h3>C</h3><h2>D</h2>", "page.html")
    paths = [mark.path for mark in document.marks if isinstance(mark, HeadingMark)]
    assert paths == [("A",), ("A", "B"), ("A", "B", "C"), ("A", "D")]
    assert (document.title, document.titled) == ("A", True)


def test_a_page_without_title_or_heading_is_called_by_its_name() -> None:
    document = load_html(b"<p>x", "notes/page.html")
    assert (document.title, document.titled) == ("page", False)


def test_table_rows_know_their_header() -> None:
    document = load_html(b"<table><tr><th>A<th>B<tr><td>1<td><p>2</p><tr><td><td></table>", "page.html")
    assert document.text == "A | B\n1 | 2"
    assert [(block.kind, block.lead) for block in document.blocks] == [(BlockKind.ROW, ""), (BlockKind.ROW, "A | B")]


def test_a_layout_table_is_read_as_its_parts() -> None:
    assert text_of("<table><tr><td><h3>Head</h3><p>text</p></td><td>aside</td></tr></table>") == "Head\n\ntext\n\naside"


def test_only_addresses_of_web_and_mail_are_kept() -> None:
    source = (
        '<div><a href="https://x.y/a_(b)">one  two</a> <a href="javascript:z()">js</a> <a href="/rel">rel</a> '
        '<a href="mailto:a@b.c">mail</a> <a href="http://w"><div>block</div></a>'
    )
    assert text_of(source) == "[one two](https://x.y/a_%28b%29) js rel [mail](mailto:a@b.c)\n\nblock"


def test_a_link_in_a_heading_stays_out_of_its_path() -> None:
    document = load_html(b'<h2><a href="http://w">Linked</a> title</h2>', "page.html")
    assert document.text == "[Linked](http://w) title"
    assert document.marks == (HeadingMark(0, ("Linked title",)),)


def test_hidden_parts_and_form_controls_are_left_out() -> None:
    assert text_of("<p hidden>no</p><select><option>no</select><button>no</button><p>yes") == "yes"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<meta charset="iso-8859-1"><p>caf\u00e9 \u20ac'.encode("cp1252"), "caf\u00e9 \u20ac"),
        ('<meta charset="shift_jis"><p>日本'.encode("shift_jis"), "日本"),
        ('<meta charset="iso-8859-1"><p>été'.encode(), "été"),
        ("<p>été".encode("utf-16"), "été"),
        ('<meta charset="no-such"><p>déjà vu'.encode("cp1252"), "déjà vu"),
    ],
)
def test_the_encoding_is_that_of_the_bytes_or_of_the_page(content: bytes, text: str) -> None:
    assert load_html(content, "page.html").text == text


def test_nesting_without_end_is_refused_in_no_time() -> None:
    began = time.monotonic()
    with pytest.raises(LoadError) as caught:
        load_html(b"<div>" * 200_000, "page.html")
    assert caught.value.reason == "too_deep"
    assert time.monotonic() - began < 5
    check_document(load_html(b"<table><tr><td>" * 2_000 + b"x", "page.html"))


def test_less_than_signs_in_scripts_do_not_count_as_nesting() -> None:
    source = "<script>" + "if (a<b) c();" * 5_000 + "</script><p>text"
    assert text_of(source) == "text"


PIECES = (
    *("<p>", "</p>", "<li>", "</li>", "<ul>", "</ul>", "<ol>", "<table>", "</table>", "<tr>", "</tr>", "<td>", "<th>"),
    *("<pre>", "</pre>", "<h1>", "</h1>", "<h3>", "<blockquote>", "</blockquote>", "<a href='http://x'>", "</a>"),
    *("<br>", "<b>", "</b>", "<div>", "</div>", "<!-- ", " -->", "<title>", "</title>", "<dl><dt>", "<caption>"),
    *("word", " ", "\n", "&nbsp;", "&#1;", "&#xD800;", "|", "é", "\u2028", "<", "<script>", "</script>", "<template>"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_page_keeps_the_invariants(pieces: list[str]) -> None:
    check_document(load_html("".join(pieces).encode(), "page.html"))


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_bytes_give_a_document_or_a_load_error(content: str | bytes) -> None:
    raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
    try:
        document = load_html(raw, "page.html")
    except LoadError as error:
        assert error.reason in ("undecodable", "too_deep")
    else:
        check_document(document)
