"""The command `ragnotes` with a small embedder, as a process of its own: `python -m tests.hashing_cli index …`.

`RAGNOTES_TEST_DIMENSION` chooses the embedder, `RAGNOTES_TEST_PAUSE_S` is how long a string takes, and every string is
written to the file `RAGNOTES_TEST_LOG` when it is embedded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ragnotes import indexing
from ragnotes.assembly import Library
from ragnotes.cli import main
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.ports import Embedder, Generator
from ragnotes.types import Vectors

ROOT = Path(__file__).parents[1]


class LoggingEmbedder(HashingEmbedder):
    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        time.sleep(float(os.environ.get("RAGNOTES_TEST_PAUSE_S", "0")) * len(texts))
        if log := os.environ.get("RAGNOTES_TEST_LOG"):
            with Path(log).open("a") as file:
                file.writelines(json.dumps(text) + "\n" for text in texts)
        return super().embed_documents(texts, background=background)


class HashingLibrary(Library):
    def _load_embedder(self) -> Embedder:
        return LoggingEmbedder(int(os.environ.get("RAGNOTES_TEST_DIMENSION", "16")))

    def _start_generator(self) -> Generator | str:
        return "no model: none is installed"


def started(
    *words: str | Path, dimension: int = 16, pause_s: float = 0, log: Path | None = None
) -> subprocess.Popen[str]:
    """The process of a command."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")}
    own = {"RAGNOTES_TEST_DIMENSION": str(dimension), "RAGNOTES_TEST_PAUSE_S": str(pause_s)}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.hashing_cli", *map(str, words)],
        cwd=ROOT,
        env=clean | own | ({"RAGNOTES_TEST_LOG": str(log)} if log else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    indexing.BATCH_STRINGS = 4  # so that few notes are many batches
    sys.exit(main(library=HashingLibrary))
