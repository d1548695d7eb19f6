"""How much memory a model may still take, before it is loaded: a model that does not fit is refused, not swapped."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["available_bytes", "context_bytes", "group_of", "size_text"]

_CGROUPS = Path("/sys/fs/cgroup")


def available_bytes(*, mapped_bytes: int = 0) -> int | None:
    """The least of what the machine, the container and the process's own limit leave; None where nobody tells.

    A file of `mapped_bytes` that this process has mapped already counts as free: only its own limit is told of it.
    """
    own = (left + mapped_bytes for left in _of_process())
    return min((*_of_machine(), *_of_containers(), *own), default=None)


def context_bytes(*, tokens: int, layers: int, heads: int, key_length: int, value_length: int) -> int:
    """What keys and values of a whole context take, at two bytes a number."""
    return tokens * layers * heads * (key_length + value_length) * 2


def size_text(size_bytes: int) -> str:
    """The size as people write it."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def group_of(listing: str) -> str | None:
    """The unified control group of `/proc/self/cgroup`, relative to its root; None where only older ones are listed."""
    found = re.search("^0::/(.*)$", listing, re.MULTILINE)
    return found[1] if found else None


def _of_machine() -> Iterator[int]:
    with suppress(OSError):
        found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
        if found:
            yield int(found[1]) * 1024


def _of_containers() -> Iterator[int]:
    """What each control group around this process leaves; the page cache it holds can be given back."""
    with suppress(OSError, ValueError):
        own = group_of(Path("/proc/self/cgroup").read_text())
        if own is None:
            return
        for folder in (_CGROUPS / own, *(_CGROUPS / own).parents):
            if folder != _CGROUPS and _CGROUPS not in folder.parents:
                return
            with suppress(OSError, ValueError):  # no limit here: the file is missing, or says max
                limit = int((folder / "memory.max").read_text())
                cached = re.search(r"^inactive_file (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
                used = int((folder / "memory.current").read_text()) - (int(cached[1]) if cached else 0)
                yield max(0, limit - used)


def _of_process() -> Iterator[int]:
    """What is left of the address space, where it is limited."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            yield max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))
