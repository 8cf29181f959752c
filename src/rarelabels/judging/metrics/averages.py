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
CELLS_AT_ONCE = 2_000_000
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

    def of_group(self, group: str) -> tuple[Array, Array, Array]:
        """Return the summed counts of a group, each (...): hits, assigned, positives."""
        return self._summed(self.groups[group])

    def _summed(self, members: Bools) -> tuple[Array, Array, Array]:
        counts = (self.true_positives, self.predicted, self.actual)
        hits, assigned, positives = (cells[..., members].sum(axis=-1) for cells in counts)
        return hits, assigned, positives

    def _of_sums(self, members: Bools) -> dict[str, Floats]:
        if not members.any():
            return dict.fromkeys(MEASURES, np.full(self.total.shape, np.nan))
        return precision_recall_f1(*self._summed(members))


@dataclass(frozen=True, kw_only=True)
class CountMetric(Metric):
    """A function of the counts of all labels.

    Attributes:
        of: the value, (...); NaN where it is undefined.
        slopes: its derivatives by the counts of each label, (3, n_labels): by hits, by assigned rows, by positives.
    """

    of: Callable[[LabelCounts], Floats]
    slopes: Callable[[LabelCounts], Floats]


def _macro(measure: str) -> Callable[[LabelCounts], Floats]:
    return lambda counts: mean_over(counts.of_labels[measure], counts.actual > 0)


def _slopes_of_macro(measure: str) -> Callable[[LabelCounts], Floats]:
    def slopes(counts: LabelCounts) -> Floats:
        covered = counts.actual > 0
        each = _slopes(measure, counts.true_positives, counts.predicted, counts.actual)
        return np.where(covered, each, 0.0) / max(1, int(covered.sum()))

    return slopes


def _weighted(measure: str) -> Callable[[LabelCounts], Floats]:
    return lambda counts: ratio(
        (counts.of_labels[measure] * counts.actual).sum(axis=-1), counts.total, undefined=np.nan
    )


def _slopes_of_weighted(measure: str) -> Callable[[LabelCounts], Floats]:
    def slopes(counts: LabelCounts) -> Floats:
        found = _slopes(measure, counts.true_positives, counts.predicted, counts.actual) * counts.actual
        found[2] += counts.of_labels[measure] - _weighted(measure)(counts)
        return ratio(found, counts.total)

    return slopes


def _pooled(group: str, measure: str) -> Callable[[LabelCounts], Floats]:
    return lambda counts: counts.pooled[group][measure]


def _slopes_of_pooled(group: str, measure: str) -> Callable[[LabelCounts], Floats]:
    def slopes(counts: LabelCounts) -> Floats:
        of_sums = _slopes(measure, *counts.of_group(group))
        return np.where(counts.groups[group], of_sums[:, np.newaxis], 0.0)

    return slopes


def _slopes(measure: str, hits: Array, assigned: Array, positives: Array) -> Floats:
    """Return the derivatives of a measure by its three counts, (3, ...); 0 where it is 0/0."""
    below, parts = {
        "precision": (assigned, (False, True, False)),
        "recall": (positives, (False, False, True)),
        "f1": (assigned + positives, (False, True, True)),
    }[measure]
    twice = 2 if measure == "f1" else 1
    by_hits, by_below = ratio(np.asarray(twice), below), ratio(-twice * hits, np.square(below, dtype=np.float64))
    return np.stack([by_hits, *(by_below if part else np.zeros_like(by_below) for part in parts[1:])])


def _words(average: str, measure: str) -> str:
    joined = "-" if measure == "f1" and average in ("micro", "macro") else " "
    return f"{average}{joined}{MEASURES[measure]}"


COUNT_METRICS = (
    *(
        CountMetric(name=f"{average}_{measure}", words=_words(average, measure), of=of(measure), slopes=slopes(measure))
        for measure in MEASURES
        for average, of, slopes in (
            ("macro", _macro, _slopes_of_macro),
            ("weighted", _weighted, _slopes_of_weighted),
        )
    ),
    *(
        CountMetric(
            name=f"{group}_{measure}",
            words=_words(group, measure),
            of=_pooled(group, measure),
            slopes=_slopes_of_pooled(group, measure),
        )
        for group in ("micro", "head", "medium", "tail")
        for measure in MEASURES
    ),
)


def averages(counts: LabelCounts) -> dict[str, Floats]:
    """Return every metric of this kind, each of shape (...); NaN where it is undefined."""
    return {metric.name: metric.of(counts) for metric in COUNT_METRICS}


def influences_of_averages(truth: Bools, assigned: Bools) -> dict[str, Floats]:
    """Return the influence of each row on every metric of this kind, each (n,); 0 where the metric is undefined.

    Both arguments are False where a label is not known, (n, n_labels).
    """
    hits = truth & assigned
    actual = truth.sum(axis=0)
    counts = LabelCounts(hits.sum(axis=0), assigned.sum(axis=0), actual, positives=actual)
    slopes = np.stack([metric.slopes(counts) for metric in COUNT_METRICS])
    found = np.empty((len(truth), len(COUNT_METRICS)))
    step = max(1, CELLS_AT_ONCE // truth.shape[1])
    for start in range(0, len(truth), step):
        rows = slice(start, start + step)
        found[rows] = sum(
            cells[rows].astype(np.float64) @ slopes[:, number].T for number, cells in enumerate((hits, assigned, truth))
        )
    return {metric.name: found[:, number] for number, metric in enumerate(COUNT_METRICS)}
