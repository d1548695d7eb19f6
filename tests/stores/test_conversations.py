"""What every `Conversations` promises, over the files and the one in memory; then what the files promise."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ragnotes.errors import IndexWriteFailed, NotFound
from ragnotes.ports import Conversations
from ragnotes.service.encoding import conversation_json
from ragnotes.stores.conversations import MAX_TURNS, ConversationFolder
from ragnotes.turns import CitedPlace, Turn
from tests.fakes import FakeConversations

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DUNE = Turn(
    "who wrote it?",
    "who wrote Dune?",
    ("Frank Herbert.", "In 1965."),
    (CitedPlace("books\udcff.md", "Books", "Shelf > Dune", 3, None, None, "2024-01-07"),),
    NOON,
    7,
)


@pytest.fixture(params=["files", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Conversations:
    return ConversationFolder(tmp_path / "conversations") if request.param == "files" else FakeConversations()


def test_a_turn_is_read_back_as_it_was_kept(kept: Conversations) -> None:
    first = Turn("When was Dune published?", asked_at=NOON)
    begun = kept.begin(first)
    kept.append(begun, DUNE)
    found = kept.read(begun)
    assert (found.id, found.turns, found.count) == (begun, (first, DUNE), 2)


def test_the_last_is_the_one_that_was_asked_in_last(kept: Conversations) -> None:
    assert (kept.last(), kept.lines(9)) == (None, [])
    one, two = kept.begin(Turn("one?")), kept.begin(Turn("two?", asked_at=NOON))
    _let_time_pass(kept, one, two)
    kept.append(one, DUNE)
    assert kept.last() == one
    assert [(line.id, line.question, line.turns, line.asked_at) for line in kept.lines(9)] == [
        (one, "one?", 2, NOON),
        (two, "two?", 1, NOON),
    ]
    assert [line.id for line in kept.lines(1)] == [one]


def test_the_conversations_that_cite_a_file_are_found_by_its_path(kept: Conversations) -> None:
    citing = kept.begin(Turn("one?"))
    kept.append(citing, DUNE)
    kept.begin(Turn("two?", answer=("It stands in books.md.",)))
    assert kept.citing("books\udcff.md") == [citing]
    assert kept.citing("books.md") == []


def _let_time_pass(kept: Conversations, *ids: str) -> None:
    if isinstance(kept, ConversationFolder):  # files of one moment have one time of change
        for number, each in enumerate(ids):
            os.utime(kept._file(each), (number, number))


def test_what_is_deleted_is_gone_and_does_not_come_back(kept: Conversations) -> None:
    one, two, three = (kept.begin(Turn(f"{number}?")) for number in range(3))
    kept.delete(two)
    for gone in (lambda: kept.read(two), lambda: kept.delete(two), lambda: kept.append(two, DUNE)):
        with pytest.raises(NotFound, match=f"there is no conversation {two}"):
            gone()
    assert {line.id for line in kept.lines(9)} == {one, three}
    assert kept.delete_all() == 2
    assert kept.lines(9) == []


@pytest.mark.parametrize(
    "strange", ["", "..", "../store", "20261121-120000-0000000g", "a\0b", "x" * 5000, "new", "last"]
)
def test_an_id_that_was_not_made_here_is_not_found(kept: Conversations, strange: str) -> None:
    kept.begin(DUNE)
    with pytest.raises(NotFound):
        kept.read(strange)
    with pytest.raises(NotFound):
        kept.append(strange, DUNE)
    with pytest.raises(NotFound):
        kept.delete(strange)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "conversations"


def _file(folder: Path, conversation: str) -> Path:
    return folder / f"{conversation}.jsonl"


def test_files_are_for_their_owner_alone_and_leave_nothing(folder: Path) -> None:
    kept = ConversationFolder(folder)
    begun = kept.begin(DUNE)
    assert stat.S_IMODE(_file(folder, begun).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept.delete(begun)
    assert not any(b"Dune" in file.read_bytes() for file in folder.iterdir())


def test_a_torn_last_line_is_skipped_and_the_next_turn_is_whole(folder: Path) -> None:
    kept = ConversationFolder(folder)
    begun = kept.begin(Turn("one?"))
    for torn in (
        b'{"question":"cut o',
        b"[]\n",
        b"\xff\xfe\n",
        b'{"question":3}\n',
        b"[" * 100_000 + b"\n",
        b'{"question":"cut',
    ):
        with _file(folder, begun).open("ab") as file:
            file.write(torn)
        kept.append(begun, DUNE)
    assert [turn.question for turn in kept.read(begun).turns] == ["one?"] + [DUNE.question] * 6


@pytest.mark.parametrize(
    "place", ['{"path":1,"title":null}', '{"path":"a.md","title":"a","line":"3"}', '{"path":"a.md"}', "[]"]
)
def test_a_turn_whose_places_are_none_is_skipped(folder: Path, place: str) -> None:
    kept = ConversationFolder(folder)
    begun = kept.begin(Turn("one?"))
    line: dict[str, object] = {
        "question": "odd?",
        "rewritten": None,
        "answer": [],
        "cited": [],
        "asked_at": None,
        "generation": 1,
    }
    with _file(folder, begun).open("a") as file:
        file.write(json.dumps(line).replace('"cited": []', f'"cited": [{place}]') + "\n")
    found = kept.read(begun)
    assert [turn.question for turn in found.turns] == ["one?"]
    assert conversation_json(found).count == 1


def test_deleting_all_counts_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ConversationFolder(folder)
    ids = [kept.begin(Turn(f"{number}?")) for number in range(3)]
    monkeypatch.setattr(kept, "_latest_first", lambda: ids)
    ConversationFolder(folder).delete(ids[0])
    assert kept.delete_all() == 2


def test_a_long_conversation_gives_its_last_turns(folder: Path) -> None:
    kept = ConversationFolder(folder)
    begun = kept.begin(Turn("0?"))
    with _file(folder, begun).open("ab") as file:
        line = _file(folder, begun).read_bytes()
        file.writelines(line.replace(b"0?", b"%d?" % number) for number in range(1, MAX_TURNS + 50))
    found = kept.read(begun)
    assert (found.count, len(found.turns)) == (MAX_TURNS + 50, MAX_TURNS)
    assert found.turns[-1].question == f"{MAX_TURNS + 49}?"


def test_turns_of_many_threads_do_not_tear_each_other(folder: Path) -> None:
    begun = ConversationFolder(folder).begin(Turn("start"))
    long = "word " * 4000

    def ask(number: int) -> None:
        ConversationFolder(folder).append(begun, Turn(f"{number} {long}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(40)))
    questions = [turn.question for turn in ConversationFolder(folder).read(begun).turns]
    assert sorted(questions[1:]) == sorted(f"{number} {long}" for number in range(40))


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "conversations").write_text("in the way")
    with pytest.raises(IndexWriteFailed, match="cannot be written"):
        ConversationFolder(tmp_path / "conversations").begin(DUNE)


def test_a_link_to_elsewhere_is_not_followed(folder: Path, tmp_path: Path) -> None:
    kept = ConversationFolder(folder)
    begun = kept.begin(DUNE)
    kept.delete(begun)
    (tmp_path / "elsewhere").write_text("mine\n")
    _file(folder, begun).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IndexWriteFailed):
        kept.append(begun, DUNE)
    assert (tmp_path / "elsewhere").read_text() == "mine\n"
    assert kept.last() is None
