from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ragnotes.errors import EvaluationError
from ragnotes.evaluation.questions import Question, read_questions
from tests.evaluation.conftest import CACHE, NOWHERE, PRICE, Write


def test_questions_come_in_the_order_of_the_file_with_its_digest(write: Write) -> None:
    file = write(PRICE, NOWHERE)
    found = read_questions(file)
    assert found.questions == (
        Question(
            "q1",
            "What did I pay for the used graphics card?",
            "fact",
            "log-2024.md",
            "690 euros, cash",
            ("690",),
        ),
        Question("q4", "Who painted the Mona Lisa?", "none", answerable=False),
    )
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert found.relevant is None


def test_little_is_needed_and_much_is_left_alone(write: Write) -> None:
    found = read_questions(write({"id": 7, "question": " Which? ", "evidence": "this", "author": "me"}))
    assert found.questions == (Question("7", "Which?", "question", None, "this"),)


def test_blank_lines_and_a_byte_order_mark_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_bytes(b"\xef\xbb\xbf\n" + json.dumps(PRICE).encode() + b"\r\n\n")
    assert [question.id for question in read_questions(file).questions] == ["q1"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"id": "q2"', "line 2: is not JSON: "),
        ("[1]", "line 2: is no JSON object; "),
        ('{"question": "Which?", "evidence": "x"}', "line 2: id: Field required; "),
        ('{"id": "q2", "evidence": "x"}', "line 2: question: Field required; "),
        ('{"id": "q2", "question": " ", "evidence": "x"}', "line 2: the question is empty; "),
        ('{"id": "q2", "question": "Which?"}', "line 2: evidence is missing; copy it from the note, or write"),
        ('{"id": "q2", "question": "Which?", "evidence": "  "}', "line 2: evidence is missing"),
        ('{"id": "q2", "question": "Which?", "evidence": "x", "answers": "x"}', "line 2: answers: Input should be"),
        ('{"id": "q2", "question": "Which?", "evidence": "x", "answerable": "no"}', "line 2: answerable: Input should"),
        ('{"id": "q2", "question": "Which\\ud800?", "evidence": "x"}', "line 2: "),
        ('{"id": "q1", "question": "Which?", "evidence": "x"}', "line 2: the id q1 is that of line 1; give each"),
    ],
)
def test_a_bad_line_is_named_with_what_to_do(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(f"{json.dumps(PRICE)}\n{line}\n{json.dumps(CACHE)}\n")
    with pytest.raises(EvaluationError) as caught:
        read_questions(file)
    assert f"{file}, {problem}" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "holds no question; "), (b"\n \n", "holds no question"), (b"\xff", "is not UTF-8 (byte 0); save it")],
)
def test_a_file_without_questions_is_an_error(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_bytes(content)
    with pytest.raises(EvaluationError, match=r".") as caught:
        read_questions(file)
    assert problem in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"none\.jsonl cannot be read: No such file"):
        read_questions(tmp_path / "none.jsonl")
