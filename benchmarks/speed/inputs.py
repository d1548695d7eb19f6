"""The notes and questions that are measured with: the folder of sets, or a few of the sample notes in its shape."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ragnotes.evaluation.benchmark import read_benchmark
from ragnotes.evaluation.questions import Question, read_questions

__all__ = ["Inputs", "notes_in", "sample_of", "small_inputs"]

SAMPLE = Path(__file__).parents[2] / "corpus"
FEW = ("hardware-costs.md", "local-models.md", "log-2023.md", "agents-clipped.md", "retrieval.md")
SUFFIXES = frozenset({".md", ".txt"})
SEED = 7


@dataclass(frozen=True, slots=True)
class Inputs:
    """The folder of sets: `seed-notes/` with questions, `vaults/`, and `scifact/` in BEIR's shape."""

    data: Path

    @property
    def seed_notes(self) -> Path:
        return self.data / "seed-notes" / "notes"

    @property
    def vaults(self) -> Path:
        return self.data / "vaults"

    @property
    def scifact(self) -> Path:
        return self.data / "scifact"

    def answerable(self) -> list[Question]:
        """The questions that the seed notes answer."""
        found = read_questions(self.data / "seed-notes" / "questions.jsonl").questions
        return [question for question in found if question.answerable]

    def queries(self, number: int, seed: int) -> list[str]:
        """So many queries of all kinds, drawn from the sets; another seed gives others."""
        texts = [question.text for question in self.answerable()]
        texts += [question.text for question in read_benchmark(self.scifact).questions.questions]
        texts = list(dict.fromkeys(texts))
        return random.Random(SEED + seed).choices(texts, k=number)


def notes_in(folder: Path) -> list[Path]:
    """The notes that all engines read: Markdown and plain text."""
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())


def sample_of(folder: Path, number: int, to: Path) -> Path:
    """So many notes of a folder, copied to a folder of that name and number below `to`; the same ones each time."""
    copied = to / f"{folder.name}-{number}"
    shutil.rmtree(copied, ignore_errors=True)
    notes = notes_in(folder)
    for note in random.Random(SEED).sample(notes, min(number, len(notes))):
        target = copied / note.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(note, target)
    return copied


def small_inputs(to: Path) -> Inputs:
    """A few of the sample notes and the questions about them, in the shape of the sets, written below `to`."""
    inputs = Inputs(to)
    rows = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if row.get("note") in FEW]
    for folder in (inputs.seed_notes, inputs.vaults, inputs.scifact):
        folder.mkdir(parents=True, exist_ok=True)
    for name in FEW:
        shutil.copyfile(SAMPLE / name, inputs.seed_notes / name)
        shutil.copyfile(SAMPLE / name, inputs.vaults / name)
    documents = [{"_id": name, "title": "", "text": (SAMPLE / name).read_text("utf-8")} for name in FEW]
    _write(to / "seed-notes" / "questions.jsonl", rows)
    _write(inputs.scifact / "corpus.jsonl", documents)
    _write(inputs.scifact / "queries.jsonl", [{"_id": row["id"], "text": row["question"]} for row in rows])
    judged = "".join(f"{row['id']}\t{row['note']}\t1\n" for row in rows)
    (inputs.scifact / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", "utf-8")
    return inputs


def _write(file: Path, rows: Sequence[object]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
