"""What gets out of ragnotes, or in by its files: the disk, the log, the terminal, the network, code in models."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from ragnotes.cli import main
from ragnotes.errors import ModelError, SettingsError
from ragnotes.file_links import links_into
from ragnotes.inside import resolve_inside
from ragnotes.models.bundled import bundled_embedder
from ragnotes.models.sentence_transformer import SentenceTransformerEmbedder
from ragnotes.reading.corpus import FreshnessCheck
from ragnotes.reading.identity import sha256_of
from ragnotes.service.server import serve
from ragnotes.service.wire import PlacedJson
from ragnotes.types import FileRecord, FileStatus, Kind, Source
from tests.fakes import WAIT_S, FakeLibrary, fake_settings

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ragnotes"
SECRET = "Quokka-7731"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")} | {
    "PYTHONPATH": str(ROOT)
}
SERVER = """
import sys
from ragnotes.cli import main
from tests.fakes import FakeLibrary
library = FakeLibrary({"note.md": "The Quokka-7731 stands in the note."})
sys.exit(main(["serve", "--port", "0", "--host", sys.argv[1]], library=lambda _: library))
"""
EVIL = "\x1b]8;;https://evil.example\x07\x1b[2J\x9b1m\u202e<img src=x onerror=alert(1)>"


@contextmanager
def _served(host: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-c", SERVER, host]
    with subprocess.Popen(command, cwd=ROOT, env=CLEAN | environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        line = process.stderr.readline()
        port = re.search(r":(\d+) ", line)
        try:
            yield f"http://127.0.0.1:{port[1]}" if port else line, process
        finally:
            process.terminate()
            process.wait(WAIT_S)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0", "::ffff:127.0.0.1", "ragnotes.invalid", "", "192.0.2.1"])
def test_no_address_that_others_reach_is_taken_without_a_key(host: str) -> None:
    with pytest.raises(SettingsError, match="ragnotes key"):
        serve(FakeLibrary(), fake_settings(host=host, port=0))


def test_a_name_of_this_machine_that_leads_elsewhere_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    anywhere = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("0.0.0.0", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: anywhere)
    with pytest.raises(SettingsError, match="localhost can be reached from other machines"):
        serve(FakeLibrary(), fake_settings(host="localhost", port=0))


def test_the_command_refuses_it_with_one_line(tmp_path: Path) -> None:
    with _served("0.0.0.0", RAGNOTES_KEY_FILE=str(tmp_path / "key")) as (line, process):
        assert re.fullmatch(r"error: 0\.0\.0\.0 can be reached .*ragnotes key.*\n", line)
        assert process.wait(WAIT_S) == 2


@pytest.mark.parametrize("length", [b"Content-Length: 100000000", b"Transfer-Encoding: chunked"])
def test_a_body_of_100_mb_is_refused_at_its_begin_and_takes_neither_time_nor_memory(length: bytes) -> None:
    """Announced, and in pieces without end."""
    with _served("127.0.0.1") as (url, process):
        _send_without_end(url, length)  # what the first refusal imports and makes stays
        memory, work = _resident_mb(process.pid), _worked_s(process.pid)
        _send_without_end(url, length)
        assert httpx.get(f"{url}/health", trust_env=False, timeout=WAIT_S).status_code == 200
        assert _worked_s(process.pid) - work < 1
        assert _resident_mb(process.pid) - memory < 20


def _send_without_end(url: str, length: bytes) -> None:
    """The answer is there after the first 1.3 MB; all that follows is read by nobody."""
    head = b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=WAIT_S) as client:
        client.sendall(head + length + b"\r\n\r\n" + 20 * piece)
        assert client.recv(12) == b"HTTP/1.1 413"
        with suppress(ConnectionError):
            for _ in range(1600):
                client.sendall(piece)


def _worked_s(pid: int) -> float:
    """Seconds of the processor that it took, whatever else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def test_with_a_key_that_was_made_every_address_is_served_and_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "key")
    monkeypatch.setenv("RAGNOTES_KEY_FILE", file)
    assert main(["key"]) == 0
    key = {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}
    with _served("0.0.0.0", RAGNOTES_KEY_FILE=file) as (url, _):
        assert httpx.get(f"{url}/v1/status", trust_env=False).status_code == 401
        assert httpx.get(f"{url}/v1/status", headers=key, trust_env=False).status_code == 200


