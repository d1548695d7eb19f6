"""How long native threads spin while they wait for each other, before they sleep."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["spinning"]

_SPINS = "3000"
"""llama.cpp's threads wait some hundred times a token, mostly for microseconds. To sleep at once costs two thirds of
the tokens on an idle machine, to spin for long nearly all of them on a busy one, where `thread_choice` then writes on
fewer; docs/log.md has both."""


def spinning(environ: Mapping[str, str]) -> dict[str, str]:
    """What is to be added to these variables before OpenMP (libgomp) is loaded; nothing where they decide it."""
    return {} if environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} else {"GOMP_SPINCOUNT": _SPINS}
