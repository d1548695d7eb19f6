from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import current_thread

import numpy as np
import pytest

from ragnotes.answers import NO_FILTERS, Answer, Evidence, Filters, Mode
from ragnotes.asking.answering import Request
from ragnotes.asking.evidence import (
    BEFORE_WEIGHT,
    COSINE_WEIGHT,
    COVERAGE_WEIGHT,
    EMBEDDED_AT_ONCE,
    MISFIT,
    PASSAGE_WEIGHT,
    POINTING_WEIGHT,
    coverage,
    question_weights,
    select_evidence,
)
from ragnotes.asking.prompting import build_prompt
from ragnotes.asking.retrieval import retrieve
from ragnotes.errors import IndexDamaged, ModelError, UsageError
from ragnotes.events import Cited, Event, Final, Passages, Token
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.stores.local import LocalStore
from ragnotes.types import Kind, Tokens, Unit, Vectors
from tests.asking.stage import ScriptedGenerator, asker_over, index_notes

CACHE = "Which cache requires an exact prefix match?"


class RecordingEmbedder(HashingEmbedder):
    """Knows what it embedded; a question is embedded as a note is."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        self.seen += texts
        return super().embed_documents(texts, background=background)


def ask(
    store: LocalStore, folder: Path, question: str, generator: ScriptedGenerator | None = None, **options: object
) -> tuple[list[Event], Answer]:
    events = list(asker_over(store, folder, generator).ask(Request(question, **options)))  # type: ignore[arg-type]
    assert isinstance(events[-1], Final)
    return events, events[-1].answer


def evidence_for(store: LocalStore, question: str) -> list[Evidence]:
    with store.reading() as snapshot:
        embedder = HashingEmbedder()
        vector = embedder.embed_queries([question])[0]
        hits, _ = retrieve(snapshot, question, lambda: vector, filters=NO_FILTERS, limit=10, is_fresh=lambda _: True)
        return select_evidence(snapshot, embedder, vector, hits, subject=question)


def test_the_table_row_is_the_best_evidence_and_its_place_is_exact(store: LocalStore) -> None:
    best = evidence_for(store, CACHE)[0]
    assert best.text == "| Prefill | Prompt cache | Requires an exact prefix match. |"
    assert best.unit.plain == "Prefill | Prompt cache | Requires an exact prefix match."
    assert (best.unit.lead, best.place.line, best.place.heading) == ("Phase | Cache | About", 9, "Kinds")


def test_every_unit_is_a_slice_of_its_document(store: LocalStore) -> None:
    pieces = evidence_for(store, "What did I read about the used graphics card?")
    assert len(pieces) >= 3
    with store.reading() as snapshot:
        for item in pieces:
            document = snapshot.document(item.hit.source.doc_id)
            assert document is not None
            assert document.text[item.unit.start : item.unit.end] == item.text


def test_a_list_is_quoted_with_the_line_that_announces_it(store: LocalStore) -> None:
    best = evidence_for(store, "What are the three pillars?")[0]
    assert best.unit.plain == "The three pillars are: honesty; freshness; speed"
    assert best.text == "The three pillars are:\n\n- honesty\n- freshness\n- speed"


def test_coverage_weighs_words_by_rarity_and_counts_the_context_in_part(store: LocalStore) -> None:
    with store.reading() as snapshot:
        weights = question_weights(snapshot, "the card and the zebra")
    assert list(weights) == ["card", "zebra"]
    assert 0 < weights["card"] < weights["zebra"]
    rarity = {"card": 1.0, "zebra": 3.0}
    assert coverage(rarity, "cards", "") == 0.25
    assert coverage(rarity, "cards", "zebras") == pytest.approx((1 + 0.6 * 3) / 4)
    assert coverage({}, "cards", "") == 0.0


def test_without_the_model_the_notes_answer(store: LocalStore, tmp_path: Path) -> None:
    events, answer = ask(store, tmp_path, CACHE, llm=False)
    assert [type(event) for event in events] == [Passages, Token, Cited, Final]
    assert (answer.mode, answer.reason, answer.model) == (Mode.EXTRACTIVE, None, None)
    assert "Prompt cache" in answer.text
    [citation] = answer.citations
    assert (citation.source.path, citation.place.line, answer.sentences[0].citations) == ("caches.md", 9, (1,))


def test_why_there_is_no_model_is_told(store: LocalStore, tmp_path: Path) -> None:
    _, answer = ask(store, tmp_path, CACHE)
    assert (answer.mode, answer.reason) == (Mode.EXTRACTIVE, "no model: none is installed")


def test_a_draft_that_the_evidence_carries_is_the_answer(store: LocalStore, tmp_path: Path) -> None:
    generator = ScriptedGenerator("The Prompt cache requires an exact prefix match [3]. It was built in Rome [1].")
    events, answer = ask(store, tmp_path, CACHE, generator)
    assert (answer.mode, answer.model) == (Mode.GENERATED, "scripted")
    assert answer.text == "The Prompt cache requires an exact prefix match."
    assert [citation.n for citation in answer.citations] == [1]
    assert answer.citations[0].quote == "| Prefill | Prompt cache | Requires an exact prefix match. |"
    assert [type(event) for event in events] == [Passages, Token, Cited, Final]


@pytest.mark.parametrize("draft", ["The Prompt cache requires an exact prefix match. It is red.", "Nothing."])
def test_what_is_streamed_is_the_answer(store: LocalStore, tmp_path: Path, draft: str) -> None:
    events, answer = ask(store, tmp_path, CACHE, ScriptedGenerator(draft))
    assert "".join(event.text for event in events if isinstance(event, Token)) == answer.text
    assert tuple(event.citation for event in events if isinstance(event, Cited)) == answer.citations


@pytest.mark.parametrize("draft", ["The KV cache requires it.", "The notes do not say.", "Caches are great fun."])
def test_a_draft_that_the_evidence_does_not_carry_gives_way_to_it(
    store: LocalStore, tmp_path: Path, draft: str
) -> None:
    _, answer = ask(store, tmp_path, CACHE, ScriptedGenerator(draft))
    assert (answer.mode, answer.reason) == (Mode.EXTRACTIVE, "draft_not_supported")
    assert "Prompt cache" in answer.text


def test_a_failing_model_costs_the_draft_only(store: LocalStore, tmp_path: Path) -> None:
    _, answer = ask(store, tmp_path, CACHE, ScriptedGenerator(None))
    assert (answer.mode, answer.reason) == (Mode.EXTRACTIVE, "no draft: the model ended; try again")


def test_a_deadline_ends_the_draft_and_not_the_answer(store: LocalStore, tmp_path: Path) -> None:
    _, answer = ask(store, tmp_path, CACHE, ScriptedGenerator("word " * 500), deadline_s=0.0)
    assert (answer.mode, answer.reason) == (Mode.EXTRACTIVE, "late")


def test_a_model_that_does_not_load_in_time_is_not_waited_for(store: LocalStore, tmp_path: Path) -> None:
    generator = ScriptedGenerator("The Prompt cache requires an exact prefix match.")
    generator.loaded = False
    _, answer = ask(store, tmp_path, CACHE, generator, deadline_s=0.1)
    assert (answer.mode, answer.reason, generator.prompts) == (Mode.EXTRACTIVE, "late", [])


def test_a_late_answer_is_the_best_piece_by_its_words_and_embeds_nothing_more(
    store: LocalStore, tmp_path: Path
) -> None:
    embedder = RecordingEmbedder()
    asker = replace(asker_over(store, tmp_path), embedder=embedder)
    *_, late = asker.ask(Request(CACHE, llm=False, deadline_s=0.0))
    assert isinstance(late, Final)
    assert (late.answer.mode, late.answer.reason, embedder.seen) == (Mode.EXTRACTIVE, "late", [CACHE])
    assert late.answer.citations[0].quote.startswith("| Prefill | Prompt cache |")
    *_, in_time = asker.ask(Request(CACHE, llm=False, deadline_s=60.0))
    assert isinstance(in_time, Final)
    assert (in_time.answer.reason, len(embedder.seen) > 3) == (None, True)


def test_a_late_abstention_is_late_and_not_certain(store: LocalStore, tmp_path: Path) -> None:
    question = "Who won the chess tournament in Oslo?"
    _, certain = ask(store, tmp_path, question, llm=False)
    assert (certain.mode, certain.reason) == (Mode.ABSTAINED, "low_support")
    _, late = ask(store, tmp_path, question, llm=False, deadline_s=0.0)
    assert (late.mode, late.reason) == (Mode.ABSTAINED, "late")


def test_no_tokens_are_embedded_for_an_answer_that_is_late(store: LocalStore, tmp_path: Path) -> None:
    class Embedder(RecordingEmbedder):
        def embed_tokens(self, texts: Sequence[str]) -> list[Tokens]:
            self.seen += texts
            return [Tokens(np.zeros((0, 64), dtype=np.float32), ()) for _ in texts]

    embedder, question = Embedder(), "What requires an exact prefix match?"
    asker = replace(asker_over(store, tmp_path), embedder=embedder)
    list(asker.ask(Request(question, llm=False, deadline_s=0.0)))
    assert embedder.seen == [question]
    list(asker.ask(Request(question, llm=False)))
    assert embedder.seen.count(question) == 3, "as a question, and for its tokens"


def test_units_are_embedded_only_until_nobody_waits(store: LocalStore) -> None:
    embedder = RecordingEmbedder()
    waits = iter([False, True])
    units = [Unit(0, 9, f"Note {number}.") for number in range(2 * EMBEDDED_AT_ONCE)]
    with store.reading() as snapshot:
        vector = embedder.embed_queries([CACHE])[0]
        hits, _ = retrieve(snapshot, CACHE, lambda: vector, filters=NO_FILTERS, limit=1, is_fresh=lambda _: True)
        long = replace(hits[0], chunk=replace(hits[0].chunk, units=tuple(units)))
        found = select_evidence(snapshot, embedder, vector, [long], subject=CACHE, stopped=lambda: next(waits))
    assert (len(found), len(embedder.seen)) == (2 * EMBEDDED_AT_ONCE, 1 + EMBEDDED_AT_ONCE)
    assert sum(item.cosine == round(long.cosine, 6) for item in found) == EMBEDDED_AT_ONCE


def added_to_its_own(item: Evidence) -> float:
    """What a piece has beside its meaning, its own words and its passage."""
    own = COSINE_WEIGHT * max(item.cosine, 0.0) + COVERAGE_WEIGHT * item.coverage + PASSAGE_WEIGHT * item.hit.score
    return item.score - own


def test_a_sentence_that_points_back_counts_for_what_the_one_before_speaks_of(tmp_path: Path) -> None:
    added = {}
    for subject in ("Ada Brill", "She", "Tom"):
        note = f"Ada Brill runs the bakery in Ulm. {subject} sells rye bread on Mondays.\n"
        store = index_notes(tmp_path / subject, {"bakery.md": note})
        [piece] = [item for item in evidence_for(store, "What does Ada Brill sell?") if "rye" in item.text]
        added[subject] = added_to_its_own(piece)
        store.close()
    assert added["Ada Brill"] == pytest.approx(0.0, abs=1e-5)
    assert added["She"] == pytest.approx(POINTING_WEIGHT / BEFORE_WEIGHT * added["Tom"], abs=1e-4)
    assert added["Tom"] > 0.05


def test_a_piece_without_the_kind_of_thing_asked_for_counts_less(tmp_path: Path) -> None:
    note = "The attic bell was cast long before.\n\nThe attic bell was cast in 1703.\n"
    store = index_notes(tmp_path, {"bell.md": note})
    bare, dated = "The attic bell was cast long before.", "The attic bell was cast in 1703."
    for question, misses in (("When was the attic bell cast?", MISFIT), ("Where was the attic bell cast?", 0.0)):
        added = {item.text: added_to_its_own(item) for item in evidence_for(store, question)}
        assert (added[bare], added[dated]) == pytest.approx((-misses, 0.0), abs=1e-5)
    store.close()


@pytest.mark.parametrize(("leaves_at", "seen"), [(0, []), (1, []), (2, ["Passages"])])
def test_who_leaves_is_told_nothing_more(store: LocalStore, tmp_path: Path, leaves_at: int, seen: list[str]) -> None:
    asked = iter(range(100))
    request = Request(CACHE, llm=False, cancelled=lambda: next(asked) >= leaves_at)
    assert [type(event).__name__ for event in asker_over(store, tmp_path).ask(request)] == seen


def test_what_only_a_changed_file_holds_is_called_stale(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"caches.md": "The prompt cache requires an exact prefix match.\n"})
    (tmp_path / "notes" / "caches.md").write_text("Rewritten.\n")
    _, answer = ask(store, tmp_path, CACHE)
    assert (answer.answered, answer.reason, answer.left_out) == (False, "stale", ("caches.md",))
    store.close()


def test_the_model_sees_the_evidence_and_never_more_than_its_context(store: LocalStore) -> None:
    evidence = evidence_for(store, CACHE)
    roomy = ScriptedGenerator("", context_tokens=512)
    prompt, shown = build_prompt(roomy, CACHE, evidence, answer_tokens=32)
    assert shown == len(evidence)
    assert "Prompt cache" in prompt.user
    for context_tokens in range(100, 200, 7):
        tight = ScriptedGenerator("", context_tokens=context_tokens)
        prompt, shown = build_prompt(tight, CACHE, evidence, answer_tokens=32)
        assert tight.prompt_tokens(prompt) <= context_tokens - 32
        assert shown <= len(evidence)


@pytest.mark.parametrize(
    ("question", "filters", "reason"),
    [
        ("Who won the chess tournament in Reykjavik?", NO_FILTERS, "low_support"),
        (CACHE, Filters(kinds=(Kind.PAPER,)), "filtered_out"),
        ("How many euros did Tom pay for the used graphics card?", NO_FILTERS, "low_support"),
        ("What did the used graphics card cost in 2022?", NO_FILTERS, "low_support"),
    ],
)
def test_where_the_notes_are_silent_so_is_the_answer(
    store: LocalStore, tmp_path: Path, question: str, filters: Filters, reason: str
) -> None:
    events, answer = ask(store, tmp_path, question, ScriptedGenerator("Bobby won."), filters=filters)
    assert [type(event) for event in events] == [Passages, Final]
    assert (answer.mode, answer.answered, answer.reason) == (Mode.ABSTAINED, False, reason)
    assert (answer.text, answer.sentences, answer.citations) == ("", (), ())


def test_an_index_without_passages_says_so(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"empty.md": ""})
    _, answer = ask(store, tmp_path, CACHE)
    assert answer.reason == "empty_index"
    store.close()


def test_asked_when_the_answer_is_the_date_and_asked_for_a_link_the_link(store: LocalStore, tmp_path: Path) -> None:
    _, answer = ask(store, tmp_path, "When did I read the overview of retrieval variants?", llm=False)
    assert answer.text.startswith("2024-01-07: ")
    _, answer = ask(store, tmp_path, "What is the link of the overview of retrieval variants?", llm=False)
    assert answer.text.endswith("(https://example.org/variants)")
    assert answer.citations[0].links == ("https://example.org/variants",)


@pytest.mark.parametrize("question", ["", "  ", "why " * 25_000])
def test_an_empty_or_endless_question_is_refused_before_anything_runs(
    store: LocalStore, tmp_path: Path, question: str
) -> None:
    with pytest.raises(UsageError):
        next(iter(asker_over(store, tmp_path).ask(Request(question))))


class WatchedEmbedder(HashingEmbedder):
    """Knows by which threads questions were embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[str] = set()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.threads.add(current_thread().name)
        return super().embed_queries(texts)


