from __future__ import annotations

from collections.abc import Callable

from ragnotes.models.thread_choice import LONGEST_S, RECENT_TOKENS, TRIED_TOKENS, ThreadChoice

IDLE = {2: 0.008, 1: 0.010}
BUSY = {2: 0.060, 1: 0.011}


def written(choice: ThreadChoice, tokens: int, seconds: Callable[[int, int], float]) -> list[int]:
    """The threads of so many tokens; `seconds` are those of a token by its number and its threads."""
    used = list[int]()
    for number in range(tokens):
        used.append(choice.threads())
        choice.took(used[-1], seconds(number, used[-1]))
    return used


def on(machine: dict[int, float]) -> Callable[[int, int], float]:
    return lambda _, threads: machine[threads]


def test_an_idle_machine_writes_on_all_threads_and_seldom_tries_fewer() -> None:
    used = written(ThreadChoice(2), 2000, on(IDLE))
    assert used[0] == 2
    assert 0 < used.count(1) <= 7 * TRIED_TOKENS


def test_a_busy_machine_writes_on_fewer_threads_soon() -> None:
    used = written(ThreadChoice(2), 1000, on(BUSY))
    first = RECENT_TOKENS + TRIED_TOKENS
    assert used[:first] == [2] * RECENT_TOKENS + [1] * TRIED_TOKENS
    assert used[first:].count(2) <= 5 * TRIED_TOKENS


def test_what_the_machine_does_now_counts() -> None:
    choice = ThreadChoice(2)
    written(choice, 500, on(BUSY))
    used = written(choice, int(LONGEST_S / IDLE[1]) + 500, on(IDLE))
    assert used[0] == 1
    assert used[-400:].count(2) >= 390
    assert written(choice, 3000, on(BUSY))[-400:].count(1) >= 390


def test_one_slow_token_changes_nothing() -> None:
    def hiccup(number: int, threads: int) -> float:
        return 1.0 if number % RECENT_TOKENS == 0 and threads == 2 else IDLE[threads]

    used = written(ThreadChoice(2), 200, hiccup)
    assert 0 < used.count(1) <= 7 * TRIED_TOKENS


def test_half_of_many_threads_are_tried_and_one_stays_one() -> None:
    assert set(written(ThreadChoice(8), 500, lambda _, threads: 0.08 / threads)) == {8, 4}
    assert set(written(ThreadChoice(1), 500, lambda _, __: 0.01)) == {1}
