from __future__ import annotations

import threading
import time

from ragnotes.models.precedence import PATIENCE_S, Precedence


def test_one_at_a_time_and_the_urgent_first() -> None:
    precedence, order = Precedence(), list[str]()
    inside = threading.Semaphore(1)

    def take(name: str, *, urgent: bool) -> None:
        with precedence.turn(urgent=urgent):
            assert inside.acquire(blocking=False)
            order.append(name)
            inside.release()

    with precedence.turn(urgent=False):
        threads = []
        for name, urgent in (("note", False), ("question", True)):
            threads.append(threading.Thread(target=take, args=(name,), kwargs={"urgent": urgent}))
            threads[-1].start()
            time.sleep(0.05)  # so that the note waits first
    for thread in threads:
        thread.join()
    assert order == ["question", "note"]


def test_who_is_not_urgent_has_a_turn_however_many_ask() -> None:
    precedence, stop = Precedence(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            with precedence.turn(urgent=True):
                time.sleep(0.001)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    with precedence.turn(urgent=False):
        waited = time.monotonic() - started
    stop.set()
    for thread in threads:
        thread.join()
    assert waited < 5 * PATIENCE_S


def test_it_knows_whether_an_urgent_one_was_there_lately() -> None:
    precedence = Precedence()
    assert not precedence.urgent_within(60)
    with precedence.turn(urgent=True):
        pass
    assert precedence.urgent_within(60)
    assert not precedence.urgent_within(0)
