"""Exact sweeps: the thresholds that are best on given rows, with every distinct score as a candidate.

A label is assigned where ``score >= threshold``, so equal scores are always on the same side. Thresholds are float64
and lie strictly above the next lower score: in the middle of the gap, or on the upper score when there is no float
between the two. ``NEVER`` and ``ALWAYS`` lie beyond every probability; for other scores they are moved further out. Of
thresholds that are equally good, the one that assigns the fewest labels is taken.

Why only cuts at a positive's score, and "nothing", are looked at: where the lowest assigned score is held by negatives
alone, leaving them out keeps every true positive and lowers the false ones. That raises F-beta and Jaccard (or leaves
them at 0, below the cut at the highest positive), raises the share of negatives that are right, and lowers the cost, as
a false positive costs more than a true negative. The same holds of a sum over labels or rows.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rarelabels.schema import F1, BalancedAccuracy, CostMatrix, FBeta, Jaccard, ObjectiveSpec

Array: TypeAlias = NDArray[Any]
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

# A NumPy scalar and not a Python float: NumPy rounds a Python float to float32 before comparing float32 scores with it.
Threshold: TypeAlias = np.float64

CommonMetric: TypeAlias = Literal["micro_f1", "macro_f1", "samples_f1", "subset_accuracy"]
AscentMetric: TypeAlias = Literal["macro_f1", "samples_f1", "subset_accuracy"]

NEVER = 2.0
ALWAYS = -1.0
CELLS_AT_ONCE = 1 << 18  # what of the keys, and of what is computed from them, stays near the processor
LABELS_AT_ONCE = 16  # at least: a row of a block is then a cache line or two, read once
BITS = 7  # of the fraction of a score, by which cells are counted before any is sorted
ROUNDING = 1e-12  # mean F1 that differ by less are taken as equal


class UndefinedLabel(ValueError):  # noqa: N818 - it names what is wrong
    """No positives: every threshold has F1 0, so none is best."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """The best threshold of every label.

    Attributes:
        thresholds: shape (n_labels,).
        values: the objective reached on the swept rows, shape (n_labels,); 0 where undefined. Of a cost matrix: minus
            the mean cost of a row.
        defined: whether the objective has a maximum, shape (n_labels,); see :func:`best_thresholds`.
    """

    thresholds: Floats
    values: Floats
    defined: Bools


@dataclass(frozen=True)
class CommonThreshold:
    """The best threshold common to all labels, and the metric it reaches on the swept rows."""

    threshold: Threshold
    value: float


@dataclass(frozen=True, eq=False)
class MicroSweep:
    """The thresholds per label, shape (n_labels,), with the highest micro-F1; that micro-F1; Dinkelbach's steps."""

    thresholds: Floats
    value: float
    iterations: int


@dataclass(frozen=True)
class TopK:
    """How many of its highest-scored labels each row is given, and the samples F1 this reaches on the swept rows."""

    k: int
    value: float


@dataclass(frozen=True, eq=False)
class Ascent:
    """Where coordinate ascent came to rest: thresholds (n_labels,), the metric there, rounds over all labels."""

    thresholds: Floats
    value: float
    sweeps: int


# The best of each label


def best_thresholds(y_true: ArrayLike, y_score: ArrayLike, objective: ObjectiveSpec = F1) -> Sweep:
    """Return the best threshold of every label for an objective.

    Exact, O(n log n) for each label. Scores 0.9, 0.7, 0.2 of a positive, a positive and a negative give 0.45.

    Undefined are: F-beta and Jaccard of a label without positives ("never"); balanced accuracy of a label without
    positives ("never") or without negatives ("always"). Their value is 0. A cost is always defined.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels); higher means more likely positive. Fast for scores that are not
            negative; 0.0 and -0.0 are equal.
        objective: what is to be as high as possible; of a cost matrix, minus the cost.

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.

    Source: Lipton, Elkan and Naryanaswamy (2014), "Optimal thresholding of classifiers to maximize F1".
    """
    truth, scores = checked(y_true, y_score)
    blocks = [_best_of_block(cuts, objective) for cuts in _cuts_by_block(truth, scores)]
    thresholds, values, defined = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Sweep(thresholds, values, defined)


