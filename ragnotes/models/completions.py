"""What servers of OpenAI's chat completions say: their models, pieces of an answer, and why they refuse."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ragnotes.errors import GeneratorBusy, GeneratorFailed, ModelError

__all__ = ["Chunk", "ServedModel", "chunk_of", "json_of", "refusal", "served_context", "served_models"]

_CONTEXT_KEYS = ("max_model_len", "max_context_length", "context_length", "context_window")
"""How servers name the tokens that prompt and answer may have: vLLM, LM Studio, and routers."""
_BUSY = (429, 503)
_BUSY_S = 5
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model's name and, where the server tells, the tokens of its context."""

    name: str
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer. `finish` says why it is the last with text; `usage` are tokens read and written."""

    text: str = ""
    finish: str | None = None
    usage: tuple[int, int] | None = None


def served_models(url: str, listing: Any, wanted: str | None) -> ServedModel:  # noqa: ANN401  a server's JSON
    """The wanted model, or the first one. Raises GeneratorFailed where the server has none, or not that one."""
    entries = [entry for entry in _entries(listing) if isinstance(entry.get("id"), str)]
    names = [entry["id"] for entry in entries]
    if not names and wanted is None:
        raise GeneratorFailed(f"{url} names no model", "load one there, or name it: RAGNOTES_MODEL_NAME")
    if wanted is not None and wanted not in names:
        if names:
            shown = ", ".join(map(_printable, names[:5]))
            raise GeneratorFailed(
                f"{url} has no model {wanted}, only: {shown}", "set RAGNOTES_MODEL_NAME to one of them"
            )
        return ServedModel(wanted)  # a server that lists none may still serve it
    entry = entries[names.index(wanted) if wanted is not None else 0]
    told = (entry.get(key) for key in _CONTEXT_KEYS)
    return ServedModel(entry["id"], next((n for n in told if isinstance(n, int) and n > 0), None))


def served_context(served: ServedModel, props: Any) -> ServedModel:  # noqa: ANN401  a server's JSON
    """The model with the context that llama-server tells at `/props`."""
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    tokens = settings.get("n_ctx") if isinstance(settings, dict) else None
    return replace(served, context_tokens=tokens) if isinstance(tokens, int) and tokens > 0 else served


def chunk_of(url: str, data: str) -> Chunk:
    """The chunk that one event of a stream holds. Raises GeneratorFailed where it holds an error or something else."""
    content = json_of(url, data)
    if not isinstance(content, dict):
        raise GeneratorFailed(f"{url} sends an event of another form", "is it an OpenAI-compatible server?")
    if content.get("error"):
        raise GeneratorFailed(f"{url}: {_reason(content)}", "see what the server logs")
    choices = content.get("choices")
    found = choices if isinstance(choices, list) else []
    choice = next((choice for choice in found if isinstance(choice, dict)), {})
    delta = choice.get("delta")
    text = delta.get("content") if isinstance(delta, dict) else None
    finish = choice.get("finish_reason")
    return Chunk(
        text if isinstance(text, str) else "", finish if isinstance(finish, str) and finish else None, _usage(content)
    )


def json_of(url: str, text: str | bytes) -> Any:  # noqa: ANN401  a server's JSON
    """The text as JSON. Raises GeneratorFailed where it is none, was cut, or is nested too deeply."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GeneratorFailed(f"{url} sends what is no JSON", "is it an OpenAI-compatible server?") from error


def refusal(url: str, status: int, body: bytes, retry_after: str | None) -> ModelError:
    """The error that an answer other than 200 stands for."""
    reason: Any = None
    with suppress(GeneratorFailed):
        reason = json_of(url, body)
    problem = f"{url} answers {status}: {_reason(reason)}"
    if status in _BUSY:
        wait = _wait_s(retry_after)
        return GeneratorBusy(problem, f"try again in {wait} s", retry_after_s=wait)
    if status in (401, 403):
        return GeneratorFailed(problem, "set RAGNOTES_MODEL_API_KEY to the server's key")
    if status == 404:
        return GeneratorFailed(problem, "check --model-url and RAGNOTES_MODEL_NAME")
    return GeneratorFailed(problem, "see what the server logs")


def _entries(listing: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    found = listing.get("data") if isinstance(listing, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _usage(content: dict[str, Any]) -> tuple[int, int] | None:
    usage = content.get("usage")
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (read, written) if isinstance(read, int) and isinstance(written, int) else None


def _reason(content: Any) -> str:  # noqa: ANN401
    """What an error's body says, in one short printable line: it may end up in a terminal."""
    error = content.get("error", content.get("detail")) if isinstance(content, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    return _printable(text)[:_LONGEST_REASON] if isinstance(text, str) and text.strip() else "no reason given"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _wait_s(header: str | None) -> int:
    """Seconds to wait by a Retry-After header, between 1 and 600; dates and nonsense count as a few."""
    with suppress(TypeError, ValueError, OverflowError):
        return min(600, max(1, math.ceil(float(header or ""))))
    return _BUSY_S
