"""Where both commands start: an interruption ends them in order also while their modules are still being read."""

from __future__ import annotations

__all__ = ["ask", "ragnotes"]

INTERRUPTED = 130
"""As `running.Code.INTERRUPTED`, which is not yet there."""


def ask() -> int:
    """The command `ask`; gives the exit code."""
    try:
        from ragnotes.cli import ask_main

        return ask_main()
    except KeyboardInterrupt:
        return INTERRUPTED


def ragnotes() -> int:
    """The command `ragnotes`; gives the exit code."""
    try:
        from ragnotes.cli import main

        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