def objective_values(
    objective: ObjectiveSpec, hits: Array, assigned: Array, positives: ArrayLike, n_rows: int
) -> Floats:
    """Return the objective from counts that broadcast; NaN where 0/0.

    Args:
        objective: of a cost matrix: minus the mean cost of a row.
        hits: true positives.
        assigned: rows the label is assigned to.
        positives: rows that have the label.
        n_rows: all rows.
    """
    positives = np.asarray(positives)
    missed, false, negatives = positives - hits, assigned - hits, n_rows - positives
    values: Array
    with np.errstate(invalid="ignore"):
        match objective:
            case FBeta(beta=beta):
                # One rounding, in the division, wherever beta² is a float: equal values are then equal floats.
                values = (1 + beta**2) * hits / (beta**2 * positives + assigned)
            case Jaccard():
                values = hits / (positives + false)
            case BalancedAccuracy():
                values = (hits / positives + (negatives - false) / negatives) / 2
            case CostMatrix() as cost:
                wrong = cost.false_negative * missed + cost.false_positive * false
                right = cost.true_positive * hits + cost.true_negative * (negatives - false)
                values = -(wrong + right) / n_rows
    return np.asarray(values, dtype=np.float64)


def _best_of_block(cuts: _Cuts, objective: ObjectiveSpec) -> tuple[Floats, Floats, Bools]:
    """Return thresholds, values and which are defined."""
    merits = _merits(objective, cuts)
    best, chosen = _highest_of_each(merits, cuts.bounds)
    nothing = (chosen < 0) | (best <= 0)  # every merit of assigning nothing is 0
    hits, assigned = cuts.counts(chosen, nothing)
    values = objective_values(objective, hits, assigned, cuts.positives, cuts.n_rows)
    thresholds = cuts.thresholds(chosen, nothing)
    defined = _is_defined(objective, cuts)
    if isinstance(objective, BalancedAccuracy):
        full = cuts.positives == cuts.n_rows
        thresholds[full] = _beyond_lowest(cuts.ordered.lowest()[full])
    return thresholds, np.where(defined, values, 0.0), defined


def _merits(objective: ObjectiveSpec, cuts: _Cuts) -> Array:
    """Return what orders the cuts of a label like the objective does: above 0 where better than assigning nothing."""
    sizes = np.diff(cuts.bounds)
    match objective:
        case BalancedAccuracy():
            # Balanced accuracy above nothing's 1/2, times 2 · positives · negatives: whole numbers have no rounding.
            positives = np.repeat(cuts.positives, sizes)
            merits: Array = cuts.hits * (cuts.n_rows - positives) - (cuts.assigned - cuts.hits) * positives
        case CostMatrix() as cost:
            saved, spent = cost.false_negative - cost.true_positive, cost.false_positive - cost.true_negative
            merits = saved * cuts.hits - spent * (cuts.assigned - cuts.hits)
        case _:
            positives = np.repeat(cuts.positives, sizes)
            merits = objective_values(objective, cuts.hits, cuts.assigned, positives, cuts.n_rows)
    return merits


def _is_defined(objective: ObjectiveSpec, cuts: _Cuts) -> Bools:
    match objective:
        case CostMatrix():
            return np.ones(cuts.positives.shape, dtype=bool)
        case BalancedAccuracy():
            return np.asarray((cuts.positives > 0) & (cuts.positives < cuts.n_rows))
        case _:
            return np.asarray(cuts.positives > 0)


# One for all labels


