"""Processes that ragnotes starts: each ends with its parent, however that ends, and holds nothing of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from ragnotes.models.bundled import bundled_generator
from ragnotes.stores.local import LocalStore
from tests.fakes import WAIT_S

ROOT = Path(__file__).parents[1]
ENDS_S = 2.4
"""Less than the 3 s of processor time after which a template's process ends by itself."""

HOLDS_THE_LOCK = """
import sys, threading, time
from pathlib import Path
from ragnotes.stores.local import LocalStore
store = LocalStore.open(Path(sys.argv[1]), create=True)
"""
LOADS = """
from ragnotes.models.child_process import Child
with store.writer():
    child = Child(Path(sys.argv[2]), threads=1, context_tokens=512)
    child.loaded.wait()
    print(child.pid, flush=True)
    time.sleep(60)
"""
READS = """
import subprocess
from ragnotes.{module} import {function}
own = subprocess.Popen
def told(*args, **options):
    child = own(*args, **options)
    print(child.pid, flush=True)
    return child
subprocess.Popen = told
with store.writer():
    {call}
"""
# Three hundred pages with much to do on each.
LONG_PDF = """
import io
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject
writer = PdfWriter()
stream = StreamObject()
stream.set_data(b"BT /F1 9 Tf " + b"(word) Tj 1 0 Td " * 20_000 + b"ET")
shared = writer._add_object(stream.flate_encode())  # small enough for the pipe to take all of it at once
font = {"/Type": NameObject("/Font"), "/Subtype": NameObject("/Type1"), "/BaseFont": NameObject("/Helvetica")}
named = lambda **entries: DictionaryObject({NameObject(f"/{name}"): value for name, value in entries.items()})
resources = named(Font=named(F1=DictionaryObject({NameObject(name): value for name, value in font.items()})))
for _ in range(300):
    page = writer.add_blank_page(100, 100)
    page[NameObject("/Contents")], page[NameObject("/Resources")] = shared, resources
written = io.BytesIO()
writer.write(written)
"""
CASES = {
    "generator": LOADS,
    "pdf": LONG_PDF
    + READS.format(module="reading.pdf", function="load_pdf", call="load_pdf(written.getvalue(), 'a.pdf')"),
    "template": READS.format(
        module="models.chat_template",
        function="template_of",
        call="template_of('{% for i in range(99999) %}' * 2 + '{% endfor %}' * 2, bos='', eos='')",
    ),
}


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def parent(script: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that writes to an index and has a child, whose number it tells."""
    command = [sys.executable, "-c", HOLDS_THE_LOCK + script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        try:
            yield process, child
        finally:
            process.kill()
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("case", ["pdf", "template", pytest.param("generator", marks=pytest.mark.model)])
def test_a_child_ends_with_a_parent_that_is_killed_and_does_not_keep_its_lock(case: str, tmp_path: Path) -> None:
    with parent(CASES[case], str(tmp_path / "index"), str(bundled_generator())) as (process, child):
        time.sleep(1)  # the child is at work now
        assert alive(child)
        process.kill()
        process.wait(WAIT_S)
        with closing(LocalStore.open(tmp_path / "index")) as store, store.writer():
            pass  # free at once, though the child may still live
        deadline = time.monotonic() + ENDS_S
        while alive(child):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_child_whose_parent_has_ended_before_it_looks_ends_too() -> None:
    script = "import time; from ragnotes.children import end_with_parent; end_with_parent(0); time.sleep(600)"
    assert subprocess.run([sys.executable, "-c", script], timeout=WAIT_S, check=False).returncode == 1
