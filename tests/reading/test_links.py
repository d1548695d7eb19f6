from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading import links as placing
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.links import DocumentLinks
from ragnotes.reading.markdown import load_markdown
from ragnotes.types import Chunk, Document, Link, Unit


def chunks_of(source: str) -> list[Chunk]:
    return chunk_document(load_markdown(source.encode(), "note.md"), HashingEmbedder())


def unit_of(source: str, words: str) -> Unit:
    """The shortest unit that holds the words."""
    units = [unit for chunk in chunks_of(source) for unit in chunk.units if words in unit.plain]
    return min(units, key=lambda unit: unit.end - unit.start)


@pytest.mark.parametrize(
    ("source", "links"),
    [
        ("A [fine talk](https://t.org/a) here.", [Link("https://t.org/a", "fine talk")]),
        ('A [talk](<https://t.org/a b> "of 2024") here.', [Link("https://t.org/a b", "talk")]),
        ("A [fine talk][T] here.\n\n[t]: https://t.org/a", [Link("https://t.org/a", "fine talk")]),
        ("A [talk][] here.\n\n[talk]: <https://t.org/a>", [Link("https://t.org/a", "talk")]),
        ("A talk here: <https://t.org/a>.", [Link("https://t.org/a")]),
        ("A talk here: https://t.org/a.", [Link("https://t.org/a")]),
        ("A talk here (www.t.org/a).", [Link("www.t.org/a")]),
        ("A talk here, arxiv.org/abs/2304.01904.", [Link("arxiv.org/abs/2304.01904")]),
        ("A <a href='https://t.org/a'><i>fine</i> talk</a> here.", [Link("https://t.org/a", "fine talk")]),
        ("A talk here.[^1]\n\n[^1]: https://t.org/a", [Link("https://t.org/a")]),
        ("A talk[^n] here.\n\n[^n]: By [Sam](https://t.org/a).", [Link("https://t.org/a", "Sam")]),
        ("- A talk here https://t.org/a\n- Other", [Link("https://t.org/a")]),
        ("| A talk here | [see](https://t.org/a) |\n|---|---|\n| x | y |", []),
        ("| T | L |\n|---|---|\n| A talk here | [see](https://t.org/a) |", [Link("https://t.org/a", "see")]),
        ("A talk here, [[Note]] and [[Note|alias]].", []),
    ],
)
def test_a_unit_knows_the_links_in_it_however_they_are_written(source: str, links: list[Link]) -> None:
    assert list(unit_of(source, "here" if links or "[[" in source else "x").links) == links


@pytest.mark.parametrize(
    ("source", "words", "near"),
    [
        ("Said well. See https://a.org/x for more of it.", "Said well", ["https://a.org/x"]),
        ("Said well.\n\nhttps://a.org/x\n\nNext.", "Said well", ["https://a.org/x"]),
        ("Said well.\n\nSource: [link](https://a.org/x)\n\nNext.", "Said well", ["https://a.org/x"]),
        ("- Said well\n  - https://a.org/x\n  - and more", "and more", ["https://a.org/x"]),
        ("- [Talk](https://a.org/x)\n  - said well\n- [Other](https://b.org)", "said well", ["https://a.org/x"]),
        ("## [Talk](https://a.org/x)\n\nSaid well.", "Said well", ["https://a.org/x"]),
        ("## Talk\n\nhttps://a.org/x\n\nSaid well.\n\n### Part\n\nMore.", "More", ["https://a.org/x"]),
        ("---\nsource: https://a.org/x\n---\nSaid well.", "Said well", ["https://a.org/x"]),
        ("Said well.\n\n[Another paper](https://b.org/y)", "Said well", []),
        ("- Said well\n- [Another](https://b.org/y)\n- https://c.org", "Said well", []),
        ("- Said well\n  - [Another](https://b.org/y)", "Said well", []),
        ("## [Talk](https://a.org/x)\n\nOne.\n\n## Other\n\nSaid well.", "Said well", []),
        ("| T | L |\n|---|---|\n| Said | well |\n| [x](https://b.org) | y |", "Said", []),
        ("Said [well](https://a.org/x).\n\nhttps://b.org/y", "Said", []),
    ],
)
def test_a_unit_without_links_has_those_that_speak_of_the_same_thing(source: str, words: str, near: list[str]) -> None:
    assert [link.url for link in unit_of(source, words).near] == near


def test_of_several_beside_a_unit_the_nearest_comes_first_and_few_are_taken() -> None:
    source = (
        "See https://a.org/1 and go on. Said well. And https://a.org/2 also. More https://a.org/3 or https://a.org/4."
    )
    assert [link.url for link in unit_of(source, "Said well").near] == [f"https://a.org/{n}" for n in (2, 1, 3)]


def test_a_chunk_has_the_links_of_its_text_and_those_near_its_units() -> None:
    source = "# [Talk](https://a.org/x)\n\n" + "Plain words said here.\n\n" * 80 + "See https://b.org/y."
    first, *_, last = chunks_of(source)
    assert first.links == ("https://a.org/x",)
    assert "https://a.org/x" not in last.text
    assert last.links == ("https://b.org/y", "https://a.org/x")


def test_many_links_and_nested_items_take_time_in_proportion_to_their_number() -> None:
    source = "# Top\n\n" + "".join(f"- item {n}\n  - https://a.org/{n}\n  - said {n}\n\n" for n in range(2000))
    document = load_markdown(source.encode(), "note.md")
    started = time.process_time()
    chunks = chunk_document(document, HashingEmbedder())
    assert time.process_time() - started < 20
    assert {link.url for chunk in chunks for unit in chunk.units for link in unit.near} == {
        f"https://a.org/{n}" for n in range(2000)
    }


def test_blocks_that_were_forgotten_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "# Top\n\n" + "".join(f"- item {n}\n  - https://a.org/{n}\n  - said {n}\n\n" for n in range(20))
    expected = chunks_of(source)
    monkeypatch.setattr(placing, "REMEMBERED_BLOCKS", 1)
    assert chunks_of(source) == expected


@pytest.mark.parametrize(
    "build",
    [
        lambda n: "- top\n" + "".join(f"  - said {number}\n" for number in range(2 * n)),
        lambda n: "".join(f"Said {number}. See [it](https://a.org/{number}). " for number in range(n)),
        lambda n: "- " + " ".join(f"https://a.org/{number}" for number in range(n)) + "\n" + "  - said\n" * n,
        lambda n: "# Top\n\n" + "".join(f"https://a.org/{number}\n\n" for number in range(n)) + "Said.\n\n" * n,
    ],
    ids=["children without links", "linked sentences", "an item of links", "links under a heading"],
)
def test_finding_links_takes_linear_time(build: Callable[[int], str]) -> None:
    seconds = []
    for size in (500, 2000):
        document = load_markdown(build(size).encode(), "note.md")
        chunks = chunk_document(document, HashingEmbedder())
        seconds.append(min(_seconds_to_find_links(document, chunks) for _ in range(3)))  # the collector pauses some
    assert seconds[1] < 12 * max(seconds[0], 0.02)  # four times the text; quadratic would be sixteen times


def _seconds_to_find_links(document: Document, chunks: list[Chunk]) -> float:
    started = time.process_time()
    links = DocumentLinks(document)
    for chunk in chunks:
        links.given_to(chunk)
    return time.process_time() - started
