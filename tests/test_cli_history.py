from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ragnotes import client
from ragnotes.cli import Code, ask_main, main
from ragnotes.errors import NotFound
from ragnotes.service.wording import NOT_TOLD
from ragnotes.turns import Turn
from tests.fakes import FakeLibrary, serving

FIRST = "Where did I note how embeddings are cached?"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SERVER", "API_KEY", "CORPUS", "INDEX", "DEBUG", "HISTORY"):
        monkeypatch.delenv(f"RAGNOTES_{name}", raising=False)


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary(model=False)


@pytest.fixture
def run(library: FakeLibrary, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line over `library`; gives exit code, stdout and stderr."""

    def _run(*words: str) -> tuple[int, str, str]:
        args: Sequence[str] = words[1:]
        code = ask_main([*args, "--no-llm"], library=lambda _: library) if words[0] == "ask" else 0
        if words[0] == "history":
            code = main(words, library=lambda _: library)
        return code, *capsys.readouterr()

    return _run


def _json(run: Run, *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(*words, "--json")[1])
    return found


def test_c_goes_on_with_the_last_conversation_and_shows_what_was_asked(run: Run) -> None:
    begun = _json(run, "ask", FIRST)
    assert (begun["rewritten"], bool(begun["conversation_id"])) == (None, True)
    _, _, err = run("ask", "-c", "when?")
    assert err == "note: asked as: When did I note how embeddings are cached?\n"
    third = _json(run, "ask", "--continue", "where?")
    assert third["rewritten"] == "Where did I note how embeddings are cached?"
    assert third["conversation_id"] == begun["conversation_id"]


def test_a_plain_question_begins_another_conversation(run: Run) -> None:
    one, two = _json(run, "ask", FIRST), _json(run, "ask", "when?")
    assert two["rewritten"] is None
    assert one["conversation_id"] != two["conversation_id"]
    again = _json(run, "ask", "--conversation", str(one["conversation_id"]), "when?")
    assert again["rewritten"] == "When did I note how embeddings are cached?"


def test_nothing_is_kept_where_that_is_wanted(run: Run, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _json(run, "ask", "--no-history", FIRST)["conversation_id"] is None
    monkeypatch.setenv("RAGNOTES_HISTORY", "false")
    assert _json(run, "ask", FIRST)["conversation_id"] is None
    assert library.kept.lines(9) == []
    code, _, err = run("ask", "-c", "when?")
    assert (code, err[:30]) == (Code.USAGE, "error: no history is kept, so ")


def test_two_conversations_at_once_are_a_usage_error(run: Run) -> None:
    assert run("ask", "-c", "--conversation", "x", "when?")[0] == Code.USAGE
    code, _, err = run("ask", "--conversation", "x", "when?")
    assert (code, err) == (Code.ERROR, "error: there is no conversation x; list them with: ragnotes history\n")


def test_history_lists_shows_and_deletes(run: Run, library: FakeLibrary) -> None:
    assert run("history") == (0, "", "note: nothing is kept\n")
    begun = str(_json(run, "ask", FIRST)["conversation_id"])
    run("ask", "-c", "when?")
    code, out, _ = run("history")
    assert (code, out.split()[0], out.rstrip().endswith(f"2 turns  {FIRST}")) == (0, begun, True)
    _, out, err = run("history", "show", begun)
    assert err == "note: answers as they were given then; the notes may have changed since\n"
    assert out.startswith(f"> {FIRST}\n")
    assert "  asked as: When did I note how embeddings are cached?\n" in out
    assert " · generation 1\n  Embeddings are cached by content hash.\n    cache.md:3 · Technical > Cache" in out
    assert json.loads(run("history", "show", "last", "--json")[1])["count"] == 2
    assert json.loads(run("history", "--json")[1])[0]["turns"] == 2
    assert run("history", "delete", begun, "--yes")[0] == 0
    assert library.kept.lines(9) == []
    assert run("history", "show", begun)[0] == run("history", "show", "last")[0] == Code.ERROR


def test_deleting_asks_first(run: Run, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    run("ask", FIRST)
    run("ask", FIRST)
    assert run("history", "delete")[0] == Code.USAGE
    monkeypatch.setattr("sys.stdin", io.StringIO("n\ny\n"))
    code, _, err = run("history", "delete", "--all")
    assert (code, err.startswith("Delete all 2 conversations? [y/N]:")) == (Code.ERROR, True)
    assert len(library.kept.lines(9)) == 2
    code, _, err = run("history", "delete", "--all")
    assert (code, err.endswith("note: deleted 2 conversations\n")) == (0, True)
    assert library.kept.lines(9) == []


@pytest.mark.parametrize(
    "option", [("--server", "http://127.0.0.1:9"), ("--index", "elsewhere"), ("--json",), ("--limit", "20")]
)
def test_options_before_the_command_are_refused(run: Run, library: FakeLibrary, option: tuple[str, ...]) -> None:
    """They would not reach it: the history of another place would be deleted."""
    run("ask", FIRST)
    for words in (("delete", "--all", "--yes"), ("show", "last")):
        code, out, err = run("history", *option, *words)
        assert (code, out) == (Code.USAGE, "")
        assert err == f"error: options come after {words[0]}; begin with: ragnotes history {words[0]}\n"
    assert len(library.kept.lines(9)) == 1


def test_all_are_counted_and_deleted_however_many_there_are(run: Run, library: FakeLibrary) -> None:
    for number in range(1005):
        library.kept.begin(Turn(f"{number}?"))
    assert run("history", "delete", "--all", "--yes")[2] == "note: deleted 1005 conversations\n"
    assert run("history", "delete", "--all", "--yes")[2] == "note: nothing is kept\n"


def test_the_question_before_deleting_counts_all(
    run: Run, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1005):
        library.kept.begin(Turn(f"{number}?"))
    monkeypatch.setattr("sys.stdin", io.StringIO("n\nn\n"))
    assert run("history", "delete", "--all")[2].startswith("Delete all 1005 conversations? [y/N]:")
    with serving(library, close=False) as url:
        shown = run("history", "delete", "--all", "--server", url)[2]
    assert shown.startswith("Delete all 1000 or more conversations? [y/N]:")


def test_what_another_deletes_meanwhile_is_neither_an_error_nor_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = FakeLibrary(model=False)
    one, _ = far.kept.begin(Turn("one?")), far.kept.begin(Turn("two?"))
    delete = client.delete_conversation

    def racing(server: str, conversation_id: str, *, api_key: str | None) -> None:
        if conversation_id == one:
            far.kept.delete(one)
        delete(server, conversation_id, api_key=api_key)

    monkeypatch.setattr(client, "delete_conversation", racing)
    with serving(far) as url:
        code, _, err = run("history", "delete", "--all", "--yes", "--server", url)
    assert (code, err) == (0, "note: deleted 1 conversation\n")


def test_an_old_answer_names_the_minute_of_a_transcript_and_says_where_nothing_was_told(run: Run) -> None:
    run("ask", "what is the latency for one user?")
    assert "    talks/search.vtt 12:31\n" in run("history", "show", "last")[1]
    run("ask", "zebra?")
    assert f"  {NOT_TOLD}\n" in run("history", "show", "last")[1]


def test_what_cannot_be_kept_is_told_without_guessing_why(
    run: Run, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleted(*_: object) -> str:
        raise NotFound("gone", "ask")

    monkeypatch.setattr(library.kept, "begin", deleted)
    assert run("ask", FIRST)[2] == "note: this could not be kept in the history\n"


def test_the_thin_client_goes_on_over_http(run: Run) -> None:
    far = FakeLibrary(model=False)
    with serving(far) as url:
        assert _json(run, "ask", FIRST, "--server", url)["conversation_id"] is None
        assert far.kept.lines(9) == []  # another's `last` is not moved by a plain question
        begun = _json(run, "ask", FIRST, "--conversation", "new", "--server", url)
        second = _json(run, "ask", "-c", "when?", "--server", url)
        assert second["rewritten"] == "When did I note how embeddings are cached?"
        assert second["conversation_id"] == begun["conversation_id"]
        assert run("ask", "--no-history", FIRST, "--server", url)[0] == 0
        [line] = json.loads(run("history", "--server", url, "--json")[1])
        assert (line["id"], line["turns"]) == (begun["conversation_id"], 2)
        assert f"> {FIRST}" in run("history", "show", "last", "--server", url)[1]
        assert run("history", "show", "nobody", "--server", url)[0] == Code.ERROR
        assert run("history", "delete", "--all", "--yes", "--server", url)[0] == 0
        assert far.kept.lines(9) == []
    assert run("history", "--server", url)[2].startswith(f"error: {url} does not answer")
