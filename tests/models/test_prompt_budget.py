"""A prompt never has more tokens than fit the context beside the answer, by the count of llama.cpp itself."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.answers import Evidence, Hit
from ragnotes.asking.prompting import build_prompt
from ragnotes.models.generator_process import LlamaGenerator
from ragnotes.ports import Prompt
from ragnotes.types import Chunk, DateRange, Kind, Place, Source, Unit

pytestmark = pytest.mark.model

ANSWER_TOKENS = 96
HARD = st.sampled_from(
    ["<|im_start|>", "<|im_end|>", "\r\n", "    ", "\t", "\n\n", "don't", "123456789", "½", "\x00\x04", "👩‍🚀", "é"]
)
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(st.one_of(HARD, st.text(max_size=6)), max_size=200).map("".join),
    st.integers(1, 900).map(lambda times: "word " * times),
)


def evidence_of(text: str, lead: str) -> Evidence:
    unit = Unit(0, len(text), text, lead)
    place = Place(heading="Notes > 2024 > Costs", date=DateRange(date(2024, 1, 7), date(2024, 1, 7)))
    chunk = Chunk("c", "d", 0, len(text), text, "", text, place, (unit,), ())
    hit = Hit(chunk, Source("d", "a.md", "A", Kind.NOTE, "00"), 1, 1.0, 1.0, 1.0)
    return Evidence(hit, unit, text, 1.0, 1.0, 1.0, place)


@settings(deadline=None, max_examples=150)
@given(question=TEXTS, texts=st.lists(st.tuples(TEXTS, st.text(max_size=20)), max_size=8))
def test_a_prompt_fits_its_budget(generator: LlamaGenerator, question: str, texts: list[tuple[str, str]]) -> None:
    evidence = [evidence_of(text, lead) for text, lead in texts]
    prompt, shown = build_prompt(generator, question, evidence, answer_tokens=ANSWER_TOKENS)
    read = len(generator.encode(generator.render(prompt)))
    assert read == generator.prompt_tokens(prompt)
    room = generator.context_tokens - ANSWER_TOKENS
    assert read <= room or shown == 0  # the question alone may be too long
    assert 0 <= shown <= len(evidence)
    if shown < len(evidence) and read <= room:
        more = Prompt(prompt.system, prompt.user.replace("\n\nQuestion", f"\n[9] {texts[shown][0]}\n\nQuestion"))
        assert len(generator.encode(generator.render(more))) > room - 60  # no room is wasted: 60 for what it is about


def test_the_usual_prompt_holds_all_its_evidence(generator: LlamaGenerator) -> None:
    evidence = [evidence_of("The used graphics card cost 690 euros, cash. " * 4, "Costs") for _ in range(4)]
    prompt, shown = build_prompt(generator, "What did it cost?", evidence, answer_tokens=ANSWER_TOKENS)
    assert shown == 4
    assert generator.prompt_tokens(prompt) < 600
