"""Areas under the curves of scores, of each label and of all cells pooled: average precision and ROC AUC."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rarelabels.judging.arrays import Array, Bools, Floats, Integers
from rarelabels.judging.metrics.means import ratio
from rarelabels.judging.metrics.metric import Metric
from rarelabels.judging.scores import Scores
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
    """An area under a curve: of all cells pooled, or the mean over labels.

    Attributes:
        area: a name of ``AREAS``.
        covers: which labels the mean is over, given the positives of each label, (..., n_labels), and in how many rows
            it is known, (n_labels,); None: all cells are pooled.
    """

    area: str
    covers: Callable[[Array, Array], Bools] | None = None


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
        covers=lambda actual, n_known: (actual > 0) & (actual < n_known),
    ),
)


def areas(ordered: Ordered, places: Integers, wanted: tuple[str, ...] = tuple(AREAS)) -> dict[str, Floats]:
    """Return areas of each group of cells, (groups,); NaN for groups without cells.

    ``places`` are the ``positive_places()`` of the cells.
    """
    if not ordered.keys.size:
        return {name: np.full(len(ordered.keys), np.nan) for name in wanted}
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


@dataclass(frozen=True, eq=False)
class Steps:
    """Where the cells of one label, or all cells, stand among the distinct scores of the positives, highest first.

    Attributes:
        is_positive: of each cell, (n,).
        at: the first of the distinct scores that is at most the cell's score; g, how many there are, if none is, (n,).
        is_tied: whether the cell is a negative with that very score, (n,).
        ranks: of the positives.
    """

    is_positive: Bools
    at: Integers
    is_tied: Bools
    ranks: PositiveRanks

    @classmethod
    def of(cls, truth: Bools, scores: Array) -> Steps:
        """Return the steps of cells; both arguments have shape (n,)."""
        distinct = np.unique(scores[truth])
        g = distinct.size
        upto = np.searchsorted(distinct, scores, side="right")
        is_tied = ~truth & (upto > 0)
        is_tied[is_tied] = distinct[upto[is_tied] - 1] == scores[is_tied]
        at = g - upto
        negatives = np.cumsum(np.bincount(at[~truth], minlength=g + 1))
        tied = np.bincount(at[is_tied], minlength=g)
        ranks = PositiveRanks(
            np.bincount(at[truth], minlength=g), negatives[:-1] - tied, negatives[:-1], np.asarray(negatives[-1])
        )
        return cls(truth, at, is_tied, ranks)


def influence_on_average_precision(steps: Steps) -> Floats:
    """Return the influence of each cell on the average precision, (n,); 0 where it is undefined."""
    hits = steps.ranks.hits
    found = np.cumsum(hits, dtype=np.float64)
    assigned = found + steps.ranks.upto
    precision = found / assigned
    gained = _from_below(hits / assigned) + np.append(precision - average_precision(steps.ranks), 0.0)
    lost = _from_below(hits * precision / assigned)
    of_positives = np.where(steps.is_positive, gained[steps.at], 0.0)
    return ratio(of_positives - lost[steps.at], hits.sum())


def influence_on_roc_auc(steps: Steps) -> Floats:
    """Return the influence of each cell on the area under the ROC curve, (n,); 0 where it is undefined."""
    ranks = steps.ranks
    found, area = np.append(np.cumsum(ranks.hits), ranks.hits.sum()), roc_auc(ranks)
    if np.isnan(area):
        return np.zeros(steps.at.shape)
    below = 1 - (ranks.above + ranks.upto) / 2 / ranks.negatives  # share of the negatives that a positive is above
    of_positives = np.append(below - area, 0.0)[steps.at] / ranks.hits.sum()
    hits = np.append(ranks.hits, 0)
    above = (found - hits)[steps.at] + steps.is_tied * hits[steps.at] / 2
    of_negatives = (above / ranks.hits.sum() - area) / ranks.negatives
    return np.asarray(np.where(steps.is_positive, of_positives, of_negatives))


INFLUENCES: dict[str, Callable[[Steps], Floats]] = {
    "average_precision": influence_on_average_precision,
    "roc_auc": influence_on_roc_auc,
}


def influences_of_curves(part: Scores) -> dict[str, Floats]:
    """Return the influence of each row on every metric of this kind, each (n,); 0 where the metric is undefined."""
    n_rows, n_labels = part.truth.shape
    actual = part.positives
    of_cells = Steps.of(*part.cells())
    found = {
        metric.name: part.sums_of_rows(INFLUENCES[metric.area](of_cells))
        for metric in CURVE_METRICS
        if metric.covers is None
    }
    covered = {metric: metric.covers(actual, part.n_known) for metric in CURVE_METRICS if metric.covers}
    found |= {metric.name: np.zeros(n_rows) for metric in covered}
    for label in range(n_labels):
        if not actual[label]:
            continue
        steps = Steps.of(*map(np.ascontiguousarray, part.of_label(label)))
        for metric, labels in covered.items():
            if labels[label]:
                found[metric.name][part.rows_of(label)] += INFLUENCES[metric.area](steps) / labels.sum()
    return found


def _from_below(of_steps: Floats) -> Floats:
    """Return for each step the sum over it and all lower ones; and 0, the sum below all, (g + 1,)."""
    below: Floats = np.append(np.cumsum(of_steps[::-1])[::-1], 0.0)
    return below
