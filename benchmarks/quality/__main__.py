"""Measures everything and writes the page: `python -m benchmarks.quality --data DIR --out docs/quality.md`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from benchmarks.quality import answering, perturbation, sets, verdicts
from benchmarks.quality.answering import Asked
from benchmarks.quality.page import Measured, page
from benchmarks.quality.sets import QuestionsAbout
from ragnotes.asking.verification import verifier
from ragnotes.assembly import Library
from ragnotes.evaluation.questions import Question

__all__ = ["main"]

PARTS = ("answers", "unanswerable", "verifier", "claims")
UNANSWERABLE = Path(__file__).with_name("unanswerable.jsonl")


@dataclass(frozen=True, slots=True)
class Run:
    """Where the data is, where indexes are kept, and how many items are measured."""

    data: Path
    work: Path
    squad: int = 200
    curve: int = 500
    each: int = 100
    claims: int = 400
    quick: bool = False

    @contextmanager
    def notes(self, name: str) -> Iterator[Library]:
        library = sets.opened(self.data, name, self.work, say)
        try:
            yield library
        finally:
            library.close()


@dataclass(frozen=True, slots=True)
class Aim:
    """A set of answerable questions as the page calls it, what is to be reached, and which citations are good."""

    name: str
    hit: str
    precision: str
    is_good: answering.Good


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the parts that are asked for, and writes the page."""
    given = _parser().parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    run = Run(given.data, given.work)
    if given.quick:
        run = Run(given.data, given.work, squad=12, curve=12, each=10, claims=12, quick=True)
    measured = Measured()
    steps: Mapping[str, Callable[[Run, Measured], None]] = {
        "answers": measure_answers,
        "unanswerable": measure_unanswerable,
        "verifier": measure_verifier,
        "claims": measure_claims,
    }
    for part in given.only or PARTS:
        steps[part](run, measured)
    settings = {"processors": str(len(os.sched_getaffinity(0)))}
    given.out.write_text(page(measured, day=date.today(), commit=_commit(), settings=settings), "utf-8")
    say(f"written: {given.out}")


def measure_answers(run: Run, measured: Measured) -> None:
    """Squad and the seed notes, answerable and not, in the notes' own words and with the model."""
    with run.notes("squad") as library:
        about = sets.squad(run.data, run.squad, run.curve)
        aim = Aim("squad, answerable", "0.82", "0.88", answering.of_the_note)
        told = _told(library, about.answerable, measured, aim)
        first = answering.first_passages(told)
        measured.answers.append(("squad, answerable", "precision@1 of the passages", str(first), ""))
        say("squad: the curve")
        extractive = answering.ask(library, about.answerable, llm=False)
        silent = answering.ask(library, about.unanswerable, llm=False)
        measured.curve = answering.abstention_curve(extractive, silent)
        abstained = answering.abstained(silent)
        measured.answers.append(("squad, unanswerable", "abstains (adversarial)", str(abstained), ""))
        measured.seconds.setdefault("extractive", []).extend(one.seconds for one in extractive)
    with run.notes("seed-notes") as library:
        about = _fewer(sets.seed_notes(run.data), run)
        aim = Aim("seed-notes, answerable", "0.85", "", answering.of_the_evidence)
        _told(library, about.answerable, measured, aim)
        extractive = answering.ask(library, about.answerable, llm=False)
        measured.seconds["extractive"].extend(one.seconds for one in extractive)


def _fewer(about: QuestionsAbout, run: Run) -> QuestionsAbout:
    return QuestionsAbout(about.name, about.answerable[:8], about.unanswerable[:4]) if run.quick else about


