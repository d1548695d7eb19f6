from __future__ import annotations

import pytest

from ragnotes.asking.attachment import attached_alike, names_of
from ragnotes.asking.denial import deny_alike


def test_names_are_what_is_capitalised_within_a_sentence_or_looks_like_a_name() -> None:
    assert names_of("The pump of Thomas Savery ran on llama3. Then GPT-4 came.") == (
        "thomas",
        "savery",
        "llama3",
        "gpt",
    )
    assert names_of("Thomas Savery's pump") == ("thomas", "savery")
    assert names_of("However, pumps leak.") == ()


@pytest.mark.parametrize(
    ("claim", "alike"),
    [
        ("Watt improved the steam condenser.", True),
        ("The steam condenser was improved by Watt.", True),
        ("Savery improved the steam condenser.", False),
        ("Watt sold the old pump.", False),
    ],
)
def test_a_name_keeps_what_is_said_of_it(claim: str, alike: bool) -> None:
    assert attached_alike(claim, "Savery sold the old pump and Watt improved the steam condenser.") is alike


def test_a_number_keeps_what_is_said_of_it() -> None:
    source = "74 tokens for short quotes, 118 tokens for free text"
    assert attached_alike("118 tokens for free text", source)
    assert not attached_alike("74 tokens for free text", source)


@pytest.mark.parametrize(
    ("claim", "source", "alike"),
    [
        ("The pump leaks.", "The valve does not leak, the pump leaks.", True),
        ("The valve leaks.", "The valve does not leak, the pump leaks.", False),
        ("The valve does not not leak.", "The valve does not leak.", False),
        ("The valve never leaks.", "The valve doesn't leak.", True),
        ("It is sold by a not-for-profit.", "It is sold by a not-for-profit.", True),
    ],
)
def test_denials_are_matched_one_by_one(claim: str, source: str, alike: bool) -> None:
    assert deny_alike(claim, source) is alike