def best_common_threshold(
    y_true: ArrayLike, y_score: ArrayLike, metric: CommonMetric, *, at_least_one: bool = False
) -> CommonThreshold:
    """Return the one threshold, common to all labels, with the highest value of a metric.

    Exact for ``micro_f1`` (the F1 of all cells taken as one label) and ``subset_accuracy``; for ``macro_f1`` and
    ``samples_f1`` up to the rounding of sums of F1: values within 1e-12 count as equal.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).
        metric: as ``metrics.decision_metrics`` has it: macro over labels with a positive, samples over all rows.
        at_least_one: a row without a score that reaches the threshold is given its highest-scored label; labels that
            tie for it come together.

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all; subset accuracy is defined even then.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_true, y_score)
    if metric != "subset_accuracy" and not truth.any():
        raise UndefinedLabel(f"y_true: no positives in {truth.shape[1]} labels; {metric} has no maximum to choose")
    highest = float(scores.max())
    if at_least_one:
        # A row's highest score is assigned whatever the threshold, as if it were infinite.
        scores = np.where(scores == scores.max(axis=1, keepdims=True), np.inf, scores)
    match metric:
        case "micro_f1":
            upper, lower, value = _best_pooled(truth, scores)
        case "macro_f1":
            upper, lower, total = _best_sum_of_f1(truth.T, scores.T)
            value = total / np.count_nonzero(truth.any(axis=0))
        case "samples_f1":
            upper, lower, total = _best_sum_of_f1(truth, scores)
            value = total / len(truth)
        case "subset_accuracy":
            upper, lower, value = _best_subset(truth, scores)
    if np.isposinf(upper):
        return CommonThreshold(Threshold(_beyond_highest(np.float64(highest))), value)
    return CommonThreshold(Threshold(_threshold(np.float64(lower), np.float64(upper))), value)


def _best_pooled(truth: Bools, scores: Array) -> tuple[float, float, float]:
    """Return the score of the best cut, the next lower one (-inf: none) and the micro-F1."""
    if scores.dtype in (np.float32, np.float64) and scores.min() >= 0:
        cuts = _promising_cuts(truth, scores)
    else:
        cuts = _find_cuts(order_cells(truth.reshape(1, -1), scores.reshape(1, -1)))
    best, chosen = _highest_of_each(_merits(F1, cuts), cuts.bounds)
    upper = float(cuts.ordered.scores_at(cuts.places[chosen])[0])
    lower = max(
        float(np.max(scores[rows], where=scores[rows] < upper, initial=-np.inf)) for rows in slices(*scores.shape)
    )
    return upper, lower, float(best[0])


def _promising_cuts(truth: Bools, scores: Array) -> _Cuts:
    """Return, of all cells taken as one label, the cuts that can have the best F1: a few need sorting, not all.

    Cells are counted in bins of their scores. A cut inside a bin has at most the hits of the whole bin, and at least
    the false positives of the bins above; a bin where that is less than the F1 at the edge of another is left out.
    """
    positives = int(np.count_nonzero(truth))
    lowest, highest = (int(_bins(np.asarray(end))) for end in (scores.min(), scores.max()))
    cells, ones = (np.zeros(highest - lowest + 1, dtype=np.int64) for _ in range(2))
    for rows in slices(*scores.shape):
        bins = _bins(scores[rows]) - lowest
        cells += np.bincount(bins.reshape(-1), minlength=cells.size)
        ones += np.bincount(bins[truth[rows]], minlength=ones.size)
    assigned, hits = (np.cumsum(counts[::-1])[::-1] for counts in (cells, ones))
    at_edge = 2 * hits / (positives + assigned)
    at_most = 2 * hits / (positives + assigned - cells + ones)
    promising = (ones > 0) & (at_most >= at_edge.max())
    some_truth, some_scores = [], []
    for rows in slices(*scores.shape):
        near = promising[_bins(scores[rows]) - lowest]
        some_truth.append(truth[rows][near])
        some_scores.append(scores[rows][near])
    ordered = order_cells(np.concatenate(some_truth)[np.newaxis], np.concatenate(some_scores)[np.newaxis])
    places = ordered.positive_places()
    bins = _bins(ordered.all_scores()[0]) - lowest
    end, own = np.searchsorted(bins, bins[places], side="right"), bins[places]
    return _Cuts(
        ordered,
        places,
        hits=np.searchsorted(places, end) - np.arange(places.size) + (hits - ones)[own],
        assigned=end - places + (assigned - cells)[own],
        bounds=np.array([0, places.size]),
        positives=np.array([positives]),
    )


def _bins(scores: Array) -> Integers:
    """Return whole numbers that rise with the scores, none below 0: their exponents and ``BITS`` bits of what follows.

    Between 0.5 and 1 are 128 bins, as many as between 0.25 and 0.5.
    """
    unsigned = np.dtype(f"u{scores.dtype.itemsize}")
    without_sign = np.left_shift(scores.view(unsigned), unsigned.type(1))
    dropped = np.finfo(scores.dtype).nmant - BITS + 1
    bins: Integers = (without_sign >> unsigned.type(dropped)).astype(np.int64)
    return bins


def _best_sum_of_f1(truth: Bools, scores: Array) -> tuple[float, float, float]:
    """Return the score of the best cut, the next lower one (-inf: none) and the sum of the F1 of all groups there.

    Every cell changes the F1 of its own group (label or row) alone, by a step that is known from the order within the
    group; the sum at a cut is the sum of the steps of all cells above it.

    Args:
        truth: shape (groups, n).
        scores: shape (groups, n).
    """
    steps, cells = np.empty(truth.shape), np.empty(truth.shape, dtype=scores.dtype)
    for block in slices(*truth.shape):
        ordered = order_cells(truth[block], scores[block])
        steps[block], cells[block] = _f1_steps(ordered), ordered.all_scores()
    ascending = cells.reshape(-1)
    sums = steps.reshape(-1)[np.argsort(ascending)]
    ascending.sort()  # cheaper, and smaller, than picking them in that order
    downwards = sums[::-1]
    np.cumsum(downwards, out=downwards)
    sums[1:][ascending[1:] == ascending[:-1]] = -np.inf  # equal scores share a side
    best = int(np.flatnonzero(sums >= sums.max() - ROUNDING * len(truth))[-1])
    lower = ascending[best - 1] if best else -np.inf
    return float(ascending[best]), float(lower), float(sums[best])


def _f1_steps(ordered: Ordered) -> Floats:
    """Return by how much each cell, in the order of its group, changes the F1 of the cells above it."""
    n = ordered.keys.shape[1]
    f1 = _f1_from(ordered)
    steps = f1.copy()
    steps[:, : n - 1] -= f1[:, 1:]
    return steps


def _f1_from(ordered: Ordered) -> Floats:
    """Return the F1 of each group when all cells from a position upwards are assigned; shape (groups, n)."""
    n = ordered.keys.shape[1]
    hits = np.cumsum(ordered.positives()[:, ::-1], axis=1)[:, ::-1]
    f1: Floats = 2 * hits / (hits[:, :1] + np.arange(n, 0, -1))
    return f1


def _best_subset(truth: Bools, scores: Array) -> tuple[float, float, float]:
    """Return the score of the best cut (inf: nothing finite), the next lower one (-inf: none), the subset accuracy.

    A row is right while the threshold is above its highest negative and not above its lowest positive. So the count
    rises, as the threshold falls, only at the lowest positive of a row.
    """
    low = np.max(scores, axis=1, where=~truth, initial=-np.inf)
    high = np.min(scores, axis=1, where=truth, initial=np.inf)
    can_be = low < high
    low, high = np.sort(low[can_be]), np.sort(high[can_be])
    candidates = np.append(np.unique(high), np.inf)
    right = np.searchsorted(low, candidates) - np.searchsorted(high, candidates)
    best = int(np.flatnonzero(right == right.max())[-1])
    upper = float(candidates[best])
    lower = float(np.max(scores, where=scores < upper, initial=-np.inf))
    return upper, lower, float(right[best]) / len(truth)


# Together


def best_micro_f1_thresholds(y_true: ArrayLike, y_score: ArrayLike) -> MicroSweep:
    """Return the thresholds per label with the highest micro-F1 of all; a label without positives gets "never".

    Micro-F1 is a ratio N / D of sums over labels, 2 tp to assigned plus positives. For a given ratio the sum of
    2 tp − ratio · assigned is highest where each label's is; from there the ratio rises, until it stays. All in whole
    numbers, so the end is exact.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.

    Source: Dinkelbach (1967), "On nonlinear fractional programming".
    """
    truth, scores = checked(y_true, y_score)
    positives = int(np.count_nonzero(truth))
    if not positives:
        raise UndefinedLabel(f"y_true: no positives in {truth.shape[1]} labels; micro-F1 has no maximum to choose")
    blocks = list(_cuts_by_block(truth, scores))
    numerator, denominator, iterations = 0, 1, 0
    while True:
        iterations += 1
        chosen = [_best_at_ratio(cuts, numerator, denominator) for cuts in blocks]
        hits, assigned = (sum(int(one[part].sum()) for one in chosen) for part in (2, 3))
        if 2 * hits * denominator == numerator * (assigned + positives):
            break
        numerator, denominator = 2 * hits, assigned + positives
    thresholds = [cuts.thresholds(one[0], one[1]) for cuts, one in zip(blocks, chosen, strict=True)]
    return MicroSweep(np.concatenate(thresholds), numerator / denominator, iterations)


def _best_at_ratio(cuts: _Cuts, numerator: int, denominator: int) -> tuple[Integers, Bools, Integers, Integers]:
    """Return of each label the cut with the highest 2 tp − ratio · assigned, whether none has more than 0, its counts.

    Whole numbers up to 4 · cells²: in int64 for up to a billion cells.
    """
    merits = 2 * denominator * cuts.hits - numerator * cuts.assigned
    best, chosen = _highest_of_each(merits, cuts.bounds)
    nothing: Bools = (chosen < 0) | (best <= 0)
    return chosen, nothing, *cuts.counts(chosen, nothing)


def best_top_k(y_true: ArrayLike, y_score: ArrayLike) -> TopK:
    """Return the number k of highest-scored labels to give every row that has the highest samples F1.

    Labels that tie with the k-th come too, so the order of the columns never matters. The smallest k of equals.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_true, y_score)
    if not truth.any():
        raise UndefinedLabel(f"y_true: no positives in {truth.shape[1]} labels; samples F1 has no maximum to choose")
    n_rows, n_labels = truth.shape
    sums = np.zeros(n_labels)
    for block in slices(n_rows, n_labels):
        ordered = order_cells(truth[block], scores[block])
        sums += np.take_along_axis(_f1_from(ordered), ordered.first_of_equals(), axis=1).sum(axis=0)
    by_k = sums[::-1]
    best = int(np.flatnonzero(by_k >= by_k.max() - ROUNDING * n_rows)[0])
    return TopK(best + 1, float(by_k[best]) / n_rows)


