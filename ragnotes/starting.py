"""Where both commands start and end.

An interruption ends them in order also while their modules are still being read. Garbage is not looked for meanwhile,
as modules leave little of it, nor at the end, where with torch loaded that takes seconds.
"""

from __future__ import annotations

import gc

__all__ = ["ask", "ragnotes"]

INTERRUPTED = 130
"""As `running.Code.INTERRUPTED`, which is not yet there."""


def ask() -> int:
    """The command `ask`; gives the exit code."""
    try:
        gc.disable()  # until a library is opened: a client of a server leaves no garbage worth looking for
        from ragnotes.cli_ask import ask_main

        return ask_main()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        gc.freeze()


def ragnotes() -> int:
    """The command `ragnotes`; gives the exit code."""
    try:
        gc.disable()
        from ragnotes.cli import main

        gc.enable()
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        gc.freeze()
