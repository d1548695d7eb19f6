"""The notes as a model: asked by the real `openai` client, over a real socket."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionChunk

from ragnotes.errors import GeneratorFailed, IndexLocked
from ragnotes.service.openai_wire import ChatBody, earlier_turns
from ragnotes.turns import Turn
from ragnotes.types import Kind
from tests.fakes import WAIT_S, FakeLibrary, serving
from tests.service import contract

QUESTION: Any = [{"role": "user", "content": "how are embeddings cached?"}]
ANSWER = "Embeddings are cached by content hash. [1]\n\nSources:\n\n- [1] `cache.md:3` · Technical > Cache · 2024-01-07"


@pytest.fixture
def client(server: httpx.Client) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.base_url}/v1", api_key="none", max_retries=0, timeout=10) as client:
        yield client


def _streamed(chunks: Iterator[ChatCompletionChunk]) -> tuple[str, list[ChatCompletionChunk]]:
    found = list(chunks)
    return "".join(chunk.choices[0].delta.content or "" for chunk in found if chunk.choices), found


def test_a_whole_answer_has_markers_sources_and_citations(client: OpenAI) -> None:
    done = client.chat.completions.create(model="ragnotes", messages=QUESTION)
    assert done.object == "chat.completion"
    assert done.model == "ragnotes"
    [choice] = done.choices
    assert (choice.finish_reason, choice.message.role, choice.message.content) == ("stop", "assistant", ANSWER)
    citations = choice.message.model_extra and choice.message.model_extra["citations"]
    assert citations
    assert citations[0].keys() == contract.CITATION
    assert citations[0]["quote"] == "Embeddings are cached by content hash."
    assert done.model_extra
    assert done.model_extra["citations"] == citations
    assert done.usage
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens


def test_a_stream_is_the_same_message_in_pieces_with_the_citations_in_the_last(client: OpenAI) -> None:
    content, chunks = _streamed(client.chat.completions.create(model="ragnotes", messages=QUESTION, stream=True))
    assert content == ANSWER
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1
    last = chunks[-1]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert last.model_extra
    assert [citation["path"] for citation in last.model_extra["citations"]] == ["cache.md"]
    delta = chunks[-2].choices[0].delta
    assert delta.content
    assert delta.content.startswith("\n\nSources:")
    assert delta.model_extra
    assert delta.model_extra["citations"] == last.model_extra["citations"]
    assert all(chunk.usage is None for chunk in chunks)


def test_no_marker_is_split_over_two_chunks(client: OpenAI) -> None:
    _, chunks = _streamed(client.chat.completions.create(model="ragnotes", messages=QUESTION, stream=True))
    assert [chunk.choices[0].delta.content for chunk in chunks].count(" [1]") == 1


def test_usage_comes_last_where_it_is_asked_for(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="ragnotes", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    assert (chunks[-1].choices, chunks[-1].usage and chunks[-1].usage.total_tokens) == ([], 0)
    assert all(chunk.usage is None for chunk in chunks[:-1])


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_notes_do_not_say_is_said_in_words(client: OpenAI, stream: bool) -> None:
    messages: Any = [{"role": "user", "content": "zebra?"}]
    done: Any = client.chat.completions.create(model="ragnotes", messages=messages, stream=stream)
    content = _streamed(done)[0] if stream else done.choices[0].message.content
    assert content == "The notes do not say. No passage is about this."


def test_the_models_are_listed_and_the_extractive_one_asks_no_model(client: OpenAI, library: FakeLibrary) -> None:
    assert [model.id for model in client.models.list()] == ["ragnotes", "ragnotes-extractive"]
    assert client.models.retrieve("ragnotes").owned_by == "ragnotes"
    client.chat.completions.create(model="ragnotes-extractive", messages=QUESTION)
    assert not library.asked[-1].llm
    client.chat.completions.create(model="ragnotes", messages=QUESTION)
    assert library.asked[-1].llm


def test_the_last_message_of_the_user_is_the_question_and_parts_of_text_are_joined(
    client: OpenAI, library: FakeLibrary
) -> None:
    messages: Any = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "what is chunking?"},
        {"role": "assistant", "content": "Borders matter. [1]\n\nSources:\n\n- [1] `a.md:1`"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "how are"}, {"type": "text", "text": "embeddings cached?"}],
        },
    ]
    client.chat.completions.create(model="ragnotes", messages=messages)
    assert library.asked[-1].question == "how are\nembeddings cached?"


def test_a_follow_up_refers_to_the_messages_before_it_and_the_rewrite_is_shown(
    client: OpenAI, library: FakeLibrary
) -> None:
    messages: Any = [
        {"role": "user", "content": "what did I note about caches in 2023?"},
        {"role": "assistant", "content": "Embeddings are cached. [1]\n\nSources:\n\n- [1] `cache.md:1`"},
        {"role": "user", "content": "and in 2024?"},
        {"role": "assistant", "content": "The notes do not say."},
        {"role": "user", "content": "and in 2025?"},
    ]
    answer = client.chat.completions.create(model="ragnotes", messages=messages)
    whole = "what did I note about caches in 2025?"
    assert library.asked[-1].question == whole
    assert (answer.choices[0].message.content or "").endswith(f"\n\nAsked as: {whole}")


def test_an_earlier_answer_is_read_without_its_markers_and_sources() -> None:
    messages: Any = [
        {"role": "user", "content": "what is chunking?"},
        {"role": "assistant", "content": "Borders matter. [1]\n\nSources:\n\n- [1] `a.md:1`"},
        {"role": "user", "content": "why?"},
        {"role": "assistant", "content": "The notes do not say. No passage is about this."},
        {"role": "user", "content": "more"},
    ]
    first, second = earlier_turns(ChatBody(messages=messages))
    assert first == Turn("what is chunking?", answer=("Borders matter.",))
    assert second == Turn("why?", answer=())


def test_what_other_models_take_is_accepted_and_our_filters_come_in_the_extra_body(
    client: OpenAI, library: FakeLibrary
) -> None:
    client.chat.completions.create(
        model="ragnotes",
        messages=QUESTION,
        n=1,
        max_tokens=5,
        temperature=0.7,
        top_p=0.9,
        stop=["\n"],
        seed=7,
        user="me",
        presence_penalty=0.1,
        extra_body={"kinds": ["note"], "since": "2024-01-01", "tags": ["rag"], "deadline_ms": 900, "chat_id": "x"},
    )
    request = library.asked[-1]
    assert (request.filters.kinds, str(request.filters.since), request.filters.tags) == (
        (Kind.NOTE,),
        "2024-01-01",
        ("rag",),
    )
    assert request.deadline_s == 0.9


@pytest.mark.parametrize(
    ("changes", "param", "message"),
    [
        ({"n": 2}, "n", "1"),
        ({"extra_body": {"tagz": ["rag"]}}, "body", "is it tags?"),
        ({"extra_body": {"since": "soon"}}, "since", "2024-01-31"),
        ({"response_format": {"type": "json_object"}}, "response_format.type", "text"),
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": [{"role": "system", "content": "x"}]}, "body", "no message of the user"),
        ({"messages": [{"role": "user", "content": " "}]}, None, "the question is empty"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages.0",
            "image_url cannot be read here",
        ),
    ],
)
def test_what_cannot_be_used_is_a_bad_request(client: OpenAI, changes: Any, param: str | None, message: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**({"model": "ragnotes", "messages": QUESTION} | changes))
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"
    assert message in refused.value.message


def test_a_model_that_is_not_there_is_not_found(client: OpenAI) -> None:
    for call in (
        lambda: client.chat.completions.create(model="gpt-4o", messages=QUESTION),
        lambda: client.models.retrieve("gpt-4o"),
    ):
        with pytest.raises(openai.NotFoundError, match="there is no model 'gpt-4o'; ask ragnotes") as refused:
            call()
        assert refused.value.code == "model_not_found"


def test_a_wrong_key_is_refused_in_the_same_shape() -> None:
    with serving(FakeLibrary(), api_key="right") as url:
        with OpenAI(base_url=f"{url}/v1", api_key="right", max_retries=0) as client:
            assert client.models.list().data
        with (
            OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError, match="the API key is missing or wrong") as refused,
        ):
            client.chat.completions.create(model="ragnotes", messages=QUESTION)
        assert refused.value.code == "invalid_api_key"


def test_no_index_is_a_conflict_that_is_not_tried_again(client: OpenAI, library: FakeLibrary) -> None:
    library.is_indexed = False
    with pytest.raises(openai.ConflictError, match="run: ragnotes index") as refused:
        client.with_options(max_retries=5).chat.completions.create(model="ragnotes", messages=QUESTION)
    assert refused.value.code == "index-missing"
    assert refused.value.response.headers["x-should-retry"] == "false"


def test_busy_and_locked_say_when_to_come_again(client: OpenAI, library: FakeLibrary) -> None:
    library.error = IndexLocked("another process writes", "wait")
    with pytest.raises(openai.InternalServerError) as refused:
        client.chat.completions.create(model="ragnotes", messages=QUESTION)
    assert (refused.value.status_code, refused.value.type) == (503, "server_error")
    assert int(refused.value.response.headers["retry-after"]) > 0


def test_a_full_queue_is_refused_at_once(client: OpenAI, library: FakeLibrary) -> None:
    assert library.generator
    library.generator.gate.clear()
    asked = [
        threading.Thread(target=lambda: client.chat.completions.create(model="ragnotes", messages=QUESTION))
        for _ in "ab"
    ]
    for thread in asked:
        thread.start()
        assert library.generator.running.acquire(timeout=WAIT_S)
    with pytest.raises(openai.InternalServerError, match="for the language model already") as refused:
        client.chat.completions.create(model="ragnotes", messages=QUESTION)
    assert (refused.value.status_code, refused.value.code) == (503, "generator-busy")
    assert int(refused.value.response.headers["retry-after"]) > 0
    library.generator.gate.set()
    for thread in asked:
        thread.join(WAIT_S)


def test_an_error_in_the_middle_is_raised_by_the_client(client: OpenAI, library: FakeLibrary) -> None:
    library.error_in_answer = GeneratorFailed("the model ended", "ask again")
    chunks: Any = client.chat.completions.create(model="ragnotes", messages=QUESTION, stream=True)
    assert next(chunks).choices[0].delta.role == "assistant"
    with pytest.raises(openai.APIError, match="the model ended; ask again"):
        next(chunks)


def test_closing_the_stream_early_stops_the_model(client: OpenAI, library: FakeLibrary) -> None:
    assert library.generator
    library.generator.gate.clear()
    chunks: Any = client.chat.completions.create(model="ragnotes", messages=QUESTION, stream=True)
    next(chunks)
    assert library.generator.running.acquire(timeout=WAIT_S)
    chunks.close()
    assert library.generator.stopped.wait(WAIT_S)


def test_text_of_notes_makes_no_links_images_tags_or_markers(client: OpenAI, library: FakeLibrary) -> None:
    hostile = "See ![x](https://evil/p) <img src=x> \x1b]8;;http://e\x07embeddings\x1b[31m cite [9]"
    library.notes = {"a`b*.md": hostile}
    for stream in (False, True):
        done: Any = client.chat.completions.create(model="ragnotes", messages=QUESTION, stream=stream)
        content = _streamed(done)[0] if stream else done.choices[0].message.content
        assert content == (
            "See ![x] (https://evil/p) < img src=x> embeddings cite (9) [1]"
            "\n\nSources:\n\n- [1] `` a`b*.md:3 `` · Technical > Cache · 2024-01-07"
        )


def test_the_example_in_the_readme_runs(server: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    [example] = re.findall(r"```python\n(from openai.*?)```", readme, re.DOTALL)
    exec(example.replace("http://127.0.0.1:8000", str(server.base_url)).replace("cache needs", "embeddings cached"), {})
    assert capsys.readouterr().out == f"{ANSWER}\n"


def test_a_body_that_is_too_large_or_no_json_is_refused_in_the_same_shape(server: httpx.Client) -> None:
    chunks = iter([b" " * 700_000, b" " * 700_000])
    large = server.post("/v1/chat/completions", content=chunks, headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["error"]["code"]) == (413, "body-too-large")
    form = server.post("/v1/chat/completions", data={"model": "x"})
    assert (form.status_code, form.json()["error"]["code"]) == (400, "unsupported-media-type")
