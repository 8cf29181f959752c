"""Areas under the curves of scores, of each label and of all cells pooled: average precision and ROC AUC."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rarelabels.judging.arrays import Array, Bools, Floats, Integers
from rarelabels.judging.metrics.means import ratio
from rarelabels.judging.metrics.metric import Metric
from rarelabels.judging.sweeps.ordered import Ordered


@dataclass(frozen=True, eq=False)
class PositiveRanks:
    """Where the positives of one label stand among its negatives; all that the area under a curve needs.

    Attributes:
        hits: positives at each distinct score of a positive, highest first, shape (g, ...); other axes: resamples.
        above: negatives with a higher score, shape (g, ...).
        upto: negatives with the same or a higher score, shape (g, ...).
        negatives: how many there are, shape (...).
    """

    hits: Array
    above: Array
    upto: Array
    negatives: Array


def average_precision(ranks: PositiveRanks) -> Floats:
    """Return the average precision, shape (...); NaN without positives."""
    found = np.cumsum(ranks.hits, axis=0, dtype=np.float64)
    precision = found / np.maximum(found + ranks.upto, 1)  # a sum of counts is below 1 only if it is 0
    return ratio((ranks.hits * precision).sum(axis=0), ranks.hits.sum(axis=0), undefined=np.nan)


def roc_auc(ranks: PositiveRanks) -> Floats:
    """Return the area under the ROC curve, shape (...); NaN without positives or without negatives."""
    pairs_won = (ranks.hits * (ranks.negatives - (ranks.above + ranks.upto) / 2)).sum(axis=0)
    return ratio(pairs_won, ranks.hits.sum(axis=0) * np.asarray(ranks.negatives), undefined=np.nan)


AREAS: dict[str, Callable[[PositiveRanks], Floats]] = {"average_precision": average_precision, "roc_auc": roc_auc}


@dataclass(frozen=True, kw_only=True)
class CurveMetric(Metric):
    """An area under a curve: of all cells pooled, or the mean over labels; a bootstrap gives it weighted ranks.

    Attributes:
        area: a name of ``AREAS``.
        covers: which labels the mean is over, given the positives of each label, (..., n_labels), and the number of
            rows; None: all cells are pooled.
    """

    area: str
    covers: Callable[[Array, int], Bools] | None = None


CURVE_METRICS = (
    CurveMetric(name="micro_average_precision", words="micro average precision", area="average_precision"),
    CurveMetric(name="micro_roc_auc", words="micro ROC AUC", area="roc_auc"),
    CurveMetric(
        name="macro_average_precision",
        words="macro average precision",
        area="average_precision",
        covers=lambda actual, _: actual > 0,
    ),
    CurveMetric(
        name="macro_roc_auc",
        words="macro ROC AUC",
        area="roc_auc",
        covers=lambda actual, n_rows: (actual > 0) & (actual < n_rows),
    ),
)


def areas(ordered: Ordered, places: Integers, wanted: tuple[str, ...] = tuple(AREAS)) -> dict[str, Floats]:
    """Return areas of each group of cells, (groups,); ``places`` are the ``positive_places()`` of the cells."""
    ranks = rank_positives(ordered, places)
    return {name: np.array([AREAS[name](one) for one in ranks]) for name in wanted}


def rank_positives(ordered: Ordered, places: Integers) -> list[PositiveRanks]:
    """Return for each group of cells, a label's or all, where its positives stand among its negatives.

    The areas do not depend on the order of negatives among themselves.

    Args:
        ordered: the cells.
        places: its ``positive_places()``.
    """
    n_groups, n = ordered.keys.shape
    keys = ordered.keys.reshape(-1)
    bounds = np.searchsorted(places, np.arange(n_groups + 1) * n)
    own = keys[places]
    begins = np.ones(len(places) + 1, dtype=bool)  # where another score, or another group, begins
    begins[1:-1] = own[1:] != own[:-1]
    begins[bounds] = True
    first = np.flatnonzero(begins)
    hits, first = np.diff(first), first[:-1]
    start = places[first]
    group = start // n
    end = (group + 1) * n
    upto = end - start - (bounds[group + 1] - first)
    # Negatives with the same score follow its positives.
    follows = np.minimum(start + hits, keys.size - 1)
    tied = (start + hits < end) & (keys[follows] == own[first] + keys.dtype.type(1))
    above = upto.copy()
    higher = ordered.places_above(group[tied], keys[follows[tied]])
    above[tied] -= higher - follows[tied]
    ends = np.searchsorted(group, np.arange(n_groups + 1))
    ranks = []
    for (a, b), positives in zip(itertools.pairwise(ends), np.diff(bounds), strict=True):
        of_hits, of_above, of_upto = (counts[a:b][::-1].copy() for counts in (hits, above, upto))
        ranks.append(PositiveRanks(of_hits, of_above, of_upto, np.asarray(n - int(positives))))
    return ranks