def test_the_log_holds_neither_question_nor_note_nor_key(tmp_path: Path) -> None:
    told = tmp_path / "history"
    failing = SERVER.replace("sys.exit(", "library.error_in_answer = ValueError(library.notes['note.md'])\nsys.exit(")
    command = [sys.executable, "-c", failing, "127.0.0.1"]
    environment = CLEAN | {"RAGNOTES_API_KEY": "key-Quokka-7731", "RAGNOTES_INDEX": str(told)}
    asked = {"question": f"what about the {SECRET}?"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        url = re.findall(r"http://\S+", process.stderr.readline())[0]
        with httpx.Client(
            base_url=url, headers={"Authorization": "Bearer key-Quokka-7731"}, trust_env=False, timeout=WAIT_S
        ) as client:
            statuses = [
                client.post("/v1/ask", json=asked).status_code,
                client.post("/v1/ask", json=asked | {"stream": True}).status_code,
                client.post("/v1/search", json={"query": SECRET}).status_code,
                client.post("/v1/search", json={SECRET: SECRET}).status_code,
                client.post("/v1/search", content=SECRET, headers={"Content-Type": "text/plain"}).status_code,
                client.get(f"/v1/documents/{SECRET}?q={SECRET}").status_code,
                client.get("/v1/status", headers={"Authorization": f"Bearer {SECRET}"}).status_code,
                client.get("/v1/status", headers={"Host": SECRET}).status_code,
            ]
        process.terminate()
        out, log = process.communicate(timeout=WAIT_S)
    assert statuses == [500, 200, 200, 422, 415, 404, 401, 400]
    assert "ValueError" in log
    assert "fakes.py" in log
    assert "Quokka" not in log + out


def test_with_umask_000_everything_written_is_its_users_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("The kayak is 4.35 metres long.\n")
    code = (
        "import os, sys; os.umask(0)\nfrom ragnotes.assembly import Library\nfrom ragnotes.cli import main\n"
        "from ragnotes.models.hashing import HashingEmbedder\n"
        "Library._load_embedder = lambda self: HashingEmbedder(16)\n"
        "assert main(['index']) == 0\nmain(['ask', '--no-llm', 'how long is the kayak?'])\n"
    )
    index = tmp_path / "made" / "index"
    environment = CLEAN | {"RAGNOTES_CORPUS": str(notes), "RAGNOTES_INDEX": str(index)}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True, capture_output=True)
    written = [index.parent, index, *index.rglob("*")]
    assert any(path.parent.name == "conversations" for path in written)
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in written} == {path.name: "0o0" for path in written}
    assert {path.stat().st_mode & 0o777 for path in written if path.is_dir()} == {0o700}


def test_a_path_from_outside_stays_inside_the_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (root / "link").symlink_to(outside)
    (root / "a" / "own").symlink_to(root)
    (root / "loop").symlink_to("loop")
    assert resolve_inside(root, "a/b.md") == root / "a" / "b.md"
    assert resolve_inside(root, "a/own/b.md") == root / "b.md"
    assert resolve_inside(root, "not/there.md") == root / "not" / "there.md"
    outward = [
        "../outside/secret.md",
        "a/../../outside/secret.md",
        "/etc/passwd",
        "link/secret.md",
        "loop/x.md",
        "",
        ".",
    ]
    assert [path for path in [*outward, "..", "a\0b"] if resolve_inside(root, path)] == []


