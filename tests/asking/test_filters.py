"""Filters on search and answers: what passes is what brute force lets pass, and speakers are held to the sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.answers import Answer, Filters, Unmatched
from ragnotes.asking.answering import Asker, Request
from ragnotes.events import Final
from ragnotes.service.limits import MAX_VALUES
from ragnotes.stores.local import LocalStore
from ragnotes.types import Chunk, DateRange, Document, Kind
from tests.asking.stage import asker_over, index_notes

TALK = (
    "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ana Müller>The price of the cards will rise.</v>\n\n"
    "00:04.000 --> 00:08.000\n<v Bob>No, the price of the cards will fall soon.</v>\n\n"
    "00:08.000 --> 00:12.000\n<v Ana Müller>We keep the pricing of last year.</v>\n"
)
NOTES = {
    "journal/2024-01-07.md": "---\ntags: [Diary]\n---\n# Sunday\n\nRead about cards and prices.\n",
    "journal/2024-03-09.md": "# Saturday\n\nBought cards. #diary #money/spent\n",
    "journal/old/2023-05-01.md": "# May\n\nThe first of the cards. #project/x\n",
    "work/plan.md": "---\ntags: 'project/x/y, money'\n---\n# Plan\n\nThe price list of the cards.\n",
    "work/ideas.txt": "Ideas\n\nSell cards to friends #Project\n",
    "work/talk.vtt": TALK,
    "work/other.vtt": "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ágnes>The cards of other people.</v>\n",
    "Cards.md": "# Cards\n\nCards are sold in packs of ten.\n",
}
TAGS: dict[str, Callable[[set[str]], bool]] = {
    "#diary": lambda tags: "diary" in tags,
    "Diary": lambda tags: "diary" in tags,
    "project": lambda tags: bool(tags & {"project", "project/x", "project/x/y"}),
    "project/x": lambda tags: bool(tags & {"project/x", "project/x/y"}),
    "money/": lambda tags: bool(tags & {"money", "money/spent"}),
    "proj": lambda tags: False,
}
PATHS: dict[str, Callable[[str], bool]] = {
    "journal": lambda path: path.startswith("journal/"),
    "journal/*": lambda path: path.startswith("journal/"),
    "journal/old/": lambda path: path.startswith("journal/old/"),
    "**/*.vtt": lambda path: path.endswith(".vtt"),
    "**/Cards.md": lambda path: path == "Cards.md",
    "cards.md": lambda path: False,
    "*2024*": lambda path: "2024" in path,
}
SPEAKERS: dict[str, Callable[[str], bool]] = {
    "ana": lambda names: "Ana Müller" in names,
    "MULLER": lambda names: "Ana Müller" in names,
    "agnes": lambda names: "Ágnes" in names,
    "b": lambda names: "Bob" in names,
    "Zoe": lambda names: False,
}
DAYS = st.none() | st.sampled_from([date(2023, 5, 1), date(2024, 1, 7), date(2024, 2, 1), date(2024, 3, 9)])


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = tmp_path_factory.mktemp("filtered")
    store = index_notes(folder, NOTES)
    yield asker_over(store, folder)
    store.close()


def some(values: dict[str, Callable[..., bool]]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(sorted(values)), max_size=2, unique=True).map(tuple)


FILTERS = st.builds(
    Filters,
    since=DAYS,
    until=DAYS,
    tags=some(TAGS),
    paths=some(PATHS),
    kinds=st.lists(st.sampled_from([Kind.NOTE, Kind.TRANSCRIPT]), max_size=2, unique=True).map(tuple),
    speakers=some(SPEAKERS),
)


def passes(filters: Filters, document: Document, chunk: Chunk) -> bool:
    tags, days = {tag.lower() for tag in document.metadata.tags}, chunk.place.date
    return all(
        (
            not filters.tags or any(TAGS[tag](tags) for tag in filters.tags),
            not filters.paths or any(PATHS[path](document.path) for path in filters.paths),
            not filters.kinds or document.kind in filters.kinds,
            not filters.speakers or any(SPEAKERS[name](chunk.place.speaker or "") for name in filters.speakers),
            not filters.since or (days is not None and days.until >= filters.since),
            not filters.until or (days is not None and days.since <= filters.until),
        )
    )


@given(FILTERS, st.sampled_from(["price of the cards", "zebra", "Who sold cards?"]))
@settings(max_examples=150, deadline=None)
def test_a_filtered_search_gives_what_passes_of_an_unlimited_one(asker: Asker, filters: Filters, query: str) -> None:
    everything = asker.search(query, limit=1000).hits
    found = asker.search(query, filters=filters, limit=1000)
    with asker.store.reading() as snapshot:
        documents = {source.doc_id: snapshot.document(source.doc_id) for source in snapshot.documents()}
        assert len(everything) == snapshot.count()
    expected = {
        hit.chunk.chunk_id
        for hit in everything
        if (document := documents[hit.source.doc_id]) and passes(filters, document, hit.chunk)
    }
    assert {hit.chunk.chunk_id for hit in found.hits} == expected
    assert [hit.rank for hit in found.hits] == list(range(1, len(expected) + 1))


def answer_of(asker: Asker, question: str, filters: Filters) -> Answer:
    *_, last = asker.ask(Request(question, filters=filters, llm=False))
    assert isinstance(last, Final)
    return last.answer


@pytest.mark.parametrize(
    ("speaker", "quotes"),
    [
        ("müller", {"The price of the cards will rise.", "We keep the pricing of last year."}),
        ("BOB", {"No, the price of the cards will fall soon."}),
    ],
)
def test_with_a_filter_on_speakers_every_quoted_sentence_is_theirs(
    asker: Asker, speaker: str, quotes: set[str]
) -> None:
    answer = answer_of(asker, "Will the price of the cards rise or fall?", Filters(speakers=(speaker,)))
    assert answer.passages[0].chunk.place.speaker == "Ana Müller, Bob"
    assert {citation.quote for citation in answer.citations} <= quotes
    assert {citation.place.speaker for citation in answer.citations} == {"Bob" if speaker == "BOB" else "Ana Müller"}


@pytest.mark.parametrize("name", ["Ana", "Bob"])
def test_a_speaker_whom_the_question_names_is_quoted_first(asker: Asker, name: str) -> None:
    answer = answer_of(asker, f"What did {name} say about the price of the cards?", Filters())
    assert (answer.citations[0].place.speaker or "").startswith(name)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(tags=("dairy",)), (Unmatched("tags", "dairy", ("diary",)),)),
        (Filters(speakers=("Anna", "Bob")), ()),
        (Filters(speakers=("Anne Muller",)), (Unmatched("speakers", "Anne Muller", ("Ana Müller",)),)),
        (Filters(paths=("jurnal",)), (Unmatched("paths", "jurnal", ("journal",)),)),
        (Filters(kinds=(Kind.PAPER,)), (Unmatched("kinds", "paper", ("note", "transcript")),)),
        (Filters(since=date(2025, 1, 1)), (Unmatched("since", "2025-01-01", ("2024-03-09",)),)),
        (Filters(until=date(2020, 1, 1)), (Unmatched("until", "2020-01-01", ("2023-05-01",)),)),
        (Filters(tags=("project",), speakers=("Bob",)), ()),
        (Filters(tags=("diary",), paths=("wrk",)), (Unmatched("paths", "wrk", ("work", "work/plan.md")),)),
    ],
)
def test_a_filter_that_lets_nothing_through_is_named_with_what_comes_near(
    asker: Asker, filters: Filters, expected: tuple[Unmatched, ...]
) -> None:
    answer = answer_of(asker, "cards", filters)
    assert answer.reason == (None if filters.speakers == ("Anna", "Bob") else "filtered_out")
    assert [(each.filter, each.value) for each in answer.unmatched] == [(each.filter, each.value) for each in expected]
    for found, wanted in zip(answer.unmatched, expected, strict=True):
        assert set(wanted.near[:1]) <= set(found.near)
        assert len(found.near) <= 3
    assert asker.search("cards", filters=filters).unmatched == answer.unmatched


def test_dates_of_the_question_are_no_filter_that_somebody_gave(asker: Asker) -> None:
    answer = answer_of(asker, "what did I note on 5 May 2031?", Filters())
    assert (answer.filters.since, answer.reason, answer.unmatched) == (date(2031, 5, 5), "filtered_out", ())
    both = answer_of(asker, "what did I note on 5 May 2031?", Filters(tags=("dairy",)))
    assert both.unmatched == (Unmatched("tags", "dairy", ("diary",)),)


def test_as_many_values_as_a_request_may_hold_are_searched_by(asker: Asker) -> None:
    many = tuple(f"no{n}" for n in range(MAX_VALUES - 1))
    filters = Filters(tags=(*many, "diary"), paths=(*many, "*.md"), kinds=(Kind.NOTE,) * MAX_VALUES, speakers=many)
    assert asker.search("cards", filters=filters).hits == ()
    found = asker.search("cards", filters=replace(filters, speakers=()))
    assert found.hits == asker.search("cards", filters=Filters(tags=("diary",), kinds=(Kind.NOTE,))).hits != ()


def test_a_folder_is_named_from_the_top_on(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"a/journal/x.md": "# X\n\nOf cards.\n", "b/journal/x.md": "# X\n\nAlso of cards.\n"})
    asker = asker_over(store, tmp_path)
    found = asker.search("cards", filters=Filters(paths=("b/journal",)))
    assert [hit.source.path for hit in found.hits] == ["b/journal/x.md"]
    assert asker.search("cards", filters=Filters(paths=("journal",))).unmatched[0].near[:2] == (
        "a/journal",
        "b/journal",
    )
    store.close()


@pytest.mark.parametrize("limit", [1, 5])
def test_changed_files_crowd_out_no_others(tmp_path: Path, limit: int) -> None:
    """120 chunks that fit better are more than one search brings in."""
    many = {f"many/{n:03}.md": f"# Card {n}\n\nThe price of the cards, the price of the cards.\n" for n in range(120)}
    store = index_notes(tmp_path, {**many, **NOTES})
    for name in many:
        (tmp_path / "notes" / name).unlink()
    found = asker_over(store, tmp_path).search("price of the cards", limit=limit)
    assert [hit.rank for hit in found.hits] == list(range(1, limit + 1))
    assert {hit.source.path for hit in found.hits} <= set(NOTES)
    assert set(found.left_out) <= set(many)
    store.close()


def test_searches_are_made_again_only_so_often(tmp_path: Path) -> None:
    many = {f"many/{n:03}.md": "# Card\n\nThe price of the cards, the price of the cards.\n" for n in range(30)}
    store: LocalStore = index_notes(tmp_path, {**many, "one.md": "# One\n\nSome cards.\n"})
    for name in many:
        (tmp_path / "notes" / name).unlink()
    found = asker_over(store, tmp_path).search("price of the cards", limit=10)
    assert [hit.source.path for hit in found.hits] == ["one.md"]
    assert found.left_out == tuple(sorted(many))
    store.close()


def test_a_passage_is_within_dates_that_touch_its_own(asker: Asker) -> None:
    found = asker.search("cards", filters=Filters(since=date(2024, 3, 9), until=date(2024, 3, 9)))
    assert [hit.chunk.place.date for hit in found.hits] == [DateRange.parse("2024-03-09")]
