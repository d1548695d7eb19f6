from __future__ import annotations

from ragnotes.models.spinning import spinning


def test_threads_spin_for_a_moment_where_nobody_decided_otherwise() -> None:
    assert spinning({"PATH": "/bin"}) == {"GOMP_SPINCOUNT": "3000"}
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        assert spinning({name: "PASSIVE"}) == {}
