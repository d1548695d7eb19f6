"""Question files: JSON lines in, checked questions out. Every error names the file, the line and what to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ragnotes.asking.answering import checked_question
from ragnotes.errors import EvaluationError, UsageError

__all__ = ["Question", "QuestionSet", "read_questions", "read_text"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what a right answer is known by.

    `evidence` is copied from the note that holds the answer; any of `answers` is a right answer. Both are empty where
    the notes hold none (`answerable` is False). `note` is the note's path, or the end of it.
    """

    id: str
    text: str
    type: str = "question"
    note: str | None = None
    evidence: str = ""
    answers: tuple[str, ...] = ()
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one file or benchmark.

    `relevant` is None for a question file, whose hits are judged by their evidence; for a benchmark it gives the paths
    of the documents that answer each question, with their grades. `sha256` is that of the files.
    """

    source: str
    sha256: str
    questions: tuple[Question, ...]
    relevant: Mapping[str, Mapping[str, int]] | None = None


class _Line(BaseModel):
    """A line of a question file. Fields that nobody asks for are left alone."""

    model_config = ConfigDict(strict=True)

    id: str
    question: str
    type: str = Field(default="question", min_length=1)
    note: str | None = None
    evidence: str | None = None
    answers: list[str] = []
    answerable: bool = True

    @field_validator("id", mode="before")
    @classmethod
    def _number_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def read_questions(file: Path) -> QuestionSet:
    """The questions of a JSONL file, in order; blank lines do not count. Raises EvaluationError on the first bad line.

    `id` and `question` are needed, and `evidence` unless `answerable` is false. Without `answers` a question counts for
    search only.
    """
    text = read_text(file)
    questions: dict[str, Question] = {}
    lines: dict[str, int] = {}
    for number, value in _objects(file, text):
        question = _question(file, number, value)
        if question.id in questions:
            raise _bad(file, number, f"the id {question.id} is that of line {lines[question.id]}", "give each its own")
        questions[question.id], lines[question.id] = question, number
    if not questions:
        raise EvaluationError(
            f"{file} holds no question", "write one JSON object per line, or draft some: ragnotes eval --propose 20"
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    return QuestionSet(str(file), digest, tuple(questions.values()))


def read_text(file: Path) -> str:
    """The content of a text file in UTF-8, without its BOM. Raises EvaluationError where there is none to be read."""
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{file} is not UTF-8 (byte {error.start})", "save it as UTF-8") from None
    except OSError as error:
        raise EvaluationError(f"{file} cannot be read: {error.strerror}", "check its name and permissions") from None


def _objects(file: Path, text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise _bad(file, number, f"is not JSON: {error}", "write one JSON object on each line") from None


def _question(file: Path, number: int, value: object) -> Question:
    if not isinstance(value, dict):
        raise _bad(file, number, "is no JSON object", 'write {"id": "q1", "question": "…", "evidence": "…"}')
    try:
        line = _Line.model_validate(value)
        json.dumps(value, ensure_ascii=False).encode()
        text = checked_question(line.question)
    except ValidationError as error:
        problem = error.errors()[0]
        raise _bad(file, number, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}", "correct it") from None
    except UnicodeEncodeError:
        raise _bad(file, number, "holds half a character", r"correct its \u escapes") from None
    except UsageError as error:
        raise _bad(file, number, error.problem, "write a question") from None
    evidence = (line.evidence or "").strip()
    if line.answerable and not evidence:
        raise _bad(
            file, number, "evidence is missing", 'copy it from the note, or write "answerable": false if no note has it'
        )
    answers = tuple(answer for answer in line.answers if answer.strip())
    return Question(line.id, text, line.type, line.note, evidence, answers, line.answerable)


def _bad(file: Path, line: int, problem: str, hint: str) -> EvaluationError:
    return EvaluationError(f"{file}, line {line}: {problem}", hint)
