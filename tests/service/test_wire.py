from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest

from ragnotes import errors
from ragnotes.answers import Answer, Filters, Hit
from ragnotes.asking.answering import Request
from ragnotes.errors import IndexMissing, NotFound, RagnotesError, ServerError, UsageError
from ragnotes.events import Event, Final, IndexSummary
from ragnotes.service.bodies import FiltersBody
from ragnotes.service.encoding import (
    answer_json,
    document_json,
    filters_json,
    found_json,
    hit_json,
    status_json,
    summary_json,
)
from ragnotes.service.error_json import error_of, problem_json
from ragnotes.service.problems import STATUSES
from ragnotes.service.requests import filters_of
from ragnotes.service.shapes import EVENTS
from ragnotes.service.wire import AnswerJson
from tests.fakes import FakeLibrary
from tests.service import contract


def _answer(question: str = "how are embeddings cached?") -> Answer:
    final = list(FakeLibrary().ask(Request(question)))[-1]
    assert isinstance(final, Final)
    return final.answer


def _hit() -> Hit:
    return _answer().passages[0]


def test_the_fields_are_those_of_the_contract() -> None:
    answer = answer_json(_answer()).model_dump()
    assert answer.keys() == contract.ANSWER
    assert answer["passages"][0].keys() == contract.HIT
    assert answer["citations"][0].keys() == contract.CITATION
    assert answer["sentences"][0].keys() == contract.SENTENCE
    assert answer["filters"].keys() == contract.FILTERS
    found = FakeLibrary().search("embeddings", filters=Filters(), limit=1)
    assert found_json(found).model_dump().keys() == contract.FOUND
    assert summary_json(IndexSummary()).model_dump().keys() == contract.SUMMARY
    status = status_json(FakeLibrary().status()).model_dump()
    assert status.keys() == contract.STATUS
    assert status["files"][0].keys() == contract.FILE


def test_an_abstention_has_empty_lists_and_no_nulls_for_them() -> None:
    answer = answer_json(_answer("zebra?"))
    assert (answer.answered, answer.mode, answer.answer) == (False, "abstained", "")
    assert (answer.sentences, answer.citations, answer.passages, answer.left_out) == ([], [], [], [])


def test_scores_have_six_decimals() -> None:
    hit = hit_json(replace(_hit(), score=1 / 3, cosine=-2 / 3, bm25=12.34567891))
    assert (hit.score, hit.cosine, hit.bm25) == (0.333333, -0.666667, 12.345679)


def test_a_file_name_that_is_no_utf8_keeps_its_bytes_as_escapes() -> None:
    path = b"caf\xe9.md".decode("utf-8", "surrogateescape")
    hit = hit_json(replace(_hit(), source=replace(_hit().source, path=path)))
    assert json.loads(hit.model_dump_json().encode())["path"] == "caf\\udce9.md"


def test_a_lone_surrogate_in_a_text_costs_no_offset() -> None:
    text = "a\ud800b"
    document = replace(FakeLibrary().document("d-0"), text=text)
    assert document_json(document).text == "a\N{REPLACEMENT CHARACTER}b"


def test_marks_name_their_type() -> None:
    assert document_json(FakeLibrary().document("d-0")).marks == [
        {"type": "heading", "start": 0, "path": ["Technical", "Cache"]},
        {"type": "page", "start": 0, "page": 2},
        {"type": "cue", "start": 0, "t_start": 1.0, "t_end": None, "speaker": "Ana"},
        {"type": "date", "start": 0, "date": "2024-01-07"},
    ]


def test_an_answer_survives_the_way_through_json() -> None:
    answer = answer_json(_answer())
    assert AnswerJson.model_validate_json(answer.model_dump_json()) == answer


def test_every_event_has_a_name() -> None:
    assert len(EVENTS) == len(get_args(Event)) + 1  # and error


def test_filters_keep_what_was_asked() -> None:
    body = FiltersBody.model_validate(
        {"since": "2024-01-01", "until": "2024-01-31", "tags": ["rag"], "paths": None, "kinds": ["note"]}
    )
    assert filters_json(filters_of(body)).model_dump() == {
        "since": "2024-01-01",
        "until": "2024-01-31",
        "source": "request",
        "order": None,
        "tags": ["rag"],
        "paths": [],
        "kinds": ["note"],
        "speakers": [],
    }


def test_dates_in_the_wrong_order_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="is after"):
        filters_of(FiltersBody.model_validate({"since": "2024-02-01", "until": "2024-01-31"}))


@pytest.mark.parametrize("kind", [IndexMissing, UsageError, NotFound, ServerError])
def test_an_error_survives_the_way_through_a_problem(kind: type[RagnotesError]) -> None:
    error = error_of(problem_json(kind("what is wrong", "what to do"), 400))
    assert type(error) is kind
    assert str(error) == "what is wrong; what to do"


def test_every_error_has_a_status() -> None:
    named = [getattr(errors, name) for name in errors.__all__]
    assert STATUSES.keys() == {kind for kind in named if isinstance(kind, type)}
