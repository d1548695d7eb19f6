from __future__ import annotations

import pytest

from ragnotes.languages import FUNCTION_WORDS, STEM_MARK, language_of, stem_forms


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the KV cache?", "en"),
        ("¿Qué es la transformación digital?", "es"),
        ("que es la transformacion digital", "es"),
        ("Was kostet der neue Zaun am Haus?", "de"),
        ("Où est la clé de la maison ?", "fr"),
        ("Quanto costa il biglietto per la metro?", "it"),
        ("Quanto custa a passagem para o centro da cidade?", "pt"),
        ("Wat kost een kaartje naar het strand?", "nl"),
        ("Who plays in Die Hard?", "en"),
        ("What about the con man in Las Vegas?", "en"),
        ("sin tax", None),
        ("con artist", None),
        ("FAISS 1.11", None),
        ("検索とは何ですか", None),
        ("", None),
    ],
)
def test_function_words_tell_the_language(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_content_in_english_is_no_function_word_of_english() -> None:
    assert FUNCTION_WORDS["en"].isdisjoint(["die", "sin", "con", "son", "man", "pour", "not", "without"])
    assert "die" in FUNCTION_WORDS["de"]
    assert "con" in FUNCTION_WORDS["es"] | FUNCTION_WORDS["it"]


def test_inflections_of_a_language_share_a_stem_and_languages_share_none() -> None:
    assert (
        stem_forms("las transformaciones", "es") == stem_forms("la transformación", "es") == [f"{STEM_MARK}estransform"]
    )
    assert stem_forms("Häuser", "de") == stem_forms("Haus", "de")
    assert stem_forms("nation", "fr") != stem_forms("nation", "de")
    assert stem_forms("the transformations", "en") == stem_forms("transformaciones", None) == []
    assert stem_forms("los 300 de 1999", "es") == []
