from __future__ import annotations

from ragnotes.reading.identity import document_id, sha256_of, stem_title


def test_an_id_depends_on_the_path_alone() -> None:
    assert document_id("a/b.md") == document_id("a/b.md")
    assert document_id("a/b.md") != document_id("b.md")
    assert document_id("a/b.md")[0] == "d"
    assert len(document_id("a/b.md")) == 17


def test_a_name_that_is_no_utf8_has_an_id_and_a_title() -> None:
    assert document_id("caf\udce9.md") != document_id("caf\udce8.md")
    assert stem_title("caf\udce9.md") == "caf?"


def test_sha256_is_that_of_the_bytes() -> None:
    assert sha256_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_title_is_the_name_without_folder_and_last_suffix() -> None:
    assert stem_title("talks/intro.en.vtt") == "intro.en"
    assert stem_title(".hidden") == ".hidden"
