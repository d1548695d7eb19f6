"""What the thin client reads: the same JSON that the server's models take, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ragnotes.asking.answering import Request
from ragnotes.service import wire
from ragnotes.service.encoding import event_json
from ragnotes.service.reader import read
from ragnotes.service.shapes import EVENTS, AnswerShape, HitShape, ProblemShape, TokenShape
from tests.fakes import FakeLibrary

MODELS: dict[str, type[BaseModel]] = {
    "queued": wire.QueuedJson,
    "passages": wire.PassagesJson,
    "token": wire.TokenJson,
    "citation": wire.CitationJson,
    "final": wire.AnswerJson,
    "error": wire.ProblemJson,
}
WRONG: tuple[object, ...] = (None, True, 7, 1.5, "words", [], ["words"], [None], {}, {"a": "b"})
"""A value of every kind that JSON has."""


def told() -> list[tuple[str, str]]:
    events = [event_json(event) for event in FakeLibrary().ask(Request("how are embeddings cached?"))]
    return [(name, shown.model_dump_json()) for name, shown in events]


def final() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told()[-1][1])
    return found


def test_every_event_is_read_as_the_server_meant_it() -> None:
    for name, content in told():
        shown = json.loads(json.dumps(read(EVENTS[name], content), default=vars))
        assert shown == json.loads(content)


def test_shapes_have_the_fields_of_the_models_in_their_order() -> None:
    assert MODELS.keys() == EVENTS.keys()
    for name, content in told():
        model = MODELS[name].model_validate_json(content)
        assert list(vars(read(EVENTS[name], content))) == list(type(model).model_fields)


@pytest.mark.parametrize("name", ["passages", "token", "citation", "final"])
def test_a_field_of_another_kind_is_refused_where_pydantic_refuses_it(name: str) -> None:
    content = json.loads(next(content for event, content in told() if event == name))
    for field in content:
        for value in WRONG:
            changed = json.dumps(content | {field: value})
            try:
                MODELS[name].model_validate_json(changed, strict=True)
            except (ValidationError, TypeError):  # what makes a score takes neither null nor a list
                with pytest.raises(ValueError, match=rf"^{field}[. ]"):
                    read(EVENTS[name], changed)
            else:
                if (field, value) != ("score", True):  # nor does a score need to be read from `true`
                    read(EVENTS[name], changed)


def test_a_missing_field_is_named_and_one_with_a_default_is_not_missed() -> None:
    hit = final()["passages"][0]
    del hit["before"]
    assert read(HitShape, json.dumps(hit)).before is None
    del hit["doc_id"]
    with pytest.raises(ValueError, match=r"^doc_id is missing$"):
        read(HitShape, json.dumps(hit))


def test_a_field_may_be_missing_where_the_model_has_a_default() -> None:
    hit = final()["passages"][0]
    for field in hit:
        without = json.dumps({name: value for name, value in hit.items() if name != field})
        try:
            wire.HitJson.model_validate_json(without)
        except ValidationError:
            with pytest.raises(ValueError, match=f"^{field} is missing$"):
                read(HitShape, without)
        else:
            read(HitShape, without)


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(ValueError, match=r"^text is no text$"):
        read(TokenShape, rb'{"text": "a\ud800b"}')


def test_the_place_of_what_is_wrong_is_told() -> None:
    answer = final()
    answer["passages"][0]["rank"] = "first"
    with pytest.raises(ValueError, match=r'^passages\.0\.rank cannot be "first"$'):
        read(AnswerShape, json.dumps(answer))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "Expecting value"),
        ("no json", "Expecting value"),
        ("[]", "no object"),
        ("7", "no object"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_object_is_refused(content: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(TokenShape, content)


def test_fields_of_a_newer_server_are_passed_over() -> None:
    problem = {"type": "t", "title": "T", "status": 400, "detail": "d", "hint": "h", "mood": "bad"}
    assert "mood" not in vars(read(ProblemShape, json.dumps(problem)))
