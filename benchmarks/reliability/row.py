"""A row of the fault matrix."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what may go wrong, how it is brought about, what must hold, and what proves it.

    A proof is the node id of a test (`tests/…::test_…`, all its parameters) or the name of a scenario of `scenarios`.
    A row without a proof is open. `not_applicable` says why nothing is to be proved. "Whole" means: no finding of
    `ragnotes check`, every acknowledged document complete and at its acknowledged version or a later one.
    """

    number: int
    fault: str
    injected: str
    holds: str
    proofs: tuple[str, ...] = ()
    not_applicable: str | None = None
