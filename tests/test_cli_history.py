from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ragnotes.cli import Code, ask_main, main
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
    assert (code, err.endswith("note: deleted all 2 conversations\n")) == (0, True)
    assert library.kept.lines(9) == []


def test_the_thin_client_goes_on_over_http(run: Run) -> None:
    far = FakeLibrary(model=False)
    with serving(far) as url:
        begun = _json(run, "ask", FIRST, "--server", url)
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
