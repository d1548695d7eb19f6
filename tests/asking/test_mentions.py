"""Questions about the notes themselves: the total is that of the whole store, and each note is cited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS, Answer, Filters, Mode
from ragnotes.asking.answering import Asker, Request
from ragnotes.asking.mention_questions import mentions_asked
from ragnotes.events import Final
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
