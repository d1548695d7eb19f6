"""What words are found by besides themselves. `stores` and `asking` test that it finds them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.forms import forms_asked, forms_in, spellings_asked


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        ("FlashAttention", ["flash", "attention"]),
        ("KVCache", ["kv", "cache"]),
        ("kv_cache", ["kvcache"]),
        ("kv-cache", ["kvcache"]),
        ("GPT3", ["gpt", "3"]),
        ("GPT-3", ["gpt3"]),
        ("GPT‑3", ["gpt3"]),
        ("v0.3.36", ["v", "0", "3", "36", "v03"]),
        ("2304.01904v2", ["2304", "01904", "v", "2"]),
        ("state-of-the-art", []),
        ("2019-2020", []),
        ("LLMs", []),
        ("dQw4w9WgXcQ", []),
        ("H2O", []),
        ("plain words, and a sentence.", []),
    ],
)
def test_names_are_kept_in_pieces_and_joined(written: str, forms: list[str]) -> None:
    assert forms_in(written, None) == forms


def test_symbols_make_names_of_their_own() -> None:
    names = ["C++", "C#", "F#", "C", "F", ".NET", "net", "--max-tokens", "#rag", "@ada"]
    kept = {name: set(forms_in(name, None)) for name in names}
    for name, forms in kept.items():
        assert set(forms_asked(name, None)) == forms - {"maxtokens"} != set()
        assert not any(forms & others for other, others in kept.items() if other != name), name
    assert "csharp" in kept["C#"]
    assert set(forms_in("ISO C++17", None)) == kept["C++"]
    assert forms_in("c'est en A&C#5 j'ai", None) == []


def test_a_version_is_also_asked_for_without_its_letter() -> None:
    assert forms_asked("v0.3.36 or 2304.01904v2 or v2 or 0.3.36", None) == ["0 3 36", "2304 01904"]


def test_writing_without_spaces_is_cut_into_pairs_but_for_its_grammar() -> None:
    assert forms_in("RAGは検索拡張生成です。", None) == ["rag", "は検", "検索", "索拡", "拡張", "張生", "生成", "成で"]
    assert forms_in("茶 を", None) == ["茶", "を"]
    assert forms_asked("検索とは", None) == ["検索", "索と"]


@pytest.mark.parametrize(
    ("question", "spellings"),
    [
        ("What is FlashAttention?", ["flash attention"]),
        ("what is flash attention", ["flashattention"]),
        ("kv_cache or GPT-3?", ["kvcache", "gpt3"]),
        ("v0.3.36", ["v 0 3 36", "v03"]),
        ("2304.01904v2", ["2304 01904 v 2"]),
        ("l'eau, dell’acqua, Tom's", ["eau", "acqua"]),
        ("the price of it", []),
        ("one, two", []),
    ],
)
def test_a_question_is_also_spelled_in_pieces_and_joined(question: str, spellings: list[str]) -> None:
    assert spellings_asked(question, "en") == spellings


@given(st.text(max_size=300), st.sampled_from(["en", "es", "de", None]))
def test_any_text_has_forms_of_one_token_each(text: str, language: str | None) -> None:
    assert all(form and form == form.strip() and " " not in form for form in forms_in(text, language))
    assert len(set(forms_asked(text, language))) == len(forms_asked(text, language))
    spellings_asked(text, language)


@pytest.mark.parametrize("part", ["a", "aB", "-", "--a", "a.", "a-", "検索", "C#", "c++", " .a", "1a"])
def test_hostile_text_takes_linear_time(part: str) -> None:
    text = part * (200_000 // len(part))
    started = time.process_time()
    forms_in(text, "es")
    spellings_asked(text, "es")
    assert time.process_time() - started < 5
