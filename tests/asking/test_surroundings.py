from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ragnotes.answers import Hit
from ragnotes.asking.answering import Request
from ragnotes.asking.surroundings import BUDGET_TOKENS, CHARS_PER_TOKEN
from ragnotes.events import Final, Passages
from ragnotes.stores.local import LocalStore
from tests.asking.stage import asker_over, index_notes


def words(first: int, count: int = 60) -> str:
    """Six sentences of different words."""
    names = [f"w{number}" for number in range(first, first + count)]
    return " ".join(" ".join(names[n : n + 10]).capitalize() + "." for n in range(0, count, 10))


LONG = "\n\n".join(words(100 * number) for number in range(1, 9))
NOTES = {
    "long.md": f"---\ntitle: Long\n---\n\nIntro stands here.\n\n## Part\n\n{LONG}\n\n## Other\n\n{words(5000)}\n",
    "days.md": f"# Log\n\n- 2024-03-01: planted {words(6000, 30)}\n- 2024-03-02: watered {words(7000, 30)}\n",
    "alone.md": "Lonely zebra.\n",
}


@pytest.fixture
def indexed(tmp_path: Path) -> Iterator[LocalStore]:
    store = index_notes(tmp_path, NOTES)
    yield store
    store.close()


def found(store: LocalStore, folder: Path, query: str) -> Hit:
    return asker_over(store, folder).search(query, limit=1, surroundings=True).hits[0]


def test_surroundings_are_the_stored_text_right_before_and_after(indexed: LocalStore, tmp_path: Path) -> None:
    hits = asker_over(indexed, tmp_path).search("w150 w250 w350 w450", limit=9, surroundings=True).hits
    assert sum(bool(hit.before) + bool(hit.after) for hit in hits) > 4
    for hit in hits:
        stored = (tmp_path / "notes" / hit.source.path).read_text()
        before, after = hit.before or "", hit.after or ""
        assert stored[hit.chunk.start - len(before) : hit.chunk.end + len(after)] == before + hit.chunk.text + after
        assert len(before) + len(after) <= BUDGET_TOKENS * CHARS_PER_TOKEN


def test_surroundings_begin_and_end_with_a_sentence(indexed: LocalStore, tmp_path: Path) -> None:
    hit = found(indexed, tmp_path, "w350")
    assert (hit.before or "").startswith("W")
    assert (hit.before or "").endswith(".\n\n")
    assert (hit.after or "").startswith("\n\nW")
    assert (hit.after or "").endswith(".")


def test_surroundings_stay_in_the_section_and_take_what_heads_it(indexed: LocalStore, tmp_path: Path) -> None:
    first, last, other = (found(indexed, tmp_path, query) for query in ("w105 w106", "w805 w806", "w5005 w5006"))
    assert first.before == "Intro stands here.\n\n"
    assert (first.chunk.place.heading, last.after) == ("Part", None)
    assert (other.chunk.place.heading, other.before, other.after) == ("Other", None, None)


def test_what_one_side_leaves_the_other_takes(indexed: LocalStore, tmp_path: Path) -> None:
    half = BUDGET_TOKENS * CHARS_PER_TOKEN // 2
    last = found(indexed, tmp_path, "w805 w806")
    assert half < len(last.before or "") <= 2 * half


def test_the_day_before_is_not_around(indexed: LocalStore, tmp_path: Path) -> None:
    hit = found(indexed, tmp_path, "watered w7001")
    assert (str(hit.chunk.place.date), hit.before, hit.after) == ("2024-03-02", None, None)


def test_front_matter_and_silence_are_not_around(indexed: LocalStore, tmp_path: Path) -> None:
    assert found(indexed, tmp_path, "intro stands here").before is None
    alone = found(indexed, tmp_path, "lonely zebra")
    assert (alone.before, alone.after) == (None, None)


def test_nothing_is_around_unless_it_is_asked_for(indexed: LocalStore, tmp_path: Path) -> None:
    asker = asker_over(indexed, tmp_path)
    assert {(hit.before, hit.after) for hit in asker.search("w350").hits} == {(None, None)}
    plain, full = (list(asker.ask(Request("Where is w350?", llm=False, surroundings=asked))) for asked in (False, True))
    assert isinstance(full[0], Passages)
    assert isinstance(plain[-1], Final)
    assert isinstance(full[-1], Final)
    assert full[0].hits == full[-1].answer.passages
    assert any(hit.before for hit in full[0].hits)
    assert [hit.score for hit in full[0].hits] == [hit.score for hit in plain[-1].answer.passages]
    assert full[-1].answer.text == plain[-1].answer.text
