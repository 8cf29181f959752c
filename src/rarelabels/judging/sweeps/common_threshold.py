"""The best threshold that all labels have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools, Floats, Integers
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1
from rarelabels.judging.sweeps.each_label import merits_of
from rarelabels.judging.sweeps.ordered import (
    BITS,
    ROUNDING,
    Cuts,
    Ordered,
    Threshold,
    UndefinedLabel,
    beyond_highest,
    find_cuts,
    highest_of_each,
    order_cells,
    slices,
    threshold,
)

CommonMetric: TypeAlias = Literal["micro_f1", "macro_f1", "samples_f1", "subset_accuracy"]


@dataclass(frozen=True)
class CommonThreshold:
    """The best threshold common to all labels, and the metric it reaches on the swept rows."""

    threshold: Threshold
    value: float


def best_common_threshold(
    y_true: ArrayLike, y_score: ArrayLike, metric: CommonMetric, *, at_least_one: bool = False
) -> CommonThreshold:
    """Return the one threshold, common to all labels, with the highest value of a metric.

    Exact for ``micro_f1`` (the F1 of all cells taken as one label) and ``subset_accuracy``; for ``macro_f1`` and
    ``samples_f1`` up to the rounding of sums of F1: values within 1e-12 count as equal.

    >>> best_common_threshold([[1, 0], [1, 0], [0, 1]], [[0.9, 0.2], [0.7, 0.4], [0.2, 0.8]], "micro_f1")
    CommonThreshold(threshold=np.float64(0.55), value=1.0)

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).
        metric: as ``metrics.decision_metrics`` has it: macro over labels with a positive, samples over all rows.
        at_least_one: a row without a score that reaches the threshold is given its highest-scored label, or all labels
            that tie for the highest score.

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all; subset accuracy is defined even then.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    return sweep_common(Scores.from_arrays(y_true, y_score), metric, at_least_one=at_least_one)


def sweep_common(part: Scores, metric: CommonMetric, *, at_least_one: bool = False) -> CommonThreshold:
    """Return the one threshold, common to all labels, with the highest value of a metric.

    See :func:`best_common_threshold`.
    """
    truth, scores = part.truth, part.scores
    if metric != "subset_accuracy" and not truth.any():
        raise UndefinedLabel(f"y_true: no positives in {truth.shape[1]} labels; {metric} has no maximum to choose")
    highest = float(scores.max())
    if at_least_one:
        # A row's highest score is assigned whatever the threshold, as if it were infinite.
        scores = np.where(scores == scores.max(axis=1, keepdims=True), np.inf, scores)
        part = replace(part, scores=scores, check=False)
    match metric:
        case "micro_f1":
            if part.known is not None:
                of_cells = part.cells()
                truth, scores = of_cells[0][:, np.newaxis], of_cells[1][:, np.newaxis]
            upper, lower, value = _best_pooled(truth, scores)
        case "macro_f1":
            upper, lower, total = _best_sum_of_f1(part.by_label)
            value = total / np.count_nonzero(truth.any(axis=0))
        case "samples_f1":
            upper, lower, total = _best_sum_of_f1(part.by_row)
            value = total / part.n_covered
        case "subset_accuracy":
            upper, lower, value = _best_subset(truth, scores, part.known)
    if np.isposinf(upper):
        return CommonThreshold(Threshold(beyond_highest(np.float64(highest))), value)
    return CommonThreshold(Threshold(threshold(np.float64(lower), np.float64(upper))), value)


def _best_pooled(truth: Bools, scores: Array) -> tuple[float, float, float]:
    """Return the score of the best cut, the next lower one (-inf: none) and the micro-F1."""
    if scores.dtype in (np.float32, np.float64) and scores.min() >= 0:
        cuts = _promising_cuts(truth, scores)
    else:
        cuts = find_cuts(order_cells(truth.reshape(1, -1), scores.reshape(1, -1)))
    best, chosen = highest_of_each(merits_of(F1, cuts), cuts.bounds)
    upper = float(cuts.ordered.scores_at(cuts.places[chosen])[0])
    lower = max(
        float(np.max(scores[rows], where=scores[rows] < upper, initial=-np.inf)) for rows in slices(*scores.shape)
    )
    return upper, lower, float(best[0])


