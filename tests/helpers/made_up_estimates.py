"""Estimates that were never measured: a value, and a standard error from test rows alone."""

import numpy as np

from rarelabels.judging.statistics.estimate import Estimate

N = 2000  # so many groups of rows that t is normal to three digits


def rows(seed: int = 0) -> np.ndarray:
    """Influences of rows that have a standard error of 1 together; other seeds have other rows."""
    drawn = np.random.default_rng(seed).normal(size=N)
    drawn -= drawn.mean()
    return drawn / np.sqrt((drawn**2).sum() * N / (N - 1))


ROWS = rows()


def estimate(value: float, influence: object = 0.0, seeds: int = 2) -> Estimate:
    """The same value in each seed; ``influence`` is that of the rows on their mean."""
    return Estimate(np.full(seeds, value), influence + np.zeros(N))
