"""Inference from replicates: intervals, differences, p-values, and the trials that are tied with the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Floats
from rarelabels.judging.metrics.table import BY_NAME


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
    """Return the percentile interval of a metric's replicates, shifted so that their median is the metric's value.

    Rows drawn twice flatter rare labels and spoil calibration: on 2,000 rows and 1,000 labels a macro average precision
    of 0.300 had replicates from 0.307 to 0.316. The spread of the replicates is right, their place is not.

    Args:
        value: the metric on the part itself.
        values: its replicates; NaN are left out.
        name: the metric's name in :func:`replicates`, for the range that the interval is cut to.
        level: share of the replicates inside.
    """
    low, high = interval(_around(value, values), level)
    highest = BY_NAME[name.rpartition("/")[2]].highest
    return max(low, 0.0), high if highest is None else min(high, highest)


def differences(value: float, a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the replicates of ``a`` minus ``b``, paired draw by draw, shifted so that their median is ``value``.

    Rows drawn twice seldom flatter both sides alike. Examples are a floor and a network, or the threshold 0.5 and
    thresholds that find more of the rare labels.

    Args:
        value: the difference on the part itself.
        a: replicates of a metric; draws in which it or ``b`` is NaN are left out.
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

    Twice the smaller share of replicates at or beyond zero, at most 1. The sample counts as one more replicate, so p is
    never 0: 1,000 draws reach 0.002. p falls below 1 − level where the ``level`` interval leaves zero out.
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
        higher_is_better: False for those of ``metrics.LOWER_IS_BETTER``.
        level: 1 minus the chance of telling apart any two trials that are equal.

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
        level: 1 minus the chance of telling apart any two trials that are equal.

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
    """Return the defined replicates, shifted so that their median is the value."""
    finite = _finite(values)
    return finite + (value - np.median(finite))


def _finite(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    finite = array[~np.isnan(array)]
    if finite.size == 0:
        raise ValueError("replicates: none is defined, so there is no interval")
    return finite
