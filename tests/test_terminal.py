"""What `ask` writes to a real terminal, and to a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.fakes import NOTES, FakeLibrary, serving

ROOT = Path(__file__).parents[1]
QUESTION = "how are embeddings cached?"
ASK = """
import sys
from ragnotes.cli import ask_main
from tests.fakes import FakeLibrary
sys.exit(ask_main(sys.argv[1:], library=lambda _: FakeLibrary()))
"""
FOLLOW_UP = """
import sys
from ragnotes.cli import ask_main
from ragnotes.turns import Turn
from tests.fakes import FakeLibrary
library = FakeLibrary()
library.kept.begin(Turn("Where did I note how embeddings are cached?"))
library.left_out = ("gone.md",)
sys.exit(ask_main(sys.argv[1:], library=lambda _: library))
"""
LINK = re.compile(r"\x1b\]8;[^;\x1b]*;([^\x1b\x07]*)(?:\x1b\\|\x07)")
ESCAPE = re.compile(LINK.pattern + r"|\x1b\[[0-?]*[ -/]*[@-~]")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "my notes"
    for path, text in NOTES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder.resolve()


def environment(**changes: str) -> dict[str, str]:
    own = ("RAGNOTES_", "NO_COLOR", "FORCE_COLOR", "TTY_", "COLUMNS")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return clean | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"} | changes


def on_terminal(
    *arguments: str, columns: int = 90, changes: Mapping[str, str] = MappingProxyType({}), script: str = ASK
) -> str:
    """All that `ask` writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**changes)) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # Linux says so where nobody holds the other end any more
                break
            if not block:
                break
            written += block
        process.wait(30)
    os.close(ours)
    return written.decode()


def in_pipe(*arguments: str, **changes: str) -> str:
    command = [sys.executable, "-c", ASK, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**changes), check=True).stdout


def words(shown: str) -> list[str]:
    """The words on the screen: without escapes, and without the moving line, which was wiped away."""
    return ESCAPE.sub("", shown.rpartition("\x1b[2K")[2]).split()


def test_a_terminal_shows_what_a_pipe_gets_with_links_to_file_and_line(notes: Path) -> None:
    shown = on_terminal("--corpus", str(notes), QUESTION)
    piped = in_pipe("--corpus", str(notes), QUESTION)
    assert piped.startswith("Embeddings are cached by content hash. [1]\n\n[1] cache.md:3 · ")
    assert words(shown) == piped.split()
    assert f"file://{str(notes).replace(' ', '%20')}/cache.md#3" in LINK.findall(shown)
    assert "\x1b" not in piped


def test_links_lead_to_the_page_of_a_paper(notes: Path) -> None:
    shown = on_terminal("--corpus", str(notes), "do chunk borders matter?")
    assert LINK.findall(shown)[0].endswith("/papers/borders.pdf#page=2")


def test_a_narrow_terminal_breaks_lines_between_words(notes: Path) -> None:
    shown = on_terminal("--corpus", str(notes), QUESTION, columns=20)
    lines = [ESCAPE.sub("", line) for line in shown.rpartition("\x1b[2K")[2].split("\r\n")]
    assert lines[:3] == ["Embeddings are", "cached by content", "hash. [1]"]
    assert words(shown) == in_pipe("--corpus", str(notes), QUESTION).split()


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_there_are_no_links(notes: Path, plain: dict[str, str]) -> None:
    shown = on_terminal("--corpus", str(notes), QUESTION, changes=plain)
    assert not LINK.search(shown)
    assert "[1] cache.md:3" in ESCAPE.sub("", shown)


def test_no_escape_is_written_to_a_pipe_even_where_colour_is_forced(notes: Path) -> None:
    assert "\x1b" not in in_pipe("--corpus", str(notes), QUESTION, FORCE_COLOR="1")


def test_an_editor_is_opened_where_one_is_set(notes: Path) -> None:
    shown = on_terminal("--corpus", str(notes), QUESTION, changes={"RAGNOTES_LINK": "vscode://file{path}:{line}"})
    assert LINK.findall(shown)[0].startswith("vscode://file/")
    assert LINK.findall(shown)[0].endswith("/cache.md:3")


def test_notes_that_are_not_on_this_machine_are_not_linked(tmp_path: Path) -> None:
    assert not LINK.search(on_terminal("--corpus", str(tmp_path), QUESTION))


def test_what_a_follow_up_is_asked_as_stands_before_the_answer_and_other_notes_behind_it() -> None:
    shown = " ".join(ESCAPE.sub("", on_terminal("-c", "when?", script=FOLLOW_UP)).split())
    order = ["asked as: When", "Embeddings are cached by content hash. [1]", "[1] cache.md:3", "gone.md was left out"]
    assert [shown.count(part) for part in order] == [1] * len(order)
    assert sorted(order, key=shown.index) == order


def test_an_abstention_and_json_are_shown_whole(notes: Path) -> None:
    command = [sys.executable, "-c", ASK]
    piped = subprocess.run([*command, "zebra?"], capture_output=True, text=True, env=environment()).stdout
    assert words(on_terminal("zebra?")) == piped.split()
    assert words(on_terminal("--json", QUESTION)) == in_pipe("--json", QUESTION).split()


def test_a_client_of_a_server_on_this_machine_shows_the_same(notes: Path) -> None:
    with serving(FakeLibrary()) as url:
        shown = on_terminal("--server", url, QUESTION, changes={"RAGNOTES_CORPUS": str(notes)})
    assert words(shown) == in_pipe("--corpus", str(notes), QUESTION).split()
    assert LINK.findall(shown)[0].endswith("/cache.md#3")
