"""Comparisons of many trials: p-values for all of them together, and the trials that are tied with the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Floats
from rarelabels.judging.statistics.estimate import Estimate


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted for the number of comparisons, in the given order, shape (m,).

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(raw.size, 0, -1))
    adjusted = np.empty(raw.size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def not_worse_than_best(
    estimates: Mapping[str, Estimate], higher_is_better: bool = True, level: float = 0.95
) -> set[str]:
    """Return the best trial and all that cannot be told from it, after Holm over the comparisons with the best.

    Args:
        estimates: the metric of each trial, all on the same rows with the same seeds.
        higher_is_better: False for those of ``metrics.LOWER_IS_BETTER``.
        level: 1 minus the chance of telling apart any two trials that are equal.

    Raises:
        ValueError: no trials, or trials of other rows or seeds.
    """
    if not estimates:
        raise ValueError("estimates must name a trial")
    best = (max if higher_is_better else min)(sorted(estimates), key=lambda name: estimates[name].value)
    return not_told_from(best, estimates, level)


def not_told_from(one: str, estimates: Mapping[str, Estimate], level: float = 0.95) -> set[str]:
    """Return a trial and all that cannot be told from it, better or worse, after Holm over the comparisons with it.

    Args:
        one: its name.
        estimates: the metric of each trial, all on the same rows with the same seeds.
        level: 1 minus the chance of telling apart any two trials that are equal.

    Raises:
        ValueError: trials of other rows or seeds.
    """
    others = [name for name in estimates if name != one]
    adjusted = holm([(estimates[one] - estimates[name]).p_value() for name in others])
    return {one} | {name for name, p in zip(others, adjusted, strict=True) if p > 1 - level}
