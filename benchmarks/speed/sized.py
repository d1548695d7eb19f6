"""Indexes of a given number of passages, made once and kept for as long as what makes them is the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed import synthetic
from benchmarks.speed.engines import ROOT, running
from benchmarks.speed.plan import Plan, say

__all__ = ["Sized", "sized"]

SOURCES = ("ragnotes/stores/*.py", "ragnotes/models/*.py", "ragnotes/reading/*.py", "ragnotes/types.py")
"""What decides how an index looks, beside `synthetic.py`."""
READ_AT_ONCE = 1 << 24


@dataclass(frozen=True, slots=True)
class Sized:
    """An index of so many passages and the folder of its notes. `build_s` is None where it was there already."""

    chunks: int
    index: Path
    corpus: Path
    build_s: float | None = None

    def read(self) -> None:
        """Reads the files once: whether the system has kept them since the last run is not what is measured."""
        for file in self.index.iterdir():
            with file.open("rb") as content:
                while content.read(READ_AT_ONCE):
                    pass


def sized(plan: Plan, numbers: Sequence[int]) -> list[Sized]:
    """An index for each number of passages."""
    return list(_made(plan, numbers))


def _made(plan: Plan, numbers: Sequence[int]) -> Iterator[Sized]:
    with running("builder") as builder:  # it loads nothing before it is told to
        for number in numbers:
            index = plan.work / "sized" / str(number)
            key, wanted = index.with_suffix(".key"), _key(plan)
            if key.exists() and key.read_text("utf-8") == wanted:
                yield Sized(number, index, synthetic.notes_of(index))
                continue
            for old in (index, synthetic.notes_of(index)):
                shutil.rmtree(old, ignore_errors=True)
            for old in (key, index.with_suffix(".npy")):
                old.unlink(missing_ok=True)
            index.parent.mkdir(parents=True, exist_ok=True)
            reply = builder.do("build", index=str(index), chunks=number, notes=str(plan.inputs.vaults))
            key.write_text(wanted, "utf-8")
            say(f"an index of {number:,} passages: {reply.seconds:.0f} s")
            yield Sized(number, index, Path(reply.result), reply.seconds)


def _key(plan: Plan) -> str:
    digest = hashlib.sha256(str(plan.inputs.vaults.resolve()).encode())
    for file in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        digest.update(file.read_bytes())
    digest.update(Path(synthetic.__file__).read_bytes())
    return digest.hexdigest()
