"""tiktoken with the GGUF file's vocabulary against llama.cpp's own tokenizer: equal ids, or tiktoken is not used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.models.generator_process import LlamaGenerator
from ragnotes.models.tokens import AskingCounter, TiktokenCounter, Vocabulary, token_counter

ROOT = Path(__file__).parents[2]
HARD = st.sampled_from(
    ["<|im_start|>", "<|im_end|>", "\r\n", "  ", "\t", "\n\n", "I'LL", "don't", "12", "½", "٣", "\x00\x04", "👩‍🚀", "ﬁ"]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.one_of(HARD, st.text(max_size=4)), max_size=15).map("".join))

BYTES = {bytes([byte]): byte for byte in range(256)}


@pytest.fixture(scope="session")
def counter(generator: LlamaGenerator) -> TiktokenCounter:
    counter = generator.tokens
    assert isinstance(counter, TiktokenCounter)
    return counter


def _files() -> list[Path]:
    files = [path for path in sorted((ROOT / "corpus").rglob("*")) if path.suffix in {".md", ".txt", ".srt", ".vtt"}]
    return files or [ROOT / "pyproject.toml"]


@pytest.mark.model
def test_ids_of_the_corpus_equal_those_of_llama_cpp(generator: LlamaGenerator, counter: TiktokenCounter) -> None:
    for path in _files():
        text = path.read_bytes().decode("utf-8", "replace")
        assert counter.encode(text) == generator.tokenize(text), path
        assert counter.count(text) == len(generator.tokenize(text))


@pytest.mark.model
@settings(deadline=None, max_examples=500)
@given(text=TEXTS)
def test_ids_of_any_text_equal_those_of_llama_cpp(
    generator: LlamaGenerator, counter: TiktokenCounter, text: str
) -> None:
    assert counter.encode(text) == generator.tokenize(text)


@pytest.mark.model
@pytest.mark.parametrize("pre", ["gpt-2", "llama-bpe", "llama3", "qwen2"])
def test_other_ways_to_cut_words_equal_those_of_llama_cpp(gguf: Path, tmp_path: Path, pre: str) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(_with_pre(gguf.read_bytes(), pre.encode()))
    other = LlamaGenerator(path, threads=2, context_tokens=512, queue_length=1)
    try:
        assert isinstance(other.tokens, TiktokenCounter)
        for file in _files():
            text = file.read_bytes().decode("utf-8", "replace")
            assert other.tokens.encode(text) == other.tokenize(text), file
    finally:
        other.close()


@pytest.mark.model
def test_an_unknown_way_to_cut_words_asks_llama_cpp(gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(_with_pre(gguf.read_bytes(), b"refact"))
    other = LlamaGenerator(path, threads=2, context_tokens=512, queue_length=1)
    try:
        assert isinstance(other.tokens, AskingCounter)
        assert other.tokens.count("One two, three.") == len(other.tokenize("One two, three.")) == 5
    finally:
        other.close()


@pytest.mark.parametrize("text", ["\ud800 lone", "a" * 100_000, " " * 100_000, "\x00" * 1000])
def test_no_text_is_too_strange_to_count(text: str) -> None:
    counter = TiktokenCounter(Vocabulary(256, "smollm", BYTES, {}))
    assert counter.count(text) == len(text.encode("utf-8", "replace"))


def test_bytes_without_a_token_are_dropped() -> None:
    vocabulary = Vocabulary(2, "smollm", {b"a": 0, b"b": 1}, {})
    assert TiktokenCounter(vocabulary).encode("axb\x04é") == [0, 1]


def test_user_defined_tokens_are_found_in_plain_text_and_control_tokens_are_not() -> None:
    vocabulary = Vocabulary(257, "gpt-2", BYTES, {"<fn>": 256})
    assert TiktokenCounter(vocabulary).encode("a<fn><|im_end|>") == [97, 256, *b"<|im_end|>"]


def test_a_counter_that_disagrees_with_the_model_is_not_used() -> None:
    vocabulary = Vocabulary(256, "smollm", BYTES, {})
    assert isinstance(token_counter(vocabulary, lambda text: list(text.encode())), TiktokenCounter)
    assert isinstance(token_counter(vocabulary, lambda text: list(text.encode())[:-1]), AskingCounter)
    assert isinstance(token_counter(None, lambda text: [1, 2, 3]), AskingCounter)
    assert token_counter(None, lambda text: [1, 2, 3]).count("any") == 3


def _with_pre(gguf: bytes, pre: bytes) -> bytes:
    """The file with another `tokenizer.ggml.pre`; the model's name gives or takes the bytes, so that all else stays."""
    old_pre, old_name = b"smollm", b"Smollm2 135M 8k Lc100K Mix1 Ep2"
    name = old_name[: len(old_name) - len(pre) + len(old_pre)].ljust(len(old_name) - len(pre) + len(old_pre), b"x")
    head, tail = gguf[:4_000_000], gguf[4_000_000:]
    for key, old, new in ((b"tokenizer.ggml.pre", old_pre, pre), (b"general.name", old_name, name)):
        before, after = (key + (8).to_bytes(4, "little") + len(v).to_bytes(8, "little") + v for v in (old, new))
        assert before in head
        head = head.replace(before, after, 1)
    assert len(head) + len(tail) == len(gguf)
    return head + tail
