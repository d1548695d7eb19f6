"""How a system text and a user text become the segments of a prompt, by the template that the model was trained with.

A template is kept as its own pieces and the places between them. Only its own pieces can become control tokens, so
that a note which spells `<|im_end|>` stays text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ragnotes.models.slots import Part, Slot
from ragnotes.ports import Prompt

__all__ = ["CHATML", "PLAIN", "Segment", "Template", "render"]


@dataclass(frozen=True, slots=True)
class Template:
    """Parts in order. `name` says where they come from: the model's file, or one of the two forms below."""

    name: str
    parts: tuple[Part, ...]


class Segment(NamedTuple):
    """A piece of a prompt. `control` text may hold the model's control tokens; all else is tokenised as plain text."""

    text: str
    control: bool = False


CHATML = Template(
    "chatml",
    (
        "<|im_start|>system\n",
        Slot.SYSTEM,
        "<|im_end|>\n<|im_start|>user\n",
        Slot.USER,
        "<|im_end|>\n<|im_start|>assistant\n",
    ),
)
"""For vocabularies that hold `<|im_start|>`, where the file has no template that can be used."""

PLAIN = Template("plain", (Slot.SYSTEM, "\n\n", Slot.USER, "\n\nAnswer:"))
"""For all others."""


def render(template: Template, prompt: Prompt) -> tuple[Segment, ...]:
    """The segments after which the model writes its answer."""
    texts = {Slot.SYSTEM: prompt.system, Slot.USER: prompt.user}
    return tuple(
        Segment(texts[part]) if isinstance(part, Slot) else Segment(part, control=True) for part in template.parts
    )
