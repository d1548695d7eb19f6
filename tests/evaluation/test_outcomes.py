"""What each answer adds to each measure: the answers are given, the notes and their index are real."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS, Answer, Citation, Mode, Sentence, Support
from ragnotes.asking.answering import Request
from ragnotes.evaluation.measures import Tally
from ragnotes.evaluation.outcomes import Outcome, ask_all
from ragnotes.evaluation.questions import Question, QuestionSet
from ragnotes.events import Event, Final, Passages
from ragnotes.types import Place
from tests.evaluation.conftest import HashingLibrary
from tests.fakes import fake_settings

PRICE = Question("q1", "What did I pay?", "fact", "log-2024.md", "690 euros, cash", ("690", "six hundred"))
DRAWERS = Question("q2", "Which drawers?", "list", "caches.md", "bad cut", ("missing text", "bad cut", "zebra"))
NOWHERE = Question("q3", "Who painted it?", "none", answerable=False)
NOWHERE_ELSE = Question("q4", "Who sang it?", "none", answerable=False)


@dataclass(frozen=True)
class Told:
    """An answer: its text, and the quotes it cites, each with the path of the note that it is said to stand in."""

    text: str = ""
    quotes: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()


class TellingLibrary(HashingLibrary):
    """Searches as ever, and answers each question as it was told to."""

    told: dict[str, Told]

    def ask(self, request: Request) -> Iterator[Event]:
        told = self.told[request.question]
        yield Passages(())
        citations = tuple(self._cited(n, path, quote, told) for n, (path, quote) in enumerate(told.quotes, start=1))
        yield Final(
            Answer(
                question=request.question,
                mode=Mode.EXTRACTIVE if told.text else Mode.ABSTAINED,
                reason=None,
                sentences=(Sentence(told.text, (1,), Support.SUPPORTED),) if told.text else (),
                citations=citations,
                passages=(),
                filters=NO_FILTERS,
                model=None,
                generation=1,
                timings_ms={},
                usage={},
            )
        )

    def _cited(self, n: int, path: str, quote: str, told: Told) -> Citation:
        with self.store().reading() as snapshot:
            source = next(source for source in snapshot.documents() if source.path == path)
            document = snapshot.document(source.doc_id)
        assert document is not None
        start = document.text.find(quote)
        return Citation(n, source, Place(), start, start + len(quote), quote, told.links, 1.0, Support.SUPPORTED)


def outcomes(told: dict[Question, Told]) -> list[Outcome]:
    settings = fake_settings(corpus=(Path("corpus"),), index=Path("index"))
    with closing(TellingLibrary(settings)) as library:
        library.update()
        library.told = {question.text: answer for question, answer in told.items()}
        asked = QuestionSet("q.jsonl", "", tuple(told))
        return ask_all(library, asked, answers=True, llm=False, progress=lambda _: None)


def tallies(question: Question, told: Told) -> dict[str, Tally]:
    """What the answer adds, without what the search does."""
    [outcome] = outcomes({question: told})
    return {name: tally for name, tally in outcome.tallies.items() if "@" not in name}


def test_an_answer_that_holds_an_accepted_one_and_cites_the_evidence_is_all_right() -> None:
    told = Told("It was 690 euros.", (("log-2024.md", "690 euros, cash, in a parking lot"),))
    assert tallies(PRICE, told) == {
        "wrongly_abstained": Tally(0, 1),
        "answer_hit": Tally(1, 1),
        "citation_precision": Tally(1, 1),
        "quote_validity": Tally(1, 1),
    }


@pytest.mark.parametrize(
    ("quotes", "links", "good"),
    [
        ([("log-2024.md", "690 euros")], (), 1),
        ([("tech/caches.md", "bad cut")], (), 0),
        ([("log-2024.md", "Bought the used graphics card")], (), 0),
        ([("tech/caches.md", "bad cut")], ("https://example.org/690",), 0),
        ([("log-2024.md", "Bought the used")], ("https://example.org/690",), 1),
        ([("log-2024.md", "690 euros"), ("tech/caches.md", "bad cut")], (), 1),
    ],
)
def test_a_citation_is_right_by_its_evidence_or_by_its_note_and_an_answer(
    quotes: Sequence[tuple[str, str]], links: tuple[str, ...], good: int
) -> None:
    found = tallies(PRICE, Told("It was 690 euros.", tuple(quotes), links))
    assert found["citation_precision"] == Tally(good, len(quotes))


def test_a_list_counts_by_its_share_too() -> None:
    found = tallies(DRAWERS, Told("Bad cut, and missing text.", (("tech/caches.md", "bad cut"),)))
    assert found["answer_hit"] == Tally(1, 1)
    assert found["list_share"].got == pytest.approx(2 / 3)


def test_another_answer_is_a_miss() -> None:
    found = tallies(PRICE, Told("It was 6901 euros.", (("log-2024.md", "690 euros, cash"),)))
    assert found["answer_hit"] == Tally(0, 1)


def test_a_quote_that_does_not_stand_where_it_says_is_told() -> None:
    told = Told("It was 690 euros.", (("log-2024.md", "690 euros"), ("log-2024.md", "700 euros")))
    assert tallies(PRICE, told)["quote_validity"] == Tally(1, 2)


def test_abstaining_is_wrong_where_the_notes_say_and_right_where_they_do_not() -> None:
    found = outcomes({PRICE: Told(), NOWHERE: Told(), NOWHERE_ELSE: Told("A cat.", (("log-2024.md", "cash"),))})
    wrong, right, answered = ({n: t for n, t in outcome.tallies.items() if "@" not in n and t.of} for outcome in found)
    assert wrong == {
        "abstention_precision": Tally(0, 1),
        "wrongly_abstained": Tally(1, 1),
        "answer_hit": Tally(0, 1),
    }
    assert right == {"abstention_precision": Tally(1, 1), "abstention_recall": Tally(1, 1)}
    assert answered == {"abstention_recall": Tally(0, 1), "quote_validity": Tally(1, 1)}


def test_questions_without_an_answer_have_no_rank_and_no_recall() -> None:
    [outcome] = outcomes({NOWHERE: Told()})
    assert outcome.rank is None
    assert not [name for name in outcome.tallies if "@" in name]
