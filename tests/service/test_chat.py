from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ragnotes.answers import Answer, Mode
from ragnotes.asking.answering import Request
from ragnotes.events import Final, Passages, Queued, Token
from ragnotes.service.chat import ChatFrames, completion
from ragnotes.service.openai_wire import ChatBody, ChatMessage
from tests.fakes import FakeLibrary

BODY = ChatBody(messages=[ChatMessage(role="user", content="how are embeddings cached?")])


def answer_to(question: str) -> Answer:
    *_, last = FakeLibrary().ask(Request(question, llm=False))
    assert isinstance(last, Final)
    return last.answer


def content_of(answer: Answer) -> str:
    return completion(answer, BODY).choices[0].message.content


def chunks_of(frames: list[bytes]) -> list[Any]:
    texts = [frame.decode().removeprefix("data: ").rstrip("\n") for frame in frames]
    assert texts.pop() == "[DONE]"
    return [json.loads(text) for text in texts]


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("do chunk borders matter?", "- [1] `papers/borders.pdf p. 2` · Results · 2024-01-07"),
        ("what is the latency for one user?", "- [1] `talks/search.vtt 12:31–12:58 Ana`"),
    ],
)
def test_a_source_is_named_by_page_or_time(question: str, source: str) -> None:
    assert content_of(answer_to(question)).endswith(f"\n\nSources:\n\n{source}")


def test_an_abstention_names_what_comes_nearest() -> None:
    silent = replace(
        answer_to("how are embeddings cached?"), mode=Mode.ABSTAINED, reason="low_support", sentences=(), citations=()
    )
    assert content_of(silent) == (
        "The notes do not say. The nearest passages do not bear on the question well enough."
        "\n\nNearest passages:\n"
        "\n- `cache.md:3` · Technical > Cache · 2024-01-07: "
        "Embeddings are cached by content hash. See https://example.org/cache for more."
    )


def test_a_place_in_the_queue_is_no_chunk_and_the_role_comes_with_the_passages() -> None:
    frames = ChatFrames(BODY)
    assert list(frames.of(Queued(2))) == []
    [first] = frames.of(Passages(()))
    assert json.loads(first.decode().removeprefix("data: "))["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    ]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("```python", "\\```python"),
        ("~~~", "\\~~~"),
        ("# Not a heading", "\\# Not a heading"),
        ("> not a quotation", "\\> not a quotation"),
        ("| no | table", "\\| no | table"),
        ("--- no rule", "\\--- no rule"),
        ("`code` and #tags, ~5 | 6 > 4, -7", "`code` and #tags, ~5 | 6 > 4, -7"),
    ],
)
def test_a_sentence_begins_no_block(said: str, shown: str) -> None:
    answer = answer_to("how are embeddings cached?")
    said_twice = tuple(replace(answer.sentences[0], text=said, own_line=bool(number)) for number in range(2))
    whole = content_of(replace(answer, sentences=said_twice)).partition("\n\nSources")[0]
    assert whole == f"{shown} [1]  \n{shown} [1]"
    frames = ChatFrames(BODY)
    tokens = (Token(said, (1,)), Token(f"\n{said}", (1,)))
    assert "".join(_contents(frames, tokens)) == whole


def _contents(frames: ChatFrames, tokens: Iterable[Token]) -> list[str]:
    chunks = [json.loads(frame.decode().removeprefix("data: ")) for token in tokens for frame in frames.of(token)]
    return [chunk["choices"][0]["delta"]["content"] for chunk in chunks]


@pytest.mark.parametrize(
    "said", ["[a]\x00(https://x.example)", "a <\x7fb>", "```python", "~~~", "# title", "[a]\u202e: x"]
)
def test_what_comes_in_the_smallest_pieces_is_as_inert(said: str) -> None:
    text = "".join(_contents(ChatFrames(BODY), [*map(Token, said), Token("", (1,))]))
    assert not re.search(r"\][(:]|<\S|^(```|~~~|#)", text)


def test_items_break_lines_in_markdown_too() -> None:
    [chunk, *_] = ChatFrames(BODY).of(Token("honesty\n", (1,)))
    assert json.loads(chunk.decode().removeprefix("data: "))["choices"][0]["delta"] == {"content": "honesty"}
    frames = ChatFrames(BODY)
    list(frames.of(Token("Pillars:", (1,))))
    [chunk, *_] = frames.of(Token("\nhonesty", (2,)))
    assert json.loads(chunk.decode().removeprefix("data: "))["choices"][0]["delta"] == {"content": "  \nhonesty"}


def test_every_chunk_names_the_same_message_and_what_a_delta_lacks_is_absent() -> None:
    answer = answer_to("how are embeddings cached?")
    frames = ChatFrames(BODY.model_copy(update={"model": "ragnotes-extractive"}))
    chunks = chunks_of(list(frames.of(Final(answer))))
    assert {(chunk["id"], chunk["model"], chunk["object"]) for chunk in chunks} == {
        (chunks[0]["id"], "ragnotes-extractive", "chat.completion.chunk")
    }
    *deltas, sources, last = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas == [{"content": "Embeddings are cached by content hash."}, {"content": " [1]"}]
    assert sources.keys() == {"content", "citations"}
    assert last == {}
    assert "usage" not in chunks[-1]