def test_a_question_embedded_beside_the_search_for_its_words_finds_the_same(tmp_path: Path) -> None:
    embedder = WatchedEmbedder()
    with closing(index_notes(tmp_path)) as store, ThreadPoolExecutor(2, thread_name_prefix="beside") as pool:
        alone = replace(asker_over(store, tmp_path), embedder=embedder)
        beside = replace(alone, pool=pool)
        assert beside.search(CACHE).hits == alone.search(CACHE).hits
        first, second = ([*asker.ask(Request(CACHE))][-1] for asker in (alone, beside))
        assert isinstance(first, Final)
        assert isinstance(second, Final)
        assert replace(second.answer, timings_ms={}) == replace(first.answer, timings_ms={})
    assert {name.startswith("beside") for name in embedder.threads} == {True, False}


@pytest.mark.parametrize("beside", [False, True])
def test_an_embedder_that_fails_says_so(tmp_path: Path, beside: bool) -> None:
    class Failing(HashingEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            raise ModelError("the embedder is gone", "bring it back")

    with closing(index_notes(tmp_path)) as store, ThreadPoolExecutor(1) as pool:
        asker = replace(asker_over(store, tmp_path), embedder=Failing(), pool=pool if beside else None)
        with pytest.raises(ModelError, match="gone"):
            asker.search(CACHE)


@pytest.mark.parametrize("column", ["path", "sha256", "title"])
def test_a_source_that_changed_on_the_disk_is_damage_and_no_changed_file(tmp_path: Path, column: str) -> None:
    with closing(index_notes(tmp_path)) as store:
        asker = asker_over(store, tmp_path)
        assert asker.search(CACHE, limit=1).hits
        with closing(sqlite3.connect(tmp_path / "index" / "ragnotes.sqlite3")) as connection, connection:
            kind = "TEXT" if column == "sha256" else "BLOB"
            connection.execute(f"UPDATE documents SET {column} = CAST('other' || rowid AS {kind})")
        with pytest.raises(IndexDamaged):
            asker.search(CACHE, limit=1)
