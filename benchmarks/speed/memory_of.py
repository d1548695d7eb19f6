"""Resident memory of a process, by what backs it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["memory_of"]

FIELDS = {"VmRSS": "all", "RssAnon": "anonymous", "RssFile": "files"}


def memory_of(pid: int | str) -> dict[str, float]:
    """MB of a process: `all`, what is its own (`anonymous`), and what are pages of files (`files`)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return {told: round(int(found[name].split()[0]) / 1000, 1) for name, told in FIELDS.items()}
