"""Twenty askers and searchers at once while notes are edited, deleted and indexed: `benchmarks.reliability.load`."""

from __future__ import annotations

import pytest

from benchmarks.reliability.load import beside_work, many_at_once

pytestmark = pytest.mark.model


def test_twenty_askers_beside_edits_and_deletes_see_one_generation_and_no_error() -> None:
    figures = many_at_once(0.5, compared=4)
    assert figures["wrong"] == []
    assert figures["syncs"] >= 2
    assert figures["compared with a serial run"] == 4
    outcomes = figures["outcomes"]
    assert outcomes.keys() >= {"search 200", "extract 200", "ask 200", "library 200"}


def test_searches_and_probes_stay_fast_beside_a_generation_and_an_indexing_run() -> None:
    """The bounds of the long run are those of an idle machine; these hold on a busy one, and not without precedence."""
    figures = beside_work(0.3)
    assert figures["drafts meanwhile"] >= 1
    assert figures["runs meanwhile"] >= 1
    assert figures["search busy 50% ms"] < 4 * max(100.0, figures["search idle 95% ms"])
    assert figures["health busy 50% ms"] < 10 * max(5.0, figures["health idle 95% ms"])
