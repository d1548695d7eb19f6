"""The whole way with the bundled real models: `ragnotes index`, `ragnotes serve` over HTTP, and the `ask` command."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ragnotes.models.bundled import bundled_embedder

pytestmark = pytest.mark.model

BIN = Path(sys.executable).parent
CORPUS = Path(__file__).parents[1] / "corpus"
QUESTIONS = [json.loads(line) for line in (CORPUS / "questions.jsonl").read_text("utf-8").splitlines()]
CACHE_NOTE = (
    "# Caches\n\n| Phase | Cache | About |\n|---|---|---|\n| Prefill | Tokenizer cache | Small savings |\n"
    "| | Prompt cache | Requires an exact prefix match |\n"
)


def run(
    *command: str | Path, timeout: float = 300, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")}
    program, *arguments = command
    return subprocess.run(
        [str(BIN / program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=clean | environ,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
    )


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index") / "sample"
    done = run("ragnotes", "index", "--corpus", CORPUS, "--index", folder, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["failed"] == 0
    assert summary["added"] + summary["skipped"] == sum(path.is_file() for path in CORPUS.rglob("*"))
    return folder


@pytest.fixture(scope="module")
def server(index: Path) -> Iterator[str]:
    command = [BIN / "ragnotes", "serve", "--corpus", CORPUS, "--index", index, "--port", "0"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    address = re.search(r"http://[\d.:]+", line)
    assert address, line
    deadline = time.monotonic() + 120
    while httpx.get(f"{address[0]}/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield address[0]
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    process.stderr.close()


def post(url: str, **body: Any) -> dict[str, Any]:
    answer = httpx.post(url, json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_second_run_embeds_nothing(index: Path) -> None:
    summary = json.loads(run("ragnotes", "index", "--corpus", CORPUS, "--index", index, "--json").stdout)
    assert (summary["embedded"], summary["added"], summary["changed"], summary["removed"]) == (0, 0, 0, 0)


def test_status_names_every_file(index: Path) -> None:
    status = json.loads(run("ragnotes", "status", "--corpus", CORPUS, "--index", index, "--json").stdout)
    on_disk = {path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file()}
    assert {file["path"] for file in status["files"]} == on_disk
    assert sum(status["counts"].values()) == len(on_disk)
    outcomes = {file["path"]: (file["status"], file["reason"]) for file in status["files"]}
    assert outcomes.pop("questions.jsonl") == ("skipped", "unknown_suffix")
    assert set(outcomes.values()) == {("indexed", None)}


def test_search_finds_the_evidence_of_most_questions(server: str) -> None:
    def rank(question: dict[str, Any]) -> int:
        wanted = " ".join(question["evidence"].replace("\u00a0", " ").split()).lower()
        hits = post(f"{server}/v1/search", query=question["question"], limit=5)["hits"]
        texts = [" ".join(f"{hit['heading']} {hit['text']}".replace("\u00a0", " ").split()).lower() for hit in hits]
        return next((number for number, text in enumerate(texts) if wanted in text), 99)

    ranks = [rank(question) for question in QUESTIONS if question["answerable"]]
    assert sum(rank < 5 for rank in ranks) / len(ranks) >= 0.8
    assert sum(rank < 1 for rank in ranks) / len(ranks) >= 0.57  # 26 of 45: the price of the card stands in two notes


def test_every_quote_stands_where_its_citation_says(server: str) -> None:
    cited = 0
    for question in QUESTIONS:
        answer = post(f"{server}/v1/ask", question=question["question"], llm=False)
        assert answer["answered"] == (answer["mode"] != "abstained") == bool(answer["citations"])
        numbers = {citation["n"] for citation in answer["citations"]}
        assert all(set(sentence["citations"]) <= numbers for sentence in answer["sentences"])
        for citation in answer["citations"]:
            document = httpx.get(f"{server}/v1/documents/{citation['doc_id']}").json()
            assert document["text"][citation["start"] : citation["end"]] == citation["quote"]
            if citation["line"] is not None:
                lines = (CORPUS / citation["path"]).read_text("utf-8-sig").splitlines()
                assert citation["quote"].split("\n")[0].strip() in lines[citation["line"] - 1]
            cited += 1
    assert cited > 30


def test_world_knowledge_does_not_leak(server: str) -> None:
    answer = post(f"{server}/v1/ask", question="What is the capital of Australia?")
    assert (answer["answered"], answer["mode"], answer["answer"], answer["citations"]) == (False, "abstained", "", [])
    assert answer["reason"] in {"low_support", "no_match"}
    assert answer["passages"]


def test_a_stream_gives_passages_then_tokens_then_citations_then_the_answer(server: str) -> None:
    names: list[str] = []
    body = {
        "question": "Does it make economic sense to own the computer instead of paying a hosted service?",
        "stream": True,
    }
    with httpx.stream("POST", f"{server}/v1/ask", json=body, timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("event: "):
                names.append(line.removeprefix("event: "))
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
    order = list(dict.fromkeys(names))
    assert order == ["passages", "token", "citation", "final"]
    assert "never pays for itself" in data["answer"]
    assert data["citations"][0]["path"] == "hardware-costs.md"
    assert data["usage"]["prompt_tokens"] > 50


def test_one_index_serves_many_questions_at_once(server: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    questions = [question["question"] for question in QUESTIONS[:6]]

    def text(question: str) -> str:
        return str(post(f"{server}/v1/ask", question=question)["answer"])

    alone = [text(question) for question in questions]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(text, questions)) == alone


def test_ask_indexes_first_and_cites_the_table_row(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "caches.md").write_text(CACHE_NOTE)
    command = ("ask", "--corpus", tmp_path / "notes", "--index", tmp_path / "index", "--json")
    done = run(*command, "Which cache requires an exact prefix match?")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "prompt cache" in answer["answer"].lower()
    [citation] = answer["citations"]
    assert (citation["path"], citation["line"]) == ("caches.md", 6)
    assert citation["quote"] == "| | Prompt cache | Requires an exact prefix match |"
    (tmp_path / "notes" / "caches.md").unlink()
    (tmp_path / "notes" / "other.md").write_text("Nothing about it.\n")
    assert run(*command, "Which cache requires an exact prefix match?").returncode == 3


def test_ask_prints_the_answer_with_its_places(index: Path) -> None:
    done = run("ask", "--corpus", CORPUS, "--index", index, "--no-llm", "What did I pay for the used RTX 3090?")
    assert done.returncode == 0
    assert "690 euros" in done.stdout
    assert re.search(r"\[\d\] log-2024\.md:\d+", done.stdout)
    assert "Traceback" not in done.stderr


def test_ask_as_a_client_of_the_server(server: str) -> None:
    done = run("ask", "--json", "What is the capital of Australia?", RAGNOTES_SERVER=server)
    assert done.returncode == 3
    assert json.loads(done.stdout)["mode"] == "abstained"


def test_a_new_note_is_found_after_a_sync(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "caches.md").write_text(CACHE_NOTE)
    command = [BIN / "ragnotes", "serve", "--corpus", notes, "--index", tmp_path / "index", "--port", "0"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        found = re.search(r"http://[\d.:]+", process.stderr.readline())
        assert found
        url = found[0]
        assert httpx.get(f"{url}/ready").status_code == 503
        job = httpx.post(f"{url}/v1/index/sync", json={}).json()
        while (state := httpx.get(f"{url}/v1/jobs/{job['id']}").json())["state"] in ("queued", "running"):
            time.sleep(0.1)
        assert (state["state"], state["summary"]["added"]) == ("done", 1)
        assert post(f"{url}/v1/search", query="prefix match")["hits"][0]["path"] == "caches.md"
    finally:
        process.terminate()
        process.wait(15)
        process.stderr.close()


def test_another_embedder_is_refused_until_the_index_is_rebuilt(tmp_path: Path) -> None:
    bundled = bundled_embedder()
    assert bundled
    shutil.copytree(bundled, tmp_path / "another-model")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "caches.md").write_text(CACHE_NOTE)
    place = ("--corpus", tmp_path / "notes", "--index", tmp_path / "index")
    assert run("ragnotes", "index", *place).returncode == 0
    other = (*place, "--embedder", tmp_path / "another-model")
    for command in (
        ("ragnotes", "index", *other),
        ("ask", *other, "Which cache?"),
        ("ragnotes", "search", *other, "x"),
    ):
        refused = run(*command)
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: ")
        assert refused.stderr.rstrip().endswith("run: ragnotes index --rebuild")
        assert refused.stderr.count("\n") == 1
    rebuilt = json.loads(run("ragnotes", "index", *other, "--rebuild", "--json").stdout)
    assert rebuilt["embedded"] == rebuilt["chunks"] == 1
    found = json.loads(run("ragnotes", "search", *other, "prefix match", "--json").stdout)
    assert found["hits"][0]["path"] == "caches.md"


@pytest.mark.parametrize(
    ("command", "code", "problem"),
    [
        (["ragnotes", "index", "--corpus", "missing", "--index", "new"], 1, "corpus folder missing does not exist"),
        (["ragnotes", "index", "--corpus", "empty", "--index", "new"], 1, "there is no note in "),
        (["ragnotes", "index", "--corpus", "file.md", "--index", "new"], 1, "corpus file.md is not a folder"),
        (["ask", "--corpus", "empty", "--index", "new", "What?"], 1, "there is no note in "),
        (["ragnotes", "search", "--corpus", "notes", "--index", "new", "What?"], 4, "new"),
        (["ragnotes", "status", "--corpus", "notes", "--index", "new"], 4, "new"),
        (["ask", "--corpus", "notes", "--index", "new", " "], 2, "the question is empty"),
        (["ask", "--corpus", "notes", "--index", "new", "x" * 100_000], 2, "the question has 100000 characters"),
        (["ragnotes", "index", "--corpus", "notes", "--embedder", "empty", "--index", "new"], 1, "empty"),
        (["ragnotes", "index", "--corpus", "notes", "--index", "file.md"], 1, "file.md"),
        (["ragnotes", "serve", "--corpus", "notes", "--host", "0.0.0.0"], 2, "0.0.0.0"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_bad_input_is_one_line_that_says_what_where_and_what_next(
    tmp_path: Path, command: list[str], code: int, problem: str
) -> None:
    for folder in ("empty", "notes"):
        (tmp_path / folder).mkdir()
    (tmp_path / "notes" / "a.md").write_text("Words.\n")
    (tmp_path / "file.md").write_text("Words.\n")
    done = run(*command, cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout == ""
    line = done.stderr.rstrip("\n").split("\n")[-1]
    assert line.startswith("error: ")
    assert problem in line
    assert "; " in line
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_named(server: str, index: Path) -> None:
    port = server.rsplit(":", 1)[1]
    done = run("ragnotes", "serve", "--corpus", CORPUS, "--index", index, "--port", port)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "reason"), [(b"GGUF" + bytes(100), "no draft"), (None, "no model")], ids=["broken", "missing"]
)
def test_without_a_usable_model_the_notes_answer_and_the_reason_is_told(
    index: Path, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    model = tmp_path / "model.gguf"
    if content is not None:
        model.write_bytes(content)
    command = ("ask", "--corpus", CORPUS, "--index", index, "--model", model, "--json")
    done = run(*command, "Does it make economic sense to own the computer instead of paying a hosted service?")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["mode"], "never pays for itself" in answer["answer"]) == ("extractive", True)
    assert answer["reason"].startswith(reason)
    assert "Traceback" not in done.stderr
