from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes import sentences as rules
from ragnotes.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \n\t ", []),
        ("One", ["One"]),
        ("  One. Two!  Three? ", ["One.", "Two!", "Three?"]),
        (
            "Dr. Smith met Mr. Jones at 3.30 p.m. on Monday. He left.",
            ["Dr. Smith met Mr. Jones at 3.30 p.m. on Monday.", "He left."],
        ),
        ("It costs $3.50, i.e. little. Fine.", ["It costs $3.50, i.e. little.", "Fine."]),
        ('She said "No." Then she left.', ['She said "No."', "Then she left."]),
        ("Wrapped\nby an editor. Next.", ["Wrapped\nby an editor.", "Next."]),
        ("One paragraph\n\nand another", ["One paragraph", "and another"]),
        ("Er kam im Mai z.B. spät. Dann ging er.", ["Er kam im Mai z.B. spät.", "Dann ging er."]),
        ("¿Qué pasa? ¡Nada!", ["¿Qué pasa?", "¡Nada!"]),
        ("By W. E. B. Du Bois in 1903. Later, too.", ["By W. E. B. Du Bois in 1903.", "Later, too."]),
        ("So says W.E.B. Du Bois. We met in D.C. We left.", ["So says W.E.B. Du Bois.", "We met in D.C. We left."]),
        ("The M.O.C.C. The office moved.", ["The M.O.C.C.", "The office moved."]),
        ("Gov. Brown and Lt. Col. Jones met. He won.", ["Gov. Brown and Lt. Col. Jones met.", "He won."]),
        ("See Vol. 2, ch. 4 and pp. 5-6. Fine.", ["See Vol. 2, ch. 4 and pp. 5-6.", "Fine."]),
        ("Read ed. 2 of it (esp. The Box). Fine.", ["Read ed. 2 of it (esp. The Box).", "Fine."]),
        ("As in Lee et al. (2003), in part. Fine.", ["As in Lee et al. (2003), in part.", "Fine."]),
        ("Am 3. Mai kam er. Gut.", ["Am 3. Mai kam er.", "Gut."]),
        ("Un decreto de EE. UU. de 1971. Bien.", ["Un decreto de EE. UU. de 1971.", "Bien."]),
        ("Né en 200 av. J.-C. à Rome. Bien.", ["Né en 200 av. J.-C. à Rome.", "Bien."]),
        ("He was 12. The rest was old.", ["He was 12.", "The rest was old."]),
        ("We sold 12. August was better.", ["We sold 12.", "August was better."]),
        ("We sold 12. June was better.", ["We sold 12.", "June was better."]),
        ("Geboren 12. August in Berlin. Gut.", ["Geboren 12. August in Berlin.", "Gut."]),
        ("Am 12. Juni kam er. Gut.", ["Am 12. Juni kam er.", "Gut."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, found: list[str]) -> None:
    assert sentences(text) == found


PIECES = st.sampled_from(
    [
        *(
            "a",
            "Word",
            ". ",
            "! ",
            "?",
            "…",
            "\n",
            "\n\n",
            " ",
            "\u00a0",
            "\u200b",
            "\u00ad",
            "\u2028",
            "'",
            '"',
            "can't",
        ),
        *(
            "(",
            ")",
            "-",
            "3.",
            "e.g.",
            "Dr.",
            "日本。",
            "e\u0301",
            "🎉",
            "\ufeff",
            "\x0b",
            "i.e",
            "http://x.y/z.",
            "--",
            "_",
        ),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
@settings(deadline=None)
def test_sentences_hold_every_character_once_and_in_order(text: str) -> None:
    at = 0
    for start, end in sentence_spans(text):
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


WORDS = st.sampled_from(["I", "no", "12", "Dr", "don't", "A-b", "x,", "é", '"so"', "\n", "\n\n", " \t", "_a_", "no/3"])


@given(st.lists(WORDS, max_size=12).map(" ".join), st.sampled_from(["", ".", "!", "?", ". ", "?\n", "..", ".)"]))
@settings(deadline=None)
def test_words_without_an_end_between_them_are_what_the_rules_make_of_them(text: str, end: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "_ONE", re.compile(r"(?!)"))
        expected = sentence_spans(text + end)
    assert sentence_spans(text + end) == expected


@pytest.mark.parametrize(
    "piece", ["word ", "A b. ", ".", "x", "( ", "3. ", "\n\n", "a.\n\n", "a\n", '"', "日本"], ids=repr
)
def test_a_long_text_takes_linear_time(piece: str) -> None:
    seconds = []
    for size in (10_000, 40_000):
        started = time.process_time()
        sentence_spans(piece * (size // len(piece)))
        seconds.append(time.process_time() - started)
    assert seconds[1] < 12 * max(seconds[0], 0.05)  # four times the text; quadratic would be sixteen times