def _told(library: Library, questions: Sequence[Question], measured: Measured, aim: Aim) -> list[Asked]:
    """The answers by default settings, with their rows on the page."""
    name = aim.name
    say(f"{name}: {len(questions)} questions")
    asked = answering.ask(library, questions, llm=True)
    share, of = answering.precision(asked, aim.is_good)
    written = sum(one.answer.model is not None for one in asked)
    median_words = f"{answering.words(asked):g} ({len(asked)}; {written} written by the model)"
    measured.answers += [
        (name, "answer hit", str(answering.answered_well(asked)), aim.hit),
        (name, "median words", median_words, "30" if name.startswith("squad") else ""),
        (name, "citation precision", f"{share:.3f} ({of} answered)", aim.precision),
        (name, "false abstention", str(answering.abstained(asked)), "0.08"),
        (name, "quotes valid at their offsets", str(answering.quotes(library, asked)), "1.00"),
    ]
    measured.seconds.setdefault("with the model", []).extend(one.seconds for one in asked)
    return asked


def measure_unanswerable(run: Run, measured: Measured) -> None:
    """Questions that the notes do not answer: those of the seed notes, and more of them and of the vaults."""
    corpora = ("seed-notes",) if run.quick else ("seed-notes", "vaults")
    own = _unanswerable()
    for corpus in corpora:
        with run.notes(corpus) as library:
            if corpus == "seed-notes":
                known = _fewer(sets.seed_notes(run.data), run).unanswerable
                _silent(library, known, measured, "seed-notes, not answerable")
            more = own.get(corpus, ())
            _silent(library, more[:4] if run.quick else more, measured, f"{corpus}, further not answerable")


def _silent(library: Library, questions: Sequence[Question], measured: Measured, name: str) -> None:
    if questions:
        say(f"{name}: {len(questions)} questions")
        asked = answering.ask(library, questions, llm=True)
        measured.answers.append((name, "abstains", str(answering.abstained(asked)), "0.85"))


def _unanswerable() -> dict[str, list[Question]]:
    """The questions of unanswerable.jsonl by the notes that they are about."""
    found: dict[str, list[Question]] = {}
    for line in UNANSWERABLE.read_text("utf-8").splitlines() if UNANSWERABLE.exists() else ():
        row = json.loads(line)
        question = Question(str(row["id"]), row["question"], row.get("type", "question"), answerable=False)
        found.setdefault(row["corpus"], []).append(question)
    return found


def measure_verifier(run: Run, measured: Measured) -> None:
    """True and perturbed answers, and how long it takes to tell them apart."""
    with run.notes("squad") as squad, run.notes("seed-notes") as seed_notes:
        libraries = {"squad": squad, "seed-notes": seed_notes}
        golds = [
            ("squad", _golds(squad, sets.squad(run.data).answerable)),
            ("seed-notes", _golds(seed_notes, sets.seed_notes(run.data).answerable)),
        ]
        checks = {name: verifier(library.store(), library.embedder) for name, library in libraries.items()}
        cases = perturbation.cases(golds, each=run.each)
        say(f"verifier: {len(cases)} perturbed answers")
        measured.rates = verdicts.judge(cases, checks)
        trades = perturbation.cases(golds, each=run.each, kinds=["trade"])
        measured.trades = verdicts.judge(trades, checks)[:2]
        measured.six_ms = verdicts.milliseconds_of_six(cases[: run.each], checks["squad"])


def _golds(library: Library, questions: Sequence[Question]) -> list[perturbation.Gold]:
    with library.store().reading() as snapshot:
        return perturbation.gold_claims(snapshot, questions)


def measure_claims(run: Run, measured: Measured) -> None:
    """Claims with human labels."""
    with run.notes("seed-notes") as library:
        say(f"claims: {run.claims}")
        measured.labelled = verdicts.labelled_claims(run.data, library.embedder, number=run.claims)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the sets")
    parser.add_argument("--out", type=Path, default=Path("docs/quality.md"), help="the page to write")
    parser.add_argument("--work", type=Path, default=Path("indexes/quality"), help="where indexes are kept")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; repeatable")
    parser.add_argument("--quick", action="store_true", help="a few items of each, to see that all runs")
    return parser


def _commit() -> str:
    """The commit that is checked out, with a sign where files differ from it."""
    described = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(described, capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    return done.stdout.strip() or "unknown"


say = partial(print, file=sys.stderr, flush=True)

if __name__ == "__main__":
    main()
