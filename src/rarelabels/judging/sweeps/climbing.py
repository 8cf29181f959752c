"""Coordinate ascent over the thresholds of all labels, for metrics that do not split into labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Bools, Floats, Integers
from rarelabels.judging.scores import Scores
from rarelabels.judging.sweeps.ordered import ROUNDING, UndefinedLabel, beyond_highest, threshold

AscentMetric: TypeAlias = Literal["macro_f1", "samples_f1", "subset_accuracy"]


@dataclass(frozen=True, eq=False)
class Ascent:
    """Where coordinate ascent came to rest: thresholds (n_labels,), the metric there, rounds over all labels."""

    thresholds: Floats
    value: float
    sweeps: int


def coordinate_ascent(y_true: ArrayLike, y_score: ArrayLike, metric: AscentMetric, start: Floats) -> Ascent:
    """Return thresholds per label that no change of a single one improves.

    One label after the other gets its exact best threshold, given the others. Candidates are every distinct score, and
    to assign the label nowhere. A threshold moves only for a gain of more than 1e-12; of equally good cuts it takes the
    one that assigns the fewest rows. The ascent ends when a round over all labels moves none. In macro-F1 labels do not
    depend on each other, so there the end is the maximum.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).
        metric: as ``metrics.decision_metrics`` has it: macro over labels with a positive, samples over all rows.
        start: thresholds, shape (n_labels,).

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all; subset accuracy is defined even then.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    return climb(Scores.from_arrays(y_true, y_score), metric, start)


def climb(scores: Scores, metric: AscentMetric, start: Floats) -> Ascent:
    """Return thresholds per label that no change of a single one improves; see :func:`coordinate_ascent`."""
    if metric != "subset_accuracy" and not scores.truth.any():
        n_labels = scores.truth.shape[1]
        raise UndefinedLabel(f"y_true: no positives in {n_labels} labels; {metric} has no maximum to choose")
    path = _Climb(scores, metric, np.array(start, dtype=np.float64))
    sweeps = 1
    while path.round():
        sweeps += 1
    return Ascent(path.thresholds, path.value(), sweeps)


class _Climb:
    """The thresholds of an ascent, and the counts of each row under them."""

    def __init__(self, part: Scores, metric: AscentMetric, start: Floats) -> None:
        truth, scores = part.truth, part.scores
        self.part, self.truth, self.scores, self.metric, self.thresholds = part, truth, scores, metric, start
        self.rounding = ROUNDING * (1 if metric == "macro_f1" else len(truth))  # the others are sums over rows
        self.order = [self._known_first(label) for label in range(truth.shape[1])]
        self.assigned: Bools = part.counted(scores >= start)
        self.actual = np.count_nonzero(truth, axis=1)
        self.hits = np.count_nonzero(truth & self.assigned, axis=1)
        self.predicted = np.count_nonzero(self.assigned, axis=1)

    def _known_first(self, label: int) -> Integers:
        """Return the rows in which a label is known, from the highest score to the lowest."""
        order = np.argsort(self.scores[:, label])[::-1]
        return order if self.part.known is None else order[self.part.known[order, label]]

    def value(self) -> float:
        if self.metric == "macro_f1":
            hits, predicted = (np.count_nonzero(cells, axis=0) for cells in (self.truth & self.assigned, self.assigned))
            positives = np.count_nonzero(self.truth, axis=0)
            f1 = 2 * hits / np.maximum(predicted + positives, 1)
            return float(f1[positives > 0].mean())
        of_rows = self._of_rows(self.hits, self.predicted)
        return float((of_rows if self.part.known is None else of_rows[self.part.known.any(axis=1)]).mean())

    def round(self) -> bool:
        """Set each label to its best; return whether any moved."""
        moved = [self._set_best(label) for label in range(self.truth.shape[1])]
        return any(moved)

    def _set_best(self, label: int) -> bool:
        order, truth, assigned = self.order[label], self.truth[:, label], self.assigned[:, label]
        if not order.size:
            return False
        scores = self.scores[order, label]
        values, now = self._of_cuts(truth, assigned, order)
        possible = np.concatenate([[True], scores[:-1] != scores[1:], [True]])  # equal scores share a side
        values = np.where(possible, values, -np.inf)
        best = int(np.argmax(values >= values.max() - self.rounding))
        if values[best] <= now + self.rounding:
            return False
        self._move(label, best, scores.astype(np.float64))
        return True

    def _of_cuts(self, truth: Bools, assigned: Bools, order: Integers) -> tuple[Floats, float]:
        """Return the gain of assigning the label to the first 0 … n rows of ``order``, and its gain as assigned now."""
        if self.metric == "macro_f1":
            hits, positives = np.append(0, np.cumsum(truth[order])), np.count_nonzero(truth)
            f1 = 2 * hits / np.maximum(np.arange(hits.size) + positives, 1)
            now = 2 * np.count_nonzero(truth & assigned) / np.maximum(np.count_nonzero(assigned) + positives, 1)
            return f1, float(now)
        hits, predicted = self.hits - (truth & assigned), self.predicted - assigned
        gains = self._of_rows(hits + truth, predicted + 1) - self._of_rows(hits, predicted)
        return np.concatenate([[0.0], np.cumsum(gains[order])]), float(gains[assigned].sum())

    def _of_rows(self, hits: Integers, predicted: Integers) -> Floats:
        if self.metric == "subset_accuracy":
            right: Bools = (hits == self.actual) & (predicted == self.actual)
            return right.astype(np.float64)
        f1: Floats = 2 * hits / np.maximum(predicted + self.actual, 1)  # 0/0 counts 0
        return f1

    def _move(self, label: int, n_assigned: int, scores: Floats) -> None:
        if n_assigned == 0:
            self.thresholds[label] = beyond_highest(scores[0])
        else:
            lower = scores[n_assigned] if n_assigned < scores.size else np.float64(-np.inf)
            self.thresholds[label] = threshold(lower, scores[n_assigned - 1])
        assigned = self.scores[:, label] >= self.thresholds[label]
        if self.part.known is not None:
            assigned &= self.part.known[:, label]
        truth, before = self.truth[:, label], self.assigned[:, label]
        self.hits = self.hits + (truth & assigned) - (truth & before)
        self.predicted = self.predicted + assigned.astype(np.int64) - before
        self.assigned[:, label] = assigned
