from __future__ import annotations

import pytest

from ragnotes.reading.tables import html_rows, labelled, row_cells


@pytest.mark.parametrize(
    ("labels", "cells", "told"),
    [
        (["Tool", "€"], ["Drill", "89"], "Tool: Drill | €: 89"),
        (["Tool", "€"], ["Drill", ""], "Tool: Drill"),
        (["", "Price"], ["Drill", "89"], "Drill | Price: 89"),
        (["Tool", "-"], ["Drill", "89"], "Tool: Drill | 89"),
        (["same"], ["same"], "same"),
        (["Tool", "€"], ["Drill"], ""),
        (["", ""], ["a", "b"], ""),
        ([], [], ""),
        (["x" * 41, "€"], ["a", "1"], "a | €: 1"),
    ],
)
def test_cells_are_told_with_the_labels_of_their_columns(labels: list[str], cells: list[str], told: str) -> None:
    assert labelled(labels, cells) == told


def test_html_is_cut_into_rows_without_a_gap() -> None:
    text = (
        "<TABLE class='a'><caption>Lamps</caption>\n<thead><tr><th>Room<th>Lamp</tr></thead>\n"
        "<tr><td>Bath</td>\n<td><b>GU10</b><br>IP44</td></tr></table>\nAfter."
    )
    rows = html_rows(text, 0, len(text))
    assert [(row.cells, row.is_header) for row in rows] == [
        ((), False),
        (("Room", "Lamp"), True),
        (("Bath", "GU10 IP44"), False),
        ((), False),
    ]
    assert (text[rows[0].start : rows[0].end], text[rows[3].start : rows[3].end]) == (
        "<TABLE class='a'><caption>Lamps</caption>\n<thead>",
        "After.",
    )
    at = 0
    for row in rows:
        assert not text[at : row.start].strip()
        at = row.end
    assert at == len(text)


def test_html_without_rows_is_no_table() -> None:
    assert html_rows("<div>a</div>", 0, 12) == []
    assert html_rows("x <tr><td>1</td></tr>", 0, 2) == []


def test_the_cells_of_pipes_are_those_of_their_line_and_of_html_those_of_the_row() -> None:
    assert list(row_cells("| a | b\\|c |\n| d |")) == [["a", "b|c"], ["d"]]
    assert list(row_cells("<tr>\n<td>a</td><th>b</th></tr>")) == [["a", "b"]]
