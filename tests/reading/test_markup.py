from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.reading.markup import cells_of, link_definitions, mask_links, placed_links, plain_text


def links_of(source: str, definitions: Mapping[str, str] | None = None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(link.url for _, _, link in placed_links(source, definitions)))


@pytest.mark.parametrize(
    ("source", "plain", "links"),
    [
        ("[a](http://x.y)", "a", ("http://x.y",)),
        ('[a](http://x.y "A (title)")', "a", ("http://x.y",)),
        ("[a]( <b c.md> 'T' )", "a", ("b c.md",)),
        ("[a [b] c](http://x.y)", "a [b] c", ("http://x.y",)),
        ("[w](https://w.org/A_(b)_c)", "w", ("https://w.org/A_(b)_c",)),
        (r"[w](https://w.org/A_\(b\))", "w", ("https://w.org/A_(b)",)),
        ("[![alt](i.png)](http://x.y)", "alt", ("http://x.y",)),
        ("![alt](i.png)", "alt", ("i.png",)),
        ("[two\nlines](http://x.y)", "two\nlines", ("http://x.y",)),
        ("[http://x.y](http://x.y)", "x.y", ("http://x.y",)),
        ("[top](#head) [run](javascript:x) [x](data:y)", "top run x", ()),
        ("[t](http://x.y/?a=1&amp;b=2)", "t", ("http://x.y/?a=1&b=2",)),
        ("http://x.y/?a=1&section=2&copy=3", "x.y", ("http://x.y/?a=1&section=2&copy=3",)),
        ("see http://x.y/z. Then", "see x.y. Then", ("http://x.y/z",)),
        ("(https://x.y/f_(g)), <https://h.i>!", "(x.y), h.i!", ("https://x.y/f_(g)", "https://h.i")),
        ("“https://x.y/z” and https://x.y/…", "“x.y” and x.y…", ("https://x.y/z", "https://x.y/")),
        ("见https://x.y/z。然后", "见x.y。然后", ("https://x.y/z",)),
        ("**https://x.y/a_b_c**", "x.y", ("https://x.y/a_b_c",)),
        ("www.a.org/x, HTTPS://WWW.B.org", "a.org, B.org", ("www.a.org/x", "HTTPS://WWW.B.org")),
        ("`curl https://x.y/z`", "curl x.y", ("https://x.y/z",)),
        ("`[a](b)`", "[a](b)", ()),
        (r"\[a](b)", "[a](b)", ()),
        ("<me@x.org>", "me@x.org", ()),
        ('<iframe src="https://x.y/e" title="Talk"></iframe>', "Talk", ("https://x.y/e",)),
        ('<img src="a.png" alt="A cat"/>', "A cat", ("a.png",)),
        ('<a href="https://x.y/z">text</a>', "text", ("https://x.y/z",)),
        ("<a class=b href='/z'><b>the</b> text</a>", "the text", ("/z",)),
        (
            "at arxiv.org/abs/1.2, (x.co.uk/y).",
            "at arxiv.org/abs/1.2, (x.co.uk/y).",
            ("arxiv.org/abs/1.2", "x.co.uk/y"),
        ),
        ("and/or e.g./i.e. x.py/y a.com me@a.com/b", "and/or e.g./i.e. x.py/y a.com me@a.com/b", ()),
        ("[[Page]] and [[Page|alias]]", "Page and alias", ()),
        ("[[Page#Part]] and [[#Part]]", "Page > Part and Part", ()),
        ("![[image.png|200]] ![[image.png|A cat]]", "image.png A cat", ()),
    ],
)
def test_links_shrink_to_their_words_and_keep_their_address(source: str, plain: str, links: tuple[str, ...]) -> None:
    assert (plain_text(source), links_of(source)) == (plain, links)


