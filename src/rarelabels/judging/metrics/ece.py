"""The expected calibration error: how far the mean score of a bin is from the share of positives in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rarelabels.judging.arrays import Array, Bools, Floats, Integers
from rarelabels.judging.metrics.means import ratio
from rarelabels.judging.metrics.metric import Metric
from rarelabels.judging.scores import Scores
from rarelabels.judging.sweeps.ordered import Ordered

CALIBRATION_BINS = 15


@dataclass(frozen=True, kw_only=True)
class CalibrationMetric(Metric):
    """An expected calibration error.

    Attributes:
        is_pooled: True for the error of all cells, False for the mean over the labels with a positive.
    """

    is_pooled: bool


CALIBRATION_METRICS = (
    CalibrationMetric(
        name="ece", words="calibration error, ECE", lower_is_better=True, is_of_calibration=True, is_pooled=True
    ),
    CalibrationMetric(
        name="macro_ece", words="macro ECE", lower_is_better=True, is_of_calibration=True, is_pooled=False
    ),
)


def calibration_bins(scores: Array, edges: Array) -> NDArray[np.intp]:
    """Return the bin of each score, 0 to 14; equal scores share one."""
    return np.searchsorted(edges, scores, side="right")


def calibration_edges(scores: Array) -> Array:
    """Return the 14 edges that cut the sorted scores into 15 bins of equal mass, but for ties."""
    ordered = np.sort(scores, axis=None)
    return ordered[np.arange(1, CALIBRATION_BINS) * ordered.size // CALIBRATION_BINS]


def calibration_error(surplus: Array, total: ArrayLike) -> Floats:
    """Return the expected calibration error, shape (...): the share-weighted mean |frequency − mean score| of bins.

    Args:
        surplus: sum of truth minus score over each bin, shape (bins, ...).
        total: the number of scores in all bins, shape (...).
    """
    error: Floats = ratio(np.abs(surplus).sum(axis=0), np.asarray(total), undefined=np.nan)
    return error


def surplus_of_bins(ordered: Ordered, positive_places: Integers) -> Floats:
    """Return truth minus score, summed over each bin of equal mass of each group, shape (bins, groups).

    It is NaN for groups without cells.
    """
    n_groups, n = ordered.keys.shape
    if not n:
        return np.full((CALIBRATION_BINS, n_groups), np.nan)
    edges = np.arange(n_groups)[:, np.newaxis] * n + np.arange(CALIBRATION_BINS) * n // CALIBRATION_BINS
    starts = ordered.first_places_of_equals(edges.reshape(-1))
    hits = np.diff(np.searchsorted(positive_places, np.append(starts, ordered.keys.size)))
    surplus: Floats = (hits - ordered.sums_from(starts)).reshape(n_groups, CALIBRATION_BINS).T
    return surplus


def influences_of_calibration(part: Scores) -> dict[str, Floats]:
    """Return the influence of each row on every metric of this kind, each (n,); the edges of the bins stay."""
    found = {metric.name: np.zeros(len(part.truth)) for metric in CALIBRATION_METRICS}
    covered = np.flatnonzero(part.positives).tolist()
    of_rows = part.sums_of_rows(_influence(*part.cells()))
    for metric in CALIBRATION_METRICS:
        if metric.is_pooled:
            found[metric.name] += of_rows
            continue
        for label in covered:
            found[metric.name][part.rows_of(label)] += _influence(*part.of_label(label)) / len(covered)
    return found


def _influence(truth: Bools, scores: Array) -> Floats:
    """Return the influence of each cell on the calibration error of all, (n,)."""
    bins = calibration_bins(scores, calibration_edges(scores))
    surplus: Floats = np.subtract(truth, scores, dtype=np.float64)
    of_bins = np.bincount(bins, weights=surplus, minlength=CALIBRATION_BINS)
    error = calibration_error(of_bins, truth.size)
    return np.asarray((np.sign(of_bins)[bins] * surplus - error) / truth.size)
