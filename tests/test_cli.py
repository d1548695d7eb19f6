from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from ragnotes import __version__, errors
from ragnotes.answers import Filters, Mode, Support, Unmatched
from ragnotes.asking.answering import Request
from ragnotes.cli import Code, ask_main, exit_code, links_of, main
from ragnotes.console import show_answer
from ragnotes.errors import CorpusError, GeneratorBusy, IndexMissing, RagnotesError, UsageError
from ragnotes.events import Final
from ragnotes.service.encoding import answer_json, found_json
from ragnotes.service.wording import plain
from ragnotes.settings import is_loopback
from ragnotes.types import FileRecord, FileStatus, Kind
from tests.fakes import FakeLibrary, fake_settings, serving
from tests.service import contract

INDEXED_AT = "2024-01-07T10:00:00+00:00"  # as `FakeLibrary` says
QUESTION = "how are embeddings cached?"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SERVER", "API_KEY", "CORPUS", "INDEX", "DEBUG"):
        monkeypatch.delenv(f"RAGNOTES_{name}", raising=False)


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def run(library: FakeLibrary, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line over `library`; gives exit code, stdout and stderr."""

    def _run(*words: str) -> tuple[int, str, str]:
        command = ask_main if words[0] == "ask" else main
        args: Sequence[str] = words[1:] if words[0] in ("ask", "ragnotes") else words
        code = command(args, library=lambda _: library)
        return code, *capsys.readouterr()

    return _run


@pytest.mark.parametrize(("command", "asked"), [("ask", "question"), ("search", "query")])
def test_a_question_may_come_by_stdin(command: str, asked: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def come(raw: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), "ascii"))

    come("\ufeff\n  wo läuft das?\nund wie?\r\n".encode())
    assert json.loads(run(command, "-", "--json")[1])[asked] == "wo läuft das?\nund wie?"
    for raw, problem in (
        (b"", "empty"),
        (b" \n", "empty"),
        (b"caf\xe9", "not valid UTF-8"),
        (b"x" * 5000, "4000"),
        (b"\xc3\xa9" * 99_999, "bytes or more"),
    ):
        come(raw)
        code, out, err = run(command, "-")
        assert (code, out) == (2, "")
        assert problem in err
    monkeypatch.setattr(sys, "stdin", None)  # closed, as by `<&-`
    assert run(command, "-")[0] == 2


def test_an_answer_has_numbered_footnotes_with_place_quote_and_links(run: Run, library: FakeLibrary) -> None:
    code, out, err = run("ask", QUESTION)
    assert (code, err) == (0, "")
    assert out == (
        "Embeddings are cached by content hash. [1]\n"
        "\n"
        "[1] cache.md:3 · Technical > Cache · 2024-01-07\n"
        "    Embeddings are cached by content hash.\n"
        "    https://example.org/cache\n"
    )
    assert library.closed


def test_papers_and_transcripts_have_their_own_places(run: Run) -> None:
    assert "[1] papers/borders.pdf p. 2 · Results · 2024-01-07\n" in run("ask", "do chunk borders matter?")[1]
    assert "[1] talks/search.vtt 12:31–12:58 Ana\n" in run("ask", "what is the latency for one user?")[1]


def test_weak_support_is_marked(run: Run, library: FakeLibrary) -> None:
    library.support = Support.WEAK
    assert "2024-01-07 · weak support\n" in run("ask", QUESTION)[1]


def test_an_abstention_names_its_reason_and_the_nearest_passages(run: Run) -> None:
    code, out, _ = run("ask", "zebra?")
    assert (code, out) == (Code.ABSTAINED, "The notes do not say. No passage is about this.\n")
    assert run("ask", "zebra?", "--kind", "paper")[1] == "The notes do not say. No passage passes the filters.\n"


def test_explain_shows_the_scores(run: Run) -> None:
    _, out, _ = run("ask", QUESTION, "--explain")
    assert "  1  0.750  cache.md:3 · Technical > Cache · 2024-01-07\n" in out
    made_of = "0.50 × meaning 0.75 (cosine 0.250) + 0.50 × words 0.75 (bm25 2.5, section 3.0)"
    assert f"{made_of} · date 2024-01-07, newest first" in " ".join(out.split())


def test_ask_is_also_a_command_of_ragnotes(run: Run) -> None:
    assert run("ragnotes", "ask", QUESTION) == run("ask", QUESTION)


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_filter_that_lets_nothing_through_is_told_with_what_comes_near(
    run: Run, library: FakeLibrary, command: str
) -> None:
    library.unmatched = (Unmatched("tags", "diry", ("diary", "day")), Unmatched("speakers", "Zoe"))
    _, out, err = run(command, QUESTION)
    assert "note: --tag diry: nothing has that tag; there is diary, day\n" in err
    assert "note: --speaker Zoe: nobody of that name speaks\n" in err
    _, out, _ = run(command, QUESTION, "--json")
    assert json.loads(out)["unmatched"][0] == {"filter": "tags", "value": "diry", "near": ["diary", "day"]}


def test_json_is_the_answer_alone(run: Run, library: FakeLibrary) -> None:
    library.left_out = ("gen-ai.md",)
    code, out, err = run("ask", QUESTION, "--json")
    assert (code, json.loads(out).keys()) == (0, contract.ANSWER)
    assert err == "note: gen-ai.md was left out: it has changed or gone since it was indexed; run: ragnotes index\n"
    assert json.loads(run("ask", "zebra?", "--json")[1])["mode"] == "abstained"


def test_json_holds_nothing_that_steers_a_terminal_and_reads_as_it_was(run: Run, library: FakeLibrary) -> None:
    odd = "embeddings\x7f \x9b2J \u202eevil\u2069 \u061c\u200f é"
    library.notes = {"a.md": odd}
    out = run("ask", "embeddings", "--json")[1]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", out)
    assert json.loads(out)["passages"][0]["text"] == odd
    assert "é" in out


def test_a_missing_model_is_a_note_unless_none_was_wanted(run: Run, library: FakeLibrary) -> None:
    library.generator, library.no_model = None, "no model: none is installed"
    assert run("ask", QUESTION)[2] == "note: no model: none is installed\n"
    assert run("ask", QUESTION, "--no-llm")[2] == ""


def test_options_reach_the_library(run: Run, library: FakeLibrary) -> None:
    dates = ("--since", "2024-01-01", "--until", "2024-01-31")
    kinds = ("--tag", "rag", "--tag", "db", "--path", "*.md", "--kind", "note", "--speaker", "Ana")
    assert run("ask", QUESTION, *dates, *kinds, "--limit", "3", "--deadline", "1.5", "--no-llm")[0] == 0
    request = library.asked[0]
    filters = request.filters
    assert (str(filters.since), str(filters.until), filters.source) == ("2024-01-01", "2024-01-31", "request")
    assert (filters.tags, filters.paths, filters.kinds) == (("rag", "db"), ("*.md",), (Kind.NOTE,))
    assert filters.speakers == ("Ana",)
    assert (request.limit, request.deadline_s, request.llm) == (3, 1.5, False)
    assert not request.keep_unsupported
    run("ask", QUESTION, "--keep-unsupported")
    assert library.asked[1].keep_unsupported


def test_what_no_note_says_is_shown_as_such(run: Run, library: FakeLibrary) -> None:
    library.support = Support.UNSUPPORTED
    assert "(unsupported)" in run("ask", QUESTION, "--keep-unsupported")[1]
    library.support = Support.SUPPORTED
    assert "supported" not in run("ask", QUESTION)[1]


def test_the_clock_of_a_question_reaches_the_library(run: Run, library: FakeLibrary) -> None:
    assert run("ask", QUESTION, "--now", "2024-07-17T23:30Z", "--tz", "Europe/Madrid")[0] == 0
    assert library.asked[0].clock.today() == date(2024, 7, 18)
    assert run("search", "cached", "--now", "2024-07-17")[0] == 0
    assert library.clocks[0].today() == date(2024, 7, 17)


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [("--now", "soon", "write it as 2024-01-31"), ("--tz", "Mars/Olympus", "write it as Europe/Madrid")],
)
def test_a_clock_that_cannot_be_read_is_wrong_use(run: Run, command: str, option: str, value: str, hint: str) -> None:
    code, out, err = run(command, QUESTION, option, value)
    assert (code, out) == (Code.USAGE, "")
    assert option in err
    assert hint in err


def test_days_without_notes_are_named(run: Run) -> None:
    then = ("--kind", "note", "--since", "2023-05-01", "--until", "2023-05-07")
    assert run("ask", "zebra?", *then)[1] == "The notes do not say. No passage passes the filters.\n"
    assert run("ask", "zebra?", *then[2:])[1] == (
        "The notes do not say. There is nothing in your notes from 1 to 7 May 2023.\n"
    )
    assert run("search", "zebra", *then[2:])[2] == "note: There is nothing in your notes from 1 to 7 May 2023\n"


def test_ask_indexes_first_where_there_is_no_index(run: Run, library: FakeLibrary) -> None:
    library.is_indexed = False
    code, out, err = run("ask", QUESTION)
    assert code == 0
    assert out.startswith("Embeddings are cached by content hash. [1]\n")
    assert "note: there is no index yet" in err
    assert "added 3, changed 0" in err


def test_search_shows_rank_score_place_and_text(run: Run) -> None:
    code, out, _ = run("search", "does chunk size matter for one user", "--limit", "1")
    assert (code, out) == (
        0,
        "  1  0.429  papers/borders.pdf p. 2 · Results · 2024-01-07\n"
        "            Chunk borders matter more than chunk size.\n",
    )
    assert json.loads(run("search", "chunk", "--json")[1]).keys() == contract.FOUND


def test_a_passage_is_shown_without_its_heading_and_markup(run: Run, library: FakeLibrary) -> None:
    library.notes = {"a.md": "## Zebra\n\n* see [the paper](https://example.org), " + "a b " * 60}
    snippet = run("search", "zebra")[1].splitlines()[1].strip()
    assert snippet.startswith("* see the paper, a b a b")
    assert len(snippet) <= 160
    assert snippet.endswith("…")


def test_a_passage_names_the_other_places_where_it_stands(run: Run, library: FakeLibrary) -> None:
    library.notes = {"b.md": "Chunk size.", "c.md": "Chunk size."}
    library.also = library.search("chunk", filters=Filters(), limit=9).hits
    library.notes = {"a.md": "Chunk borders matter."}
    assert run("search", "chunk borders", "--limit", "1")[1].splitlines()[2] == "            also in b.md:3, c.md:3"
    [hit] = json.loads(run("search", "chunk borders", "--limit", "1", "--json")[1])["hits"]
    assert [(copy["path"], copy["line"], copy["start"], copy["end"]) for copy in hit["also"]] == [
        ("b.md", 3, 0, 11),
        ("c.md", 3, 0, 11),
    ]


def test_what_stands_around_a_passage_is_shown_on_request(run: Run, library: FakeLibrary) -> None:
    shown = run("search", "chunk borders", "--limit", "1", "--context")[1].splitlines()
    assert [line.strip() for line in shown[1:]] == ["Before.", "Chunk borders matter more than chunk size.", "After."]
    [hit] = json.loads(run("search", "chunk borders", "--limit", "1", "--json")[1])["hits"]
    assert (hit["before"], hit["after"]) == (None, None)
    assert [line.strip() for line in run("ask", QUESTION, "--context")[1].splitlines()[-3:]] == [
        "Before.",
        library.notes["cache.md"],
        "After.",
    ]
    assert run("ask", QUESTION, "--json")[0] == 0
    assert [request.surroundings for request in library.asked] == [True, False]


def test_a_tiny_passage_near_the_question_is_shown_with_what_stands_around_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    library = FakeLibrary({"a.md": "Zebra crossing.", "b.md": "The zebra " + "and another " * 9})
    final = list(library.ask(Request("zebra", surroundings=True)))[-1]
    assert isinstance(final, Final)
    show_answer(answer_json(replace(final.answer, mode=Mode.ABSTAINED)))
    shown = capsys.readouterr().out
    assert "        Before. Zebra crossing. After.\n" in shown
    assert "        The zebra and another" in shown


def test_finding_nothing_is_no_error(run: Run) -> None:
    assert run("search", "zebra") == (0, "", "note: nothing found\n")


def test_index_says_what_it_did_and_what_failed(run: Run, library: FakeLibrary) -> None:
    library.failing = (FileRecord("bad.pdf", FileStatus.FAILED, "encrypted"),)
    code, out, err = run("index", "--rebuild")
    assert (code, err) == (0, "")
    assert out == (
        "added 3, changed 0, moved 0, removed 0, unchanged 0, skipped 0, failed 1; 3 chunks, 3 embedded in 0.1 s\n"
        "failed  bad.pdf  encrypted\n"
    )
    assert run("index", "--strict")[0] == Code.INCOMPLETE
    assert json.loads(run("index", "--json")[1]).keys() == contract.SUMMARY
    assert run("index", "-v")[2] == (
        "unchanged  cache.md\nunchanged  papers/borders.pdf\nunchanged  talks/search.vtt\n"
    )


def test_a_terminal_that_lacks_a_character_shows_a_question_mark(
    library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", old)
    assert ask_main([QUESTION], library=lambda _: library) == 0
    old.seek(0)
    assert "[1] cache.md:3 ? Technical > Cache ? 2024-01-07\n" in old.read()


def test_status_lists_files_with_trouble_last(run: Run, library: FakeLibrary) -> None:
    library.failing = (FileRecord("bad.pdf", FileStatus.FAILED, "encrypted", indexed_at=INDEXED_AT),)
    code, out, _ = run("status")
    at = f"{datetime.fromisoformat(INDEXED_AT).astimezone():%Y-%m-%d %H:%M}"
    assert (code, out) == (
        0,
        f"indexed   cache.md            1 chunk  {at}\n"
        f"indexed   papers/borders.pdf  1 chunk  {at}\n"
        f"indexed   talks/search.vtt    1 chunk  {at}\n"
        f"failed    bad.pdf             encrypted  {at}\n"
        "\n"
        "3 indexed, 0 skipped, 0 stale, 1 failed · generation 1 · hashing-16 · parrot\n",
    )
    assert run("status", "--strict")[0] == Code.INCOMPLETE
    assert json.loads(run("status", "--json")[1]).keys() == contract.STATUS


def test_version(run: Run) -> None:
    assert run("ragnotes", "--version") == (0, f"ragnotes {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("ask",), "Missing argument 'QUESTION'"),
        (("ask", QUESTION, "--nope"), "No such option: --nope"),
        (("ask", QUESTION, "--since", "May"), "'May' is no day, write it as 2024-01-31"),
        (("ask", QUESTION, "--limit", "0"), "'--limit': 0 is not in the range 1<=x<=100"),
        (("ask", ""), "the question is empty"),
        (("ask", "caf\udce9"), "the question is not valid UTF-8"),
        (("ask", QUESTION, *("--tag", "rag") * 101), "'--tag': 101 values, over the limit of 100"),
        (("search", "x", *("--path", "*.md") * 101), "'--path': 101 values, over the limit of 100"),
        (("search", "x", *("--kind", "note") * 101), "'--kind': 101 values, over the limit of 100"),
        (("ask", QUESTION, *("--speaker", "Ana") * 101), "'--speaker': 101 values, over the limit of 100"),
        (("search", "x", "--since", "2024-02-01", "--until", "2024-01-01"), "is after"),
        (("ragnotes", "fly"), "No such command 'fly'"),
        (("serve", "--host", "0.0.0.0"), "no API key is set"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(run: Run, words: tuple[str, ...], problem: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (Code.USAGE, "")
    assert problem in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "; " in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IndexMissing("no index", "index"), 4),
        (UsageError("bad", "good"), 2),
        (CorpusError("gone", "mount it"), 1),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 1),
        (KeyError("a mistake"), 1),
    ],
)
def test_every_error_is_one_line_and_its_code(run: Run, library: FakeLibrary, error: Any, code: int) -> None:
    library.error = error
    got, out, err = run("ask", QUESTION)
    assert (got, out) == (code, "")
    assert "Traceback" not in err
    assert err.count("\n") == (0 if code == 130 else 1)
    assert library.closed


def test_every_kind_of_error_has_an_exit_code() -> None:
    for kind in (getattr(errors, name) for name in errors.__all__):
        if not isinstance(kind, type):  # a function beside them
            continue
        assert issubclass(kind, RagnotesError)
        assert exit_code(kind.__new__(kind)) in (Code.ERROR, Code.USAGE, Code.INCOMPLETE)


def test_a_mistake_shows_where_on_request(run: Run, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGNOTES_DEBUG", "1")
    library.error = KeyError("a mistake")
    with pytest.raises(KeyError):
        run("ask", QUESTION)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]52;c;ZXZpbA==\x07x", "x"),
        ("\x9b31mx", "31mx"),
        ("one\n\t two\r\x00", "one two"),
        ("abc\u202ecba", "abccba"),
        ("naïve – 東京 🎉", "naïve – 東京 🎉"),
    ],
)
def test_notes_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_thin_client_answers_as_the_library_does(
    run: Run, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {words: run("ask", *words) for words in ((QUESTION,), ("zebra?",), (QUESTION, "--explain"))}
    with serving(FakeLibrary(), api_key="secret") as url:
        monkeypatch.setenv("RAGNOTES_SERVER", url)
        monkeypatch.setenv("RAGNOTES_API_KEY", "secret")
        library.asked.clear()
        assert {words: run("ask", *words) for words in here} == here
        assert library.asked == []
        monkeypatch.setenv("RAGNOTES_API_KEY", "wrong")
        assert run("ask", QUESTION) == (
            1,
            "",
            "error: the API key is missing or wrong; use the one that serve was given or ragnotes key made:"
            " RAGNOTES_API_KEY, or Authorization: Bearer KEY\n",
        )


def test_what_has_no_effect_on_a_server_is_told(run: Run) -> None:
    with serving(FakeLibrary()) as url:
        code, _, err = run("ask", QUESTION, "--server", url, "--corpus", "elsewhere")
    assert (code, err) == (0, f"note: --corpus without effect: {url} answers from its own notes\n")


def test_a_models_url_has_no_effect_on_a_server_either(run: Run) -> None:
    with serving(FakeLibrary()) as url:
        code, _, err = run("ask", QUESTION, "--server", url, "--model-url", "http://127.0.0.1:9/v1")
    assert (code, err) == (0, f"note: --model-url without effect: {url} answers from its own notes\n")


def test_the_clock_of_a_question_travels_to_the_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGNOTES_TZ", "Europe/Madrid")
    behind = FakeLibrary()
    with serving(behind) as url:
        assert run("ask", QUESTION, "--server", url, "--now", "2024-07-17T23:30Z")[0] == 0
        assert run("ask", QUESTION, "--server", url, "--now", "2024-07-17T23:30Z", "--tz", "UTC")[0] == 0
    assert [str(request.clock.today()) for request in behind.asked] == ["2024-07-18", "2024-07-17"]


def test_errors_of_the_server_keep_their_exit_codes(run: Run) -> None:
    behind = FakeLibrary()
    with serving(behind) as url:
        behind.is_indexed = False
        assert run("ask", QUESTION, "--server", url)[0] == Code.INCOMPLETE
        behind.is_indexed, behind.error_in_answer = True, GeneratorBusy("full", "wait", retry_after_s=1)
        assert run("ask", QUESTION, "--server", url) == (1, "", "error: full; wait\n")
        assert run("ask", "", "--server", url)[0] == Code.USAGE
    code, _, err = run("ask", QUESTION, "--server", url)
    assert code == Code.ERROR
    assert err.startswith(f"error: {url} does not answer")
    assert run("ask", QUESTION, "--server", "no url")[0] == Code.ERROR


def test_the_thin_client_loads_no_engine() -> None:
    script = (
        "import sys\nfrom ragnotes.cli import ask_main\n"
        f"code = ask_main([{QUESTION!r}, '--server', sys.argv[1]])\n"
        "heavy = {'torch', 'faiss', 'llama_cpp', 'sentence_transformers', 'fastapi', 'uvicorn', 'sqlite3'}\n"
        "print(*sorted(heavy & sys.modules.keys()), file=sys.stderr)\nsys.exit(code)\n"
    )
    root = Path(__file__).parent.parent
    with serving(FakeLibrary()) as url:
        command = [sys.executable, "-c", script, url]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "\n")
    assert done.stdout.startswith("Embeddings are cached by content hash. [1]\n")


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("0.0.0.0", False), ("127.evil.example", False)],
)
def test_what_is_loopback(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_an_absolute_path_is_told_where_paths_begin(run: Run, library: FakeLibrary) -> None:
    library.unmatched = (Unmatched("paths", "/home/me/notes/a.md"),)
    assert "--path /home/me/notes/a.md: no file fits; paths begin below the folder of notes\n" in run("ask", "x")[2]


def test_a_kind_that_there_is_not_is_told_without_the_library_that_says_so(run: Run) -> None:
    assert run("ask", "x", "--kind", "poem")[2].startswith(
        "error: Invalid value for '--kind': 'poem' is not one of 'note', 'paper', 'transcript'; see: "
    )


@pytest.mark.parametrize(
    ("server", "linked"),
    [(None, True), ("http://127.0.0.1:8000", True), ("http://localhost:8000", True), ("https://notes.example", False)],
)
def test_notes_of_another_machine_are_not_linked(tmp_path: Path, server: str | None, linked: bool) -> None:
    (tmp_path / "cache.md").write_text("x")
    [hit] = found_json(FakeLibrary().search("embeddings cached", filters=Filters(), limit=1)).hits
    assert bool(links_of(fake_settings(server=server, corpus=(tmp_path,)))(hit)) is linked
