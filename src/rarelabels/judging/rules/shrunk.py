"""Rules for labels with few positives: thresholds drawn towards the global one, and medians over folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarelabels.judging.arrays import Bools, Floats
from rarelabels.judging.rules.definition import Rule, count_labels
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.sweeps.each_label import objective_values

STRENGTHS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, float("inf"))


@dataclass(frozen=True, eq=False)
class Shrinkable:
    """The labels' own thresholds, the positives that chose them, which labels have one; and the global threshold.

    The first three have shape (n_labels,). A label without a threshold of its own has the global one.
    """

    own: Floats
    positives: NDArray[np.int64]
    has_own: Bools
    common: float

    @classmethod
    def of(cls, rows: Rows) -> Shrinkable:
        """Return the thresholds that these rows choose."""
        positives, sweep, by_label = rows.scores.positives, rows.sweep, rows.scores.by_label
        lowest, highest = (
            np.concatenate(ends) for ends in zip(*((o.lowest(), o.highest()) for o in by_label), strict=True)
        )
        # "Never" and "always" lie far from all scores. They are moved to the nearest threshold that decides the same.
        own = np.clip(sweep.thresholds, lowest, np.nextafter(highest, np.inf))
        has_own = sweep.defined & (positives > 0)
        return cls(np.where(has_own, own, rows.common), positives, has_own, rows.common)

    def shrunk(self, strength: float) -> Floats:
        """Return thresholds that lie p / (p + strength) of the way from the global one to the label's own."""
        weight = np.where(self.has_own, self.positives / (np.maximum(self.positives, 1) + strength), 0.0)
        return np.asarray(weight * self.own + (1 - weight) * self.common)


def shrunk_rule(name: str, rows: Rows) -> Rule:
    """Return ``per_label_shrunk`` with the strength that decides best on the folds left out."""
    whole = Shrinkable.of(rows)
    by_fold = [(Shrinkable.of(others), fold) for others, fold in rows.by_fold]
    reached = [_left_out_mean(rows, by_fold, strength) for strength in STRENGTHS]
    best = max(zip(reached, STRENGTHS, strict=True))[1]  # the largest of equally good strengths
    return rows.rule(name, whole.shrunk(best), count_labels(~whole.has_own), strength=best)


def _left_out_mean(rows: Rows, by_fold: Sequence[tuple[Shrinkable, Bools]], strength: float) -> float:
    """Return the mean objective over labels with a positive. Decisions are those on the folds left out, pooled."""
    part, truth, scores = rows.scores, rows.scores.truth, rows.scores.scores
    assigned = np.empty(truth.shape, dtype=bool)
    for chosen, fold in by_fold:
        assigned[fold] = scores[fold] >= chosen.shrunk(strength)
    assigned = part.counted(assigned)
    hits, predicted, positives = (np.count_nonzero(cells, axis=0) for cells in (truth & assigned, assigned, truth))
    values = objective_values(rows.objective, hits, predicted, positives, part.n_known)[positives > 0]
    defined = ~np.isnan(values)
    return round(float(values[defined].mean()), 12) if defined.any() else 0.0


def median_rule(name: str, rows: Rows) -> Rule:
    """Return ``per_label_crossfit``: the median of the thresholds chosen with each fold left out."""
    chosen = np.stack([others.sweep.thresholds for others, _ in rows.by_fold])
    defined = np.stack([others.sweep.defined for others, _ in rows.by_fold])
    with_own = rows.has_own & defined.any(axis=0)  # undefined without the fold of a label's only positive
    medians = np.full(with_own.shape, rows.common)
    medians[with_own] = np.nanmedian(np.where(defined, chosen, np.nan)[:, with_own], axis=0)
    return rows.rule(name, medians, count_labels(~with_own))
