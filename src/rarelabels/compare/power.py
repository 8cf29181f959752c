"""What an interval could have seen, and how many more seeds or test rows would decide what it left undecided."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from rarelabels.judging.statistics.estimate import Estimate, quantile

POWER = 0.8  # a difference is visible if it would be seen so often
MOST_SEEDS = 100
TIMES = (2, 3, 4, 6, 8, 10, 15, 20, 30, 50, 100)  # as many times the test rows, or the seeds and the rows, are tried
Decides = Callable[[float, float], bool]  # whether an interval, from low to high, gives a verdict


def visible(difference: Estimate, level: float) -> float:
    """Return the difference that the interval at this level would tell from 0 in 80 % of all studies like this one.

    Other seeds and other test rows, of the same numbers, make another study.

    >>> import numpy as np
    >>> one = Estimate(np.array([0.1, 0.1]), np.array([0.01, -0.01] * 50))
    >>> round(one.standard_error, 3), round(visible(one, 0.95), 3)
    (0.101, 0.285)
    """
    degrees = difference.degrees_of_freedom
    return (quantile(degrees, (1 + level) / 2) + quantile(degrees, POWER)) * difference.standard_error


def what_would_decide(difference: Estimate, level: float, decides: Decides) -> str:
    """Return a sentence on how many seeds or test rows would decide, if the difference stayed as it is.

    Args:
        difference: undecided at this level.
        level: of its interval.
        decides: whether an interval gives a verdict.
    """
    n, rows, seeds = difference.n_seeds, difference.variance_of_rows, difference.variance_of_seeds
    of_seeds = next(_seeds_enough(difference, level, decides), None)
    of_rows = next((times for times in TIMES if _ends(difference, level, decides, rows / times, seeds)), None)
    would = []
    if of_seeds:
        would.append(f"{of_seeds} seeds in place of {difference.n_seeds}")
    if of_rows:
        would.append(f"{of_rows} × the test rows")
    if not would:
        both = (times for times in TIMES if _ends(difference, level, decides, rows / times, seeds / times, n * times))
        of_both = next(both, None)
        would += [f"{of_both} × the seeds and the test rows"] if of_both else []
    if would:
        return f"{' or '.join(would)} would decide, if the difference stayed"
    return f"not even {TIMES[-1]} × the seeds and the test rows would decide, if the difference stayed"


def _seeds_enough(difference: Estimate, level: float, decides: Decides) -> Iterator[int]:
    n, rows, seeds = difference.n_seeds, difference.variance_of_rows, difference.variance_of_seeds
    for more in range(n + 1, MOST_SEEDS + 1) if seeds else ():
        if _ends(difference, level, decides, rows, seeds * n / more, more):
            yield more


def _ends(
    difference: Estimate, level: float, decides: Decides, rows: float, seeds: float, n_seeds: int | None = None
) -> bool:
    """Return whether the interval would decide if rows and seeds brought these variances."""
    n = n_seeds or difference.n_seeds
    below = rows**2 / max(1, difference.n_groups - 1) + (seeds**2 / (n - 1) if n > 1 else 0.0)
    degrees = (rows + seeds) ** 2 / below if below else math.inf
    half = quantile(max(1.0, degrees), (1 + level) / 2) * math.sqrt(rows + seeds)
    return decides(difference.value - half, difference.value + half)