def _promising_cuts(truth: Bools, scores: Array) -> Cuts:
    """Return the cuts that can have the best F1 of all cells taken as one label; few of the cells are sorted for it.

    Cells are counted in bins of their scores. A cut inside a bin has at most the hits of that bin and the bins above,
    and at least the false positives of the bins above. A bin is left out if the F1 of these counts is lower than the F1
    at the edge of some bin.
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
    end, own_bin = np.searchsorted(bins, bins[places], side="right"), bins[places]
    return Cuts(
        ordered,
        places,
        hits=np.searchsorted(places, end) - np.arange(places.size) + (hits - ones)[own_bin],
        assigned=end - places + (assigned - cells)[own_bin],
        bounds=np.array([0, places.size]),
        positives=np.array([positives]),
    )


def _bins(scores: Array) -> Integers:
    """Return the bin of each score: a whole number, 0 or more, that rises with the score.

    It is the exponent of the score and ``BITS`` bits of its fraction: there are 128 bins between 0.5 and 1, and as many
    between 0.25 and 0.5.
    """
    unsigned = np.dtype(f"u{scores.dtype.itemsize}")
    without_sign = np.left_shift(scores.view(unsigned), unsigned.type(1))
    dropped = np.finfo(scores.dtype).nmant - BITS + 1
    bins: Integers = (without_sign >> unsigned.type(dropped)).astype(np.int64)
    return bins


def _best_sum_of_f1(blocks: Sequence[Ordered]) -> tuple[float, float, float]:
    """Return the score of the best cut, the next lower one (-inf: none) and the sum of the F1 of all groups there.

    Every cell changes the F1 of its own group (label or row) alone, by a step that is known from the order within the
    group; the sum at a cut is the sum of the steps of all cells above it.

    Args:
        blocks: ordered cells, each block of some groups.
    """
    n_groups = sum(len(ordered.keys) for ordered in blocks)
    bounds = np.cumsum([0, *(ordered.keys.size for ordered in blocks)]).tolist()
    steps, ascending = np.empty(bounds[-1]), np.empty(bounds[-1], dtype=blocks[0].dtype)
    for start, end, ordered in zip(bounds, bounds[1:], blocks, strict=False):
        steps[start:end], ascending[start:end] = _f1_steps(ordered).reshape(-1), ordered.all_scores().reshape(-1)
    sums = steps[np.argsort(ascending)]
    ascending.sort()  # cheaper, and smaller, than picking them in that order
    downwards = sums[::-1]
    np.cumsum(downwards, out=downwards)
    sums[1:][ascending[1:] == ascending[:-1]] = -np.inf  # equal scores share a side
    best = int(np.flatnonzero(sums >= sums.max() - ROUNDING * n_groups)[-1])
    lower = ascending[best - 1] if best else -np.inf
    return float(ascending[best]), float(lower), float(sums[best])


def _f1_steps(ordered: Ordered) -> Floats:
    """Return by how much each cell, in the order of its group, changes the F1 of the cells above it."""
    n = ordered.keys.shape[1]
    f1 = f1_from(ordered)
    steps = f1.copy()
    steps[:, : n - 1] -= f1[:, 1:]
    return steps


def f1_from(ordered: Ordered) -> Floats:
    """Return the F1 of each group when all cells from a position upwards are assigned; shape (groups, n)."""
    n = ordered.keys.shape[1]
    hits = np.cumsum(ordered.positives()[:, ::-1], axis=1)[:, ::-1]
    f1: Floats = 2 * hits / (hits[:, :1] + np.arange(n, 0, -1))
    return f1


def _best_subset(truth: Bools, scores: Array, known: Bools | None) -> tuple[float, float, float]:
    """Return the score of the best cut (inf: nothing finite), the next lower one (-inf: none), the subset accuracy.

    A row is right while the threshold is above its highest negative and not above its lowest positive. So the count
    rises, as the threshold falls, only at the lowest positive of a row. Labels that are not known are neither, and rows
    without a known label are left out.
    """
    if known is not None:
        covered = known.any(axis=1)
        truth, scores, known = truth[covered], scores[covered], known[covered]
    counted: Bools | Literal[True] = True if known is None else known
    low = np.max(scores, axis=1, where=~truth & counted, initial=-np.inf)
    high = np.min(scores, axis=1, where=truth, initial=np.inf)
    can_be = low < high
    low, high = np.sort(low[can_be]), np.sort(high[can_be])
    candidates = np.append(np.unique(high), np.inf)
    right = np.searchsorted(low, candidates) - np.searchsorted(high, candidates)
    best = int(np.flatnonzero(right == right.max())[-1])
    upper = float(candidates[best])
    lower = float(np.max(scores, where=(scores < upper) & counted, initial=-np.inf))
    return upper, lower, float(right[best]) / len(truth)
