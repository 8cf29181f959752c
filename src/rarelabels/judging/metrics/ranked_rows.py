"""Metrics of scores that are means over rows: how a row's labels are ranked, and how far its scores are off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rarelabels.judging.arrays import Array, Bools, Floats, Integers
from rarelabels.judging.metrics.means import ratio
from rarelabels.judging.metrics.metric import Metric
from rarelabels.judging.sweeps.ordered import Ordered, known_of_rows, order_cells, rows_of_each_size

DEPTHS = (1, 3, 5)
SCORES_AT_ONCE = 200_000  # what fits the processor cache


@dataclass(frozen=True, eq=False)
class RankedRows:
    """Some rows: truth and scores, float64, each (n, n_labels), and the cells of each row in the order of their scores.

    The right labels of a row are those that it has.
    """

    truth: Bools
    scores: Floats
    ordered: Ordered

    @property
    def n_labels(self) -> int:
        """How many labels there are."""
        return int(self.truth.shape[1])

    @cached_property
    def n_right(self) -> Integers:
        """How many labels each row has, (n,)."""
        return np.asarray(np.count_nonzero(self.truth, axis=1))

    @cached_property
    def bounds(self) -> Integers:
        """Where each row's right labels begin among all right labels, and where the last row's end, (n + 1,)."""
        return np.append(0, np.cumsum(self.n_right))

    @cached_property
    def row(self) -> Integers:
        """The row of each right label."""
        return np.repeat(np.arange(len(self.truth)), self.n_right)

    @cached_property
    def reached_and_right(self) -> tuple[Integers, Integers]:
        """For each right label: how many labels of its row score as high or higher, and how many of these are right."""
        places, row = self.ordered.positive_places(), self.row
        keys = self.ordered.keys.reshape(-1)[places]
        is_first = np.ones(len(places), dtype=bool)
        is_first[1:] = (keys[1:] != keys[:-1]) | (row[1:] != row[:-1])
        first = np.maximum.accumulate(np.where(is_first, np.arange(len(places)), 0))
        return (row + 1) * self.n_labels - places[first], self.bounds[row + 1] - first

    def sums(self, of_right_labels: Array) -> Floats:
        """Return the sum over the right labels of each row, (n,)."""
        summed = np.bincount(self.row, weights=of_right_labels, minlength=len(self.truth))
        return np.asarray(summed, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class RankedRowMetric(Metric):
    """The mean over rows of one value per row.

    Attributes:
        of: the values, (n,); NaN where a row is left out.
        least_labels: the metric is left out of data with fewer labels.
    """

    of: Callable[[RankedRows], Floats]
    least_labels: int = 1


def _categorical_accuracy(rows: RankedRows) -> Floats:
    right: Bools = rows.truth.argmax(axis=1) == rows.scores.argmax(axis=1)
    return right.astype(np.float64)


def _lrap(rows: RankedRows) -> Floats:
    reached, right = rows.reached_and_right
    return ratio(rows.sums(right / reached), rows.n_right, undefined=np.nan)


def _coverage(rows: RankedRows) -> Floats:
    reached, has_labels = rows.reached_and_right[0], rows.n_right > 0
    coverage = np.zeros(len(rows.truth))
    coverage[has_labels] = reached[rows.bounds[:-1][has_labels]]  # down to the row's lowest right label
    return coverage


def _ranking_loss(rows: RankedRows) -> Floats:
    reached, right = rows.reached_and_right
    return ratio(rows.sums(reached - right), rows.n_right * (rows.n_labels - rows.n_right), undefined=np.nan)


def _brier(rows: RankedRows) -> Floats:
    errors: Floats = ((rows.scores - rows.truth) ** 2).mean(axis=1)
    return errors


def _log_loss(rows: RankedRows) -> Floats:
    epsilon = np.finfo(np.float64).eps
    losses = -np.log(np.clip(np.where(rows.truth, rows.scores, 1 - rows.scores), epsilon, 1 - epsilon))
    means: Floats = losses.mean(axis=1)
    return means


def _precision_at(depth: int) -> Callable[[RankedRows], Floats]:
    return lambda rows: precision_at(depth, rows.ordered)


def precision_at(depth: int, ordered: Ordered) -> Floats:
    """Return the expected share of right labels among the ``depth`` highest, equal scores in random order, (n,)."""
    n_labels = ordered.keys.shape[1]
    one = ordered.keys.dtype.type(1)
    highest = ordered.keys[:, n_labels - depth :]
    values: Floats = np.count_nonzero((highest & one) == 0, axis=1) / depth
    if depth == n_labels:
        return values
    # Where equal scores are on both sides of the cut
    tied = np.flatnonzero(highest[:, 0] >> one == ordered.keys[:, n_labels - depth - 1] >> one)
    right, levels = (ordered.keys[tied] & one) == 0, ordered.keys[tied] >> one
    last = levels[:, n_labels - depth, np.newaxis]
    surely, maybe = levels > last, levels == last
    seats = depth - np.count_nonzero(surely, axis=1)
    share = ratio(np.count_nonzero(right & maybe, axis=1), np.count_nonzero(maybe, axis=1))
    values[tied] = (np.count_nonzero(right & surely, axis=1) + seats * share) / depth
    return values


RANKED_ROW_METRICS = (
    RankedRowMetric(name="categorical_accuracy", words="categorical accuracy", of=_categorical_accuracy),
    RankedRowMetric(name="lrap", words="LRAP", of=_lrap),
    RankedRowMetric(name="coverage", words="coverage", lower_is_better=True, highest=None, of=_coverage),
    RankedRowMetric(name="ranking_loss", words="ranking loss", lower_is_better=True, of=_ranking_loss),
    RankedRowMetric(
        name="brier", words="Brier score", lower_is_better=True, is_of_calibration=True, is_of_cells=True, of=_brier
    ),
    RankedRowMetric(
        name="log_loss",
        words="log loss",
        lower_is_better=True,
        highest=None,
        is_of_calibration=True,
        is_of_cells=True,
        of=_log_loss,
    ),
    *(
        RankedRowMetric(
            name=f"precision_at_{depth}", words=f"precision at {depth}", least_labels=depth, of=_precision_at(depth)
        )
        for depth in DEPTHS
    ),
)


def ranked_rows(truth: Bools, scores: Array, known: Bools | None = None) -> dict[str, Floats]:
    """Return every metric of this kind, one value per row, each of shape (n,); NaN where a row is left out.

    A row is its known labels, as if there were no others. A row without any is left out. So are rows with fewer known
    labels than a metric needs.
    """
    if known is None:
        return _of_whole_rows(truth, scores)
    found = {metric.name: np.full(len(truth), np.nan) for metric in _wanted(truth.shape[1])}
    for rows in rows_of_each_size(known):
        of_rows = _of_whole_rows(*(known_of_rows(cells, known, rows) for cells in (truth, scores)))
        for name, values in of_rows.items():
            found[name][rows] = values
    return found


def _wanted(n_labels: int) -> list[RankedRowMetric]:
    return [metric for metric in RANKED_ROW_METRICS if metric.least_labels <= n_labels]


def _of_whole_rows(truth: Bools, scores: Array) -> dict[str, Floats]:
    n_rows, n_labels = truth.shape
    step, wanted = max(1, SCORES_AT_ONCE // n_labels), _wanted(n_labels)
    blocks = []
    for start in range(0, n_rows, step):
        own, given = truth[start : start + step], scores[start : start + step]
        rows = RankedRows(own, given.astype(np.float64), order_cells(own, given))
        blocks.append({metric.name: metric.of(rows) for metric in wanted})
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
