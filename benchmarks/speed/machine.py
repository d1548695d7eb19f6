"""The machine and the commit that figures are of, told without names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.speed.engines import ROOT

__all__ = ["commit", "cores", "machine"]

FEATURES = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "avx_vnni",
    "amx_bf16",
    "amx_int8",
    "asimddp",
    "bf16",
    "i8mm",
)
"""What of a processor decides how fast it multiplies matrices."""


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> str:
    """Cores, memory, and the processor's features: `2 cores, 23 GiB, avx2 avx512f`."""
    with Path("/proc/meminfo").open() as lines:
        memory = int(next(lines).split()[1]) / 1024 / 1024
    with Path("/proc/cpuinfo").open() as lines:
        flags = next((set(line.split()) for line in lines if line.startswith(("flags", "Features"))), set[str]())
    features = " ".join(feature for feature in FEATURES if feature in flags)
    return f"{cores()} cores, {memory:.0f} GiB, {features}".rstrip(", ")


def commit() -> str:
    """The commit that is checked out, with a sign where files differ from it."""
    described = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(described, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout.strip() or "unknown"
