"""From a score to a probability, and the probability from which on a question is answered: a record of numbers.

The shipped one serves notes never seen. One that was fitted to a person's own questions is kept in the index.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["CLUES", "DECIMALS", "SHIPPED", "Calibration"]

CLUES = 2
"""The version of the clues and their weights: raise it with any change to them. What was fitted to others is void."""

DECIMALS = 4
"""Confidences are rounded to these, so that the last bits of an embedding decide nothing."""
_LIMIT = 0.5 * 10**-DECIMALS


@dataclass(frozen=True, slots=True)
class Calibration:
    """The line that log-odds are drawn onto, and the threshold in (0, 1).

    `answerable` and `unanswerable` are the numbers of questions that it was fitted to, `fitted_at` when; 0 and None for
    the shipped one. `clues` is the version of those that its log-odds are the sum of.
    """

    threshold: float
    slope: float = 1.0
    shift: float = 0.0
    answerable: int = 0
    unanswerable: int = 0
    fitted_at: str | None = None
    clues: int = CLUES

    def confidence(self, log_odds: float) -> float:
        """The probability that the notes hold the answer, in [0, 1]."""
        return round(1 / (1 + math.exp(-max(-50.0, min(50.0, self.slope * log_odds + self.shift)))), DECIMALS)

    def log_odds(self, confidence: float) -> float:
        """What `confidence` was made from, as far as rounding left it."""
        inside = min(max(confidence, _LIMIT), 1 - _LIMIT)
        return (math.log(inside / (1 - inside)) - self.shift) / self.slope

    @property
    def origin(self) -> str:
        """What it was fitted to and when, and from which confidence on questions are answered, in words."""
        questions = f"{self.answerable} answerable and {self.unanswerable} other questions"
        return f"{questions}, {self.fitted_at or 'as shipped'}: answers from {self.threshold:.3f} on"


SHIPPED = Calibration(threshold=0.19)
"""Low, because the clues weigh as if every second question had no answer, and to be sent away wrongly is worse than to
be shown a sentence that does not help. docs/decisions/0006 has the curve."""
