"""Runs of the driver from outside: start one, kill it, stop it, trace it, and read what it acknowledged."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reliability.driver import Order
from benchmarks.reliability.proofs import ROOT
from benchmarks.reliability.scenarios import Skipped

__all__ = ["Drivers", "Told", "Victim", "drivers", "mounted", "need_root", "need_strace", "tracing"]

WAIT_S = 60.0


@dataclass(slots=True)
class Told:
    """What a run told: documents acknowledged by path (None: removed), strings embedded and kept, how it ended."""

    acked: dict[str, str | None] = field(default_factory=dict)
    embedded: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    ends: int = 0
    error: str = ""

    @classmethod
    def read(cls, log: Path) -> Told:
        told = cls()
        text = log.read_bytes().decode("utf-8", "surrogateescape") if log.exists() else ""
        for line in text.split("\n")[:-1]:  # a last line without its end was cut off
            what, _, rest = line.partition(" ")
            if what == "ack":
                sha256, _, path = rest.partition(" ")
                told.acked[path] = sha256
            elif what == "gone":
                told.acked[rest] = None
            elif what == "embed":
                told.embedded.append(rest)
            elif what == "kept":
                told.kept.add(rest)
            elif what == "end":
                told.ends += 1
            elif what == "error":
                told.error = rest
        return told


@dataclass(slots=True)
class Victim:
    """One run of the driver, in a process of its own."""

    pid: int
    log: Path
    _driver: subprocess.Popen[str]

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it may just have ended by itself
            os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Stop it; returns once it stands still."""
        with suppress(ProcessLookupError, FileNotFoundError):
            os.kill(self.pid, signal.SIGSTOP)
            _wait_until_stopped(self.pid)

    def go_on(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def wait_for(self, *, acked: int) -> None:
        """Wait until so many documents are acknowledged, or it has ended."""
        end = time.monotonic() + WAIT_S
        while len(self.told().acked) < acked and Path(f"/proc/{self.pid}").exists() and time.monotonic() < end:
            time.sleep(0.001)

    def wait(self) -> int:
        """The exit code, negative for a signal."""
        assert self._driver.stdout is not None
        return int(self._driver.stdout.readline())

    def told(self) -> Told:
        return Told.read(self.log)


class Drivers:
    """Starts runs one after the other; the next one after `wait` of the one before."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._numbers = count()

    def order(self, notes: Path, index: Path) -> Order:
        """A run over these notes, its log in a new file."""
        return Order(str(notes), str(index), str(self._folder / f"{next(self._numbers)}.log"))

    def start(self, order: Order) -> Victim:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order.encoded() + "\n")
        self._process.stdin.flush()
        return Victim(int(self._process.stdout.readline()), Path(order.log), self._process)

    def run(self, order: Order) -> tuple[int, Told]:
        victim = self.start(order)
        code = victim.wait()
        return code, victim.told()

    def traced(self, order: Order, *injections: str, log: Path = Path(os.devnull)) -> tuple[int, Told]:
        """A run under strace, which answers its system calls as `-e inject=` says; all calls go to `log`."""
        victim = self.start(replace(order, held=True))
        with tracing(victim, *injections, log=log):
            victim.go_on()
            code = victim.wait()
        return code, victim.told()


@contextmanager
def tracing(victim: Victim, *injections: str, log: Path = Path(os.devnull)) -> Iterator[None]:
    """Strace on a run that was held, as `Drivers.traced`; ends with the run."""
    _wait_until_stopped(victim.pid)
    calls = ",".join(injection.partition(":")[0] for injection in injections)
    command = ["strace", "-f", "-o", str(log), "-p", str(victim.pid), *(["-e", f"trace={calls}"] if calls else [])]
    for injection in injections:
        command += ["-e", f"inject={injection}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        for line in strace.stderr:
            if "attached" in line:
                break
        yield
        strace.stderr.read()


@contextmanager
def drivers() -> Iterator[Drivers]:
    """A driver that waits for orders."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = os.environ | single | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # for runs as another user
        command = [sys.executable, "-m", "benchmarks.reliability.driver"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        ) as process:
            try:
                yield Drivers(process, Path(folder))
            finally:
                assert process.stdin is not None
                process.stdin.close()


def _wait_until_stopped(pid: int) -> None:
    end = time.monotonic() + WAIT_S
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TtZ":
        if time.monotonic() > end:
            raise TimeoutError(f"process {pid} did not stop")
        time.sleep(0.001)


def need_strace(*, install: bool = True) -> None:
    """Sees to it that strace is there and may trace; raises Skipped."""
    if shutil.which("strace") is None and install and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "strace"]):
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise Skipped(f"strace may not trace here: {tried.stderr.strip()[:100]}")


def need_root(what: str) -> None:
    """Raises Skipped where this process may not mount."""
    if os.geteuid() != 0:
        raise Skipped(f"{what} needs root")


def mounted(command: Sequence[str], folder: Path) -> None:
    """Mount; raises Skipped where that is not allowed."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skipped(f"mounting is not allowed here: {done.stderr.strip()[:100]}")
