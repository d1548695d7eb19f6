from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.answers import Answer
from ragnotes.asking.answering import Request
from ragnotes.asking.question_forms import asks_for_more
from ragnotes.events import Final
from tests.asking.stage import asker_over, index_notes

GARAGE = """\
# Garage

The wiring uses copper of 2.5 mm².[^wire] The fuse is a B16.

| Tool | Price | Shop |
|------|-------|------|
| Drill | 89 € | Bauhaus |
|       | 95 € | Obi |

<table>
<tr><th>Room</th><th>Lamp</th></tr>
<tr><td>Bath</td><td>GU10 IP44</td></tr>
</table>

## Before leaving

- [ ] turn the heater off
- [x] lock the roof window

## Compressor

To start the compressor:

```
open the drain valve
```

> [!warning] Oil level
> Check it with a cold motor only.

## Later

More.

[^wire]: Bought at Hornbach for 34 €.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index_notes(tmp_path, {"garage.md": GARAGE}).close()
    return tmp_path


def ask(folder: Path, question: str) -> Answer:
    store = index_notes(folder, {})
    final = list(asker_over(store, folder).ask(Request(question, llm=False)))[-1]
    store.close()
    assert isinstance(final, Final)
    return final.answer


@pytest.mark.parametrize(
    ("question", "told", "quote"),
    [
        ("What is the price of the drill?", "Tool: Drill | Price: 89 € | Shop: Bauhaus", "| Drill | 89 € | Bauhaus |"),
        ("Which shop sells the drill for 95 €?", "Tool: Drill | Price: 95 € | Shop: Obi", "|       | 95 € | Obi |"),
        (
            "Which lamp is in the bath?",
            "Room: Bath | Lamp: GU10 IP44",
            "<tr><td>Bath</td><td>GU10 IP44</td></tr>\n</table>",
        ),
        ("Is the heater turned off?", "☐ turn the heater off", "- [ ] turn the heater off"),
        ("Did I lock the roof window?", "☑ lock the roof window", "- [x] lock the roof window"),
        (
            "How to start the compressor?",
            "To start the compressor: open the drain valve",
            "To start the compressor:\n\n```\nopen the drain valve\n```",
        ),
        (
            "What about the oil level with a cold motor?",
            "Oil level: Check it with a cold motor only.",
            "> [!warning] Oil level\n> Check it with a cold motor only.",
        ),
    ],
)
def test_an_answer_is_told_as_a_reader_sees_it_and_quoted_as_it_stands(
    folder: Path, question: str, told: str, quote: str
) -> None:
    answer = ask(folder, question)
    assert (answer.text.split("\n")[-1], answer.citations[0].quote) == (told, quote)


def test_the_figure_of_a_row_is_told_first(folder: Path) -> None:
    answer = ask(folder, "What is the price of the drill?")
    assert answer.text == "89 €\nTool: Drill | Price: 89 € | Shop: Bauhaus"
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (1,)]


def test_a_sentence_brings_its_footnote_from_far_below(folder: Path) -> None:
    answer = ask(folder, "Which wiring of copper does the garage use?")
    assert answer.text == "The wiring uses copper of 2.5 mm². Bought at Hornbach for 34 €."
    assert [(citation.quote, citation.place.line) for citation in answer.citations] == [
        ("The wiring uses copper of 2.5 mm².[^wire]", 3),
        ("[^wire]: Bought at Hornbach for 34 €.", 35),
    ]


def test_asked_for_more_the_answer_is_longer(tmp_path: Path) -> None:
    facts = ["burns oak and ash in the long winter", "has a flue of thin red brick", "came from the mill in the valley"]
    facts += ["stands beside the north wall of the hall", "was swept by Ann before the first frost"]
    text = "".join(f"The tiled stove {fact}, as the builder of the house told us.\n\n" for fact in facts)
    index_notes(tmp_path, {"stove.md": f"# Stove\n\n{text}"}).close()
    short, long = ask(tmp_path, "How does the tiled stove work?"), ask(tmp_path, "Explain the tiled stove in detail.")
    assert len(short.sentences) <= 3
    assert len(long.sentences) == 5


ROOF = """# Roof

Mending the roof is slow work. The slates are thin and most of the nails have rusted. Bring gloves.

The roof was mended by Ann Lee. She asked for no money.

We mended the roof twice. The second time it held.
"""


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (
            "Why is mending the roof slow?",
            "Mending the roof is slow work. The slates are thin and most of the nails have rusted.",
        ),
        ("Who mended the roof?", "The roof was mended by Ann Lee."),
    ],
)
def test_where_the_best_piece_only_says_the_question_again_the_next_one_goes_on(
    tmp_path: Path, question: str, told: str
) -> None:
    index_notes(tmp_path, {"roof.md": ROOF}).close()
    answer = ask(tmp_path, question)
    assert answer.text.split("\n")[-1].startswith(told)
    assert ("gloves" in answer.text, "money" in answer.text) == (False, False)


@pytest.mark.parametrize(
    ("question", "more"),
    [
        ("Explain the stove.", True),
        ("Tell me all about the stove", True),
        ("How does it work in detail?", True),
        ("Erkläre den Ofen ausführlich.", True),
        ("Explícame la estufa en detalle.", True),
        ("Explique le poêle en détail.", True),
        ("Who bought the stove?", False),
        ("Which tailor made it?", False),
    ],
)
def test_questions_for_more_are_known(question: str, more: bool) -> None:
    assert asks_for_more(question) == more
