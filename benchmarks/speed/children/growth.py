"""How the resident memory of a process grows by what a server loads: one line of JSON for all steps."""

from __future__ import annotations

import importlib
import json
import os
import sys

from benchmarks.speed.memory_of import memory_of

SERVER = ("numpy", "pydantic", "fastapi", "ragnotes.service.app", "ragnotes.assembly")
ENGINES = ("faiss", "torch", "tokenizers", "transformers", "sentence_transformers")
"""Imported one by one where the embedder or the store loads them."""


def main() -> None:
    loaded = _loaded_by_the_embedder()
    steps = [("Python", memory_of("self"))]
    for name in (*SERVER, *(name for name in ENGINES if name in loaded or name == "faiss")):
        importlib.import_module(name)
        steps.append((f"import {name}", memory_of("self")))
    _load_embedder()
    steps.append(("the embedder, loaded and used once", memory_of("self")))
    print(json.dumps(steps))


def _loaded_by_the_embedder() -> set[str]:
    """The modules that are there once an embedder was loaded, seen in a process that ends with it."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        _load_embedder()
        os.write(write, " ".join(name for name in ENGINES if name in sys.modules).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        return set(told.read().split())


def _load_embedder() -> None:
    from benchmarks.speed.children.ragnotes_library import Engine

    Engine().ready()


if __name__ == "__main__":
    main()