def test_reference_links_are_resolved_by_the_definitions_of_the_document() -> None:
    source = 'See [the text][Ref], [ref][] and [ref].\n\n[ref]: http://x.y/z "Title"\n[^1]: http://no.definition\n'
    definitions = link_definitions(source)
    assert definitions == {"ref": "http://x.y/z"}
    assert links_of("See [the text][Ref]", definitions) == ("http://x.y/z",)
    assert links_of("or [ref][]", definitions) == ("http://x.y/z",)
    assert links_of("or [ref]", definitions) == ("http://x.y/z",)
    assert links_of("or [other][name] and [x]", definitions) == ()
    assert plain_text("See [the text][Ref] and [ref][].") == "See the text and ref."


def test_a_bracketed_word_before_a_colon_is_no_definition_unless_an_address_follows_alone() -> None:
    assert plain_text("[todo]: buy milk and bread") == "[todo]: buy milk and bread"
    assert plain_text("[ref]: http://x.y 'T'") == "ref"


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("see[^1] it.[^long-name]", "see it."),
        ("[^1]: The note.", "The note."),
        ("> [!note]- Title\n> body", "Title\nbody"),
        ("- [x] done\n- [ ] open\n* [X] Done", "done\nopen\nDone"),
        ("1. one\n2) two\n+ three", "one\ntwo\nthree"),
        ("in the year\n2019. It was", "in the year\n2019. It was"),
        ("> q\n> > r", "q\nr"),
        ("# Head", "Head"),
        ("## Head ##", "Head"),
        ("# C#", "C#"),
        ("#tag stays", "#tag stays"),
        ("Title\n=====", "Title"),
        ("Title\n---", "Title"),
        ("a\n* * *\nb", "a\nb"),
        ("a <!-- hidden\n --> b", "a b"),
        ("{% include a.html %} a {{ page.title }} b {: .lead}", "a b"),
        (r"$\frac{{a}}{b}$", r"$\frac{{a}}{b}$"),
        ("*a* _b_ **c** __d__ ***e*** ~~f~~ ==g==", "a b c d e f g"),
        ("**a *b* c** and *a **b** c*", "a b c and a b c"),
        ("*two\nlines*", "two\nlines"),
        ("snake_case_name 2*3*4 a * b * c", "snake_case_name 2*3*4 a * b * c"),
        ("my__var__name a==b and c==d x === y === z", "my__var__name a==b and c==d x === y === z"),
        ("____ and ____", "____ and ____"),
        (r"a\*b\* \[1:02\] C:\path", r"a*b* [1:02] C:\path"),
        ("`a*b*c` ``x`y`` `**d**` `<b>` `&lt;`", "a*b*c x`y **d** <b> &lt;"),
        ("$x_1 * y_1$ costs $5 and *$6*", "$x_1 * y_1$ costs $5 and $6"),
        ("```py\nx = 1\n```", "x = 1"),
        ("```a``` b", "a b"),
        ("<b>bold</b> a<br/>b 1 < 2 > 0 <3", "bold a b 1 < 2 > 0 <3"),
        ("AT&T &amp; &lt;b&gt; &#39;x&#39; &notit", "AT&T & <b> 'x' &notit"),
        ("Itâ€™s cafÃ©", "It’s café"),
        ("a[i][j] = b", "a[i][j] = b"),
        ("a\u00a0 \t b", "a b"),
        (" \n\n ", ""),
        ("", ""),
    ],
)
def test_markup_goes_and_words_stay(source: str, plain: str) -> None:
    assert plain_text(source) == plain


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| a | **b** |", ["a", "b"]),
        ("a|b", ["a", "b"]),
        ("| | x ||", ["", "x", ""]),
        (r"| a \| b | [c](u) |", ["a | b", "c"]),
        ("|", [""]),
    ],
)
def test_cells_of_a_table_row(row: str, cells: list[str]) -> None:
    assert cells_of(row) == cells


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("See [a. b](http://x.y/z.w). Then", "See xa. b" + "x" * 17 + ". Then"),
        ("At http://x.y/z. Then", "At " + "x" * 12 + ". Then"),
        ("Run `a. b`. Then", "Run " + "x" * 6 + ". Then"),
    ],
)
def test_no_dot_of_an_address_or_code_ends_a_sentence_and_that_of_the_sentence_does(source: str, masked: str) -> None:
    assert mask_links(source) == masked


