"""The direction of imports, no cycles, and one file for each engine."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ragnotes"

# Each part may import what stands in the rows above it, and what its own row names.
LAYERS = [
    {"kinds", "types", "errors", "children", "fields", "__init__"},
    {"answers", "turns", "calibration"},
    {"inside"},
    {"ports", "events", "places", "matching", "sentences", "languages", "forms", "clock", "settings", "sse", "calls"}
    | {"settings_sources"}
    | {"date_words", "written_dates", "relative_dates", "date_parts", "question_dates"}
    | {"line_dates", "path_dates", "dates", "spelled_dates"},
    {"models", "stores", "reading", "asking", "forgetting"},
    {"indexing", "evaluation", "watching", "backups"},
    {"rereading"},
    {"assembly"},
    {"service", "client", "thin_client", "console", "file_links", "terminal"},
    {"options", "running", "doctor"},
    {
        "cli_backup",
        "cli_calibrate",
        "cli_config",
        "cli_doctor",
        "cli_history",
        "cli_index",
        "cli_key",
        "cli_upkeep",
        "cli_watch",
    },
    {"cli_ask", "cli_measure"},
    {"cli_eval"},
    {"cli"},
    {"starting"},
]
WITHIN = {
    ("forms", "languages"),
    ("sentences", "languages"),
    ("written_dates", "date_words"),
    ("relative_dates", "date_words"),
    ("relative_dates", "languages"),
    ("relative_dates", "written_dates"),
    ("date_parts", "date_words"),
    ("date_parts", "written_dates"),
    ("date_parts", "relative_dates"),
    ("question_dates", "date_words"),
    ("question_dates", "written_dates"),
    ("question_dates", "relative_dates"),
    ("question_dates", "date_parts"),
    ("line_dates", "written_dates"),
    ("path_dates", "written_dates"),
    ("path_dates", "line_dates"),
    ("dates", "written_dates"),
    ("dates", "line_dates"),
    ("dates", "path_dates"),
    ("dates", "question_dates"),
    ("settings", "clock"),
    ("settings", "settings_sources"),
    ("console", "service"),
    ("console", "file_links"),
    ("file_links", "service"),
    ("terminal", "console"),
    ("terminal", "service"),
    ("client", "service"),
    ("client", "thin_client"),
    ("thin_client", "service"),
}
ENGINES = {
    "torch": "models/bert.py",
    "safetensors": "models/bert.py",
    "sentence_transformers": "models/library_encoder.py",
    "llama_cpp": "models/llama_cpp.py",
    "jinja2": "models/chat_template.py",
    "tiktoken": "models/tokens.py",
    "faiss": "stores/vectors.py",
    "sqlite3": "stores/connections.py",
    "pypdf": "reading/pdf_child.py",
    "pysubs2": "reading/captions.py",
    "markdown_it": "reading/markdown.py",
    "frontmatter": "reading/front_matter.py",
    "selectolax": "reading/html.py",
    "ftfy": "reading/repair.py",
    "syntok": "sentences.py",
    "pathspec": "reading/ignoring.py",
    "watchfiles": "watching.py",
    "ir_measures": "evaluation/measures.py",
    "uvicorn": "service/connections.py",
    "h11": "service/connections.py",
}


@cache
def modules() -> dict[str, Path]:
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports_of(path: Path) -> frozenset[str]:
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "ragnotes":
                found |= {f"ragnotes.{alias.name}" for alias in node.names}
            elif node.module:
                found.add(node.module)
    return frozenset(found)


@cache
def own_imports() -> dict[str, set[str]]:
    names = modules().keys()
    graph: dict[str, set[str]] = {}
    for name, path in modules().items():
        found = {
            imported.removeprefix("ragnotes.") for imported in imports_of(path) if imported.startswith("ragnotes.")
        }
        graph[name] = {imported for imported in found if imported in names or f"{imported}.__init__" in names}
    return graph


def layer_of(name: str) -> int:
    part = name.split(".", maxsplit=1)[0]
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("name", modules())
def test_imports_run_downwards(name: str) -> None:
    for imported in own_imports()[name]:
        mine, theirs = name.split(".", maxsplit=1)[0], imported.split(".")[0]
        if mine == theirs or (mine, theirs) in WITHIN or theirs in LAYERS[0]:
            continue
        if LAYERS[1] & {theirs} and layer_of(name) > 1:
            continue
        if theirs == "types":
            continue
        assert layer_of(imported) < layer_of(name), f"{name} imports {imported}"


def test_the_wings_know_neither_each_other_nor_the_engines() -> None:
    for name, imported in ((name, other) for name, others in own_imports().items() for other in others):
        if name.startswith("reading."):
            assert not imported.startswith(("asking", "models", "stores")), f"{name} imports {imported}"
        if name.startswith("asking."):
            assert not imported.startswith(("reading", "models", "stores")), f"{name} imports {imported}"
        if name.startswith(("models.", "stores.")):
            assert not imported.startswith(("reading", "asking")), f"{name} imports {imported}"


def test_there_are_no_cycles() -> None:
    graph, done, path = own_imports(), set[str](), list[str]()

    def visit(name: str) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for imported in sorted(graph.get(name, ())):
                visit(imported)
            path.pop()
            done.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize(("engine", "home"), ENGINES.items())
def test_each_engine_is_imported_in_one_file(engine: str, home: str) -> None:
    users = [
        path.relative_to(PACKAGE).as_posix()
        for path in modules().values()
        if any(imported.split(".")[0] == engine for imported in imports_of(path))
    ]
    assert users == [home]


@pytest.mark.parametrize("module", ["ragnotes", "ragnotes.types", "ragnotes.assembly", "ragnotes.cli"])
def test_importing_loads_no_engine(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'faiss', 'llama_cpp', 'tiktoken'}} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_no_file_outgrows_the_head() -> None:
    long = {
        name: lines for name, path in modules().items() if (lines := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}
