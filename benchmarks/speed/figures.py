"""What a part measured: figures against their aims, tables, and the points of plots, as JSON and back."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Figure", "Result", "Table", "in_rounds", "percentile", "read_result", "write_result"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured for the aim of that key, in words; `reached` is None where nothing is asked."""

    key: str
    measured: str
    reached: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page, with what is to be known about it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run of a part gave, on which day, at which commit, and how it was run.

    `series` are the points of the plots: (x, y) by plot and line.
    """

    part: str
    figures: Sequence[Figure]
    tables: Sequence[Table]
    series: dict[str, dict[str, list[tuple[float, float]]]] = field(default_factory=dict)
    day: str = ""
    commit: str = ""
    machine: str = ""
    rounds: int = 0
    small: bool = False
    seconds: float = 0.0


def write_result(folder: Path, result: Result) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.part}.json").write_text(json.dumps(asdict(result), indent=1) + "\n", "utf-8")


def read_result(folder: Path, part: str) -> Result | None:
    """The latest result of a part, None where there is none."""
    file = folder / f"{part}.json"
    if not file.exists():
        return None
    read = json.loads(file.read_text("utf-8"))
    read["figures"] = [Figure(**each) for each in read["figures"]]
    read["tables"] = [Table(**each) for each in read["tables"]]
    return Result(**read)


def in_rounds(values: Sequence[float], unit: str = "", *, digits: int = 2) -> str:
    """The median of the rounds, then the least and the number of them: `2.61x (least 2.50x of 3 rounds)`."""
    median, least = statistics.median(values), min(values)
    rounds = f"{len(values)} round" + "s" * (len(values) != 1)
    return f"{median:.{digits}f}{unit} (least {least:.{digits}f}{unit} of {rounds})"


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that this share of all values, above 0, does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
