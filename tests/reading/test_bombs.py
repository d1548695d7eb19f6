"""Files that were made to hurt, with good notes between them: limits hold, and the others go on."""

from __future__ import annotations

from pathlib import Path

from benchmarks.reliability.bombs import GROWN_MB, LONG, PDFS, TEXTS, hostile_files, indexed_in_a_process, pdf_of


def test_hostile_pdfs_cost_neither_the_process_nor_the_other_files(tmp_path: Path) -> None:
    figures = hostile_files(tmp_path, [*(PDFS.keys() - LONG)], timeout_s=6)
    assert figures["wrong"] == []
    assert figures["files"] == 2 * len(PDFS.keys() - LONG)
    assert figures["grown_mb"] < GROWN_MB


def test_hostile_texts_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    figures = hostile_files(tmp_path, [*(TEXTS.keys() - LONG)])
    assert figures["wrong"] == []
    assert figures["files"] == 2 * len(TEXTS.keys() - LONG)


def test_a_pdf_that_wants_more_memory_than_it_may_have_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "large.pdf").write_bytes(pdf_of(b"") + bytes(60 * 2**20))
    (tmp_path / "note.md").write_text("The heron stood in the reeds.")
    found = indexed_in_a_process(tmp_path, timeout_s=60, memory_bytes=150 * 2**20)
    assert found["files"] == {"large.pdf": ["failed", "out_of_memory", 0], "note.md": ["indexed", None, 1]}
    assert found["grown_mb"] < GROWN_MB
