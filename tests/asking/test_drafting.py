"""A draft to sentences that stand, as soon as they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from ragnotes.answers import Evidence, Support
from ragnotes.asking.drafting import Task, check_sentence, draft_sentences
from ragnotes.asking.extraction import extract, stands
from ragnotes.asking.verification import Checked, verify
from ragnotes.models.hashing import HashingEmbedder
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


def task(
    evidence: Sequence[Evidence] = (BEST, OTHER), stopped: Callable[[], bool] = lambda: False, *, keep: bool = False
) -> Task:
    extracted = extract(QUESTION, evidence[:1] or [BEST], subject=QUESTION).told
    return Task(QUESTION, evidence, extracted, 32, stopped, lambda claims: verify(claims, HashingEmbedder(), {}), keep)


def told(generator: ScriptedGenerator, task: Task) -> list[str]:
    return [checked.text for checked in draft_sentences(generator, task)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pieces_of_any_size_give_the_same_sentences_without_markers(size: int) -> None:
    draft = f"{CONDENSER} [1]. {CONDENSER} [9] It was painted green [2]. Savery added a valve [2, 7–9][1-3]."
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


def test_the_smallest_piece_that_carries_a_sentence_is_cited() -> None:
    evidence = [piece("The water pump was developed by Savery.", start=200), piece("Watt added a condenser in 1765.")]
    kept = check_sentence(task(evidence), "Watt added a condenser in 1765.", evidence)
    assert kept == Checked("Watt added a condenser in 1765.", evidence[1], Support.SUPPORTED)
    assert check_sentence(task(evidence), "It was painted green.", evidence) is None
    assert check_sentence(task(()), "Watt added a condenser.", ()) is None


def test_a_draft_stands_in_for_the_best_evidence_only() -> None:
    best, other = piece("Watt added a condenser in 1765."), piece("Savery added a valve.", start=50, score=0.3)
    here = task([best, other])

    def draft(sentence: str) -> list[Checked]:
        checked = check_sentence(here, sentence, here.evidence)
        return [checked] if checked else []

    assert stands(QUESTION, draft("Watt added a condenser."), here.extracted)
    assert not stands(QUESTION, draft("Savery added a valve."), here.extracted)
    assert not stands(QUESTION, draft("Watt did add."), here.extracted)


def test_unsupported_sentences_are_cut_or_told_as_what_they_are() -> None:
    green = "See https://example.com/valve for the green valve."
    draft = f"{green} {CONDENSER} In 1788 Watt added a governor and more."
    assert told(Pieces([draft]), task()) == [CONDENSER]
    kept = list(draft_sentences(Pieces([draft]), task(keep=True)))
    assert [(item.text, item.support) for item in kept] == [
        ("See for the green valve.", Support.UNSUPPORTED),
        (CONDENSER, Support.SUPPORTED),
        ("In 1788 Watt added a governor and more.", Support.WEAK),
    ]
    assert told(Pieces(["The notes do not say."]), task(keep=True)) == []
