"""Counts what the language model will read, in this process: the only module that imports tiktoken.

tiktoken's own vocabularies come from the network and are not the model's. The encoding here is built from the
vocabulary of the GGUF file itself, and used only if it agrees with llama.cpp; otherwise llama.cpp is asked each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ragnotes.ports import TokenCounter

__all__ = ["AskingCounter", "TiktokenCounter", "Vocabulary", "encodable", "token_counter"]

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# llama.cpp cuts single digits out first and splits what is left: a run of spaces before a digit stays whole.
_SMOLLM = r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PATTERNS = {
    "gpt-2": _GPT2,
    "smollm": _SMOLLM,
    "llama-bpe": _LLAMA3,
    "llama3": _LLAMA3,
    "llama-v3": _LLAMA3,
    "qwen2": _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}"),
}
"""How text is cut into words before merging, by the file's `tokenizer.ggml.pre`."""

_SPOT_CHECK = """# Meeting, 3 March 2024 (Zürich)

- They'RE sure we'll ship 1,234.5 units; it isn't   "final"\t→ see `run_all()` in v2.0.1!!
  ﹣ naïve café, Привет мир, 你好世界, こんにちは, 👩‍🚀 ½ x² €100 <|im_start|>user\r\n\r\n    return a[0]  +  b // 2
"""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A byte-level BPE vocabulary. In `normal` smaller ids merge first; `user_defined` are found even in plain text."""

    size: int
    pre: str
    normal: Mapping[bytes, int]
    user_defined: Mapping[str, int]


class TiktokenCounter:
    """The ids that llama.cpp gives, without llama.cpp. Raises KeyError where `vocabulary.pre` is not known."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        import tiktoken

        self._size = vocabulary.size
        missing = (bytes([byte]) for byte in range(256) if bytes([byte]) not in vocabulary.normal)
        # A byte without a token would be a panic in tiktoken; llama.cpp drops it, and so does `encode`.
        spare = {byte: vocabulary.size + n for n, byte in enumerate(missing)}
        self._encoding = tiktoken.Encoding(
            "gguf",
            pat_str=_PATTERNS[vocabulary.pre],
            mergeable_ranks={**vocabulary.normal, **spare},
            special_tokens=dict(vocabulary.user_defined),
        )
        self._user_defined = frozenset(vocabulary.user_defined)

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text: the spelling of a control token is text like any other."""
        ids = self._encoding.encode(encodable(text), allowed_special=set(self._user_defined), disallowed_special=())
        return [token for token in ids if token < self._size]

    def count(self, text: str) -> int:
        return len(self.encode(text))


class AskingCounter:
    """A counter that asks llama.cpp: right for every model, and about ten times slower."""

    def __init__(self, ask: Callable[[str], Sequence[int]]) -> None:
        self._ask = ask

    def count(self, text: str) -> int:
        return len(self._ask(text))


def token_counter(vocabulary: Vocabulary | None, ask: Callable[[str], Sequence[int]]) -> TokenCounter:
    """A `TiktokenCounter` if it agrees with `ask` on a paragraph of everything difficult, else an `AskingCounter`."""
    if vocabulary is None or vocabulary.pre not in _PATTERNS:
        return AskingCounter(ask)
    counter = TiktokenCounter(vocabulary)
    return counter if counter.encode(_SPOT_CHECK) == list(ask(_SPOT_CHECK)) else AskingCounter(ask)


def encodable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
