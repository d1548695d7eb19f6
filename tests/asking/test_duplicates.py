from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.asking.answering import Request
from ragnotes.asking.duplicates import says_again
from ragnotes.events import Final
from tests.asking.stage import asker_over, index_notes

STOVE = (
    "The wood stove in the cabin draws badly when the wind comes from the east. Open the damper fully, light a page of"
    " newspaper in the flue first, and keep the door ajar for ten minutes until the chimney is warm."
)
EDITED = STOVE.replace("draws badly", "draws poorly").replace("and keep", "then keep")


def search(folder: Path, notes: dict[str, str], query: str, **options: int) -> list[tuple[str, list[str]]]:
    """The path of each hit with the paths of its copies."""
    store = index_notes(folder, notes)
    found = asker_over(store, folder).search(query, **options)  # type: ignore[arg-type]
    store.close()
    assert [hit.rank for hit in found.hits] == list(range(1, len(found.hits) + 1))
    return [(hit.source.path, [copy.source.path for copy in hit.also]) for hit in found.hits]


@pytest.mark.parametrize(
    "copy",
    [
        STOVE,
        EDITED,
        f"> {STOVE}",
        f"## 4 March 2024\n\n{STOVE}",
        STOVE.replace(" in the cabin", ""),
    ],
    ids=["copied", "edited", "quoted", "pasted into a log", "shortened"],
)
def test_a_passage_that_stands_in_two_notes_is_one_hit(tmp_path: Path, copy: str) -> None:
    notes = {"a.md": f"{STOVE}\n", "b.md": f"{copy}\n", "c.md": "The stove in the kitchen burns gas.\n"}
    first, second = search(tmp_path, notes, "wood stove in the cabin draws badly")
    assert {first[0], *first[1]} == {"a.md", "b.md"}
    assert second == ("c.md", [])


def test_a_passage_with_a_sentence_of_its_own_is_hidden_by_none(tmp_path: Path) -> None:
    notes = {"a.md": STOVE, "b.md": f"{STOVE} Otherwise smoke fills the sauna upstairs."}
    assert sorted(search(tmp_path / "1", notes, "wood stove in the cabin")) == [("a.md", []), ("b.md", [])]
    assert search(tmp_path / "2", notes, "smoke fills the sauna") == [("b.md", ["a.md"])]


def test_a_paragraph_pasted_with_small_edits_into_a_longer_note_is_named_with_it(tmp_path: Path) -> None:
    notes = {
        "day.md": f"Slept 7 h. Ran 5 km along the canal.\n\n{STOVE}\n",
        "log.md": f"# Log\n\n## Stove\n\n{EDITED}\n",
    }
    assert search(tmp_path, notes, "ran along the canal, stove") == [("day.md", ["log.md"])]


def test_every_place_of_a_passage_is_named_as_a_person_looks_it_up(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"a.md": f"{STOVE}\n", "log.md": f"# Log\n\n## 4 March 2024\n\n{EDITED}\n"})
    [hit] = asker_over(store, tmp_path).search("stove draws badly", limit=5).hits
    [copy] = hit.also
    assert (hit.source.path, copy.source.path) == ("a.md", "log.md")
    assert (copy.chunk.place.heading, copy.chunk.place.line, str(copy.chunk.place.date)) == (
        "Log > 4 March 2024",
        1,
        "2024-03-04",
    )
    with store.reading() as snapshot:
        document = snapshot.document(copy.source.doc_id)
    assert document is not None
    assert EDITED in document.text[copy.chunk.start : copy.chunk.end]
    store.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (STOVE, STOVE.replace("ten minutes", "20 minutes")),
        (STOVE.replace("ten", "10"), STOVE.replace("ten", "20")),
        (STOVE.replace("ten minutes", "10 minutes"), STOVE.replace("ten minutes", "10 hours")),
        (STOVE, STOVE.replace("and keep", "and never keep")),
        (STOVE.replace("the cabin", "the cabin of Anna"), STOVE.replace("the cabin", "the cabin of Bert")),
        (f"## Version 1.2\n\n{STOVE}", f"## Version 1.3\n\n{STOVE}"),
        (f"[Read this]({'https://a.org/x'}). {STOVE}", f"[Read this]({'https://a.org/y'}). {STOVE}"),
        ("## 2024-03-01\n\nSlept 7 h, stove on.", "## 2024-03-02\n\nSlept 6 h, stove on."),
        ("## 2024-03-01\n\nSlept 7 h, stove on.", "## 2024-03-02\n\nSlept 7 h, stove on."),
        ("## Wood stove\n\n20 €", "## Gas stove\n\n20 €"),
        ("The wood stove is hot.", "The wood stove is cold."),
    ],
    ids=[
        "a number",
        "another number",
        "what is counted",
        "a denial",
        "a name",
        "a version",
        "a link",
        "a day's entry",
        "the same on another day",
        "a heading",
        "a short text",
    ],
)
def test_passages_that_differ_in_what_matters_stay_apart(tmp_path: Path, one: str, other: str) -> None:
    hits = search(tmp_path, {"a.md": f"{one}\n", "b.md": f"{other}\n"}, "stove")
    assert sorted(hits) == [("a.md", []), ("b.md", [])]


