"""Reports and comparisons as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from ragnotes.answers import Mode
from ragnotes.evaluation.comparison import ComparisonJson
from ragnotes.evaluation.report import MeasureJson, ReportJson

__all__ = ["comparison_lines", "report_lines"]

TYPE_COLUMNS = ("recall@1", "recall@5", "mrr@10", "answer_hit", "list_share")
SHOWN_IDS = 8


def report_lines(report: ReportJson) -> list[str]:
    """The measures, the types where there are several, and the questions that failed."""
    settings = report.settings
    lines = [
        f"{report.questions} question{'' if report.questions == 1 else 's'}, {report.answerable} answerable ·"
        f" {settings.embedder} · generation {settings.generation}",
        *([f"calibrated by {settings.calibration}"] if settings.calibration else []),
        "",
        *_table([("measure", "value", "95 % interval", "n"), *map(_measure_row, report.measures.items())]),
    ]
    if len(report.types) > 1:
        lines += ["", *_types(report)]
    return [*lines, "", *_failures(report)] if _failures(report) else lines


def comparison_lines(comparison: ComparisonJson) -> list[str]:
    """The differences over the common questions, and which settings changed."""
    rows = [
        (name, f"{found.difference:+.3f}", f"{found.low:+.3f} to {found.high:+.3f}", str(found.n), found.verdict)
        for name, found in comparison.measures.items()
    ]
    changed = [f"{name}: {old} -> {new}" for name, (old, new) in comparison.changed_settings.items()]
    header = f"change since the earlier report, over {comparison.questions} common questions"
    return [header, *changed, "", *_table([("measure", "change", "95 % interval", "n", "verdict"), *rows])]


def _measure_row(item: tuple[str, MeasureJson]) -> tuple[str, ...]:
    name, measure = item
    return name, _share(measure.value), f"{_share(measure.low)} to {_share(measure.high)}", str(measure.n)


def _types(report: ReportJson) -> list[str]:
    columns = [name for name in TYPE_COLUMNS if name in report.measures]
    rows = [
        (name, str(found.questions), *(_share(found.measures.get(column)) for column in columns))
        for name, found in report.types.items()
        if any(column in found.measures for column in columns)
    ]
    return _table([("type", "n", *columns), *rows])


def _failures(report: ReportJson) -> list[str]:
    answerable = [result for result in report.results if result.answerable]
    lines = [
        _named("not among the first 10", [result.id for result in answerable if result.rank is None]),
        _named("wrongly abstained", [result.id for result in answerable if result.mode is Mode.ABSTAINED]),
        _named(
            "answered though the notes do not say",
            [
                result.id
                for result in report.results
                if not result.answerable and result.mode not in (None, "abstained")
            ],
        ),
    ]
    if report.modes:
        lines.append("answers: " + ", ".join(f"{count} {mode}" for mode, count in report.modes.items()))
        lines += [f"{name}: p50 {time.p50:g} ms, p95 {time.p95:g} ms" for name, time in report.latency_ms.items()]
    return [line for line in lines if line]


def _named(what: str, ids: Sequence[str]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
    return f"{what}: {len(ids)} ({', '.join(ids[:SHOWN_IDS])}{more})"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows in columns, words to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numeric = [all(row[column][:1] in "+-0123456789" for row in rows[1:]) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in rows
    ]
