"""A real `ragnotes serve` in a process of its own, its output in a file, and what it costs there."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

__all__ = ["Served", "children_of", "indexed", "rss_bytes", "serving"]

START_S = 180.0
END_S = 20.0
_ADDRESS = re.compile(r"http://[\d.]+:\d+")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs, or ran: its address, its process, and the file that holds what it wrote to stderr."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def generator_pid(self) -> int | None:
        """The language model's process; None where there is none."""
        return next((pid for pid in children_of(self.process.pid) if b"llama_cpp" in _command_line(pid)), None)

    def client(self, timeout_s: float = 300.0) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False)


def indexed(corpus: Path, index: Path) -> None:
    """Brings the index of this folder up to date with the command of that name."""
    subprocess.run(_ragnotes("index", corpus, index), check=True, capture_output=True, env=_environment())


@contextmanager
def serving(
    corpus: Path,
    index: Path,
    *options: str,
    open_files: int | None = None,
    ready: bool = True,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Served]:
    """A server of this corpus, at the end told to end. `ready` waits until it can answer, its model included."""

    def limited() -> None:
        if open_files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))

    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(
            _ragnotes("serve", corpus, index, "--port", "0", *options),
            stderr=log,
            preexec_fn=limited,  # noqa: PLW1509  nothing but a system call
            env={**_environment(), **environ},
        )
        try:
            served = Served(_address(process, Path(log.name)), process, Path(log.name))
            if ready:
                _wait_until_ready(served)
            yield served
        finally:
            _end(process)


def children_of(pid: int) -> list[int]:
    """The processes that this one started and that have not been waited for."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        if parent == pid:
            found.append(int(status.parent.name))
    return found


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _ragnotes(command: str, corpus: Path, index: Path, *options: str) -> Sequence[str]:
    start = "import sys; from ragnotes.starting import ragnotes; sys.exit(ragnotes())"
    return [sys.executable, "-c", start, command, "--corpus", str(corpus), "--index", str(index), *options]


def _environment() -> dict[str, str]:
    """This environment without settings of ragnotes, but for the number of threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")}
    threads = os.environ.get("RAGNOTES_THREADS")
    return kept | ({"RAGNOTES_THREADS": threads} if threads else {})


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := _ADDRESS.search(log.read_text()):
            return found[0]
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {log.read_text()}")


def _wait_until_ready(served: Served) -> None:
    deadline = time.monotonic() + START_S
    with served.client() as client:
        while time.monotonic() < deadline:
            answer = client.get("/ready")
            if answer.status_code == 200 and answer.json()["generator"] != "loading":
                return
            time.sleep(0.1)
    raise RuntimeError(f"the server was never ready: {answer.text} {served.log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
