"""The processes that are measured, as the measuring one sees them: started, told what to do, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

__all__ = ["ENGINES", "PEERS", "ROOT", "Engine", "EngineFailed", "Reply", "environment", "running", "together"]

ROOT = Path(__file__).parents[2]
CHILDREN = "benchmarks.speed.children"
ENGINES = MappingProxyType({"ragnotes": "ragnotes_library", "plain": "plain_pipeline", "txtai": "txtai_peer"})
"""What is compared: the name on the page, and the module of its process."""
PEERS = ("plain", "txtai")
END_S = 20.0


class EngineFailed(Exception):
    """A process that is measured could not do what it was told, or ended."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a process replied, how long it worked on it, and how many processor seconds that took."""

    result: Any
    seconds: float
    cpu_s: float


class Engine:
    """One process that runs a module of `children`. `started_at` is on the clock of `time.perf_counter`."""

    def __init__(self, module: str, python: Path, environ: Mapping[str, str], log: IO[bytes]) -> None:
        self._module, self._log = module, log
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            [str(python), "-m", f"{CHILDREN}.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=environment() | dict(environ),
        )

    def do(self, command: str, **values: object) -> Reply:
        """What came of one command. Raises EngineFailed with what the process said."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"do": command, **values}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise EngineFailed(f"{self._module} ended: {self._said()}") from None
        line = self.process.stdout.readline()
        if not line:
            raise EngineFailed(f"{self._module} ended at {command}: {self._said()}")
        reply = json.loads(line)
        if "error" in reply:
            raise EngineFailed(f"{self._module} failed at {command}: {reply['error']}")
        return Reply(reply["result"], reply["seconds"], reply["cpu_s"])

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()[-2000:].decode("utf-8", "replace")


@contextmanager
def running(module: str, *, python: Path | None = None, environ: Mapping[str, str] | None = None) -> Iterator[Engine]:
    """A process of that module, ended afterwards; with the peers' `python`, or with the one that runs this."""
    with tempfile.TemporaryFile() as log:
        engine = Engine(module, python or Path(sys.executable), environ or {}, log)
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def together(names: Sequence[str], peers: Path | None) -> Iterator[dict[str, Engine]]:
    """The engines of these names, all at once. `peers` is the Python of the peers' environment."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(running(ENGINES[name], python=peers if name in PEERS else None)) for name in names
        }


def environment() -> dict[str, str]:
    """This environment without settings of ragnotes, and with nothing fetched from anywhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "true",
    }
