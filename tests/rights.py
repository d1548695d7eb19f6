"""What a test may do that is run by the superuser, and should not."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VERSION = 0x20080522
"""Of the kernel's interface to capabilities, with two sets of 32 bits."""
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2
"""Reading and writing whatever a file's rights say. (linux/capability.h)"""


@contextmanager
def as_any_user() -> Iterator[None]:
    """In this thread the rights of files count, also for the superuser. Skips the test where that cannot be had."""
    if os.geteuid() != 0:
        yield
        return
    if not hasattr(os, "sched_getaffinity"):  # Linux
        pytest.skip("the superuser may read everything")
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(VERSION, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    effective = sets[0]
    sets[0] &= ~(1 << DAC_OVERRIDE | 1 << DAC_READ_SEARCH)
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = effective
        assert libc.capset(header, sets) == 0
