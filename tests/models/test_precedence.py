from __future__ import annotations

import signal
import threading
import time

import pytest

from ragnotes.models.precedence import Precedence, Rank
from tests.fakes import WAIT_S


def until_they_wait(precedence: Precedence, number: int) -> None:
    """Returns when so many threads wait for their turn."""
    deadline = time.monotonic() + WAIT_S
    while len(precedence._waiting) < number:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_one_at_a_time_questions_first_then_answers() -> None:
    precedence, order = Precedence(patience_s=10 * WAIT_S), list[Rank]()
    inside = threading.Semaphore(1)

    def take(rank: Rank) -> None:
        with precedence.turn(rank):
            assert inside.acquire(blocking=False)
            order.append(rank)
            inside.release()

    with precedence.turn(Rank.NOTES):
        threads = []
        for rank in (Rank.NOTES, Rank.ANSWER, Rank.QUESTION, Rank.ANSWER, Rank.QUESTION):
            threads.append(threading.Thread(target=take, args=(rank,)))
            threads[-1].start()
            until_they_wait(precedence, len(threads))
    for thread in threads:
        thread.join(WAIT_S)
    assert order == [Rank.QUESTION, Rank.QUESTION, Rank.ANSWER, Rank.ANSWER, Rank.NOTES]


@pytest.mark.parametrize("late", [Rank.ANSWER, Rank.NOTES])
def test_who_lost_patience_is_before_all_who_ask_however_many(late: Rank) -> None:
    precedence, order = Precedence(patience_s=0.0), list[Rank]()

    def take(rank: Rank) -> None:
        with precedence.turn(rank):
            order.append(rank)

    with precedence.turn(Rank.QUESTION):
        threads = []
        for rank in (Rank.QUESTION, Rank.QUESTION, late, Rank.QUESTION):
            threads.append(threading.Thread(target=take, args=(rank,)))
            threads[-1].start()
            until_they_wait(precedence, len(threads))
    for thread in threads:
        thread.join(WAIT_S)
    assert order == [late, Rank.QUESTION, Rank.QUESTION, Rank.QUESTION]


def test_one_whose_wait_is_broken_off_holds_up_nobody() -> None:
    precedence, main = Precedence(patience_s=10 * WAIT_S), threading.main_thread()
    done = threading.Event()

    def give_up(*_: object) -> None:
        raise InterruptedError

    def hold() -> None:
        with precedence.turn(Rank.NOTES):
            held.set()
            until_they_wait(precedence, 1)
            signal.pthread_kill(main.ident or 0, signal.SIGUSR1)
            done.wait(WAIT_S)

    held, before = threading.Event(), signal.signal(signal.SIGUSR1, give_up)
    holder = threading.Thread(target=hold)
    try:
        holder.start()
        assert held.wait(WAIT_S)
        with pytest.raises(InterruptedError), precedence.turn(Rank.QUESTION):
            pytest.fail("it had its turn")
    finally:
        done.set()
        holder.join(WAIT_S)
        signal.signal(signal.SIGUSR1, before)
    started = time.monotonic()
    with precedence.turn(Rank.NOTES):
        pass
    assert time.monotonic() - started < WAIT_S


def test_it_knows_how_many_questions_were_there_lately() -> None:
    precedence = Precedence()
    for number in (0, 1, 2, 2):
        assert precedence.asked_within(60) == number
        with precedence.turn(Rank.QUESTION):
            pass
    with precedence.turn(Rank.ANSWER):
        assert precedence.asked_within(0) == 0
