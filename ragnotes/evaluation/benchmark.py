"""A retrieval benchmark in BEIR's shape as a corpus of Markdown files and a set of questions about them.

The folder holds `corpus.jsonl` (_id, title, text), `queries.jsonl` (_id, text) and the judgements: `qrels.tsv`, else
`qrels/test.tsv`, else all of `qrels/*.tsv`, each with a header and the columns query, document, grade. The documents
take the same way into an index as a person's notes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragnotes.errors import EvaluationError
from ragnotes.evaluation.questions import Question, QuestionSet, read_text

__all__ = ["Benchmark", "read_benchmark", "write_corpus"]

_PLAIN_NAME = re.compile(r"[a-z0-9_-]{1,100}")
_QRELS_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The questions, and the Markdown of each document by file name."""

    questions: QuestionSet
    documents: dict[str, str]


def read_benchmark(folder: Path) -> Benchmark:
    """The benchmark of a folder. Queries without a relevant document do not count. Raises EvaluationError."""
    qrels = _qrels_files(folder)
    documents = {file_name(_text(folder, row, "_id")): _markdown(row) for row in _rows(folder / "corpus.jsonl")}
    texts = {_text(folder, row, "_id"): _text(folder, row, "text") for row in _rows(folder / "queries.jsonl")}
    relevant: dict[str, dict[str, int]] = {}
    for file in qrels:
        for query, document, grade in _judgements(file):
            if query not in texts:
                raise EvaluationError(f"{file} judges query {query}, which is not in queries.jsonl", "add it there")
            if grade > 0:
                relevant.setdefault(query, {})[file_name(document)] = grade
    questions = tuple(Question(query, texts[query], "query") for query in texts if query in relevant)
    if not questions:
        raise EvaluationError(f"{folder} holds no query with a relevant document", "check queries.jsonl and the qrels")
    digest = _digest([folder / "corpus.jsonl", folder / "queries.jsonl", *qrels])
    return Benchmark(QuestionSet(str(folder), digest, questions, relevant), documents)


def write_corpus(benchmark: Benchmark, folder: Path) -> None:
    """Writes the documents into `folder`, and removes the Markdown files there that are none of them.

    A file that is there already with the same content is left as it is, so that its index stays up to date.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stray in sorted(folder.glob("*.md")):
        if stray.name not in benchmark.documents:
            stray.unlink()
    for name, text in benchmark.documents.items():
        file = folder / name
        content = text.encode("utf-8", "replace")  # half a character, as a JSON escape can write it, is no text
        if not file.is_file() or file.read_bytes() != content:
            file.write_bytes(content)


def file_name(document_id: str) -> str:
    """The file of a document: its id where any file system takes it, else a digest; unlike ids never share a file."""
    if _PLAIN_NAME.fullmatch(document_id):
        return f"{document_id}.md"
    return f"id.{hashlib.sha256(document_id.encode()).hexdigest()[:32]}.md"


def _markdown(row: dict[str, object]) -> str:
    title = " ".join(str(row.get("title") or "").split())
    return f"# {title}\n\n{row.get('text') or ''}\n" if title else f"{row.get('text') or ''}\n"


def _qrels_files(folder: Path) -> list[Path]:
    for file in (folder / "qrels.tsv", folder / "qrels" / "test.tsv"):
        if file.is_file():
            return [file]
    found = sorted((folder / "qrels").glob("*.tsv"))
    if not found:
        raise EvaluationError(
            f"{folder} holds no qrels.tsv",
            "name a question file, or a folder with corpus.jsonl, queries.jsonl, qrels.tsv",
        )
    return found


def _judgements(file: Path) -> Iterator[tuple[str, str, int]]:
    """Query, document and grade of each line after the header."""
    for number, line in enumerate(read_text(file).splitlines()[1:], start=2):
        if not line.strip():
            continue
        columns = line.split("\t")
        try:
            query, document, grade = columns[0], columns[-2], int(float(columns[-1]))
        except (IndexError, ValueError):
            columns = []
        if len(columns) < _QRELS_COLUMNS:
            raise EvaluationError(f"{file}, line {number} is no judgement", "write query, document and grade, by tabs")
        yield query, document, grade


def _rows(file: Path) -> Iterator[dict[str, object]]:
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise EvaluationError(f"{file}, line {number} is no JSON object", "write one JSON object on each line")
            yield row


def _text(folder: Path, row: dict[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str | int) or not str(value).strip():
        raise EvaluationError(f"{folder}: a line has no {key}: {json.dumps(row)[:60]}", f"give it the field {key}")
    return str(value).strip().encode("utf-8", "replace").decode()


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
