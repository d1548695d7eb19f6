"""What checks claims and writes questions out takes no time worth waiting for, whatever text it is given."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ragnotes.asking import denial, phrases, pronouns, quantities, referents
from ragnotes.asking.attachment import attached_alike, names_of, words_of
from ragnotes.asking.follow_ups import written_out
from ragnotes.asking.verification import Claim, agreements, is_refusal, without_foreign_urls
from ragnotes.asking.word_order import common_subsequence, support_of
from ragnotes.turns import Turn
from ragnotes.types import DateRange
from tests.asking.test_verification import piece

CHARS = 100_000
MOST_S = 0.5
NOTED = DateRange.parse("2024-05-12")
REPEATED = (
    *("a", "aA", "a.a/", "no ", "1 ", "two, ", "two million ", "1 May 2024 ", "is used "),
    *("a.com ", "[](", "notes ", "before a after ", " ", '"aa" A, '),
)
TEXTS = {repeated: (repeated * CHARS)[:CHARS] for repeated in REPEATED} | {
    "numbers": " ".join(map(str, range(17_000))),
    "names": " ".join(f"N{number}" for number in range(15_000)),
    "addresses": " ".join(f"a{number}.com" for number in range(9_000)),
}


class _NoEmbedder:
    """Vectors of one number, for what is measured is not the embedding."""

    def embed_documents(self, texts: list[str]) -> object:
        import numpy as np

        return np.ones((len(texts), 1), dtype=np.float32)


def _turn(text: str) -> list[Turn]:
    return [Turn(text, None, (text, text)), Turn(f"Which {text[:200]}?", None, (text,))]


def _agreements(text: str) -> object:
    claims = [
        Claim(text, text, piece(text, heading=text, date="2024-05-12")),
        Claim(text, f"b {text}", piece(f"c {text}")),
    ]
    return agreements(claims, _NoEmbedder(), {})  # type: ignore[arg-type]


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "agreements": _agreements,
    "is_refusal": is_refusal,
    "without_foreign_urls": lambda text: without_foreign_urls(
        text, [piece("b", links=("https://b.com",)), piece(text)]
    ),
    "quantities_in": quantities.quantities_in,
    "without_quantities": quantities.without_quantities,
    "without_dates": lambda text: quantities.without_dates(text, NOTED),
    "numbers_agree": lambda text: quantities.numbers_agree(text, text, text),
    "dates_agree": lambda text: quantities.dates_agree(text, text, NOTED),
    "denials": denial.denials,
    "without_denials": denial.without_denials,
    "deny_alike": lambda text: denial.deny_alike(text, text),
    "is_opposed": lambda text: denial.is_opposed(text, text),
    "names_of": names_of,
    "words_of": words_of,
    "attached_alike": lambda text: attached_alike(text, f"b {text}"),
    "support_of": lambda text: support_of(text, text, piece(text, heading=text, date="2024-05-12")),
    "common_subsequence": lambda text: common_subsequence(text.split(), text.split()),
    "date_in": phrases.date_in,
    "name_spans": phrases.name_spans,
    "phrases_of": phrases.phrases_of,
    "topic_of": phrases.topic_of,
    "wh_of": phrases.wh_of,
    "is_code": phrases.is_code,
    "with_pronouns_told": lambda text: [
        pronouns.with_pronouns_told(asked, _turn(text))
        for asked in (text, text[:300], "is it there", "is that one hers?")
    ],
    "with_items_told": lambda text: pronouns.with_items_told("what about the second one?", _turn(text)),
    "thing_meant": lambda text: referents.thing_meant(_turn(text)),
    "things_meant": lambda text: referents.things_meant(_turn(text)),
    "several_meant": lambda text: referents.several_meant(_turn(text)),
    "person_meant": lambda text: referents.person_meant(_turn(text)),
    "place_meant": lambda text: referents.place_meant(_turn(text)),
    "deed_meant": lambda text: referents.deed_meant(_turn(text)),
    "day_meant": lambda text: referents.day_meant(_turn(text)),
    "item_meant": lambda text: referents.item_meant(_turn(text), 2),
    "written_out": lambda text: [
        written_out(asked, _turn(text))
        for asked in (text, text[:300], "why?", "and the price?", "what about A1?", "more")
    ],
}


def _forget() -> None:
    for function in (quantities.quantities_in, denial.denials, denial._turning, names_of, words_of):
        function.cache_clear()


@pytest.mark.parametrize("text", TEXTS.values(), ids=[repr(name) for name in TEXTS])
def test_no_text_takes_long(text: str) -> None:
    slow = {}
    for name, function in FUNCTIONS.items():
        taken: list[float] = []
        while not taken or (min(taken) > MOST_S and len(taken) < 3):  # a busy machine is not the function's fault
            _forget()
            began = time.process_time()
            function(text)
            taken.append(time.process_time() - began)
        if min(taken) > MOST_S:
            slow[name] = round(min(taken), 2)
    assert slow == {}
