"""A draft to sentences that stand, as soon as they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from ragnotes.answers import Evidence
from ragnotes.asking.drafting import Task, draft_sentences
from ragnotes.asking.extraction import extract
from ragnotes.ports import Prompt, Usage
from tests.asking.stage import ScriptedDraft, ScriptedGenerator
from tests.asking.test_verification import piece

QUESTION = "What did Watt add?"
BEST = piece("Watt added a condenser in 1765 and a governor in 1788.", score=0.9)
OTHER = piece("Savery added a valve.", start=100, score=0.6)
CONDENSER = "Watt added a condenser in 1765 and a governor in 1788."


class Pieces(ScriptedGenerator):
    """Gives a draft in these very pieces, and remembers how many were taken."""

    def __init__(self, pieces: Sequence[str], *, tokens: int = 0) -> None:
        super().__init__("")
        self.pieces, self.taken, self.counted = pieces, 0, tokens

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> ScriptedDraft:
        draft = ScriptedDraft(self._written(), cancelled)
        draft.usage = Usage(prompt_tokens=0, tokens=self.counted)
        return draft

    def _written(self) -> Iterator[str]:
        for text in self.pieces:
            self.taken += 1
            yield text


def task(evidence: Sequence[Evidence] = (BEST, OTHER), stopped: Callable[[], bool] = lambda: False) -> Task:
    return Task(QUESTION, evidence, extract(QUESTION, [BEST], subject=QUESTION), 32, stopped)


def told(generator: ScriptedGenerator, task: Task) -> list[str]:
    return [checked.text for checked in draft_sentences(generator, task)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pieces_of_any_size_give_the_same_sentences_without_markers(size: int) -> None:
    draft = f"{CONDENSER} [1]. {CONDENSER} [9] It was painted green [2]. Savery added a valve [2, 7]."
    pieces = [draft[at : at + size] for at in range(0, len(draft), size)]
    assert told(Pieces(pieces), task()) == [CONDENSER, "Savery added a valve."]


def test_a_sentence_is_told_before_the_next_is_written() -> None:
    generator = Pieces([f"{CONDENSER} ", "Savery ", "added ", "a ", "valve."])
    sentences = draft_sentences(generator, task())
    assert next(sentences).text == CONDENSER
    assert generator.taken == 2


def test_a_sentence_waits_until_one_rests_on_the_best_evidence() -> None:
    assert told(Pieces(["Savery added a valve. ", CONDENSER]), task()) == ["Savery added a valve.", CONDENSER]
    assert told(Pieces(["Savery added a valve."]), task()) == []


@pytest.mark.parametrize("draft", ["", "[1]", "The notes do not say.", f"The notes do not say. {CONDENSER}"])
def test_a_refusal_or_nothing_gives_no_sentence(draft: str) -> None:
    assert told(Pieces([draft]), task()) == []


def test_half_a_sentence_is_not_told() -> None:
    half = "Watt added a condenser in 1765 and a governor in 1788"
    assert told(Pieces([half]), task()) == [half]
    assert told(Pieces([half], tokens=32), task()) == []
    assert told(Pieces([f"{half}."], tokens=32), task()) == [f"{half}."]
    assert told(Pieces([half]), task(stopped=lambda: True)) == []


def test_without_evidence_nothing_is_told() -> None:
    assert told(Pieces([CONDENSER]), task(evidence=())) == []