def coordinate_ascent(y_true: ArrayLike, y_score: ArrayLike, metric: AscentMetric, start: Floats) -> Ascent:
    """Return thresholds per label that no change of a single one improves.

    One label after the other is set to its exact best given the others; every distinct score, and nothing, is a
    candidate. A label moves only for more than 1e-12, and of its best cuts it takes the one that assigns the fewest.
    Ends when a round over all labels moves none. In macro-F1 labels do not meet, so there the end is the maximum.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).
        metric: as ``metrics.decision_metrics`` has it: macro over labels with a positive, samples over all rows.
        start: thresholds, shape (n_labels,).

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all; subset accuracy is defined even then.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_true, y_score)
    if metric != "subset_accuracy" and not truth.any():
        raise UndefinedLabel(f"y_true: no positives in {truth.shape[1]} labels; {metric} has no maximum to choose")
    climb = _Climb(truth, scores, metric, np.array(start, dtype=np.float64))
    sweeps = 1
    while climb.round():
        sweeps += 1
    return Ascent(climb.thresholds, climb.value(), sweeps)


class _Climb:
    """Thresholds on their way up, and the counts of each row under them."""

    def __init__(self, truth: Bools, scores: Array, metric: AscentMetric, start: Floats) -> None:
        self.truth, self.scores, self.metric, self.thresholds = truth, scores, metric, start
        self.rounding = ROUNDING * (1 if metric == "macro_f1" else len(truth))  # the others are sums over rows
        self.order = np.argsort(scores.T, axis=1)[:, ::-1]  # highest first
        self.assigned: Bools = scores >= start
        self.actual = np.count_nonzero(truth, axis=1)
        self.hits = np.count_nonzero(truth & self.assigned, axis=1)
        self.predicted = np.count_nonzero(self.assigned, axis=1)

    def value(self) -> float:
        if self.metric == "macro_f1":
            hits, predicted = (np.count_nonzero(cells, axis=0) for cells in (self.truth & self.assigned, self.assigned))
            positives = np.count_nonzero(self.truth, axis=0)
            f1 = 2 * hits / np.maximum(predicted + positives, 1)
            return float(f1[positives > 0].mean())
        return float(self._of_rows(self.hits, self.predicted).mean())

    def round(self) -> bool:
        """Set each label to its best; return whether any moved."""
        moved = [self._set_best(label) for label in range(self.truth.shape[1])]
        return any(moved)

    def _set_best(self, label: int) -> bool:
        order, truth, assigned = self.order[label], self.truth[:, label], self.assigned[:, label]
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
        """Return what the metric gains by assigning the label to the first 0 … n rows of ``order``; and by now."""
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
            threshold = _beyond_highest(scores[0])
        else:
            lower = scores[n_assigned] if n_assigned < scores.size else np.float64(-np.inf)
            threshold = _threshold(lower, scores[n_assigned - 1])
        self.thresholds[label] = threshold
        assigned = self.scores[:, label] >= self.thresholds[label]
        truth, before = self.truth[:, label], self.assigned[:, label]
        self.hits = self.hits + (truth & assigned) - (truth & before)
        self.predicted = self.predicted + assigned.astype(np.int64) - before
        self.assigned[:, label] = assigned


# Cells in order and the cuts in them


@dataclass(frozen=True, eq=False)
class Ordered:
    """Groups of cells (a label's, a row's, or all), each in the order of its scores, lowest first.

    Attributes:
        keys: shape (groups, n), rising along a group. The lowest bit is 0 for a positive; the others are equal for
            equal scores. So the first positive of a score is also the first of all cells with that score.
        scores: in the same order; None where they can be read from the keys.
        dtype: of the scores.
    """

    keys: Array
    scores: Array | None
    dtype: np.dtype[Any]

    def positives(self) -> Bools:
        """Return which cells are positives, shape (groups, n)."""
        return np.asarray((self.keys & self.keys.dtype.type(1)) == 0)

    def positive_places(self) -> Integers:
        """Return where the positives are, flat, shape (m,)."""
        keys, one = self.keys.reshape(-1), self.keys.dtype.type(1)
        return np.concatenate(
            [
                begin + np.flatnonzero((keys[begin : begin + CELLS_AT_ONCE] & one) == 0)
                for begin in range(0, keys.size, CELLS_AT_ONCE)
            ]
        )

    def all_scores(self) -> Array:
        """Return the scores, shape (groups, n)."""
        return _decoded(self.keys, self.dtype) if self.scores is None else self.scores

    def scores_between(self, start: int, end: int) -> Array:
        """Return the scores from one flat place to another."""
        if self.scores is not None:
            return self.scores.reshape(-1)[start:end]
        return _decoded(self.keys.reshape(-1)[start:end], self.dtype)

    def scores_at(self, places: Integers) -> Floats:
        """Return the scores at flat places."""
        if self.scores is not None:
            return self.scores.ravel()[places].astype(np.float64)
        return _decoded(self.keys.ravel()[places], self.dtype).astype(np.float64)

    def lowest(self) -> Floats:
        """Return the lowest score of each group."""
        return self.scores_at(np.arange(len(self.keys)) * self.keys.shape[1])

    def highest(self) -> Floats:
        """Return the highest score of each group."""
        return self.scores_at(np.arange(1, len(self.keys) + 1) * self.keys.shape[1] - 1)

    def first_of_equals(self) -> Integers:
        """Return for each cell the position in its group of the first cell with the same score."""
        levels = self.keys >> self.keys.dtype.type(1)
        first = np.broadcast_to(np.arange(levels.shape[1]), levels.shape).copy()
        first[:, 1:][levels[:, 1:] == levels[:, :-1]] = 0
        return np.maximum.accumulate(first, axis=1)

    def first_places_of_equals(self, places: Integers) -> Integers:
        """Return for some flat places the flat place of the first cell of the group with the same score."""
        n, keys = self.keys.shape[1], self.keys.reshape(-1)
        lowest = keys[places] & ~self.keys.dtype.type(1)
        first = places.copy()
        tied = (places % n > 0) & (keys[places - 1] >= lowest)
        first[tied] = self._searched(places[tied] // n, lowest[tied], "left")
        return first

    def places_above(self, groups: Integers, keys: Array) -> Integers:
        """Return for each of some keys, negatives' ones, the flat place of the first cell of its group that is higher.

        Args:
            groups: rising, shape (m,).
            keys: shape (m,).
        """
        return self._searched(groups, keys, "right")

    def sums_from(self, starts: Integers) -> Floats:
        """Return the sums of the scores from each flat place to the next one; ``starts`` rise from 0."""
        sums = np.zeros(starts.shape)
        for begin in range(0, self.keys.size, CELLS_AT_ONCE):
            scores = self.scores_between(begin, begin + CELLS_AT_ONCE)
            inside = np.clip(starts - begin, 0, scores.size)
            there = inside < np.append(inside[1:], scores.size)
            sums[there] += np.add.reduceat(scores, inside[there], dtype=np.float64)
        return sums

    def _searched(self, groups: Integers, keys: Array, side: Literal["left", "right"]) -> Integers:
        n, found = self.keys.shape[1], np.empty(groups.shape, dtype=np.int64)
        bounds = np.append(np.flatnonzero(np.diff(groups, prepend=-1)), groups.size)
        for start, end in itertools.pairwise(bounds):
            group = groups[start]
            found[start:end] = group * n + np.searchsorted(self.keys[group], keys[start:end], side=side)
        return found


@dataclass(frozen=True, eq=False)
class _Cuts:
    """The cuts of each group that can be best: at every positive, lowest first.

    Of positives with the same score only the first has a cut that a threshold can make. The others leave out true
    positives of that score and nothing else, which lowers every objective: they are never chosen, and need no removal.

    Attributes:
        ordered: the cells.
        places: of the positives, flat, shape (m,).
        hits: positives from there on, shape (m,).
        assigned: cells from there on, shape (m,).
        bounds: where the cuts of each group begin, and the last end, shape (groups + 1,).
        positives: of each group, shape (groups,).
    """

    ordered: Ordered
    places: Integers
    hits: Integers
    assigned: Integers
    bounds: Integers
    positives: Integers

    @property
    def n_rows(self) -> int:
        return int(self.ordered.keys.shape[1])

    def counts(self, chosen: Integers, nothing: Bools) -> tuple[Integers, Integers]:
        """Return hits and assigned of one cut of each group; 0 where ``nothing``."""
        hits, assigned = (np.zeros(nothing.shape, dtype=np.int64) for _ in range(2))
        hits[~nothing], assigned[~nothing] = self.hits[chosen[~nothing]], self.assigned[chosen[~nothing]]
        return hits, assigned

    def thresholds(self, chosen: Integers, nothing: Bools) -> Floats:
        """Return the threshold of one cut of each group; "never" where ``nothing``."""
        thresholds: Floats = _beyond_highest(self.ordered.highest())
        upper, lower = self.gap(chosen[~nothing])
        thresholds[~nothing] = _threshold(lower, upper)
        return thresholds

    def gap(self, chosen: Integers) -> tuple[Floats, Floats]:
        """Return the lowest score above each cut and the highest below it, -inf where there is none."""
        places: Integers = self.places[chosen]
        below: Floats = np.full(places.shape, -np.inf)
        inside = places % self.n_rows > 0
        below[inside] = self.ordered.scores_at(places[inside] - 1)
        return self.ordered.scores_at(places), below


def _cuts_by_block(truth: Bools, scores: Array) -> Iterator[_Cuts]:
    """Yield the cuts of a few labels at a time."""
    for ordered in labels_in_order(truth, scores):
        yield _find_cuts(ordered)


def labels_in_order(truth: Bools, scores: Array) -> Iterator[Ordered]:
    """Yield the ordered cells of a few labels at a time, of both of shape (n, n_labels)."""
    for block in slices(truth.shape[1], truth.shape[0]):
        yield order_cells(truth[:, block].T, scores[:, block].T)


def slices(n_groups: int, n: int) -> Iterator[slice]:
    """Yield slices of groups that hold about ``CELLS_AT_ONCE`` cells."""
    step = max(LABELS_AT_ONCE, CELLS_AT_ONCE // n)
    for start in range(0, n_groups, step):
        yield slice(start, start + step)


def _find_cuts(ordered: Ordered) -> _Cuts:
    """Return the cuts of groups of cells."""
    n_groups, n = ordered.keys.shape
    places = ordered.positive_places()
    ends = np.arange(n_groups + 1) * n
    bounds = np.searchsorted(places, ends)
    positives = np.diff(bounds)
    hits = np.repeat(bounds[1:], positives) - np.arange(places.size)
    assigned = np.repeat(ends[1:], positives) - places
    return _Cuts(ordered, places, hits, assigned, bounds, positives)


def order_cells(truth: Bools, scores: Array) -> Ordered:
    """Sort each group of cells, both of shape (groups, n).

    The bits of floats that are not negative rise with them, and the first bit, the sign, is free: shifted out (with the
    sign of -0.0) it makes room for the label, and the sort needs no index. Negative scores are sorted by index.
    """
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float64)
    if scores.min() < 0:
        return _order_by_index(truth, scores)
    unsigned = np.dtype(f"u{scores.dtype.itemsize}")
    keys = np.empty(scores.shape, dtype=unsigned)
    np.left_shift(scores.view(unsigned), unsigned.type(1), out=keys)
    keys |= ~truth
    keys.sort(axis=1)
    return Ordered(keys, None, scores.dtype)


def _decoded(keys: Array, dtype: np.dtype[Any]) -> Array:
    """Return the scores that the keys of :func:`_sort` stand for."""
    scores: Array = (keys >> keys.dtype.type(1)).view(dtype)
    return scores


def _order_by_index(truth: Bools, scores: Array) -> Ordered:
    order = np.argsort(scores, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    keys = np.zeros(scores.shape, dtype=np.int64)
    np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1, out=keys[:, 1:])
    keys <<= 1
    keys |= ~np.take_along_axis(truth, order, axis=1)
    keys.sort(axis=1)  # among equal scores positives come first
    return Ordered(keys, ordered, scores.dtype)


def _highest_of_each(merits: Array, bounds: Integers) -> tuple[Array, Integers]:
    """Return the highest merit of each group and its last place, the one that assigns the fewest; 0 and -1: no cuts."""
    sizes = np.diff(bounds)
    there = sizes > 0
    best, chosen = np.zeros(sizes.shape, dtype=merits.dtype), np.full(sizes.shape, -1, dtype=np.int64)
    if there.any():
        best[there] = np.maximum.reduceat(merits, bounds[:-1][there])
        places = np.flatnonzero(merits == np.repeat(best, sizes))
        chosen[there] = places[np.searchsorted(places, bounds[1:][there]) - 1]
    return best, chosen


# Thresholds


def thresholds_for_counts(ordered: Floats, counts: ArrayLike) -> Floats:
    """Return the threshold of each label that assigns so many rows, and those that tie with the last of them.

    Scores 0.9, 0.5, 0.4 have 0.7 for one row, 0.45 for two, "always" for three and "never" for none.

    Args:
        ordered: the scores of each label, highest first, shape (n, n_labels).
        counts: 0 to n, shape (n_labels,).
    """
    wanted, labels = np.asarray(counts), np.arange(ordered.shape[1])
    upper = ordered[np.maximum(wanted - 1, 0), labels]
    lower = np.where(wanted < len(ordered), ordered[np.minimum(wanted, len(ordered) - 1), labels], -np.inf)
    return np.asarray(np.where(wanted == 0, _beyond_highest(upper), _threshold(lower, upper)), dtype=np.float64)


def _threshold(lower: Any, upper: Any) -> Any:
    """Return thresholds that assign ``upper`` and not ``lower``; "always" where ``lower`` is -inf."""
    middle = lower / 2 + upper / 2  # halved first: the sum of two large scores could overflow
    between = np.where((lower < middle) & (middle <= upper), middle, upper)
    return np.where(np.isneginf(lower), _beyond_lowest(upper), between)


def _beyond_highest(scores: Any) -> Any:
    return np.maximum(NEVER, np.nextafter(scores, np.inf))


def _beyond_lowest(scores: Any) -> Any:
    return np.minimum(ALWAYS, np.nextafter(scores, -np.inf))


# What is given


def multi_hot(labels: ArrayLike, name: str) -> Bools:
    """Return ``labels`` as booleans.

    Raises:
        ValueError: empty, not of two dimensions, or values other than 0 and 1; says ``name``.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name}: must have shape (n, n_labels) and not be empty; got {array.shape}")
    if array.dtype == np.bool_:
        return array
    ones: Bools = array == 1
    if not (ones | (array == 0)).all():
        raise ValueError(f"{name}: must be 0 or 1; got {array[~(ones | (array == 0))].flat[0]!r}")
    return ones


def checked(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Bools, Array]:
    """Return ``y_true`` as booleans and ``y_score`` as floats of its own precision.

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = multi_hot(y_true, "y_true"), np.asarray(y_score)
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    if scores.shape != truth.shape:
        raise ValueError(f"y_score: must have the shape of y_true, {truth.shape}; got {scores.shape}")
    # The largest float is refused with infinity: "never" must be finite and above every score.
    if not -sys.float_info.max < float(scores.min()) <= float(scores.max()) < sys.float_info.max:
        raise ValueError("y_score: must be finite; got NaN or infinity (did the training diverge?)")
    return truth, scores
