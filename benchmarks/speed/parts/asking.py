"""Time to evidence: `ask` through a server beside curl, and `ask` alone beside an import."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability.serving import indexed, serving
from benchmarks.speed.commands import ask
from benchmarks.speed.engines import environment
from benchmarks.speed.figures import Figure, Result, Table, in_rounds
from benchmarks.speed.plan import Plan, say

__all__ = ["measure", "seconds_to_words"]

_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\s")
"""What a terminal is sent besides words: colours, links, lines."""
NEAR_S = 0.25
SERVED, BY_CURL = "ask, server running", "curl, the same request"
COLD, IMPORT = "ask, no server", "import sentence_transformers"
Taken = dict[str, list[float]]


def measure(plan: Plan) -> Result:
    """The notes' own words are waited for (`--no-llm`), as a model's draft takes as long from either side."""
    index = plan.work / "asked"
    indexed(plan.inputs.seed_notes, index)
    taken: Taken = defaultdict(list)
    if shutil.which("curl"):
        _served(plan, index, taken)
    _cold(plan, index, taken)
    return _result(taken)


def _served(plan: Plan, index: Path, taken: Taken) -> None:
    """Both ask what the server was not asked before: another number of passages is another question to its memory."""
    questions = [question.text for question in plan.inputs.answerable()][: plan.asked]
    with serving(plan.inputs.seed_notes, index) as served:
        for question in questions:  # what the server loads at its first answers is not measured
            _curl_s(served.url, question, 1)
        for number in range(plan.rounds):
            for place, question in enumerate(questions):
                order = (SERVED, BY_CURL) if (number + place) % 2 else (BY_CURL, SERVED)
                for limit, name in enumerate(order, start=10 + 2 * number):
                    if name == SERVED:
                        seconds = seconds_to_words(ask(question, "--no-llm", "--limit", str(limit)), served.url)
                    else:
                        seconds = _curl_s(served.url, question, limit)
                    taken[name].append(seconds)
    say(f"ask: {statistics.median(taken[SERVED]):.3f} s, by curl {statistics.median(taken[BY_CURL]):.3f} s")


def _cold(plan: Plan, index: Path, taken: Taken) -> None:
    """New processes in turn, after one of each that is not counted: the files are then in the system's cache."""
    questions = [question.text for question in plan.inputs.answerable()]
    own = ("--no-llm", "--no-history", "--corpus", str(plan.inputs.seed_notes), "--index", str(index))
    for number in range(-1, plan.rounds):
        cold = seconds_to_words(ask(questions[number], *own))
        imported = _import_s()
        if number >= 0:
            taken[COLD].append(cold)
            taken[IMPORT].append(imported)
            say(f"ask: cold {cold:.2f} s, import {imported:.2f} s")


def seconds_to_words(command: Sequence[str], server: str | None = None) -> float:
    """Seconds from the start of a command to the first words that it writes to its terminal; waits for its end."""
    environ = environment() | {"TERM": "xterm", "COLUMNS": "120"} | ({"RAGNOTES_SERVER": server} if server else {})
    terminal, end = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=end, stdin=end, stderr=subprocess.PIPE, env=environ)
    os.close(end)
    first = None
    while written := _read(terminal):
        if first is None and _ESCAPES.sub(b"", written):
            first = time.perf_counter() - started
    os.close(terminal)
    _, problem = process.communicate()
    if first is None:
        raise RuntimeError(f"{command} wrote nothing: {problem.decode('utf-8', 'replace')[-1000:]}")
    return first


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # its other end was closed
        return b""


def _curl_s(server: str, question: str, limit: int) -> float:
    """Seconds from the start of curl to the first words of the answer."""
    body = json.dumps({"question": question, "limit": limit, "llm": False, "surroundings": True, "stream": True})
    address = [f"{server}/v1/ask", "-H", "Content-Type: application/json", "-d", body]
    started = time.perf_counter()
    first = None
    with subprocess.Popen(["curl", "-sN", *address], stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout
        for line in process.stdout:
            if first is None and line.startswith(b"event: token"):
                first = time.perf_counter() - started
    if first is None:
        raise RuntimeError(f"no words came for {question!r}")
    return first


def _import_s() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import sentence_transformers"], check=True, env=environment())
    return time.perf_counter() - started


def _result(taken: Taken) -> Result:
    ratios = [mine / theirs for mine, theirs in zip(taken[COLD], taken[IMPORT], strict=True)]
    figures = [Figure("ask cold", in_rounds(ratios, " of its time"), statistics.median(ratios) <= 1)]
    if more := [mine - theirs for mine, theirs in zip(taken[SERVED], taken[BY_CURL], strict=True)]:
        told = in_rounds(more, " s more", digits=3)
        figures.append(Figure("ask served", told, statistics.median(more) <= NEAR_S))
    rows = [
        (name, f"{statistics.median(each):.3f}", f"{min(each):.3f}", f"{max(each):.3f}", str(len(each)))
        for name, each in taken.items()
        if each
    ]
    note = "Seconds from the start of the process to the first words of the answer on the terminal, by `--no-llm`."
    note += " The terminal is a pseudo-terminal; curl reads the stream of the same answer."
    table = Table("Time to evidence", ("", "median s", "least", "most", "times"), rows, note)
    waits = {name: [(0.0, statistics.median(each))] for name, each in taken.items() if each}
    return Result("ask", figures, [table], {"evidence": waits})
