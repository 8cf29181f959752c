"""How sure the numbers are: a paired bootstrap over test rows and seeds, and what can be told from it.

All seeds of a trial are scored on the same test rows, so one draw is a resample of the rows and, apart from it, of the
seeds; a replicate is the mean over the drawn seeds of the metric on the drawn rows. Draws depend on nothing but the
number of rows and seeds: two trials scored on the same part share them, and replicates are subtracted draw by draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy as sp
from numpy.typing import ArrayLike, NDArray

from rarelabels.metrics import (
    CALIBRATION_BINS,
    calibration_bins,
    calibration_edges,
    calibration_error,
    curve_areas,
    decision_rows,
    label_averages,
    label_columns,
    mean_over,
    probabilities,
    ranking_rows,
    row_means,
)
from rarelabels.sweeps import Array, Bools, Floats, multi_hot
from rarelabels.thresholds import Rule

N_DRAWS = 2000  # enough to tell 50 trials from the best under Holm: 49 · 2 / 2001 < 0.05
UNBOUNDED = ("ranking/coverage", "ranking/log_loss")  # every other metric is at most 1
DRAW_SEED = 20_240_917  # any fixed number: it only has to be the same for all trials
CELLS_AT_ONCE = 8_000_000
DRAWS_AT_ONCE = 125


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
    """Return the same draws for the same sizes, always; the rows drawn do not depend on the number of seeds.

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
    A label without a drawn positive is left out of that draw's macro mean; a draw in which a metric covers nothing is
    NaN there, and left out of intervals.

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
    if not len(scores) == len(rules) == draws.seeds.shape[1]:
        raise ValueError(
            f"scores, rules and draws must agree on the seeds; got {len(scores)}, {len(rules)}, {draws.seeds.shape[1]}"
        )
    given = zip(scores, rules, decided or [{}] * len(scores), strict=True)
    by_seed = [_SeedSample(y_true, *of_seed).replicates(draws) for of_seed in given]
    averages = {}
    for name in by_seed[0]:
        drawn = np.take_along_axis(np.stack([seed[name] for seed in by_seed]), draws.seeds.T, axis=0)
        if not np.isnan(drawn).all():
            averages[name] = drawn.mean(axis=0)
    return averages


def interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of replicates that holds ``level`` of them; NaN are left out.

    Raises:
        ValueError: no replicate is defined, or a level outside (0, 1).

    Source: Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: must be between 0 and 1; got {level}")
    low, high = np.quantile(_finite(values), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval_around(value: float, values: ArrayLike, name: str, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of a metric's replicates, moved to where their median is the metric's value.

    Rows drawn twice flatter rare labels and spoil calibration: on 2,000 rows and 1,000 labels a macro average precision
    of 0.300 had replicates from 0.307 to 0.316. Their spread is right, their place is not.

    Args:
        value: the metric on the part itself.
        values: its replicates; NaN are left out.
        name: as :func:`replicates` calls it; it says where the metric ends.
        level: share of the replicates inside.
    """
    low, high = interval(_around(value, values), level)
    return max(low, 0.0), high if name in UNBOUNDED else min(high, 1.0)


def differences(value: float, a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the replicates of ``a`` minus ``b``, paired draw by draw, moved to where their median is ``value``.

    Rows drawn twice seldom flatter both sides alike: not a floor beside a net, nor 0.5 beside thresholds that find
    more of the rare labels.

    Args:
        value: the difference on the part itself.
        a: replicates of a metric; draws in which it or the other is NaN are left out.
        b: the other replicates, from the same draws.

    Raises:
        ValueError: the replicates do not come from the same draws, or none is defined.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"replicates must come from the same draws; got shapes {first.shape} and {second.shape}")
    return _around(value, first - second)


def p_value(drawn: ArrayLike) -> float:
    """Return the two-sided bootstrap p-value of a difference of zero.

    Twice the smaller share of replicates at or beyond zero, at most 1; the sample counts as one more replicate, so it
    is never 0: 1,000 draws reach 0.002. It falls below 1 − level where the ``level`` interval leaves zero out.
    Identical trials have p = 1.

    Source: Davison and Hinkley (1997), "Bootstrap Methods and their Application", section 4.4.
    """
    finite = _finite(drawn)
    smaller = min(int((finite <= 0).sum()), int((finite >= 0).sum()))
    return min(1.0, 2 * (smaller + 1) / (finite.size + 1))


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted for the number of comparisons, in the given order, shape (m,).

    0.01, 0.04, 0.03 become 0.03, 0.06, 0.06.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(raw.size, 0, -1))
    adjusted = np.empty(raw.size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def not_worse_than_best(
    points: Mapping[str, float],
    replicates: Mapping[str, ArrayLike],
    higher_is_better: bool = True,
    level: float = 0.95,
) -> set[str]:
    """Return the best trial and all that cannot be told from it, after Holm over the comparisons with the best.

    Replicates of a difference are moved as in :func:`differences`.
    With 1,000 draws at level 0.95 at most 25 trials can be told from the best: give more draws to more trials.

    Args:
        points: the metric of each trial on the whole part.
        replicates: its replicates, all from the same draws.
        higher_is_better: False for the metrics in ``metrics.LOWER_IS_BETTER``.
        level: 1 minus the chance of telling apart any that are equal.

    Raises:
        ValueError: no trials, or other trials in ``replicates`` than in ``points``.
    """
    if not points:
        raise ValueError("points must name a trial")
    best = (max if higher_is_better else min)(sorted(points), key=points.__getitem__)
    return not_told_from(best, points, replicates, level)


def not_told_from(
    one: str, points: Mapping[str, float], replicates: Mapping[str, ArrayLike], level: float = 0.95
) -> set[str]:
    """Return a trial and all that cannot be told from it, better or worse, after Holm over the comparisons with it.

    Args:
        one: its name.
        points: the metric of each trial on the whole part.
        replicates: its replicates, all from the same draws.
        level: 1 minus the chance of telling apart any that are equal.

    Raises:
        ValueError: other trials in ``replicates`` than in ``points``.
    """
    if points.keys() != replicates.keys():
        raise ValueError(f"points and replicates must name the same trials; got {set(points)} and {set(replicates)}")
    others = [name for name in points if name != one]
    ahead = {name: points[one] - points[name] for name in others}
    adjusted = holm([p_value(differences(ahead[name], replicates[one], replicates[name])) for name in others])
    return {one} | {name for name, p in zip(others, adjusted, strict=True) if p > 1 - level}


def _around(value: float, values: ArrayLike) -> Floats:
    """Return the defined replicates, moved to where their median is the value."""
    finite = _finite(values)
    return finite + (value - np.median(finite))


def _finite(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    finite = array[~np.isnan(array)]
    if finite.size == 0:
        raise ValueError("replicates: none is defined, so there is no interval")
    return finite


# One seed. Float32 weights count exactly up to 2**24 and halve the time; every sum of fractions is in float64.


class _SeedSample:
    """What of one seed does not depend on the draw: sorted, binned and compared once."""

    def __init__(
        self, y_true: ArrayLike, y_score: ArrayLike, rules: Mapping[str, Rule], decided: Mapping[str, ArrayLike]
    ) -> None:
        self.truth, scores = probabilities(y_true, y_score)
        self.assigned = {name: rule.assign(scores) for name, rule in rules.items()}
        self.assigned |= {name: multi_hot(labels, name) for name, labels in decided.items()}
        for name, assigned in self.assigned.items():
            if assigned.shape != self.truth.shape:
                raise ValueError(f"{name}: must have the shape of y_true, {self.truth.shape}; got {assigned.shape}")
        self.rows = {f"ranking/{name}": values for name, values in ranking_rows(self.truth, scores).items()}
        for rule, assigned in self.assigned.items():
            self.rows |= {f"{rule}/{name}": values for name, values in decision_rows(self.truth, assigned).items()}
        tables = [self.truth, *(table for one in self.assigned.values() for table in (self.truth & one, one))]
        self.cells = np.concatenate(tables, axis=1, dtype=np.float32)
        self.curves = [_Curve(column, own) for column, own in label_columns(self.truth, scores)]
        self.pooled_curve = _Curve(self.truth, scores)
        self.calibration = sp.sparse.vstack(
            [_calibration_matrix(column, own) for column, own in label_columns(self.truth, scores)], format="csr"
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
        """Metrics under each column of ``weights``, shape (n, chunk)."""
        actual, *counts = _label_counts(self.cells, self.truth.shape[1], weights)
        values = row_means(self.rows, weights.astype(np.float64)) | self._rankings(weights, actual)
        positives = self.truth.sum(axis=0)
        for rule, hits, predicted in zip(self.assigned, counts[::2], counts[1::2], strict=True):
            averages = label_averages(hits, predicted, actual, positives)
            values |= {f"{rule}/{name}": average for name, average in averages.items()}
        return values

    def _rankings(self, weights: Array, actual: Floats) -> dict[str, Floats]:
        n_rows, n_labels = self.truth.shape
        areas = np.array([curve.areas(weights) for curve in self.curves])
        micro_ap, micro_auc = self.pooled_curve.areas(weights)
        surplus = (self.calibration @ weights).reshape(n_labels, CALIBRATION_BINS, -1)
        errors = calibration_error(surplus.transpose(1, 2, 0), n_rows)
        return {
            "ranking/micro_average_precision": micro_ap,
            "ranking/micro_roc_auc": micro_auc,
            "ranking/macro_average_precision": mean_over(areas[:, 0].T, actual > 0),
            "ranking/macro_roc_auc": mean_over(areas[:, 1].T, (actual > 0) & (actual < n_rows)),
            "ranking/ece": calibration_error(self.pooled_calibration @ weights, n_rows * n_labels),
            "ranking/macro_ece": mean_over(errors, actual > 0),
        }


class _Curve:
    """The curve of one label, or of all pooled, as a sparse matrix that turns row weights into its steps.

    A negative falls into one of g + 1 steps: it has at least the highest of the g distinct scores of the positives, at
    least the next one, and so on, or less than all. One product with the weights sums every step under all draws.
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

    def areas(self, weights: Array) -> tuple[Floats, Floats]:
        """Average precision and ROC AUC under each column of ``weights``; NaN where undefined."""
        steps = np.cumsum((self.negatives @ weights).astype(np.float64), axis=0)
        hits = (self.positives @ weights).astype(np.float64)
        upto = steps[:-1]
        above = upto - self.tied @ weights if self.tied.nnz else upto
        return curve_areas(hits, above, upto, negatives=steps[-1])


def _calibration_matrix(truth: Bools, scores: Array) -> sp.sparse.csr_array:
    """Truth minus score of every entry, at the row of its bin and the column of its test row."""
    bins = calibration_bins(scores.ravel(), calibration_edges(scores))
    rows = np.repeat(np.arange(len(truth)), truth.size // len(truth))
    surplus: Floats = np.subtract(truth, scores, dtype=np.float64)
    entries = surplus.ravel().astype(np.float32)
    return sp.sparse.csr_array((entries, (bins, rows)), shape=(CALIBRATION_BINS, len(truth)))


def _indicator(bins: Array, rows: Array, shape: tuple[int, int]) -> sp.sparse.csr_array:
    return sp.sparse.csr_array((np.ones(bins.size, dtype=np.float32), (bins, rows)), shape=shape)


def _label_counts(cells: Array, n_labels: int, weights: Array) -> list[Floats]:
    """Weighted counts of each label in each of the tables that lie side by side in ``cells``: (chunk, n_labels)."""
    counts = (weights.T @ cells).astype(np.float64)
    return np.split(counts, cells.shape[1] // n_labels, axis=1)


def _weights(draws: Draws, widest: int) -> Iterator[Array]:
    """Yield the row weights of a few draws at a time, shape (n, chunk): ``widest`` bounds the memory of a chunk."""
    step = max(1, min(DRAWS_AT_ONCE, CELLS_AT_ONCE // widest))
    for start in range(0, len(draws.rows), step):
        yield np.ascontiguousarray(draws.rows[start : start + step].T, dtype=np.float32)
