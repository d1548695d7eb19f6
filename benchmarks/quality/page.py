"""What was measured, as the page docs/quality.md. Every figure stands with the number of items behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from benchmarks.quality.answering import percentile
from benchmarks.quality.perturbation import FORMS, KINDS
from benchmarks.quality.verdicts import Labelled, Rates, Share
from ragnotes.answers import Support

__all__ = ["Measured", "page"]

LABELS = ("SUPPORTS", "REFUTES", "NOT_ENOUGH_INFO")


@dataclass(slots=True)
class Measured:
    """All that one run measured; what was left out of it stays empty."""

    answers: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Set, measure, figure, what is to be reached."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    curve: list[tuple[float, Share, Share]] = field(default_factory=list)
    rates: tuple[Rates, Rates, float] | None = None
    trades: tuple[Rates, Rates] | None = None
    six_ms: list[float] = field(default_factory=list)
    labelled: Labelled | None = None


def page(measured: Measured, *, day: date, commit: str, settings: Mapping[str, str]) -> str:
    """The whole page as Markdown."""
    head = [
        "# How good the answers are",
        "",
        f"Measured on {day} at commit {commit} by `make quality`: the bundled models, default settings, one question",
        f"at a time. {', '.join(f'{value} {name}' for name, value in settings.items())}.",
        "The sets are not part of this repository. Figures in brackets count the items behind each share.",
    ]
    parts = (_answers(measured), _verdicts(measured), _curve(measured), _labelled(measured))
    return "\n".join([*head, *(line for part in parts if part for line in ["", *part])]) + "\n"


def _answers(measured: Measured) -> list[str]:
    times = [
        (
            "squad and seed-notes",
            f"p50 / p95 seconds, {name}",
            f"{percentile(taken, 0.5):.2f} / {percentile(taken, 0.95):.2f} ({len(taken)} answers)",
            {"extractive": "0.4 / 0.8", "with the model": "2.5 / 5"}.get(name, ""),
        )
        for name, taken in measured.seconds.items()
        if taken
    ]
    found = [*measured.answers, *times]
    return ["## Answers", "", *_table(("set", "measure", "figure", "to reach"), found)] if found else []


def _verdicts(measured: Measured) -> list[str]:
    if measured.rates is None:
        return []
    mine, overlap, floor = measured.rates
    kinds = [(kind, str(mine.caught[kind]), str(overlap.caught[kind])) for kind in KINDS if kind in mine.caught]
    forms = [
        (form, str(mine.false_alarms[form]), str(overlap.false_alarms[form]))
        for form in FORMS
        if form in mine.false_alarms
    ]
    lines = [
        "## The verifier of answers",
        "",
        "True answers are made from gold answers of squad and the seed notes: the verbatim sentence, the sentence",
        "shortened, or question and answer turned into a statement. Each is made false in one of four ways, by a fixed",
        "script and seed that are older than the verifier. Caught: no false sentence is called `supported`. False",
        f"alarm: a true one is not. Beside it word overlap alone, which asks for {floor:.2f} of a claim's words in the",
        "cited span, the most that leaves it one false alarm in ten. To reach: 0.90 caught, 0.10 false alarms.",
        "",
        *_table(
            ("made false by", "caught", "caught by word overlap"),
            [*kinds, ("all four", str(mine.all_caught), str(overlap.all_caught)), *_trades(measured)],
        ),
        "",
        *_table(
            ("true claims", "false alarms", "false alarms of word overlap"),
            [*forms, ("all", str(mine.all_false_alarms), str(overlap.all_false_alarms))],
        ),
    ]
    if taken := measured.six_ms:
        lines += [
            "",
            f"Six citations are verified in {percentile(taken, 0.5):.0f} ms, p95 {percentile(taken, 0.95):.0f} ms"
            f" ({len(taken)} times). To reach: 150 ms.",
        ]
    return lines


def _trades(measured: Measured) -> list[tuple[str, str, str]]:
    if measured.trades is None:
        return []
    return [
        (f"{kind}: two names or numbers of a sentence change places (not in the four)", str(share), str(other))
        for kind, share, other in (
            (kind, measured.trades[0].caught[kind], measured.trades[1].caught[kind])
            for kind in measured.trades[0].caught
        )
    ]


def _curve(measured: Measured) -> list[str]:
    if not measured.curve:
        return []
    rows = [(f"{at:.2f}", str(right), str(wrong)) for at, right, wrong in measured.curve]
    return [
        "## Abstention at every threshold",
        "",
        "Squad's unanswerable questions are adversarial: people wrote them so that their paragraph seems to hold the",
        "answer. What would be abstained if answers of less confidence were held back:",
        "",
        *_table(("threshold", "unanswerable, abstained", "answerable, wrongly abstained"), rows),
    ]


def _labelled(measured: Measured) -> list[str]:
    labelled = measured.labelled
    if labelled is None:
        return []
    mine, overlap = labelled.agreement()
    sure, less_sure = labelled.right_when_supported()
    rows = [
        (
            label,
            *(str(labelled.verdicts[label].get(support, 0)) for support in Support),
            str(labelled.overlapping[label]),
            str(sum(labelled.verdicts[label].values())),
        )
        for label in LABELS
        if label in labelled.verdicts
    ]
    return [
        "## Claims with human labels",
        "",
        "Claims about abstracts of papers, most of them paraphrased. A claim has the best verdict that a sentence of",
        "its abstract gives it. `supported` stands for SUPPORTS, `weak` and `unsupported` for the other two labels:",
        "the verifier does not tell what a note denies from what it does not say.",
        "",
        *_table(("label", *Support, "overlap", "claims"), rows),
        "",
        f"Agreement: {mine}; of those called `supported`, labelled SUPPORTS: {sure}. Word overlap alone, at the",
        f"threshold that is best for these very claims ({labelled.floor:.2f} of the words in one sentence):",
        f"{overlap}; {less_sure}.",
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows)]
