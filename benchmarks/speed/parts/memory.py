"""What an idle server holds in memory, and what makes it grow."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from benchmarks.reliability.serving import serving
from benchmarks.speed.engines import CHILDREN, ROOT, environment
from benchmarks.speed.figures import Figure, Result, Table
from benchmarks.speed.memory_of import memory_of
from benchmarks.speed.plan import Plan
from benchmarks.speed.sized import sized

__all__ = ["measure"]

SETTLED_S = 3.0


def measure(plan: Plan) -> Result:
    """A server that has answered once, and is idle since; then the same imports and models step by step."""
    (index,) = sized(plan, [plan.served])
    with serving(index.corpus, index.index) as served:
        with served.client() as client:
            client.post("/v1/search", json={"query": "a first question"}).raise_for_status()
        time.sleep(SETTLED_S)
        server = memory_of(served.process.pid)
        pid = served.generator_pid()
        model = memory_of(pid) if pid else None
    told = f"server {server['all']:.0f} MB"
    rows = [("server", *_columns(server))]
    if model:
        told += f", its language model {model['all']:.0f} MB: {server['all'] + model['all']:.0f} MB"
        rows.append(("the language model's process", *_columns(model)))
    header = ("process", "resident MB", "its own", "pages of files")
    note = f"{index.chunks:,} passages, {SETTLED_S:g} s after one search. Pages of files are shared with whoever else"
    note += " maps them, and given back when memory is short."
    return Result("memory", [Figure("idle memory", told)], [Table("An idle server", header, rows, note), _growth()])


def _growth() -> Table:
    done = subprocess.run(
        [sys.executable, "-m", f"{CHILDREN}.growth"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    rows, before = [], 0.0
    for step, memory in json.loads(done.stdout.splitlines()[-1]):
        rows.append((step, f"{memory['all'] - before:+.0f}", *_columns(memory)))
        before = memory["all"]
    header = ("step", "grows by MB", "resident MB", "its own", "pages of files")
    return Table("What makes a server grow", header, rows, "One process, imports in this order.")


def _columns(memory: dict[str, float]) -> tuple[str, str, str]:
    return f"{memory['all']:.0f}", f"{memory['anonymous']:.0f}", f"{memory['files']:.0f}"
