"""Where both commands start and end.

An interruption ends them in order also while their modules are still being read. At the end Python looks for garbage
among all that was made, before it throws all of it away: with torch loaded that takes seconds, and is left out.
"""

from __future__ import annotations

import gc

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
    finally:
        gc.freeze()


def ragnotes() -> int:
    """The command `ragnotes`; gives the exit code."""
    try:
        from ragnotes.cli import main

        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        gc.freeze()
