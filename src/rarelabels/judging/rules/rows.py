"""The rows that choose the rules, and values that several rules need, each computed once, when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from rarelabels.judging.arrays import Bools, Floats
from rarelabels.judging.rules.definition import HALF, Rule, count_labels
from rarelabels.judging.rules.folds import splits
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ObjectiveSpec
from rarelabels.judging.sweeps.common_threshold import sweep_common
from rarelabels.judging.sweeps.each_label import Sweep, sweep_labels
from rarelabels.judging.sweeps.ordered import ALWAYS


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that choose the rules.

    Attributes:
        scores: of the rows.
        objective: what thresholds per label are best for.
        min_positives: positives that a label needs for a threshold of its own.
    """

    HALF: ClassVar[float] = HALF
    ALWAYS: ClassVar[float] = ALWAYS

    scores: Scores
    objective: ObjectiveSpec
    min_positives: int = 1

    def rule(
        self,
        name: str,
        thresholds: Floats | float,
        fallbacks: int = 0,
        *,
        at_least: int = 0,
        at_most: int | None = None,
        strength: float | None = None,
    ) -> Rule:
        """Return a rule for these labels; see ``definition.Rule``. A single threshold is used for every label."""
        of_labels = np.full(self.n_labels, thresholds) if np.ndim(thresholds) == 0 else np.asarray(thresholds)
        return Rule(name, of_labels, fallbacks, at_least, at_most, strength)

    @property
    def n_labels(self) -> int:
        """How many labels there are."""
        return int(self.scores.truth.shape[1])

    @property
    def n_without_positives(self) -> int:
        """How many labels have no positive."""
        return count_labels(self.scores.positives == 0)

    @property
    def below_all(self) -> float:
        """A threshold that all these scores reach, and every probability."""
        return min(ALWAYS, float(np.nextafter(self.scores.scores.min(), -np.inf)))

    def best_common(self, metric: str) -> float:
        """Return the threshold, common to all labels, that is best for a metric; 0.5 where no row has a label."""
        if metric == "micro_f1":
            return self.common
        return float(sweep_common(self.scores, metric).threshold)  # type: ignore[arg-type]  # rules name no other metric

    @cached_property
    def common(self) -> float:
        """The common threshold that is best for micro-F1; 0.5 where no row has a label."""
        return float(sweep_common(self.scores, "micro_f1").threshold) if self.scores.truth.any() else HALF

    @cached_property
    def sweep(self) -> Sweep:
        """The best threshold of each label for the objective."""
        return sweep_labels(self.scores, self.objective)

    @property
    def n_undefined(self) -> int:
        """For how many labels the objective is undefined."""
        return count_labels(~self.sweep.defined)

    @cached_property
    def has_own(self) -> Bools:
        """Which labels have enough positives for a threshold of their own, (n_labels,)."""
        return np.asarray(self.sweep.defined & (self.scores.positives >= self.min_positives))

    @property
    def n_without_own(self) -> int:
        """How many labels take the common threshold."""
        return count_labels(~self.has_own)

    @property
    def own_or_common(self) -> Floats:
        """The best threshold of each label, or the common one, (n_labels,)."""
        return np.where(self.has_own, self.sweep.thresholds, self.common)

    @cached_property
    def by_fold(self) -> list[tuple[Rows, Bools]]:
        """For each fold the rows of the other folds, and the mask of its rows; a single row chooses for itself."""
        return [(self._others(others if others.any() else fold), fold) for others, fold in splits(self.scores.truth)]

    def _others(self, rows: Bools) -> Rows:
        return Rows(self.scores.take(rows), self.objective, self.min_positives)
