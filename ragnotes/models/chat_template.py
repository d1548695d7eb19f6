"""The chat template of a model's file as a `Template`: the only module that imports jinja2.

A template is a program that came with a downloaded file. It runs in jinja2's sandbox, in a process of its own with a
clock and a memory limit, and never sees a note: it gets two marks for texts, and is cut where they stand in what it
writes. `template_of` starts that process; what cannot be used gives None, and the caller's own form stands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ragnotes.children import end_with_parent, limit_process, module_path
from ragnotes.models.slots import Part, Slot

if TYPE_CHECKING:
    from ragnotes.models.templates import Template

__all__ = ["template_of"]

_CPU_S = 3
"""Those in use take a tenth of that, most of it for starting Python."""
_TIMEOUT_S = 20.0
"""On a busy machine: the same file is to have the same prompt there."""
_MEMORY_BYTES = 512 * 1024**2
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""OpenBLAS reserves 41 MB of addresses a core, should anything of the child ever load it."""
_LONGEST = 256 * 1024
"""Characters of a template, and of what it writes around two marks: the longest in use have 20,000."""

# Letters and digits alone: templates trim, split and look for marks of their own, and must find none in these.
_MARKS = {Slot.SYSTEM: "RagnotesSystemText9b41", Slot.USER: "RagnotesUserText57c2"}
_SLOTS = {mark: slot for slot, mark in _MARKS.items()}
_GENERATION = re.compile(r"{%(-?)\s*(?:end)?generation\s*(-?)%}")  # marks for training, which jinja2 does not know


def template_of(source: str, *, bos: str, eos: str) -> Template | None:
    """The template that `source` writes, None where it fails, takes too long, or repeats or changes our texts."""
    from ragnotes.models.templates import Template  # not above: it brings numpy, for which the child has no memory

    if not source or len(source) > _LONGEST:
        return None
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "ragnotes.models.chat_template", str(os.getpid())],
            input=json.dumps({"source": source, "bos": bos, "eos": eos}).encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            env={**os.environ, "PYTHONPATH": module_path(), **_ONE_THREAD},
            check=False,
        )
        parts = json.loads(child.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return Template("file", tuple(Slot(text) if is_slot else text for text, is_slot in parts)) if parts else None


def _parts(source: str, bos: str, eos: str) -> list[Part] | None:
    """The parts by the first way to call the template that keeps both texts whole."""
    for messages, variables in _calls():
        try:
            written = _render(source, {"messages": messages, "bos_token": bos, "eos_token": eos, **variables})
        except Exception:  # whatever a template raises, this way does not work
            continue
        parts = _cut(written)
        if parts is not None:
            return parts
    return None


def _calls() -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Messages and variables to try, the usual first. Some templates know no system text, others no plain content.

    A date is given only where a template does not do without: the same question is to have the same prompt tomorrow.
    """
    from datetime import UTC, datetime

    system, user = _MARKS[Slot.SYSTEM], _MARKS[Slot.USER]
    dated = {"strftime_now": lambda form: datetime.now(UTC).strftime(form)}
    for listed in (False, True):
        for variables in ({}, dated):
            first, second, both = (
                [{"type": "text", "text": text}] if listed else text for text in (system, user, f"{system}\n\n{user}")
            )
            yield [{"role": "system", "content": first}, {"role": "user", "content": second}], variables
            yield [{"role": "user", "content": both}], variables


def _render(source: str, variables: Mapping[str, Any]) -> str:
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, **{"ensure_ascii": False, **options})
    environment.globals["raise_exception"] = raise_exception
    template = environment.from_string(_GENERATION.sub(r"{%\1 if true \2%}{% endif %}", source))
    # A short answer leaves no room for thinking aloud; templates that cannot switch it off ignore the variable.
    return template.render(add_generation_prompt=True, enable_thinking=False, tools=None, **variables)


def _cut(written: str) -> list[Part] | None:
    """The text parted at the marks, None unless each stands in it once."""
    if len(written) > _LONGEST:
        return None
    pieces = re.split(f"({'|'.join(_SLOTS)})", written)
    found = [_SLOTS[piece] for piece in pieces if piece in _SLOTS]
    if sorted(found) != [Slot.SYSTEM, Slot.USER]:
        return None
    return [_SLOTS.get(piece, piece) for piece in pieces if piece]


def main() -> None:
    limit_process(_MEMORY_BYTES, _CPU_S)
    end_with_parent(int(sys.argv[1]))
    request = json.load(sys.stdin)
    parts = _parts(request["source"], request["bos"], request["eos"])
    json.dump(parts and [[part, isinstance(part, Slot)] for part in parts], sys.stdout)


if __name__ == "__main__":
    main()
