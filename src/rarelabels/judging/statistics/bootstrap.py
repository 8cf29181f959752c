"""A paired bootstrap over test rows and seeds: the draws, and every metric on the rows and seeds of each draw.

All seeds of a trial are scored on the same test rows. So one draw resamples the rows and, independently, the seeds. A
replicate is the metric on the drawn rows, averaged over the drawn seeds. Draws depend only on the numbers of rows and
seeds: two trials scored on the same part share them, and their replicates are subtracted draw by draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy as sp
from numpy.typing import ArrayLike, NDArray

from rarelabels.judging.arrays import Array, Bools, Floats, is_one, multi_hot
from rarelabels.judging.metrics.averages import LabelCounts, averages
from rarelabels.judging.metrics.curves import AREAS, CURVE_METRICS, PositiveRanks
from rarelabels.judging.metrics.decided_rows import decided_rows
from rarelabels.judging.metrics.ece import (
    CALIBRATION_BINS,
    CALIBRATION_METRICS,
    calibration_bins,
    calibration_edges,
    calibration_error,
)
from rarelabels.judging.metrics.means import mean_over, row_means
from rarelabels.judging.metrics.ranked_rows import ranked_rows
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores

N_DRAWS = 2000  # enough to tell 50 trials from the best under Holm: 49 · 2 / 2001 < 0.05
DRAW_SEED = 20_240_917  # any fixed number: it only has to be the same for all trials
CELLS_AT_ONCE = 8_000_000
DRAWS_AT_ONCE = 125
LABELS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Draws:
    """The resamples shared by all trials with as many test rows and seeds.

    Attributes:
        rows: how often each test row was drawn, shape (n_draws, n_rows); every draw adds up to n_rows.
        seeds: which seeds were drawn, as positions, shape (n_draws, n_seeds).
    """

    rows: NDArray[np.uint16]
    seeds: NDArray[np.int64]


def make_draws(n_rows: int, n_seeds: int, n_draws: int = N_DRAWS) -> Draws:
    """Return the draws of these sizes, always the same ones; the drawn rows do not depend on the number of seeds.

    Raises:
        ValueError: a size below 1.
    """
    if min(n_rows, n_seeds, n_draws) < 1:
        raise ValueError(f"make_draws: sizes must be at least 1; got {n_rows} rows, {n_seeds} seeds, {n_draws} draws")
    row_source, seed_source = (np.random.default_rng([DRAW_SEED, stream]) for stream in (0, 1))
    rows = np.empty((n_draws, n_rows), dtype=np.uint16)
    for draw in range(n_draws):
        rows[draw] = np.bincount(row_source.integers(n_rows, size=n_rows), minlength=n_rows)
    return Draws(rows, seed_source.integers(n_seeds, size=(n_draws, n_seeds)))


def replicates(
    y_true: ArrayLike,
    scores: Sequence[ArrayLike],
    rules: Sequence[Mapping[str, Rule]],
    draws: Draws,
    decided: Sequence[Mapping[str, ArrayLike]] | None = None,
) -> dict[str, Floats]:
    """Return every metric of a trial on every draw, averaged over the drawn seeds.

    Each value equals what ``metrics`` gives on the rows repeated as often as they were drawn, with two exceptions: the
    bins of the calibration errors stay those of the whole part, and so does the group (head, medium, tail) of a label.
    A label without a drawn positive is left out of that draw's macro mean. A metric that covers nothing in a draw is
    NaN there; intervals leave that draw out.

    Args:
        y_true: 0/1, shape (n, n_labels).
        scores: probabilities of each seed, each of shape (n, n_labels).
        rules: of each seed, by name.
        draws: from :func:`make_draws` with n rows and as many seeds.
        decided: of each seed, by the name of a rule without thresholds, the labels that it assigns: 0/1, of shape
            (n, n_labels).

    Returns:
        ``<rule>/<decision metric>`` and ``ranking/<ranking metric>``, each of shape (n_draws,). A metric that is
        undefined on the whole part is left out.

    Raises:
        ValueError: sizes do not agree, ``y_true`` is not 0/1, or a score is outside [0, 1].
    """
    parts = [Scores.from_arrays(y_true, of_seed) for of_seed in scores]
    sets = [{name: multi_hot(labels, name) for name, labels in one.items()} for one in decided or [{}] * len(parts)]
    return _over_seeds(parts, rules, draws, sets)


def replicates_of(parts: Sequence[Scores], rules: Sequence[Mapping[str, Rule]], draws: Draws) -> dict[str, Floats]:
    """Return every metric of a trial on every draw, from the part as scored by each seed; see :func:`replicates`.

    If a part has most likely label sets, they are measured as the rule ``most_likely_set``.
    """
    sets = [{name: is_one(labels) for name, labels in part.decided.items()} for part in parts]
    return _over_seeds(parts, rules, draws, sets)


def _over_seeds(
    parts: Sequence[Scores],
    rules: Sequence[Mapping[str, Rule]],
    draws: Draws,
    decided: Sequence[Mapping[str, Bools]],
) -> dict[str, Floats]:
    if not len(parts) == len(rules) == draws.seeds.shape[1]:
        raise ValueError(
            f"scores, rules and draws must agree on the seeds; got {len(parts)}, {len(rules)}, {draws.seeds.shape[1]}"
        )
    by_seed = [_SeedSample(*of_seed).replicates(draws) for of_seed in zip(parts, rules, decided, strict=True)]
    means = {}
    for name in by_seed[0]:
        drawn = np.take_along_axis(np.stack([seed[name] for seed in by_seed]), draws.seeds.T, axis=0)
        if not np.isnan(drawn).all():
            means[name] = drawn.mean(axis=0)
    return means


class _SeedSample:
    """The values of one seed that do not depend on the draw: sorted, binned and compared once."""

    def __init__(self, part: Scores, rules: Mapping[str, Rule], decided: Mapping[str, Bools]) -> None:
        part.must_be_probabilities()
        self.truth, scores = part.truth, part.scores
        self.assigned = {name: rule.assign(scores) for name, rule in rules.items()} | dict(decided)
        for name, assigned in self.assigned.items():
            if assigned.shape != self.truth.shape:
                raise ValueError(f"{name}: must have the shape of y_true, {self.truth.shape}; got {assigned.shape}")
        self.rows = {f"ranking/{name}": values for name, values in ranked_rows(self.truth, scores).items()}
        for rule, assigned in self.assigned.items():
            self.rows |= {f"{rule}/{name}": values for name, values in decided_rows(self.truth, assigned).items()}
        tables = [self.truth, *(table for one in self.assigned.values() for table in (self.truth & one, one))]
        self.cells = np.concatenate(tables, axis=1, dtype=np.float32)
        self.curves = [_Curve(column, own) for column, own in _label_columns(self.truth, scores)]
        self.pooled_curve = _Curve(self.truth, scores)
        self.calibration = sp.sparse.vstack(
            [_calibration_matrix(column, own) for column, own in _label_columns(self.truth, scores)], format="csr"
        )
        self.pooled_calibration = _calibration_matrix(self.truth, scores)

    def replicates(self, draws: Draws) -> dict[str, Floats]:
        n_rows = len(self.truth)
        if draws.rows.shape[1] != n_rows:
            raise ValueError(f"draws: must be of {n_rows} rows, like y_true; got {draws.rows.shape[1]}")
        widest = max(n_rows, self.pooled_curve.size, self.calibration.shape[0])
        chunks = [self._chunk(weights) for weights in _weights(draws, widest)]
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

    def _chunk(self, weights: Array) -> dict[str, Floats]:
        """Return the metrics under each column of ``weights``, shape (n, chunk)."""
        actual, *counts = _label_counts(self.cells, self.truth.shape[1], weights)
        values = row_means(self.rows, weights.astype(np.float64)) | self._rankings(weights, actual)
        positives = self.truth.sum(axis=0)
        for rule, hits, predicted in zip(self.assigned, counts[::2], counts[1::2], strict=True):
            of_rule = averages(LabelCounts(hits, predicted, actual, positives))
            values |= {f"{rule}/{name}": average for name, average in of_rule.items()}
        return values

    def _rankings(self, weights: Array, actual: Floats) -> dict[str, Floats]:
        n_rows, n_labels = self.truth.shape
        of_labels = [curve.areas(weights) for curve in self.curves]
        pooled = self.pooled_curve.areas(weights)
        values = {}
        for curve in CURVE_METRICS:
            values[curve.name] = pooled[curve.area]
            if curve.covers:
                areas = np.array([one[curve.area] for one in of_labels])
                values[curve.name] = mean_over(areas.T, curve.covers(actual, n_rows))
        surplus = (self.calibration @ weights).reshape(n_labels, CALIBRATION_BINS, -1)
        errors = calibration_error(surplus.transpose(1, 2, 0), n_rows)
        pooled_error = calibration_error(self.pooled_calibration @ weights, n_rows * n_labels)
        for error in CALIBRATION_METRICS:
            values[error.name] = pooled_error if error.is_pooled else mean_over(errors, actual > 0)
        return {f"ranking/{name}": value for name, value in values.items()}


class _Curve:
    """The curve of one label, or of all pooled, as a sparse matrix that turns row weights into its steps.

    The positives have g distinct scores, and a negative falls into one of g + 1 steps: its score is at least the
    highest of them, at least the next one, and so on, or below all. One product with the weights sums every step under
    all draws.
    """

    def __init__(self, truth: Bools, scores: Array) -> None:
        distinct = np.unique(scores[truth])
        self.size = distinct.size + 1
        rows, n_rows = (np.nonzero(~truth)[0], np.nonzero(truth)[0]), len(truth)
        below, upto = (np.searchsorted(distinct, scores[~truth], side=side) for side in ("left", "right"))
        tied = below < upto
        self.negatives = _indicator(distinct.size - upto, rows[0], (self.size, n_rows))
        self.tied = _indicator(distinct.size - upto[tied], rows[0][tied], (distinct.size, n_rows))
        positive_steps = distinct.size - 1 - np.searchsorted(distinct, scores[truth])
        self.positives = _indicator(positive_steps, rows[1], (distinct.size, n_rows))

    def areas(self, weights: Array) -> dict[str, Floats]:
        """Return every area under each column of ``weights``, by its name; NaN where undefined."""
        steps = np.cumsum((self.negatives @ weights).astype(np.float64), axis=0)
        hits = (self.positives @ weights).astype(np.float64)
        upto = steps[:-1]
        above = upto - self.tied @ weights if self.tied.nnz else upto
        ranks = PositiveRanks(hits, above, upto, negatives=steps[-1])
        return {name: area(ranks) for name, area in AREAS.items()}


def _label_columns(truth: Bools, scores: Array) -> Iterator[tuple[Bools, Array]]:
    """Yield truth and scores of each label, shape (n,) and contiguous, copying a few labels at a time."""
    for start in range(0, truth.shape[1], LABELS_AT_ONCE):
        block = slice(start, start + LABELS_AT_ONCE)
        yield from zip(np.ascontiguousarray(truth[:, block].T), np.ascontiguousarray(scores[:, block].T), strict=True)


def _calibration_matrix(truth: Bools, scores: Array) -> sp.sparse.csr_array:
    """Return truth minus score of every cell, in the matrix row of its bin and the matrix column of its test row."""
    bins = calibration_bins(scores.ravel(), calibration_edges(scores))
    rows = np.repeat(np.arange(len(truth)), truth.size // len(truth))
    surplus: Floats = np.subtract(truth, scores, dtype=np.float64)
    entries = surplus.ravel().astype(np.float32)
    return sp.sparse.csr_array((entries, (bins, rows)), shape=(CALIBRATION_BINS, len(truth)))


def _indicator(bins: Array, rows: Array, shape: tuple[int, int]) -> sp.sparse.csr_array:
    return sp.sparse.csr_array((np.ones(bins.size, dtype=np.float32), (bins, rows)), shape=shape)


def _label_counts(cells: Array, n_labels: int, weights: Array) -> list[Floats]:
    """Return the weighted counts of each label in each table of ``cells``, side by side there: (chunk, n_labels)."""
    counts = (weights.T @ cells).astype(np.float64)
    return np.split(counts, cells.shape[1] // n_labels, axis=1)


def _weights(draws: Draws, widest: int) -> Iterator[Array]:
    """Yield the row weights of a few draws at a time, shape (n, chunk): ``widest`` bounds the memory of a chunk."""
    step = max(1, min(DRAWS_AT_ONCE, CELLS_AT_ONCE // widest))
    for start in range(0, len(draws.rows), step):
        yield np.ascontiguousarray(draws.rows[start : start + step].T, dtype=np.float32)
