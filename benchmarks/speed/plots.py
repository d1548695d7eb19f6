"""Draws the plots from the kept results: `python -m benchmarks.speed.plots RESULTS OUT`, by the peers' Python.

matplotlib lives in the peers' environment, so that whoever develops ragnotes without measuring it need not install it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.speed.aims import PARTS
from benchmarks.speed.figures import read_result

Lines = Mapping[str, Sequence[tuple[float, float]]]

GREY = "#808080"
"""For words and axes: it can be read on white and on black, as the plots have no background of their own."""
COLOURS = {"ragnotes": "#2f81f7", "plain": "#e3742f", "txtai": "#2da160"}
STYLE = {
    "svg.hashsalt": "ragnotes",  # else ids are drawn by chance, and every run gives another file
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def throughput(axes: Axes, lines: Lines) -> None:
    _curves(axes, lines)
    axes.set(xlabel="notes", ylabel="notes per second", xscale="log")
    axes.set_ylim(bottom=0)


def latency(axes: Axes, lines: Lines) -> None:
    _curves(axes, lines)
    axes.set(xlabel="passages", ylabel="milliseconds", xscale="log", yscale="log")


def evidence(axes: Axes, lines: Lines) -> None:
    names = list(lines)
    seconds = [lines[name][0][1] for name in names]
    own = [name.startswith("ask") or "ragnotes" in name for name in names]
    colours = [COLOURS["ragnotes" if each else "plain"] for each in own]
    bars = axes.barh(range(len(names)), seconds, color=colours)
    axes.bar_label(bars, [f"{each:.2f} s" for each in seconds], padding=4)
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="seconds, median")
    axes.margins(x=0.15)
    axes.invert_yaxis()


def _curves(axes: Axes, lines: Lines) -> None:
    for name, points in lines.items():
        engine, _, share = name.partition(", ")
        across, up = zip(*sorted(points), strict=True)
        axes.plot(across, up, "o:" if share == "p95" else "o-", color=COLOURS[engine], label=name)
    axes.grid(color=GREY, alpha=0.25)
    axes.legend(frameon=False)


PLOTS: Mapping[str, Callable[[Axes, Lines], None]] = {
    "throughput": throughput,
    "latency": latency,
    "evidence": evidence,
}


def series_of(results: Path, plot: str) -> dict[str, list[tuple[float, float]]]:
    """The points of all parts for a plot, by line."""
    found: dict[str, list[tuple[float, float]]] = {}
    for part in PARTS:
        result = read_result(results, part)
        for name, points in (result.series.get(plot, {}) if result else {}).items():
            found.setdefault(name, []).extend((across, up) for across, up in points)
    return found


def main() -> None:
    results, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update(STYLE)
    for name, draw in PLOTS.items():
        if lines := series_of(results, name):
            figure = Figure(figsize=(7.5, 4.2), layout="constrained")
            draw(figure.subplots(), lines)
            figure.savefig(out / f"{name}.svg", transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main()
