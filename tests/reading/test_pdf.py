from __future__ import annotations

import io
import json
import stat
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter

from ragnotes.errors import LoadError
from ragnotes.reading.pdf import TRIES, load_pdf
from ragnotes.reading.pdf_child import read_pdf
from ragnotes.types import BlockKind, Document, HeadingMark, Kind, PageMark

from .invariants import check_document, eval_folder


def pdf(*pages: str, title: str = "", author: str = "") -> bytes:
    """A PDF with one line of each page's text per line on the page."""
    writer = FPDF()
    writer.set_title(title)
    writer.set_author(author)
    writer.set_font("Helvetica", size=10)
    for page in pages:
        writer.add_page()
        for line in filter(None, page.split("\n")):
            writer.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    return bytes(writer.output())


def raw_pdf(stream: bytes) -> bytes:
    """A PDF of one page with `stream`, already compressed, as its content."""
    font = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources " + font + b" >>",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
    ]
    content, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(content)
    return content + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer


def encrypted(content: bytes, user_password: str) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(content))
    writer.encrypt(user_password, "owner", algorithm="AES-256")
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def reason_of(content: bytes, *, timeout_s: float = 60.0, memory_bytes: int = 2 * 1024**3) -> str:
    with pytest.raises(LoadError) as caught:
        load_pdf(content, "paper.pdf", timeout_s=timeout_s, memory_bytes=memory_bytes)
    return caught.value.reason


def test_pages_title_and_headings_are_found() -> None:
    content = pdf("A Paper on Eggs\n1. Introduction\nEggs are round.", "2. Method\nWe looked.", author="Ann Lee")
    document = load_pdf(content, "papers/eggs.pdf")
    check_document(document)
    assert document.text == "A Paper on Eggs\n1. Introduction\nEggs are round.\n\n2. Method\nWe looked."
    assert (document.kind, document.title, document.titled) == (Kind.PAPER, "A Paper on Eggs", True)
    assert [mark for mark in document.marks if isinstance(mark, PageMark)] == [PageMark(0, 1), PageMark(49, 2)]
    assert [mark.path for mark in document.marks if isinstance(mark, HeadingMark)] == [
        *(("1. Introduction",), ("2. Method",))
    ]
    assert document.metadata.author == "Ann Lee"
    assert document.metadata.date is None
    assert document.metadata.extra["created"][:2] == "20"


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ("On the Roundness of Eggs", "On the Roundness of Eggs"),
        ("Untitled", "First line"),
        ("Microsoft Word - eggs_v2.doc", "First line"),
        ("eggs-final.tex", "First line"),
        ("draft_3", "First line"),
        ("eggs", "First line"),
        ("", "First line"),
    ],
)
def test_the_stated_title_counts_unless_it_is_a_file_name(stated: str, title: str) -> None:
    assert load_pdf(pdf("First line\nmore", title=stated), "eggs.pdf").title == title


def test_an_empty_page_keeps_its_number() -> None:
    document = load_pdf(pdf("one", "", "three"), "a.pdf")
    assert document.marks == (PageMark(0, 1), PageMark(5, 2), PageMark(7, 3))


def test_a_password_is_needed_only_where_it_is_not_empty() -> None:
    assert reason_of(encrypted(pdf("secret"), "secret")) == "encrypted"
    assert load_pdf(encrypted(pdf("open to all"), ""), "a.pdf").text == "open to all"


def test_pages_without_text_are_no_text_layer() -> None:
    assert reason_of(pdf("")) == "no_text_layer"
    assert reason_of(pdf(" ", "")) == "no_text_layer"


def test_what_is_no_pdf_is_damaged() -> None:
    whole = pdf("text")
    assert reason_of(b"") == "damaged"
    assert reason_of(b"not a pdf at all") == "damaged"
    assert reason_of(whole[:50]) == "damaged"


def test_a_cyclic_page_tree_ends() -> None:
    content = raw_pdf(zlib.compress(b"")).replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")
    assert reason_of(content) in ("damaged", "no_text_layer")


def test_a_bomb_runs_out_of_memory() -> None:
    assert reason_of(raw_pdf(zlib.compress(bytes(80_000_000)))) == "out_of_memory"


def test_a_file_may_cost_only_so_much_memory() -> None:
    assert reason_of(pdf("text") + bytes(300_000_000), memory_bytes=256 * 1024**2) == "out_of_memory"


def test_too_little_time_is_timed_out() -> None:
    assert reason_of(pdf("text"), timeout_s=0.01) == "timed_out"


@pytest.mark.parametrize(
    "fate", ["kill -ABRT $$", "exit 3", "echo garbage", "echo '{}'", "echo '[1]'", 'echo \'{"reason": "odd"}\'']
)
def test_a_child_that_fails_in_any_way_means_damaged(
    fate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "python"
    child.write_text(f"#!/bin/sh\ncat > /dev/null\n{fate}\n")
    child.chmod(child.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(child))
    assert reason_of(pdf("text")) == "damaged"


def test_a_parser_that_crashes_is_given_two_tries_and_other_files_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = tmp_path / "tries"
    child = tmp_path / "python"
    crash = f"import os, sys; sys.stdin.buffer.read(); open({str(tries)!r}, 'a').write('x'); os.abort()"
    child.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{crash}"\n')
    child.chmod(child.stat().st_mode | stat.S_IXUSR)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(child))
        assert reason_of(pdf("text")) == "damaged"
    assert tries.read_text() == "x" * TRIES == "xx"
    assert load_pdf(pdf("text"), "other.pdf").text == "text"


