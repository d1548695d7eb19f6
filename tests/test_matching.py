from __future__ import annotations

import pytest

from ragnotes.matching import folded, path_fits, spoken_by, tag_key


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("journal", "journal/2024/a.md", True),
        ("journal/", "journal/a.md", True),
        ("./journal", "journal/a.md", True),
        ("journal", "journal.md", False),
        ("journal", "old/journal/a.md", False),
        ("journal/2024", "journal/2024/a.md", True),
        ("journal/a.md", "journal/a.md", True),
        ("journal/*", "journal/2024/a.md", True),
        ("*.md", "journal/2024/a.md", True),
        ("j*l", "journal/a.md", True),
        ("**/a.md", "a.md", True),
        ("**/a.md", "x/y/a.md", True),
        ("**/a.md", "x/aa.md", False),
        ("x/**/a.md", "x/a.md", True),
        ("x/**/a.md", "x/y/z/a.md", True),
        ("x/**", "x/y/a.md", True),
        ("**", "x/y/a.md", True),
        ("a?.md", "ab.md", True),
        ("[!a]*.md", "b.md", True),
        ("notes [2023].md", "notes [2023].md", True),
        ("Journal", "journal/a.md", False),
        ("journal\\a.md", "journal/a.md", False),
        ("cafe\u0301", "caf\u00e9/a.md", True),
        ("\udcff*", "\udcffodd.md", True),
        (".", "x/a.md", True),
        ("", "a.md", False),
        ("/", "a.md", False),
        ("**/" * 4 + "a.md", "a.md", True),
    ],
)
def test_a_path_fits_a_file_a_folder_or_a_shell_pattern(pattern: str, path: str, fits: bool) -> None:
    assert path_fits(path, pattern) is fits


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("#Diary", "diary"),
        (" project/X/ ", "project/x"),
        ("CAFE\u0301", "caf\u00e9"),
        ("#", ""),
    ],
)
def test_tags_are_compared_without_sign_case_and_slashes_at_the_end(tag: str, key: str) -> None:
    assert tag_key(tag) == key


def test_names_are_compared_without_case_and_accents_by_any_part() -> None:
    assert folded(" José ÁLVAREZ ") == "jose alvarez"
    assert spoken_by(["José Álvarez"], ["jose"])
    assert spoken_by(["José Álvarez", "Ana"], ["alvarez", "ANA"])
    assert not spoken_by(["José Álvarez", "Bob"], ["jose"])
    assert not spoken_by([], ["jose"])
