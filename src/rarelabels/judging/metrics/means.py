"""Ratios and means with a value for what is undefined; means over rows under one or many sets of row weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rarelabels.judging.arrays import Array, Bools, Floats


def ratio(numerator: Array, denominator: Array, undefined: float = 0.0) -> Floats:
    """Return the quotient of arrays that broadcast; ``undefined`` where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    quotient = np.full(numerator.shape, undefined)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


def mean_over(values: Array, covered: Bools) -> Floats:
    """Return the mean over the covered labels of the last axis; NaN where none is covered."""
    return ratio(np.where(covered, values, 0.0).sum(axis=-1), covered.sum(axis=-1), undefined=np.nan)


def row_means(rows: Mapping[str, Floats], weights: Floats) -> dict[str, Floats]:
    """Return the weighted mean over the rows that are not NaN, under every column of ``weights``.

    ``rows`` are of shape (n,), ``weights`` (n, n_resamples), the means (n_resamples,); NaN where no row is covered.
    """
    values = np.stack(list(rows.values()))
    left_out = np.isnan(values)
    some = left_out.any(axis=1)
    totals = np.tile(weights.sum(axis=0), (len(values), 1))
    totals[some] = (~left_out[some]).astype(np.float64) @ weights
    means = ratio(np.where(left_out, 0.0, values) @ weights, totals, undefined=np.nan)
    return dict(zip(rows, means, strict=True))


def plain_row_means(rows: Mapping[str, Floats], weights: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
    """Return the mean of each metric over the rows that are not NaN.

    Args:
        rows: of each metric, (n,).
        weights: of the rows in some of the metrics, (n,); in the others all rows weigh the same.
    """
    means = row_means(rows, np.ones((len(next(iter(rows.values()))), 1)))
    for name, of_rows in (weights or {}).items():
        means |= row_means({name: rows[name]}, of_rows[:, np.newaxis])
    return {name: mean[0] for name, mean in means.items()}


def defined(values: Mapping[str, Floats]) -> dict[str, float]:
    """Return the values that are not NaN, as Python floats."""
    return {name: float(value) for name, value in values.items() if not np.isnan(value)}


def influences_of_means(rows: Mapping[str, Floats], weights: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
    """Return the influence of each row on the mean over the rows that are not NaN, each (n,); 0 for rows left out.

    Args:
        rows: of each metric, (n,).
        weights: as for :func:`plain_row_means`.
    """
    found = {}
    for name, values in rows.items():
        covered = ~np.isnan(values)
        if weights and name in weights:
            total = max(1.0, weights[name][covered].sum())
            mean = (weights[name] * values)[covered].sum() / total
            found[name] = np.where(covered, weights[name] * (values - mean), 0.0) / total
            continue
        n_covered = max(1, int(covered.sum()))
        mean = values[covered].sum() / n_covered
        found[name] = np.where(covered, values - mean, 0.0) / n_covered
    return found
