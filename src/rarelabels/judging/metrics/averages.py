"""Precision, recall and F1 from the counts of each label: micro, macro, weighted, and of groups of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rarelabels.judging.arrays import Array, Bools, Floats
from rarelabels.judging.metrics.means import mean_over, ratio
from rarelabels.judging.metrics.metric import Metric

HEAD, MEDIUM = 100, 10  # positives a label needs to be in the group; fewer than MEDIUM: tail
MEASURES = {"precision": "precision", "recall": "recall", "f1": "F1"}


def precision_recall_f1(true_positives: Array, predicted: Array, actual: Array) -> dict[str, Floats]:
    """Return precision, recall and F1 of each cell; 0/0 counts 0."""
    return {
        "precision": ratio(true_positives, predicted),
        "recall": ratio(true_positives, actual),
        "f1": ratio(2 * true_positives, predicted + actual),
    }


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """Counts of each label, (..., n_labels), leading axes being resamples.

    Attributes:
        true_positives: rows that have the label and are given it.
        predicted: rows that are given the label.
        actual: rows that have the label.
        positives: each label's positives in the whole part, (n_labels,); they decide head, medium and tail.
    """

    true_positives: Array
    predicted: Array
    actual: Array
    positives: Array

    @cached_property
    def of_labels(self) -> dict[str, Floats]:
        """Precision, recall and F1 of each label."""
        return precision_recall_f1(self.true_positives, self.predicted, self.actual)

    @cached_property
    def total(self) -> Array:
        """The positives of all labels together, (...)."""
        return np.asarray(self.actual.sum(axis=-1))

    @cached_property
    def groups(self) -> dict[str, Bools]:
        """Which labels each group pools; ``micro`` pools all."""
        return {
            "micro": np.ones(self.positives.shape, dtype=bool),
            "head": self.positives >= HEAD,
            "medium": (self.positives >= MEDIUM) & (self.positives < HEAD),
            "tail": self.positives < MEDIUM,
        }

    @cached_property
    def pooled(self) -> dict[str, dict[str, Floats]]:
        """Precision, recall and F1 of the summed counts of each group; NaN for a group without labels."""
        return {name: self._of_sums(members) for name, members in self.groups.items()}

    def _of_sums(self, members: Bools) -> dict[str, Floats]:
        if not members.any():
            return dict.fromkeys(MEASURES, np.full(self.total.shape, np.nan))
        counts = (self.true_positives, self.predicted, self.actual)
        return precision_recall_f1(*(cells[..., members].sum(axis=-1) for cells in counts))


@dataclass(frozen=True, kw_only=True)
class CountMetric(Metric):
    """A function of the counts of all labels; a bootstrap gives it weighted counts.

    Attributes:
        of: the value, (...); NaN where it is undefined.
    """

    of: Callable[[LabelCounts], Floats]


def _macro(measure: str) -> Callable[[LabelCounts], Floats]:
    return lambda counts: mean_over(counts.of_labels[measure], counts.actual > 0)


def _weighted(measure: str) -> Callable[[LabelCounts], Floats]:
    return lambda counts: ratio(
        (counts.of_labels[measure] * counts.actual).sum(axis=-1), counts.total, undefined=np.nan
    )


def _pooled(group: str, measure: str) -> Callable[[LabelCounts], Floats]:
    return lambda counts: counts.pooled[group][measure]


def _words(average: str, measure: str) -> str:
    joined = "-" if measure == "f1" and average in ("micro", "macro") else " "
    return f"{average}{joined}{MEASURES[measure]}"


COUNT_METRICS = (
    *(
        CountMetric(name=f"{average}_{measure}", words=_words(average, measure), of=of(measure))
        for measure in MEASURES
        for average, of in (("macro", _macro), ("weighted", _weighted))
    ),
    *(
        CountMetric(name=f"{group}_{measure}", words=_words(group, measure), of=_pooled(group, measure))
        for group in ("micro", "head", "medium", "tail")
        for measure in MEASURES
    ),
)


def averages(counts: LabelCounts) -> dict[str, Floats]:
    """Return every metric of this kind, each of shape (...); NaN where it is undefined."""
    return {metric.name: metric.of(counts) for metric in COUNT_METRICS}
