"""The sets of questions and the notes they are about, read from the data folder."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragnotes.assembly import Library
from ragnotes.evaluation.questions import Question, read_questions
from ragnotes.settings import Settings

__all__ = ["QuestionsAbout", "notes_of", "opened", "rows", "seed_notes", "squad"]

SEED = 11


@dataclass(frozen=True, slots=True)
class QuestionsAbout:
    """Questions that a folder of notes answers, and such that it does not."""

    name: str
    answerable: tuple[Question, ...]
    unanswerable: tuple[Question, ...]


def rows(file: Path) -> list[dict[str, object]]:
    """The objects of a JSONL file."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]


def squad(data: Path, answerable: int | None = None, unanswerable: int | None = None) -> QuestionsAbout:
    """Questions of squad, drawn with a fixed seed; all where no number is given.

    Their note is the paragraph that they were asked about, and their evidence the first accepted answer.
    """
    found = [
        Question(
            str(row["_id"]),
            str(row["text"]),
            note=f"{row['paragraph']}.md",
            evidence=answers[0] if answers else "",
            answers=tuple(answers),
            answerable=bool(answers),
        )
        for row in rows(data / "squad" / "questions.jsonl")
        for answers in [_texts(row["answers"])]
    ]
    draw = random.Random(SEED)
    return QuestionsAbout(
        "squad",
        _drawn(draw, [question for question in found if question.answerable], answerable),
        _drawn(draw, [question for question in found if not question.answerable], unanswerable),
    )


def seed_notes(data: Path) -> QuestionsAbout:
    """The questions about the seed notes."""
    found = read_questions(data / "seed-notes" / "questions.jsonl").questions
    return QuestionsAbout(
        "seed-notes",
        tuple(question for question in found if question.answerable),
        tuple(question for question in found if not question.answerable),
    )


def notes_of(data: Path, name: str, work: Path) -> Path:
    """The folder of the notes called `name`; squad's paragraphs are first written as one note each, below `work`."""
    if name == "seed-notes":
        return data / "seed-notes" / "notes"
    if name == "vaults":
        return data / "vaults"
    folder = work / "squad-notes"
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows(data / "squad" / "paragraphs.jsonl"):
        file = folder / f"{row['_id']}.md"
        content = f"# {row['title']}\n\n{row['text']}\n"
        if not file.exists() or file.read_text("utf-8") != content:
            file.write_text(content, "utf-8")
    return folder


def opened(data: Path, name: str, work: Path, say: Callable[[str], None]) -> Library:
    """The notes called `name` with their index, which is kept below `work` and brought up to date."""
    folder = notes_of(data, name, work)
    library = Library(Settings(corpus=(folder,), index=work / f"index-{name}"))
    summary = library.update()
    say(f"{name}: {summary.added + summary.unchanged} notes, {summary.chunks} passages")
    return library


def _drawn(draw: random.Random, questions: Sequence[Question], number: int | None) -> tuple[Question, ...]:
    return tuple(questions) if number is None else tuple(draw.sample(questions, min(number, len(questions))))


def _texts(value: object) -> list[str]:
    return [str(text) for text in value if str(text).strip()] if isinstance(value, list) else []
