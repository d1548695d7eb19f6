"""Questions about the notes themselves: the total is that of the whole store, and each note is cited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS, Answer, Filters, Mode
from ragnotes.asking.answering import Asker, Request
from ragnotes.asking.mention_questions import MentionQuestion, mentions_asked
from ragnotes.asking.mentions import find_mentions
from ragnotes.asking.surface import plain_forms
from ragnotes.events import Final
from ragnotes.stores.snapshot import LocalSnapshot
from ragnotes.types import Chunk, Kind, Source
from tests.asking.stage import asker_over, index_notes

TODAY = date(2026, 11, 21)
NOTES = {
    **{
        f"daily/2024-03-{day:02}.md": f"# Day\n\nWalked to the harbour, tide table number {day}.\n"
        for day in range(1, 15)
    },
    "log.md": (
        "# 2023 Log\n\n- 3/20 tried FAISS on the laptop\n- 4/25 FAISS again, and Annoy\n\nBought a kettle.\n\n"
        "- 5/02 wrote down hard negatives, and soft ones\n"
    ),
    "2024-05-01.md": "# Search\n\nThe plan is simple. FAISS finds neighbours fast.\n",
    "trees.md": "# Trees\n\nAnnoy builds negatives that are hard to use.\n",
}


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = tmp_path_factory.mktemp("mentions")
    store = index_notes(folder, NOTES)
    yield asker_over(store, folder)
    store.close()


def ask(asker: Asker, question: str, filters: Filters = NO_FILTERS) -> Answer:
    *_, final = asker.ask(Request(question, filters=filters, llm=False))
    assert isinstance(final, Final)
    return final.answer


def test_the_notes_that_mention_a_word_come_after_their_total_with_day_and_citation(asker: Asker) -> None:
    answer = ask(asker, "Which of my notes mention FAISS?")
    assert answer.text == (
        "2 notes mention FAISS.\n"
        "2024-05-01.md (2024-05-01): FAISS finds neighbours fast.\n"
        "log.md (2023-03-20): 3/20 tried FAISS on the laptop"
    )
    assert [sentence.citations for sentence in answer.sentences] == [(1, 2), (1,), (2,)]
    assert [(citation.n, citation.quote) for citation in answer.citations] == [
        (1, "FAISS finds neighbours fast."),
        (2, "- 3/20 tried FAISS on the laptop"),
    ]
    assert (answer.total, answer.more, answer.mode, answer.reason) == (2, 0, Mode.EXTRACTIVE, None)


@pytest.mark.parametrize(
    ("question", "first", "total"),
    [
        ("How many notes mention Annoy?", "2 notes mention Annoy.", 2),
        ("How many notes in 2023 mention Annoy?", "1 note from 2023 mentions Annoy.", 1),
        ("Which notes mention FAISS or Annoy?", "3 notes mention FAISS or Annoy.", 3),
        ("How often did I mention FAISS?", "3 mentions of FAISS in 2 notes.", 3),
        ("Which notes mention hard negatives?", "2 notes mention hard negatives.", 2),
        ('Which notes mention "hard negatives"?', '1 note mentions "hard negatives".', 1),
        ("Which notes are about buying a kettle?", "1 note mentions buying a kettle.", 1),
        ("How many notes mention the harbour?", "14 notes mention the harbour.", 14),
        ("How many notes do I have?", "There are 17 notes.", 17),
        ("How many notes did I write in March 2024?", "There are 14 notes from March 2024.", 14),
    ],
)
def test_the_answer_opens_with_the_exact_total(asker: Asker, question: str, first: str, total: int) -> None:
    answer = ask(asker, question)
    assert (answer.sentences[0].text, answer.total) == (first, total)


def test_what_is_not_shown_of_many_notes_is_counted(asker: Asker) -> None:
    answer = ask(asker, "Which notes mention the harbour?")
    assert (len(answer.sentences), len(answer.citations), answer.more) == (11, 10, 4)
    assert answer.sentences[1].text == "daily/2024-03-14.md (2024-03-14): Walked to the harbour, tide table number 14."


def test_filters_limit_what_is_counted(asker: Asker) -> None:
    assert ask(asker, "How many notes mention FAISS?", Filters(paths=("log.md",))).total == 1
    assert ask(asker, "How many notes mention the harbour?", Filters(since=date(2024, 3, 10))).total == 5


def test_no_mention_abstains_with_a_total_of_nought(asker: Asker) -> None:
    answer = ask(asker, "Which notes mention entanglement?")
    assert (answer.mode, answer.reason, answer.total, answer.citations) == (Mode.ABSTAINED, "no_match", 0, ())


def test_a_file_that_changed_is_not_counted_but_named(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"a.md": "# A\n\nA kite.\n", "b.md": "# B\n\nA red kite.\n"})
    (tmp_path / "notes" / "b.md").write_text("# B\n\nNothing.\n", "utf-8")
    answer = ask(asker_over(store, tmp_path), "How many notes mention kites?")
    store.close()
    assert (answer.total, answer.left_out) == (1, ("b.md",))


@pytest.mark.parametrize(
    ("question", "subject", "since", "each"),
    [
        ("What notes do I have about the KV cache?", "the KV cache", None, False),
        ("In how many notes is Karpathy mentioned?", "Karpathy", None, False),
        ("In 2023, which notes mention FAISS?", "FAISS", date(2023, 1, 1), False),
        ("How many of my notes from May 2023 talk about agents?", "agents", date(2023, 5, 1), False),
        ("Which notes mention the 2023 budget?", "the 2023 budget", None, False),
        ("How many times have I written about RAG in 2024?", "RAG", date(2024, 1, 1), True),
        ("How often is FAISS mentioned in my notes?", "FAISS", None, True),
        ("Where did I mention Simon Willison?", "Simon Willison", None, False),
        ("List all notes about embeddings", "embeddings", None, False),
        ("Welche Notizen erwähnen FAISS?", "FAISS", None, False),
        ("¿Cuántas notas hablan de FAISS?", "FAISS", None, False),
    ],
)
def test_questions_about_the_notes_are_known(question: str, subject: str, since: date | None, each: bool) -> None:
    asked = mentions_asked(question, NO_FILTERS, today=TODAY)
    assert asked is not None
    assert (asked.subject, asked.filters.since, asked.each) == (subject, since, each)


@pytest.mark.parametrize(
    "question",
    [
        "Which notes did Beethoven play?",
        "How many employees does the company have?",
        "How many entries does the table have?",
        "What file contains the config?",
        "How often did I go running?",
        "Which notes mention it?",
        "What did I note on 19 August 2024?",
    ],
)
def test_questions_about_the_world_are_left_alone(question: str) -> None:
    assert mentions_asked(question, NO_FILTERS, today=TODAY) is None


def test_a_title_alone_is_a_note_and_no_mention(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"a.md": "# Kites\n\nThe red one broke.\n"})
    asker = asker_over(store, tmp_path)
    notes, mentions = ask(asker, "Which notes are about kites?"), ask(asker, "How often did I mention kites?")
    store.close()
    assert notes.text == "1 note mentions kites.\na.md: The red one broke."
    assert (mentions.answered, mentions.total) == (False, 0)


WRITTEN = {
    "a.md": "# One\n\nThe universe is old. Good news came.\n",
    "b.md": "# Two\n\nThe university is new. Organs play, and vitamin C helps.\n",
    "c.md": "# Three\n\nThe organization writes C++ and C#. It is now or never, she said.\n",
    "d.md": "# Four\n\nNow we walk, or never. FAISS is fast.\n\nNina's kites fly.\n",
    "e.md": "# Five\n\nFAISS and FAISS again, with an index and a KVCache. Die Straße der Stadt.\n",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = tmp_path_factory.mktemp("written")
    store = index_notes(folder, WRITTEN)
    yield asker_over(store, folder)
    store.close()


@pytest.mark.parametrize(
    ("question", "paths"),
    [
        ("Which notes mention universe?", ["a.md"]),
        ("Which notes mention university?", ["b.md"]),
        ("Which notes mention organization?", ["c.md"]),
        ("Which notes mention news?", ["a.md"]),
        ("Which notes mention new?", ["b.md"]),
        ("Which notes mention C++?", ["c.md"]),
        ("Which notes mention vitamin C?", ["b.md"]),
        ("Which notes mention organ?", ["b.md"]),
        ("Which notes mention Nina?", ["d.md"]),
        ("Which notes mention a kite?", ["d.md"]),
        ("Which notes mention KV cache?", ["e.md"]),
        ("Which notes mention the STRAßE?", ["e.md"]),
        ('Which notes mention "now or never"?', ["c.md"]),
        ("Which notes mention both FAISS and Nina?", ["d.md"]),
        ("Which notes mention FAISS and Nina?", ["d.md"]),
        ("Which notes mention the word index?", ["e.md"]),
        ("Which notes say anything about FAISS?", ["d.md", "e.md"]),
        ('Which notes mention the word "index" or "news"?', ["a.md", "e.md"]),
    ],
)
def test_words_count_as_they_are_written(written: Asker, question: str, paths: list[str]) -> None:
    answer = ask(written, question)
    assert sorted(citation.source.path for citation in answer.citations) == paths
    assert answer.total == len(paths)


def test_how_often_counts_each_occurrence(written: Asker) -> None:
    answer = ask(written, "How often did I mention FAISS?")
    assert (answer.sentences[0].text, answer.total, answer.more) == ("3 mentions of FAISS in 2 notes.", 3, 0)


def test_a_time_counts_what_stands_under_its_days_alone(tmp_path: Path) -> None:
    days = "".join(f"## {day} {month} 2023\n\n{text}\n\n" for day, month, text in [
        (30, "March", "Flew a kite."), (2, "April", "Bought a drum."), (3, "May", "Flew a kite and a kite.")
    ])  # fmt: skip
    yearly = "---\ndate: 2023\n---\n\nA kite of the year.\n"
    store = index_notes(tmp_path, {"log.md": f"# Log\n\n{days}", "year.md": yearly})
    asker = asker_over(store, tmp_path)
    told = [ask(asker, f"How many notes from {month} 2023 mention kites?").total for month in ("March", "April", "May")]
    often = ask(asker, "How often did I mention kites in May 2023?").total
    store.close()
    assert (told, often) == ([1, 0, 1], 2)


@pytest.mark.parametrize(
    "question",
    [
        "Which notes from Nina mention FAISS?",
        "How many notes of Tom mention FAISS?",
        "Which notes in the blue folder mention FAISS?",
        "Which notes mention FAISS but not Nina?",
        "Which notes mention FAISS without Nina?",
        "Which notes mention FAISS most often?",
        "Which notes mention FAISS more than once?",
        "Which notes mention FAISS, and what do they say?",
        "Which notes mention FAISS and what do they say?",
        "Which notes mention FAISS? And when?",
        "How often did I mention FAISS and Nina?",
    ],
)
def test_a_question_that_says_more_than_is_looked_up_is_answered_as_any_other(question: str) -> None:
    assert mentions_asked(question, NO_FILTERS, today=TODAY) is None


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How many notes in papers mention FAISS?", (Kind.PAPER,)),
        ("How many transcripts mention FAISS?", (Kind.TRANSCRIPT,)),
        ("How many transcripts do I have?", (Kind.TRANSCRIPT,)),
        ("How many notes of mine mention FAISS?", ()),
    ],
)
def test_a_kind_of_notes_is_a_filter(question: str, kinds: tuple[Kind, ...]) -> None:
    asked = mentions_asked(question, NO_FILTERS, today=TODAY)
    assert asked is not None
    assert asked.filters.kinds == kinds


def test_counting_all_notes_reads_only_what_is_shown(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    passages = LocalSnapshot.passages

    def counted(self: LocalSnapshot, ids: Sequence[str]) -> list[tuple[Chunk, Source]]:
        read.append(len(ids))
        return passages(self, ids)

    monkeypatch.setattr(LocalSnapshot, "passages", counted)
    with asker.store.reading() as snapshot:
        found = find_mentions(snapshot, MentionQuestion("", NO_FILTERS), lambda _: True)
    assert (found.total, found.more, sum(read)) == (17, 7, 10)
    assert found.told[1].text.startswith("2024-05-01.md (2024-05-01)")


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("kites", ["kites", "kite"]),
        ("Nina's", ["Nina", "ninas"]),
        ("news", ["news"]),
        ("new", ["new"]),
        ("city", ["city", "cities", "citys"]),
        ("C++", ["C++"]),
        ("glass", ["glass", "glasses"]),
    ],
)
def test_plain_forms_are_plural_and_singular(word: str, forms: list[str]) -> None:
    assert plain_forms(word) == forms