PIECES = st.sampled_from(
    [
        *(
            "[",
            "]",
            "(",
            ")",
            "[[",
            "]]",
            "![",
            "](",
            "[^1]",
            "`",
            "``",
            "*",
            "**",
            "_",
            "__",
            "~~",
            "==",
            "<",
            ">",
            "|",
        ),
        *(
            "\\",
            "\n",
            "\n\n",
            " ",
            "a",
            "b.",
            "http://x.y",
            "www.",
            "&amp;",
            "$",
            "{{",
            "}}",
            "{%",
            "%}",
            "<!--",
            "-->",
        ),
        *("# ", "- ", "1. ", "> ", "é", "â€™", "\u2028", "\U000f0041", '"', "'", "<img src='x'>", "<br>"),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_read_and_masks_keep_its_length(source: str) -> None:
    assert len(mask_links(source)) == len(source)
    assert all(line.strip() == line != "" for line in plain_text(source).split("\n")) or plain_text(source) == ""
    assert all(links_of(source))
    cells_of(source)


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("A line, as most are: at 3/4 of its way (so far).", "A line, as most are: at 3/4 of its way (so far)."),
        ("two  words\u00a0here \n\n  and\x0bthere", "two words here\nand\nthere"),
        ("cafÃ© au lait", "café au lait"),
        ("WWW.a.org/x it is", "a.org it is"),
        ("first\n2) second\n٣. third", "first\nsecond\nthird"),
        ("first\n:---\n\t+ second", "first\nsecond"),
    ],
)
def test_what_has_hardly_any_marks_is_read_by_the_same_rules(source: str, plain: str) -> None:
    assert plain_text(source) == plain
    assert plain_text(f"{source}\n<!-- x -->") == plain, "with a mark elsewhere all patterns are tried"


HOSTILE = [
    *("[", "](", "[a](", "[[", "![", "[\\", "[^", "[a]: ", "[a][", "[a](<", '[a](b "', "[a](b(", "[a\n"),
    *("*", "**a ", "*a ", "a*", "_a ", "__a", "***a", "==a", "~~a", "`", "` a", "$a", "$$"),
    *("<", "<a", "<!--", "<iframe ", '<img src="', "{{", "{%", "{: ", "\\", "&amp", "â€"),
    *("|", "|-", "> ", "- ", "-", " ", "\t", "\n", "#", "# ", "http://a(", "http://a).", "www."),
    *("<a href=", "<a href='x'>", "href=", "a.", "a-", "a.com/", "a.com"),
]


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_hostile_repeats_take_linear_time(piece: str) -> None:
    source = piece * (20_000 // len(piece)) + "x"
    started = time.process_time()
    plain_text(source)
    links_of(source, {"a": "b"})
    mask_links(source)
    cells_of(source)
    link_definitions(source)
    assert time.process_time() - started < 2.0  # measured: below 0.1 s; quadratic patterns took over 3 s


def test_a_templated_link_keeps_its_text_and_gives_what_it_quotes() -> None:
    source = '[the set]({{ "/2015/standards/" | url }} "18F: a title") and [more]({{ \'/b/\' | url }}).'
    assert plain_text(source) == "the set and more."
    assert links_of(source) == ("/2015/standards/", "/b/")


def test_borders_of_an_environment_go_and_its_name_stays() -> None:
    assert plain_text("\\begin{theorem}[Urysohn's Lemma]\\label{thm}\nLet $X$ be normal.\n\\end{theorem}") == (
        "Urysohn's Lemma\nLet $X$ be normal."
    )
