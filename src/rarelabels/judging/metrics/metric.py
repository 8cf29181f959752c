"""The record of a metric. What it is computed from decides its kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rarelabels.judging.arrays import Bools, Floats


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is known of a metric before anything is measured.

    Attributes:
        name: as it is recorded, after the part and the rule.
        words: what tables and sentences call it.
        lower_is_better: whether less is better.
        highest: its highest possible value; None where there is no bound.
        lowest: its lowest possible value, 0 for every metric of this package; None where there is no bound.
        is_of_calibration: whether a calibration that was fitted on the same rows flatters it.
        is_of_cells: whether each cell, a row's label, weighs the same. A row whose labels are not all known weighs as
            much as the labels that are.
    """

    name: str
    words: str
    lower_is_better: bool = False
    highest: float | None = 1.0
    lowest: float | None = 0.0
    is_of_calibration: bool = False
    is_of_cells: bool = False

    @property
    def shown(self) -> str:
        """The words, marked with an arrow where less is better."""
        return f"↓ {self.words}" if self.lower_is_better else self.words


def weights_of_rows(metrics: Iterable[Metric], known: Bools | None) -> dict[str, Floats]:
    """Return what rows weigh in the metrics of cells, by name, (n,): how many of their labels are known.

    Args:
        metrics: all metrics, of rows and of cells.
        known: (n, n_labels); None if all labels are known, so that all rows weigh the same: then nothing is returned.
    """
    if known is None:
        return {}
    weights = np.count_nonzero(known, axis=1).astype(np.float64)
    return {metric.name: weights for metric in metrics if metric.is_of_cells}
