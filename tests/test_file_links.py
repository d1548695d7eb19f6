from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.errors import SettingsError
from ragnotes.file_links import links_into
from ragnotes.service.wire import PlacedJson
from ragnotes.settings import load_settings
from ragnotes.types import Kind


def placed(path: str, *, line: int | None = None, page: int | None = None) -> PlacedJson:
    return PlacedJson(
        doc_id="d",
        path=path,
        title="t",
        kind=Kind.NOTE,
        heading=None,
        line=line,
        page=page,
        t_start=None,
        t_end=None,
        speaker=None,
        date=None,
    )


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "my notes"
    (folder / "sub").mkdir(parents=True)
    for name in ("log.md", "sub/a.pdf", "odd\n#%é\x1b;.md"):
        (folder / name).write_text("x")
    return folder.resolve()


def test_a_link_names_the_file_and_its_line_or_page(notes: Path) -> None:
    linked = links_into([notes])
    folder = str(notes).replace(" ", "%20")
    assert linked(placed("log.md", line=12)) == f"file://{folder}/log.md#12"
    assert linked(placed("log.md")) == f"file://{folder}/log.md"
    assert linked(placed("sub/a.pdf", page=3)) == f"file://{folder}/sub/a.pdf#page=3"


def test_of_several_roots_the_first_part_of_the_path_names_one(notes: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    linked = links_into([notes, tmp_path / "other"])
    assert linked(placed("my notes/log.md")) == links_into([notes])(placed("log.md"))
    assert linked(placed("log.md")) is None


@pytest.mark.parametrize("path", ["gone.md", "../my notes/log.md", "/etc/passwd", "sub", "", "a\0b", "x" * 5000])
def test_there_is_no_link_to_what_is_no_file_of_the_notes(notes: Path, path: str) -> None:
    assert links_into([notes])(placed(path)) is None


def test_nothing_of_a_name_ends_or_steers_the_link(notes: Path) -> None:
    name = "odd\n#%é\x1b;.md"
    link = links_into([notes])(placed(name, line=2))
    assert link
    assert re.fullmatch(r"[!-~]+", link)
    assert not set(link) & set(";\x1b\x07")
    assert unquote(urlsplit(link).path) == str(notes / name)


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_name_is_percent_encoded(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        (folder / name).write_text("x")
    except OSError:  # `.`, `..`, too long
        return
    link = links_into([folder])(placed(name))
    if link:
        assert re.fullmatch(r"file://[A-Za-z0-9/._~%-]+", link)
        assert unquote(urlsplit(link).path) == str(folder.resolve() / name)


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("vscode://file{path}:{line}", "vscode://file/N/log.md:12"),
        ("vscode://file/{path}:{line}", "vscode://file/N/log.md:12"),
        ("file://{path}", "file:///N/log.md"),
        ("txmt://open?url=file://{path}&line={line}", "txmt://open?url=file:///N/log.md&line=12"),
        ("zed://file{path}#{page}", "zed://file/N/log.md#1"),
    ],
)
def test_a_template_opens_another_program(notes: Path, template: str, link: str) -> None:
    folder = str(notes).replace(" ", "%20").lstrip("/")
    assert links_into([notes], template)(placed("log.md", line=12)) == link.replace("N", folder)


@pytest.mark.parametrize(
    "link", ["{path}", "vscode://file", "https://x/{path}", "a b:{path}", "x:{path}\x1b", "JavaScript:{path}"]
)
def test_a_template_without_path_or_to_the_web_is_refused(link: str) -> None:
    with pytest.raises(SettingsError, match=r"--link: a link has a scheme and \{path\}"):
        load_settings({"link": link})


def test_a_file_that_came_with_notes_cannot_set_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ragnotes.toml").write_text('link = "evil://{path}"\n')
    with pytest.raises(SettingsError, match="link cannot be set there"):
        load_settings({})
