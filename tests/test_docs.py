"""What the documents say is so: commands, options, output, the tree, the Dockerfile's steps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
COMMANDS = (
    "ask",
    "index",
    "search",
    "status",
    "serve",
    "watch",
    "eval",
    "history",
    "key",
    "config",
    "doctor",
    "check",
    "repair",
    "forget",
    "backup",
    "restore",
)


def output(*command: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAGNOTES_")}
    done = subprocess.run([str(BIN / command[0]), *command[1:]], capture_output=True, text=True, env=clean, cwd=ROOT)
    return done.stdout


def block_after(marker: str) -> list[str]:
    """The lines of the fenced block that follows `marker` in the README."""
    found = re.search(re.escape(marker) + r"\s*```console\n(.*?)```", README, re.DOTALL)
    assert found, marker
    return found[1].rstrip("\n").split("\n")


def test_the_tree_names_every_module_and_nothing_else() -> None:
    tree = re.search(r"```text\nragnotes/\n(.*?)```", README, re.DOTALL)
    assert tree
    named, folder = set[str](), ""
    for line in tree[1].split("\n"):
        entry = re.match(r"( +)(\S+)", line)
        if entry and entry[2].endswith("/"):
            folder = entry[2]
        elif entry:
            named.add((folder if len(entry[1]) == 4 else "") + entry[2])
    package = ROOT / "ragnotes"
    assert named == {
        path.relative_to(package).as_posix() for path in package.rglob("*.py") if path.name != "__init__.py"
    }


def test_every_command_is_in_the_readme_and_in_the_help() -> None:
    help_text = output("ragnotes", "--help")
    listed = re.findall(r"^  (\w+)  ", help_text[help_text.index("Commands:") :], re.MULTILINE)
    assert set(listed) == set(COMMANDS)
    for command in COMMANDS:
        assert re.search(rf"^\| `(?:ragnotes )?{command}\b", README, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_options_in_the_readme_exist(command: str) -> None:
    known = set(re.findall(r"--[a-z][a-z-]+", output("ragnotes", command, "--help")))
    program = "ask" if command == "ask" else f"ragnotes {command}"
    for line in re.findall(rf"^\$ {program}\b(.*)$", README, re.MULTILINE):
        assert set(re.findall(r"--[a-z][a-z-]+", line)) <= known, line


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"(?<![\w-])make ([a-z]+)\b(?= |`|\n)", README)) & {"install", "ask", "test"}
    for target in re.findall(r"(?:^\$ |`)make ([a-z]+)", README, re.MULTILINE):
        assert target in targets


def test_documents_and_decisions_that_are_linked_exist() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_image_is_made_by_the_same_steps_as_an_installation() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert "RUN make install\n" in dockerfile
    assert re.search(r"^USER \d+$", dockerfile, re.MULTILINE)
    assert dockerfile.index("USER ") < dockerfile.index("RUN make install")
    assert "HEALTHCHECK" in dockerfile


def test_ci_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert re.findall(r"^make (\w+)$", script, re.MULTILINE) == ["check", "test"]


@pytest.mark.model
def test_the_output_in_the_readme_is_what_the_command_prints(tmp_path: Path) -> None:
    command, *expected = block_after("<!-- output: ask -->")
    asked = re.fullmatch(r'\$ make ask Q="(.*)"', command)
    assert asked
    assert output("ask", "--index", str(tmp_path / "index"), asked[1]).rstrip("\n").split("\n") == expected


@pytest.mark.model
def test_the_figures_in_the_readme_have_the_form_that_the_command_prints(tmp_path: Path) -> None:
    """The figures themselves change with every better search; what they are and how they stand does not."""

    def form(lines: list[str]) -> list[str]:
        return [re.sub(r"\d+", "0", re.sub(r"\(s.*\)", "(…)", line)) for line in lines]

    command, *expected = block_after("<!-- output: eval -->")
    assert command == "$ ragnotes eval corpus/questions.jsonl"
    place = ("--index", str(tmp_path / "index"))
    output("ragnotes", "index", *place)
    assert form(output("ragnotes", "eval", "corpus/questions.jsonl", *place).rstrip("\n").split("\n")) == form(expected)
