from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.evaluation.judging import gives_answer, holds_evidence, normalised

TABLE = "|Cache|Rule|\n|---|---|\n|**Prompt cache**|  needs an `exact` prefix |"
LINKED = "* read [the *long* paper](https://example.org/a_(b)) by [[People/Ada|Ada]]\n  twice"


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("Bought the used\n  RTX 3090.", "bought THE used rtx 3090"),
        ("a non\u00a0breaking space", "non breaking"),
        ("cafe\u0301 au lait", "café"),
        ("It is **not** an _approximation_!", "is not an approximation"),
        ("It is not an approximation!", "**not** an *approximation*"),
        (TABLE, "| Prompt cache | needs an exact prefix |"),
        (TABLE, "Prompt cache | needs"),
        ("> quoted over\n> two lines", "over two lines"),
        ("## 7 January\n- Tools\n- Memory", "- Tools"),
        (LINKED, "read the long paper by Ada twice"),
        (LINKED, "[the *long* paper](https://example.org/a_(b))"),
        (LINKED, "example.org/a_(b)"),
        (LINKED, "by [[People/Ada|Ada]]"),
        ("see [![logo](logo.png) home](https://example.org) now", "see logo home now"),
        ("* * *", "* *"),
    ],
)
def test_an_honest_copy_is_found_however_it_was_copied(text: str, evidence: str) -> None:
    assert holds_evidence([text], evidence)


@pytest.mark.parametrize(
    ("parts", "evidence"),
    [
        (["Bought the used RTX 3090."], "Bought the new RTX 3090"),
        (["one half", "of a sentence"], "half of a"),
        (["anything"], ""),
        (["anything"], " \n"),
        (["anything"], "***"),
        ([], "anything"),
    ],
)
def test_other_words_two_halves_and_nothing_are_no_evidence(parts: list[str], evidence: str) -> None:
    assert not holds_evidence(parts, evidence)


@given(text=st.text(min_size=1), start=st.integers(0, 50), size=st.integers(1, 50))
def test_any_words_of_a_text_are_in_it(text: str, start: int, size: int) -> None:
    part = text[start : start + size]
    if part.strip():
        assert holds_evidence([text], part.strip()) or part.casefold() not in text.casefold()


@pytest.mark.parametrize(
    ("text", "answer", "given_"),
    [
        ("I paid 690 euros.", "690", True),
        ("I paid 6901 euros.", "690", False),
        ("It was the RTX-3090!", "a RTX3090", True),
        ("On 2/09, at noon", "2/09", True),
        ("“Amara”, they said", "amara", True),
        ("Amara's law", "Amara", False),
        ("the paper (https://arxiv.org/abs/2305.13048).", "2305.13048", True),
        ("the paper (https://arxiv.org/abs/2305.130481).", "2305.13048", False),
        ("see github.com/ggerganov/llama.cpp, it works", "ggerganov/llama.cpp", True),
        ("score = (∂Loss/∂Weight)", "Loss", False),
        ("anything", "", False),
        ("anything", "the", False),
        ("", "690", False),
    ],
)
def test_an_answer_counts_on_word_borders(text: str, answer: str, given_: bool) -> None:
    assert gives_answer(text, answer) is given_


def test_normalisation_is_that_of_squad() -> None:
    assert normalised("The  Cat, an 'Ox' and A-B.") == "cat ox and ab"