def test_a_parser_that_crashes_once_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child, real = tmp_path / "python", sys.executable
    child.write_text(
        f'#!/bin/sh\ntest -e {tmp_path}/again || {{ touch {tmp_path}/again; kill -SEGV $$; }}\nexec {real} "$@"\n'
    )
    child.chmod(child.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(child))
    assert load_pdf(pdf("text"), "a.pdf").text == "text"
    assert (tmp_path / "again").exists()


def test_python_files_among_the_notes_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    (tmp_path / "pypdf.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert load_pdf(pdf("text"), "a.pdf").text == "text"


def test_ligatures_and_control_characters_are_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"pages": ["eﬃcient\0 ﬁsh\x1b\ud800\r\nnext"], "title": "A\ud800 ﬁsh and more", "author": None}
    child = tmp_path / "python"
    child.write_text(f"#!/bin/sh\ncat > /dev/null\ncat <<'END'\n{json.dumps(found)}\nEND\n")
    child.chmod(child.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(child))
    document = load_pdf(b"", "a.pdf")
    check_document(document)
    assert (document.text, document.title) == ("efficient fish\nnext", "A fish and more")


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for content in (pdf("text")[:-40], b"%PDF-1.7 broken"):
        try:
            load_pdf(content, "a.pdf")
        except LoadError as error:
            assert error.reason == "damaged"
    assert capfd.readouterr() == ("", "")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_bytes_are_read_or_refused_with_a_reason(data: st.DataObject) -> None:
    content = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    answer = read_pdf(
        bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    )
    if "reason" in answer:
        assert answer["reason"] in ("encrypted", "damaged", "no_text_layer", "out_of_memory")
    else:
        assert any(page.strip() for page in answer["pages"])


SMALL = raw_pdf(zlib.compress(b"BT /F1 9 Tf (text) Tj ET"))

EXPECTED = {
    "PDFBOX-4352-0.pdf": "damaged",
    "REDHAT-1531897-0.pdf": "damaged",
    "bug1020226.pdf": "damaged",
    "issue15590.pdf": "damaged",
    "issue9105_other.pdf": "damaged",
    "poppler-85140-0.pdf": "damaged",
    "unreadablemetadata.pdf": "damaged",
    "file_scanned.pdf": "no_text_layer",
    "grayscale-image.pdf": "no_text_layer",
    "imagemagick-CCITTFaxDecode.pdf": "no_text_layer",
    "issue5481.pdf": "no_text_layer",
    "personwithdog.pdf": "no_text_layer",
    "libreoffice-writer-password.pdf": "encrypted",
}


def test_real_files_are_read_or_refused_as_their_traits_say() -> None:
    folder = eval_folder("pdf")
    manifest = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    paths = [folder / Path(entry["file"]).name for entry in manifest]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(_outcome, paths))
    for entry, outcome in zip(manifest, outcomes, strict=True):
        if isinstance(outcome, Document):
            check_document(outcome)
            assert sum(isinstance(mark, PageMark) for mark in outcome.marks) == entry["pages"], entry["file"]
    assert len(outcomes) == 43
    refused = {path.name: outcome for path, outcome in zip(paths, outcomes, strict=True) if isinstance(outcome, str)}
    assert refused == EXPECTED


def _outcome(path: Path) -> Document | str:
    try:
        return load_pdf(path.read_bytes(), path.name)
    except LoadError as error:
        return error.reason


def test_a_two_column_paper_reads_in_order() -> None:
    path = eval_folder("pdf") / "jcon-00012.pdf"
    document = load_pdf(path.read_bytes(), path.name)
    assert document.title == "ChipSort: a SIMD and cache-aware sorting module"
    paths = [mark.path for mark in document.marks if isinstance(mark, HeadingMark)]
    assert paths[:6] == [
        ("ABSTRACT",),
        ("Keywords",),
        ("1. Introduction",),
        ("2. SIMD sorting techniques",),
        ("2. SIMD sorting techniques", "2.1 Sorting networks"),
        ("2. SIMD sorting techniques", "2.2 SIMD vectors transpose"),
    ]
    assert (
        "config-\nurable vector sizes" in document.text
    )  # the ligature is undone, the broken line stays as it was set


def test_a_title_is_parted_from_the_lines_that_follow_it() -> None:
    document = load_pdf(pdf("A Paper on\nEggs\nBy nobody, 2024.", title="A Paper on Eggs"), "eggs.pdf")
    check_document(document)
    assert [(block.kind, document.text[block.start : block.end]) for block in document.blocks] == [
        (BlockKind.HEADING, "A Paper on\nEggs"),
        (BlockKind.PARAGRAPH, "By nobody, 2024."),
    ]
