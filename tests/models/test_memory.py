"""How much memory there is, and how much a context takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ragnotes.models.memory import available_bytes, context_bytes, group_of, size_text

ROOT = Path(__file__).parents[2]


def test_what_is_free_is_less_than_the_machine_has() -> None:
    total = next(int(line.split()[1]) * 1024 for line in Path("/proc/meminfo").read_text().splitlines())
    free = available_bytes()
    assert free is not None
    assert 0 < free < total


def test_the_limit_of_the_process_counts() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (300_000_000, resource.RLIM_INFINITY))\n"
        "from ragnotes.models.memory import available_bytes; print(available_bytes())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert 0 < int(done.stdout) < 300_000_000


def test_keys_and_values_of_the_bundled_model_take_what_llama_cpp_says() -> None:
    size = context_bytes(tokens=8192, layers=30, heads=3, key_length=64, value_length=64)
    assert size == 180 * 1024**2
    assert size_text(size) == "189 MB"


def test_only_the_unified_control_group_is_looked_for() -> None:
    old = "12:memory:/docker/ab\n1:name=systemd:/docker/ab\n"
    assert group_of(old) is None
    assert group_of(f"{old}0::/user.slice/a\n") == "user.slice/a"
    assert group_of("0::/\n") == ""
