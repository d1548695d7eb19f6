from __future__ import annotations

from collections.abc import Iterator

import pytest

from ragnotes.answers import Answer, Filters, Mode, Sentence, Support
from ragnotes.asking.answering import Request
from ragnotes.asking.conversing import answered_in_conversation, asked_in_full
from ragnotes.errors import IndexWriteFailed, NotFound, UsageError
from ragnotes.events import Event, Final, Passages
from ragnotes.turns import Turn
from tests.fakes import FakeConversations


def echo(request: Request) -> Iterator[Event]:
    """Answers every question with itself."""
    said = (Sentence(request.question.upper(), (), Support.SUPPORTED),)
    yield Passages(())
    yield Final(Answer(request.question, Mode.EXTRACTIVE, None, said, (), (), Filters(), None, 5, {}, {}))


def ask(question: str, kept: FakeConversations | None, conversation: str | None = "new") -> Answer:
    *_, final = answered_in_conversation(echo, Request(question, conversation=conversation), kept)
    assert isinstance(final, Final)
    return final.answer


def test_a_follow_up_is_answered_as_the_whole_question_and_kept_with_it() -> None:
    kept = FakeConversations()
    first = ask("When was Dune published?", kept)
    assert (first.rewritten, first.conversation_id) == (None, kept.last())
    second = ask("who wrote it?", kept, first.conversation_id)
    assert (second.question, second.rewritten) == ("who wrote it?", "who wrote Dune?")
    assert second.text == "WHO WROTE DUNE?"
    third = ask("and in 1966?", kept, "last")
    assert third.rewritten == "who wrote Dune in 1966?"
    assert first.conversation_id
    turns = kept.read(first.conversation_id).turns
    assert [(turn.question, turn.asked) for turn in turns] == [
        ("When was Dune published?", "When was Dune published?"),
        ("who wrote it?", "who wrote Dune?"),
        ("and in 1966?", "who wrote Dune in 1966?"),
    ]
    assert (turns[1].answer, turns[1].generation) == (("WHO WROTE DUNE?",), 5)
    assert turns[1].asked_at is not None


def test_the_passages_say_what_a_follow_up_is_asked_as_before_the_answer() -> None:
    kept = FakeConversations()
    first = ask("When was Dune published?", kept)
    request = Request("who wrote it?", conversation=first.conversation_id)
    assert asked_in_full(request, kept).question == "who wrote Dune?"
    passages, _ = answered_in_conversation(echo, request, kept)
    assert passages == Passages((), "who wrote Dune?")
    passages, _ = answered_in_conversation(echo, Request("When was Dune published?"), kept)
    assert passages == Passages(())


def test_a_new_conversation_knows_nothing_of_the_others() -> None:
    kept = FakeConversations()
    ask("When was Dune published?", kept)
    assert ask("who wrote it?", kept).rewritten is None
    assert len(kept.lines(9)) == 2


def test_without_a_conversation_nothing_is_kept() -> None:
    kept = FakeConversations()
    assert ask("When was Dune published?", kept, None).conversation_id is None
    assert kept.lines(9) == []


def test_the_last_conversation_is_begun_where_there_is_none() -> None:
    kept = FakeConversations()
    assert ask("who wrote it?", kept, "last").conversation_id == kept.last() is not None


def test_turns_that_come_with_the_request_serve_as_well() -> None:
    request = Request("who wrote it?", earlier=(Turn("When was Dune published?"),))
    *_, final = answered_in_conversation(echo, request, None)
    assert isinstance(final, Final)
    assert (final.answer.rewritten, final.answer.conversation_id) == ("who wrote Dune?", None)


def test_an_unknown_conversation_is_refused_before_the_first_event() -> None:
    with pytest.raises(NotFound):
        answered_in_conversation(echo, Request("why?", conversation="c1"), FakeConversations())


def test_where_nothing_is_kept_a_new_question_is_answered_and_an_old_one_refused() -> None:
    assert ask("When was Dune published?", None).conversation_id is None
    with pytest.raises(UsageError, match="no history is kept"):
        answered_in_conversation(echo, Request("why?", conversation="last"), None)


class FullDisk(FakeConversations):
    def begin(self, turn: Turn) -> str:
        raise IndexWriteFailed("no space", "free some")


def test_a_history_that_cannot_be_written_costs_no_answer() -> None:
    answer = ask("When was Dune published?", FullDisk())
    assert (answer.text, answer.conversation_id) == ("WHEN WAS DUNE PUBLISHED?", None)


def test_a_conversation_deleted_while_it_is_answered_stays_deleted() -> None:
    kept = FakeConversations()
    begun = ask("When was Dune published?", kept).conversation_id
    events = answered_in_conversation(echo, Request("who wrote it?", conversation=begun), kept)
    next(events)
    kept.delete_all()
    [final] = events
    assert isinstance(final, Final)
    assert (final.answer.text, final.answer.conversation_id) == ("WHO WROTE DUNE?", None)
    assert kept.lines(9) == []
