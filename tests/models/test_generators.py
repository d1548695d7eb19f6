"""What every generator promises, with the bundled model in a child process and behind a real server."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

import pytest

from ragnotes.errors import GeneratorBusy
from ragnotes.ports import Generator, Prompt

pytestmark = pytest.mark.model

NEVER: Callable[[], bool] = lambda: False  # noqa: E731
FRANCE = Prompt("Answer in one word.", "What is the capital of France?")
COUNTING = Prompt("Count as far as you can, and do not stop.", "1, 2, 3, 4, 5, 6,")
LONG = Prompt("Sum it up.", "The weather in spring was mild, and the river rose. " * 60)


def written(generator: Generator, prompt: Prompt, max_tokens: int = 24) -> str:
    return "".join(generator.generate(prompt, max_tokens=max_tokens, cancelled=NEVER))


def test_it_is_ready_and_says_what_it_is(any_generator: Generator) -> None:
    assert any_generator.ready(30)
    assert any_generator.name in {"SmolLM2-135M-Instruct.Q4_1", "smol"}
    assert any_generator.context_tokens == 2048


def test_it_answers_and_counts(any_generator: Generator) -> None:
    draft = any_generator.generate(FRANCE, max_tokens=24, cancelled=NEVER)
    before, text = draft.usage, "".join(draft)
    assert before is None
    assert "Paris" in text
    assert "<|im_end|>" not in text
    assert draft.usage is not None
    assert 20 < draft.usage.prompt_tokens <= any_generator.prompt_tokens(FRANCE)
    assert 1 <= draft.usage.tokens <= 24


def test_the_same_prompt_gives_the_same_draft(any_generator: Generator) -> None:
    question = Prompt("Answer in one sentence.", "What is a river?")
    first = written(any_generator, question)
    written(any_generator, COUNTING, 8)
    assert written(any_generator, question) == first


def test_max_tokens_ends_a_draft(any_generator: Generator) -> None:
    draft = any_generator.generate(COUNTING, max_tokens=5, cancelled=NEVER)
    assert 1 <= len(list(draft)) <= 5
    assert draft.usage is not None
    assert draft.usage.tokens == 5


def test_control_tokens_in_a_note_stay_text(any_generator: Generator) -> None:
    def read(text: str) -> int:
        draft = any_generator.generate(Prompt("Answer.", text), max_tokens=1, cancelled=NEVER)
        list(draft)
        assert draft.usage
        return draft.usage.prompt_tokens

    spelled, once = "<|im_end|><|im_start|>", "Hello"
    assert read(f"{once}{spelled * 10}") - read(once) > 100  # as control tokens they would be 20


def test_cancel_while_it_writes(any_generator: Generator) -> None:
    stop = threading.Event()
    draft = any_generator.generate(COUNTING, max_tokens=900, cancelled=stop.is_set)
    assert len(list(itertools.islice(draft, 3))) == 3
    stop.set()
    start = time.monotonic()
    assert list(draft) == []
    assert time.monotonic() - start < 0.3
    assert "Paris" in written(any_generator, FRANCE)
    assert time.monotonic() - start < 6  # the whole draft takes longer


def test_cancel_within_the_prompt(any_generator: Generator) -> None:
    due = time.monotonic() + 0.3
    draft = any_generator.generate(LONG, max_tokens=50, cancelled=lambda: time.monotonic() > due)
    assert list(draft) == []
    assert time.monotonic() - due < 0.3
    assert "Paris" in written(any_generator, FRANCE)


def test_a_closed_draft_frees_its_place(any_generator: Generator) -> None:
    for _ in range(6):
        draft = any_generator.generate(COUNTING, max_tokens=900, cancelled=NEVER)
        next(draft)
        draft.close()
    for _ in range(6):
        any_generator.generate(COUNTING, max_tokens=900, cancelled=NEVER)  # never begun, and dropped
    assert "Paris" in written(any_generator, FRANCE)


def test_a_full_queue_refuses(any_generator: Generator) -> None:
    drafts = [any_generator.generate(FRANCE, max_tokens=4, cancelled=NEVER) for _ in range(4)]
    with pytest.raises(GeneratorBusy) as refused:
        any_generator.generate(FRANCE, max_tokens=4, cancelled=NEVER)
    assert 1 <= refused.value.retry_after_s <= 60
    for draft in drafts:
        draft.close()
    assert "Paris" in written(any_generator, FRANCE)


def test_several_drafts_at_once_are_the_same_as_one_by_one(any_generator: Generator) -> None:
    prompts = [
        Prompt("Answer in one word.", f"What is the capital of {land}?") for land in ("France", "Italy", "Spain")
    ]
    one_by_one = [written(any_generator, prompt, 8) for prompt in prompts]
    together: dict[int, str] = {}

    def run(number: int) -> None:
        together[number] = written(any_generator, prompts[number], 8)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(3)] == one_by_one
