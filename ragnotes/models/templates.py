"""How a system text and a user text become a prompt, by the template kind that the model's vocabulary allows.

Control tokens stand in segments of their own, so that a note which spells `<|im_end|>` stays text.
"""

from __future__ import annotations

from enum import StrEnum

from ragnotes.ports import Prompt, Segment

__all__ = ["Template", "render"]


class Template(StrEnum):
    """CHATML for vocabularies that hold `<|im_start|>`, PLAIN for all others."""

    CHATML = "chatml"
    PLAIN = "plain"


def render(template: Template, system: str, user: str) -> Prompt:
    """The prompt after which the model writes its answer."""
    if template is Template.PLAIN:
        return (Segment(f"{system}\n\n{user}\n\nAnswer:"),)
    return (
        Segment("<|im_start|>system\n", control=True),
        Segment(system),
        Segment("<|im_end|>\n<|im_start|>user\n", control=True),
        Segment(user),
        Segment("<|im_end|>\n<|im_start|>assistant\n", control=True),
    )
