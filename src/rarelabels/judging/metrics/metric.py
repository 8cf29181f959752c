"""The record of a metric. What it is computed from decides its kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is known of a metric before anything is measured. The lowest value of every metric is 0.

    Attributes:
        name: as it is recorded, after the part and the rule.
        words: what tables and sentences call it.
        lower_is_better: whether less is better.
        highest: its highest possible value; None where there is no bound.
        is_of_calibration: whether a calibration that was fitted on the same rows flatters it.
    """

    name: str
    words: str
    lower_is_better: bool = False
    highest: float | None = 1.0
    is_of_calibration: bool = False

    @property
    def shown(self) -> str:
        """The words, marked with an arrow where less is better."""
        return f"↓ {self.words}" if self.lower_is_better else self.words
