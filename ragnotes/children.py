"""What processes that this one starts are given: limits, an end with their parent, and this very ragnotes.

Imports no other module.

A child limits itself before it touches what it was started for, so nothing that is imported here may take much memory.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

__all__ = ["end_with_parent", "limit_process", "module_path"]

_LOOK_S = 0.5


def end_with_parent(parent: int) -> None:
    """End this process within a second of its parent's end, even by kill -9, whatever this one is doing then.

    The parent tells its number: one that has ended before this one looks could not be asked for it.

    The system's own signal for this (PR_SET_PDEATHSIG) is sent when the thread ends that started the child, and
    threads that load a model end long before it.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def limit_process(memory_bytes: int, cpu_s: int) -> None:
    """Limit this process's memory and processor time where the system can; the parent's clock ends it everywhere."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def module_path() -> str:
    """A PYTHONPATH by which a child finds ragnotes also where it is not installed, and what this process was told."""
    here = str(Path(__file__).parents[1])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