def test_an_index_that_names_files_outside_reads_none_and_links_to_none(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (root / "link").symlink_to(outside)
    (root / "secret.md").symlink_to(outside / "secret.md")
    fresh, linked = FreshnessCheck((root,)), links_into([root])
    for path in ("../outside/secret.md", str(outside / "secret.md"), "link/secret.md", "secret.md"):
        source = Source("d", path, "secret", Kind.NOTE, sha256_of(b"secret"))
        assert not fresh(source)
        assert linked(_placed(path)) is None


def _placed(path: str) -> PlacedJson:
    return PlacedJson(
        doc_id="d", path=path, title="", kind=Kind.NOTE, heading=None, line=1, page=None, t_start=None, t_end=None,
        speaker=None, date=None,
    )  # fmt: skip


FORBIDDEN = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
RUNNING_CODE = {"eval", "exec", "compile", "__import__"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_is_unpickled_and_no_code_of_others_is_run(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert not FORBIDDEN & {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN
        elif isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "allow_pickle", "shell"):
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in RUNNING_CODE
            assert called not in ("torch.load", "np.load", "numpy.load", "yaml.load", "os.system")


def test_an_embedder_with_pickled_weights_is_refused(tmp_path: Path) -> None:
    bundled = bundled_embedder()
    assert bundled is not None
    folder = tmp_path / "model"
    shutil.copytree(bundled, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelError, match="can run code"):
        SentenceTransformerEmbedder(folder, threads=1)
    shutil.copytree(bundled, folder, dirs_exist_ok=True)
    dense = folder / "2_Dense"
    dense.mkdir()
    (dense / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelError, match=r"2_Dense/pytorch_model\.bin can run code"):
        SentenceTransformerEmbedder(folder, threads=1)


@pytest.mark.parametrize("command", [["status"], ["search", "note"], ["ask", "what is in the note?"], ["index", "-v"]])
def test_no_file_name_steers_the_terminal_on_any_surface(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    library = FakeLibrary({f"{EVIL}.md": f"What is in the note? {EVIL}."})
    library.failing = (FileRecord(f"{EVIL}.pdf", FileStatus.FAILED, EVIL, 0, None, "f", None),)
    library.left_out = (f"{EVIL}-gone.md",)
    for more in ([], ["--json"]):
        main([*command, *more], library=lambda _: library)
        shown = "".join(capsys.readouterr())
        assert "onerror" in shown
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)


def test_no_error_nor_history_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    library = FakeLibrary()
    library.error = ValueError(EVIL)
    assert main(["search", "note"], library=lambda _: library) == 1
    library.error = None
    main(["ask", f"what {EVIL}?"], library=lambda _: library)
    main(["history"], library=lambda _: library)
    main(["history", "show", "last"], library=lambda _: library)
    main(["history", "show", EVIL], library=lambda _: library)
    main(["eval", EVIL], library=lambda _: library)
    main(["search", "x", "--path", EVIL], library=lambda _: library)
    main([EVIL], library=lambda _: library)
    shown = "".join(capsys.readouterr())
    assert shown.count("onerror") >= 5
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)


GUARD = """
import os, sys
def guard(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        place = args[0] if event == "socket.getaddrinfo" else args[1]
        name = place[0] if isinstance(place, tuple) else place
        if name not in ("127.0.0.1", "::1", "localhost") and not str(name).startswith("/"):
            os.write(2, f"OUTSIDE {event} {name}".encode())
            os._exit(97)
sys.addaudithook(guard)
with open(os.environ["GUARDED"], "a") as guarded:
    print(os.getpid(), file=guarded)
"""
ASK = """
import sys
from ragnotes.cli import main
assert main(["index", "--corpus", "notes", "--index", "index"]) == 0
sys.exit(main(["ask", "How long is the kayak?", "--corpus", "notes", "--index", "index", "--json"]))
"""


def _answered(folder: Path, *before: str, **environment: str) -> dict[str, object]:
    (folder / "notes").mkdir()
    (folder / "notes" / "a.md").write_text("# Boats\n\nThe new kayak is 4.35 metres long.\n")
    bare = {name: value for name, value in CLEAN.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    bare |= {"RAGNOTES_THREADS": "1", "HOME": str(folder), "TIKTOKEN_CACHE_DIR": str(folder / "none")}
    command = [*before, sys.executable, "-c", ASK]
    done = subprocess.run(command, cwd=folder, env=bare | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.model
def test_in_a_network_without_interfaces_notes_are_indexed_and_answered(tmp_path: Path) -> None:
    """Both bundled models, in a namespace where not even the loopback is up; the children are in it too."""
    apart = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if not shutil.which("unshare") or subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    reached = subprocess.run([*apart, sys.executable, "-c", code], capture_output=True, text=True)
    assert "Network is unreachable" in reached.stderr
    answer = _answered(tmp_path, *apart)
    assert "4.35" in str(answer["answer"])
    assert "no model" not in str(answer["reason"])


@pytest.mark.model
def test_nothing_but_the_loopback_is_ever_connected_to(tmp_path: Path) -> None:
    """By an audit hook in this process's children and theirs: it ends whoever connects elsewhere or looks up a name."""
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    guarded = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "GUARDED": str(tmp_path / "guarded")}
    outward = [sys.executable, "-c", "import socket; socket.getaddrinfo('example.org', 80)"]
    assert subprocess.run(outward, env=CLEAN | guarded, capture_output=True).returncode == 97
    answer = _answered(tmp_path, **guarded)
    assert "4.35" in str(answer["answer"])
    assert len(set((tmp_path / "guarded").read_text().split())) == 4  # the one above, ragnotes, the model, its template


def test_history_that_is_off_keeps_nothing_over_http(tmp_path: Path) -> None:
    off = SERVER.replace("sys.exit(", "library.history = False\nsys.exit(")
    with subprocess.Popen(
        [sys.executable, "-c", off, "127.0.0.1"], cwd=ROOT, env=CLEAN, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        url = re.findall(r"http://\S+", process.stderr.readline())[0]
        body = {"question": f"where is the {SECRET}?", "llm": False, "conversation_id": "new"}
        answer = httpx.post(f"{url}/v1/ask", json=body, trust_env=False, timeout=WAIT_S).json()
        assert answer["conversation_id"] is None
        assert httpx.get(f"{url}/v1/conversations", trust_env=False).json() == []
        process.terminate()
        process.communicate(timeout=WAIT_S)
