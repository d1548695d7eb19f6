"""The JSON of the routes in OpenAI's shape: what is taken of a request, and what is given.

What these routes do not know is ignored, as clients send a lot; a field that looks like one of our filters misspelt is
refused. Imports no web framework.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ragnotes.asking.markers import NUMBERS
from ragnotes.service.bodies import AskBody, FiltersBody, Words
from ragnotes.service.wire import CitationJson
from ragnotes.service.wording import NOT_TOLD
from ragnotes.turns import Turn

__all__ = [
    "EXTRACTIVE_MODEL",
    "MODEL",
    "MODELS",
    "ChatBody",
    "ChoiceJson",
    "ChunkJson",
    "CompletionJson",
    "DeltaJson",
    "MessageJson",
    "ModelJson",
    "ModelsJson",
    "PieceJson",
    "StreamOptions",
    "UsageJson",
    "ask_body",
    "earlier_turns",
]

MODEL = "ragnotes"
EXTRACTIVE_MODEL = "ragnotes-extractive"
MODELS = (MODEL, EXTRACTIVE_MODEL)
SOURCES = "\n\nSources:\n"
"""What parts the answer of a message from its sources."""
MAX_MESSAGES = 1000
MAX_PARTS = 100
"""Of the content of one message."""
_MARKERS = re.compile(rf" ?{NUMBERS}")
_OWN = (*FiltersBody.model_fields, "deadline_ms", "limit")


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ContentPart(_Body):
    type: str
    text: Words = ""


class ChatMessage(_Body):
    """One message. Parts other than text are refused: a question about an image cannot be answered from notes."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Words | Annotated[list[ContentPart], Field(max_length=MAX_PARTS)] | None = None

    @model_validator(mode="after")
    def _is_text(self) -> ChatMessage:
        for part in self.content if isinstance(self.content, list) else ():
            if part.type not in ("text", "refusal"):
                raise PydanticCustomError("part", "{kind} cannot be read here, send text", {"kind": part.type})
        return self

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(_Body):
    include_usage: bool | None = False


class ResponseFormat(_Body):
    type: Literal["text"] = "text"


class ChatBody(FiltersBody):
    """A request of `POST /v1/chat/completions`, with our filters beside OpenAI's fields.

    `max_tokens`, `temperature`, `stop`, `tools` and the like are accepted and change nothing: the notes answer.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    model: str = MODEL
    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = 1
    response_format: ResponseFormat | None = None
    deadline_ms: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    limit: int = Field(default=10, ge=1, le=100)

    @model_validator(mode="after")
    def _no_misspelt_filter(self) -> ChatBody:
        for name in self.model_extra or {}:
            if meant := get_close_matches(name, _OWN, n=1, cutoff=0.75):
                raise PydanticCustomError(
                    "filter", "there is no {name}, is it {meant}?", {"name": name, "meant": meant[0]}
                )
        return self

    @model_validator(mode="after")
    def _has_a_question(self) -> ChatBody:
        if not any(message.role == "user" for message in self.messages):
            raise PydanticCustomError("question", "there is no message of the user, which would be the question")
        return self

    @property
    def with_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


def ask_body(body: ChatBody) -> AskBody:
    """The question that a chat ends in: its last message of the user."""
    own = {name: getattr(body, name) for name in _OWN}
    return AskBody(
        question=_questions(body.messages)[-1].text,
        llm=body.model != EXTRACTIVE_MODEL,
        stream=bool(body.stream),
        surroundings=True,
        **own,
    )


def earlier_turns(body: ChatBody) -> tuple[Turn, ...]:
    """The questions before the last one that were answered, oldest first; the answers without markers and sources."""
    turns: list[Turn] = []
    question = ""
    for message in body.messages:
        if message.role == "user":
            question = message.text
        elif message.role == "assistant" and question:
            told = _MARKERS.sub("", message.text.partition(SOURCES)[0]).strip()
            turns.append(Turn(question, answer=() if not told or told.startswith(NOT_TOLD) else (told,)))
            question = ""
    return tuple(turns)


def _questions(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    return [message for message in messages if message.role == "user"]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True)


class UsageJson(_Wire):
    """Tokens that the language model read and wrote, 0 where it was not asked."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class MessageJson(_Wire):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    citations: list[CitationJson]


class ChoiceJson(_Wire):
    index: int = 0
    message: MessageJson
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class CompletionJson(_Wire):
    """A whole answer. `citations` are those of the message, where other servers have them too."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChoiceJson]
    usage: UsageJson
    citations: list[CitationJson]


class DeltaJson(_Wire):
    role: Literal["assistant"] | None = None
    content: str | None = None
    citations: list[CitationJson] | None = None


class PieceJson(_Wire):
    index: int = 0
    delta: DeltaJson
    logprobs: None = None
    finish_reason: Literal["stop"] | None = None


class ChunkJson(_Wire):
    """A piece of a streamed answer. The last ones carry its citations, and its usage where that was asked for."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[PieceJson]
    usage: UsageJson | None = None
    citations: list[CitationJson] | None = None


class ModelJson(_Wire):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["ragnotes"] = "ragnotes"


class ModelsJson(_Wire):
    object: Literal["list"] = "list"
    data: list[ModelJson]
