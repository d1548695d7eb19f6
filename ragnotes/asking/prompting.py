"""Evidence to a prompt inside a token budget."""

from __future__ import annotations

from collections.abc import Sequence

from ragnotes.answers import Evidence
from ragnotes.places import HEADING_SEPARATOR
from ragnotes.ports import Generator, Prompt

__all__ = ["SYSTEM", "build_prompt"]

SYSTEM = (
    "Answer the question in one or two short sentences, using only the numbered excerpts from the user's notes. "
    "End each sentence with the number of its excerpt in brackets, like [1]. "
    "If the excerpts do not hold the answer, say: The notes do not say."
)


def build_prompt(
    generator: Generator, question: str, evidence: Sequence[Evidence], *, answer_tokens: int
) -> tuple[Prompt, int]:
    """The prompt, and how many pieces of evidence are in it: the best that fit the context beside the answer.

    Never longer than `generator.context_tokens - answer_tokens`, unless the question alone is; then 0 pieces are in it.
    """
    room = generator.context_tokens - answer_tokens
    left = room - generator.prompt_tokens(_prompt(question, []))
    lines: list[str] = []
    for number, item in enumerate(evidence, 1):
        line = _line(number, item)
        left -= generator.tokens.count(line) + 1
        if left < 0:
            break
        lines.append(line)
    # Pieces may tokenise differently together than alone: the whole is counted again.
    while lines and generator.prompt_tokens(_prompt(question, lines)) > room:
        lines.pop()
    return _prompt(question, lines), len(lines)


def _prompt(question: str, lines: Sequence[str]) -> Prompt:
    return Prompt(SYSTEM, _user(question, lines))


def _line(number: int, item: Evidence) -> str:
    """The excerpt first, for a small model copies what it reads first, then what it is about."""
    about = [item.unit.lead, (item.place.heading or item.hit.source.title).split(HEADING_SEPARATOR)[-1]]
    about += [str(item.place.date)] if item.place.date else []
    return f"[{number}] {item.unit.plain} ({', '.join(dict.fromkeys(part for part in about if part))})"


def _user(question: str, lines: Sequence[str]) -> str:
    return "Excerpts:\n" + "\n".join(lines) + f"\n\nQuestion: {question}"
