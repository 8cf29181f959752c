"""Rules for labels with few positives: thresholds drawn towards the global one, and medians over folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarelabels.judging.arrays import Array, Bools, Floats
from rarelabels.judging.rules.definition import HALF, Rule, count_labels
from rarelabels.judging.settings import ObjectiveSpec
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import Sweep, best_thresholds, objective_values

STRENGTHS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, float("inf"))


@dataclass(frozen=True, eq=False)
class Shrinkable:
    """Own thresholds (n_labels,), how many positives chose them (n_labels,), where there are any; the global one."""

    own: Floats
    positives: NDArray[np.int64]
    there: Bools
    common: float

    @classmethod
    def of(cls, truth: Bools, scores: Array, sweep: Sweep, common: float) -> Shrinkable:
        """Return what a sweep found on these rows."""
        positives = np.count_nonzero(truth, axis=0)
        lowest = scores.min(axis=0).astype(np.float64)
        # "Never" and "always" lie far from all scores: drawn to where they just still decide as they do.
        just_above = np.nextafter(scores.max(axis=0).astype(np.float64), np.inf)
        own = np.clip(sweep.thresholds, lowest, just_above)
        return cls(own, positives, sweep.defined & (positives > 0), common)

    def shrunk(self, strength: float) -> Floats:
        """Return thresholds p / (p + strength) of the way from the global one to a label's own."""
        weight = np.where(self.there, self.positives / (np.maximum(self.positives, 1) + strength), 0.0)
        return np.asarray(weight * self.own + (1 - weight) * self.common)


@dataclass(frozen=True, eq=False)
class FoldChoice:
    """What was chosen on all folds but one: the thresholds per label, what shrinks them; and the rows of that one."""

    sweep: Sweep
    shrinkable: Shrinkable
    fold: Bools

    @classmethod
    def on(cls, truth: Bools, scores: Array, others: Bools, fold: Bools, objective: ObjectiveSpec) -> FoldChoice:
        """Choose on the rows ``others``, (rows,), for the rows ``fold``."""
        if not others.any():  # a single row
            others = fold
        y, s = truth[others], scores[others]
        common = float(best_common_threshold(y, s, "micro_f1").threshold) if y.any() else HALF
        sweep = best_thresholds(y, s, objective)
        return cls(sweep, Shrinkable.of(y, s, sweep, common), fold)


def shrunk_rule(
    truth: Bools, scores: Array, by_fold: Sequence[FoldChoice], whole: Shrinkable, objective: ObjectiveSpec
) -> Rule:
    """Return ``per_label_shrunk``: of all strengths the one that decides best on the folds left out."""
    reached = [_left_out_mean(truth, scores, by_fold, strength, objective) for strength in STRENGTHS]
    best = max(zip(reached, STRENGTHS, strict=True))[1]  # of equals the largest strength
    return Rule("per_label_shrunk", whole.shrunk(best), count_labels(~whole.there), strength=best)


def _left_out_mean(
    truth: Bools, scores: Array, by_fold: Sequence[FoldChoice], strength: float, objective: ObjectiveSpec
) -> float:
    """Return the mean objective, over labels with a positive, of decisions on folds left out, pooled."""
    assigned = np.empty(truth.shape, dtype=bool)
    for choice in by_fold:
        assigned[choice.fold] = scores[choice.fold] >= choice.shrinkable.shrunk(strength)
    hits, predicted, positives = (np.count_nonzero(cells, axis=0) for cells in (truth & assigned, assigned, truth))
    values = objective_values(objective, hits, predicted, positives, len(truth))[positives > 0]
    defined = ~np.isnan(values)
    return round(float(values[defined].mean()), 12) if defined.any() else 0.0


def median_rule(by_fold: Sequence[FoldChoice], own: Bools, common: float) -> Rule:
    """Return ``per_label_crossfit``: the median of what was chosen with each fold left out."""
    chosen = np.stack([choice.sweep.thresholds for choice in by_fold])
    defined = np.stack([choice.sweep.defined for choice in by_fold])
    there = own & defined.any(axis=0)  # a single positive is in no fold but one, and missing where that is left out
    medians = np.full(own.shape, common)
    medians[there] = np.nanmedian(np.where(defined, chosen, np.nan)[:, there], axis=0)
    return Rule("per_label_crossfit", medians, count_labels(~there))
