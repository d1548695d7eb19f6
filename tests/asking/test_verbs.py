"""Irregular verbs: what was noted in one form is found by another."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.asking.answering import Request
from ragnotes.asking.verbs import other_forms
from ragnotes.asking.words import stems
from ragnotes.events import Final
from tests.asking.stage import asker_over, index_notes


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("buy", ["bought"]),
        ("Bought", ["buy"]),
        ("buying", ["buy", "bought"]),
        ("writes", ["write", "wrote", "written"]),
        ("running", ["run", "ran"]),
        ("kettle", []),
        ("thing", []),
    ],
)
def test_the_other_forms_of_a_verb_are_known(word: str, forms: list[str]) -> None:
    assert other_forms(word) == forms


def test_all_forms_have_one_stem() -> None:
    assert len(set(stems("write writes writing wrote written"))) == 1
    assert stems("found") == stems("find")


def test_what_was_bought_is_found_by_buy(tmp_path: Path) -> None:
    notes = {"a.md": "# A\n\nBought a samovar from the flea market.\n", "b.md": "# B\n\nA samovar is a kettle.\n"}
    store = index_notes(tmp_path, notes)
    *_, final = asker_over(store, tmp_path).ask(Request("Where did I buy the samovar?", llm=False))
    store.close()
    assert isinstance(final, Final)
    assert final.answer.sentences[0].text == "Bought a samovar from the flea market."
