from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.errors import LoadError
from ragnotes.reading.decoding import Decoded, decode


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_with_or_without_its_mark(encoding: str) -> None:
    assert decode("plain text, été – “quoted”\n".encode(encoding)).text == "plain text, été – “quoted”\n"


@pytest.mark.parametrize(
    "text",
    [
        "Müller",
        "Café crème à la carte, déjà vu",
        "naïve “quotes” and – dashes",
        "5 € für Äpfel",
        "¿Qué hora es? El niño comió piñas.",
        "Zoë schrieb “ja” – naïve Häuser, Muñoz",
        "Blåbærsyltetøy på brød",
    ],
)
def test_short_western_text_is_read_as_cp1252(text: str) -> None:
    assert decode(text.encode("cp1252")) == Decoded(text, "cp1252")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Zażółć gęślą jaźń. Łódź jest miastem w Polsce, bardzo piękne."),
        ("cp1251", "Привет, как дела? Это текст на русском языке."),
        ("koi8_r", "Привет, как дела? Это текст на русском языке."),
        ("cp1254", "İstanbul'da yaşıyorum, çok güzel bir şehir."),
        ("shift_jis", "これは日本語のテキストです。東京に住んでいます。"),
        ("gb18030", "这是一个中文文本，我们住在北京。"),
    ],
)
def test_text_of_elsewhere_is_guessed(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == Decoded(text, encoding)


def test_a_western_byte_within_utf8_costs_only_itself() -> None:
    content = "日本語のテキスト ".encode() + b"caf\xe9"
    assert decode(content) == Decoded("日本語のテキスト café", "utf-8 with cp1252")


def test_line_breaks_become_newlines_and_the_mark_is_dropped() -> None:
    assert decode(b"\xef\xbb\xbfa\r\nb\rc\n") == Decoded("a\nb\nc\n", "utf-8")


def test_nothing_is_empty_text() -> None:
    assert decode(b"") == Decoded("", "utf-8")


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"text with a\0NUL", bytes(range(1, 9)) * 20, b"\xff\xfeabc", b"\xff\xfe\0\xd8"],
)
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(LoadError) as caught:
        decode(content)
    assert caught.value.reason == "undecodable"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_utf8_text_comes_back(text: str) -> None:
    assert decode(text.encode()) == Decoded(text.removeprefix("\ufeff"), "utf-8")


@given(st.binary(max_size=300))
def test_any_bytes_give_text_or_undecodable(content: bytes) -> None:
    try:
        text = decode(content).text
    except LoadError as error:
        assert error.reason == "undecodable"
    else:
        text.encode("utf-8")
        assert "\r" not in text
