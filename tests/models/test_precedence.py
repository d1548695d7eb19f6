from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType

import pytest

from ragnotes.models.precedence import Precedence
from tests.fakes import WAIT_S


def until_it_waits(thread: threading.Thread) -> None:
    """Returns when the thread waits for its turn."""
    deadline = time.monotonic() + WAIT_S
    while not _waits(sys._current_frames().get(thread.ident or 0)):
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _waits(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name != "wait_for":
        frame = frame.f_back
    return frame is not None


def test_one_at_a_time_and_the_urgent_first() -> None:
    precedence, order = Precedence(patience_s=10 * WAIT_S), list[str]()
    inside = threading.Semaphore(1)

    def take(name: str, *, urgent: bool) -> None:
        with precedence.turn(urgent=urgent) as after_all:
            assert inside.acquire(blocking=False)
            order.append(f"{name}, after all" if after_all else name)
            inside.release()

    with precedence.turn(urgent=False):
        threads = []
        for name, urgent in (("note", False), ("question", True), ("question", True)):
            threads.append(threading.Thread(target=take, args=(name,), kwargs={"urgent": urgent}))
            threads[-1].start()
            until_it_waits(threads[-1])
    for thread in threads:
        thread.join(WAIT_S)
    assert order == ["question", "question", "note"]


def test_who_lost_patience_is_before_all_who_ask_however_many() -> None:
    precedence, order = Precedence(patience_s=0.0), list[str]()

    def take(name: str, *, urgent: bool) -> None:
        with precedence.turn(urgent=urgent) as after_all:
            order.append(f"{name}, after all" if after_all else name)

    with precedence.turn(urgent=True):
        threads = []
        for name, urgent in (("question", True), ("question", True), ("note", False), ("question", True)):
            threads.append(threading.Thread(target=take, args=(name,), kwargs={"urgent": urgent}))
            threads[-1].start()
            until_it_waits(threads[-1])
    for thread in threads:
        thread.join(WAIT_S)
    assert order == ["note, after all", "question", "question", "question"]


def test_one_whose_wait_is_broken_off_holds_up_nobody() -> None:
    precedence, main = Precedence(patience_s=10 * WAIT_S), threading.main_thread()
    done = threading.Event()

    def give_up(*_: object) -> None:
        raise InterruptedError

    def hold() -> None:
        with precedence.turn(urgent=False):
            held.set()
            until_it_waits(main)
            signal.pthread_kill(main.ident or 0, signal.SIGUSR1)
            done.wait(WAIT_S)

    held, before = threading.Event(), signal.signal(signal.SIGUSR1, give_up)
    holder = threading.Thread(target=hold)
    try:
        holder.start()
        assert held.wait(WAIT_S)
        with pytest.raises(InterruptedError), precedence.turn(urgent=True):
            pytest.fail("it had its turn")
    finally:
        done.set()
        holder.join(WAIT_S)
        signal.signal(signal.SIGUSR1, before)
    started = time.monotonic()
    with precedence.turn(urgent=False) as after_all:
        assert not after_all
    assert time.monotonic() - started < WAIT_S


def test_it_knows_whether_an_urgent_one_was_there_lately() -> None:
    precedence = Precedence()
    assert not precedence.urgent_within(60)
    with precedence.turn(urgent=True):
        pass
    assert precedence.urgent_within(60)
    assert not precedence.urgent_within(0)
