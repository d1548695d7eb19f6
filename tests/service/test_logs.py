"""The log has no word of an exception, whoever raised it and wherever it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAILING = """
import asyncio, gc, threading
from ragnotes.service.logs import log_privately

def fail(words):
    raise ValueError(words)

async def task():
    fail("Quokka in a task")

async def lose():
    asyncio.ensure_future(task())
    asyncio.get_running_loop().call_soon(fail, "Quokka in a call")
    await asyncio.sleep(0.01)

class Left:
    def __del__(self):
        fail("Quokka in a destructor")

log_privately()
thread = threading.Thread(target=fail, args=["Quokka in a thread"], name="watching")
thread.start()
thread.join()
asyncio.run(lose())
Left()
gc.collect()
"""
TOLD = (
    "watching ended with an error",
    "Task exception was never retrieved",
    "Exception in callback fail",
    "nobody could",
)


def _log(**environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")}
    command = [sys.executable, "-c", FAILING]
    done = subprocess.run(command, cwd=ROOT, env=clean | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_errors_of_threads_tasks_and_calls_are_told_without_their_words() -> None:
    log = _log()
    assert [line for line in TOLD if line not in log] == []
    assert log.count("ValueError\n") == len(TOLD)
    assert "Quokka" not in log


def test_whoever_debugs_sees_the_words() -> None:
    log = _log(RAGNOTES_DEBUG="1")
    assert [words for words in ("thread", "task", "call", "destructor") if f"Quokka in a {words}" not in log] == []
