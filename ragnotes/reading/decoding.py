"""Bytes to text. Offsets of notes count into the text that this module gives.

UTF-8 comes first, then what a byte order mark says, then Western European text of old editors, and a statistical
guess only for what is left: on a few words, guessing confuses cp1252 with its Central European sibling.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from ragnotes.errors import LoadError

__all__ = ["Decoded", "decode", "stated_encoding"]

_MARKS = (  # UTF-32 before UTF-16: the mark of one begins with the mark of the other
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSED = (
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "mac_roman"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
)
_SAMPLE_BYTES = 64 * 1024
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_STRAY = re.compile(r"[\udc80-\udcff]")
_ODD_WITHIN_WORD = re.compile(r"[^\W\d_][¡¿¹³¼½¾£¥¤¦¨ª¯´¸][^\W\d_]")
_WESTERN = tuple(
    frozenset(letters)
    for letters in (
        "àâæçéèêëîïôœùûüÿ",  # French
        "äöüßé",  # German
        "áéíñóúüçàèïòº",  # Spanish, Catalan
        "áâãàçéêíóôõúü",  # Portuguese
        "àèéìíîòóùú",  # Italian
        "åäöæøéü",  # Nordic
        "éëïóöüáèêí",  # Dutch
    )
)
_WESTERN_SHARE = 0.85
"""Of the accented letters, those that one Western language uses; the rest are names from elsewhere."""
_FEW_LETTERS = 12
"""With no more accented letters than this, they may be of several Western languages: a guess would be worse."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, without byte order mark and with every line break made a newline, and its encoding."""

    text: str
    encoding: str


def decode(content: bytes) -> Decoded:
    """The text of `content`. Empty bytes give empty text. Raises LoadError("undecodable") on bytes that are no text."""
    text, encoding = _decode(content)
    if len(_CONTROLS.findall(text)) > len(text) // 10:
        raise _undecodable("most of it is control characters")
    return Decoded(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), encoding)


def stated_encoding(decoded: Decoded) -> dict[str, str]:
    """What a document's metadata says of how it was decoded: nothing where that is UTF-8."""
    return {} if decoded.encoding == "utf-8" else {"encoding": decoded.encoding}


def _decode(content: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strictly(content, encoding)
    if b"\0" in content:
        return _without_mark(content)
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return _mostly_utf8(content) or _western(content) or _guessed(content)


def _without_mark(content: bytes) -> tuple[str, str]:
    """UTF-16 without its mark shows by zeros in every other byte, as long as the text is largely ASCII."""
    even, odd = content[::2].count(0), content[1::2].count(0)
    if len(content) % 2 == 0 and min(even, odd) == 0 and max(even, odd) > 0.2 * len(content):
        return _strictly(content, "utf-16-be" if even else "utf-16-le")
    raise _undecodable("it holds NUL bytes")


def _strictly(content: bytes, encoding: str) -> tuple[str, str]:
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError as error:
        raise _undecodable(f"it is no {encoding}, as its first bytes say") from error


def _mostly_utf8(content: bytes) -> tuple[str, str] | None:
    """UTF-8 into which a few Western bytes were pasted; None where the stray bytes are not the exception."""
    text = content.decode("utf-8-sig", errors="surrogateescape")
    stray = len(_STRAY.findall(text))
    sound = sum(not character.isascii() for character in text) - stray
    if sound < 4 * stray:
        return None
    return _STRAY.sub(lambda match: _western_byte(ord(match[0]) - 0xDC00), text), "utf-8 with cp1252"


def _western_byte(value: int) -> str:
    return bytes([value]).decode("cp1252", errors="replace")


def _western(content: bytes) -> tuple[str, str] | None:
    """cp1252 where the accented letters are those of one Western language, and stand among plain ones."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = [character for character in text.lower() if character.isalpha()]
    accented = [letter for letter in letters if not letter.isascii()]
    if len(accented) > 0.4 * len(letters) or _ODD_WITHIN_WORD.search(text):
        return None
    fitting = max(sum(letter in language for letter in accented) for language in _WESTERN)
    mixed = len(accented) <= _FEW_LETTERS and frozenset().union(*_WESTERN).issuperset(accented)
    return (text, "cp1252") if mixed or fitting >= _WESTERN_SHARE * len(accented) else None


def _guessed(content: bytes) -> tuple[str, str]:
    guess = from_bytes(_sample(content), cp_isolation=list(_GUESSED)).best()
    if guess is None:
        raise _undecodable("its encoding cannot be told")
    text = content.decode(guess.encoding, errors="replace")
    if text.count("\ufffd") > len(text) // 100:
        raise _undecodable(f"it looks like {guess.encoding}, but is not")
    return text, guess.encoding


def _sample(content: bytes) -> bytes:
    """The first bytes, cut where no multi-byte character can be cut in two."""
    if len(content) <= _SAMPLE_BYTES:
        return content
    cut = content.rfind(b"\n", 0, _SAMPLE_BYTES)
    return content[:cut] if cut > 0 else content[:_SAMPLE_BYTES]


def _undecodable(why: str) -> LoadError:
    return LoadError("undecodable", f"the file is not text: {why}", "save it as UTF-8; the other files are indexed")