def test_releases_and_daily_notes_of_one_template_stay_apart(tmp_path: Path) -> None:
    notes = {f"Release 1.{n}.md": "The stove app got faster and shows the chimney's draught." for n in (2, 3)}
    notes |= {f"2024-03-0{n}.md": "- [ ] stove cleaned\n- [x] wood stacked\n" for n in (1, 2)}
    assert all(not also for _, also in search(tmp_path, notes, "stove"))


def test_short_texts_are_one_hit_only_where_their_words_are_the_same(tmp_path: Path) -> None:
    notes = {"a.md": "Sweep the chimney!", "b.md": "- Sweep the chimney", "c.md": "Sweep the chimney soon"}
    hits = search(tmp_path, notes, "sweep the chimney")
    assert sorted(len(also) for _, also in hits) == [0, 1]


def test_the_limit_counts_hits_and_not_copies(tmp_path: Path) -> None:
    notes = {f"{n}.md": STOVE for n in range(6)} | {
        "x.md": "The stove of the kitchen.",
        "y.md": "A stove for the tent.",
    }
    hits = search(tmp_path, notes, "wood stove in the cabin draws badly", limit=3)
    assert [len(also) for _, also in hits] == [5, 0, 0]
    assert search(tmp_path, notes, "wood stove in the cabin draws badly", limit=1) == hits[:1]


def test_a_changed_or_deleted_copy_is_not_named(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"a.md": f"{STOVE}\n", "b.md": f"{STOVE}\n", "c.md": f"{STOVE}\n"})
    (tmp_path / "notes" / "b.md").write_text("Sold the stove.\n")
    (tmp_path / "notes" / "c.md").unlink()
    found = asker_over(store, tmp_path).search("wood stove")
    assert [(hit.source.path, hit.also) for hit in found.hits] == [("a.md", ())]
    assert found.left_out == ("b.md", "c.md")
    store.close()


def test_an_answer_does_not_quote_a_copy_of_what_it_quotes(tmp_path: Path) -> None:
    said = "The wood stove in the cabin draws badly when the wind comes from the east"
    notes = {"a.md": f"{said}.\n", "b.md": f"Bought a bench. Sold the old bench too. {said} again.\n"}
    store = index_notes(tmp_path, notes)
    final = list(asker_over(store, tmp_path).ask(Request("When does the wood stove draw badly?", llm=False)))[-1]
    assert isinstance(final, Final)
    assert final.answer.text.count("draws badly") == 1
    store.close()


@pytest.mark.parametrize(
    ("text", "better", "again"),
    [
        ("", "", False),
        ("one", "One!", True),
        (EDITED, STOVE, True),
        (STOVE.split(". ")[1], STOVE, True),
        (STOVE, STOVE.split(". ")[1], False),
        ("x " * 20, "y " * 20, False),
    ],
)
def test_a_text_says_again_what_holds_nearly_all_its_words(text: str, better: str, again: bool) -> None:
    assert says_again(text, better) is again
