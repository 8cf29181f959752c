"""A metric of a trial with what its interval needs: its value for each seed, and the influence of test rows on it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rarelabels.judging.arrays import Floats, Integers
from rarelabels.judging.metrics.own import OwnMetric
from rarelabels.judging.metrics.table import BY_NAME
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics.influence import influences

MOST_GROUPS = 4000  # as many tell a standard error to 1.1 %; a record stores no more


@dataclass(frozen=True, eq=False)
class Estimate:
    """A metric, or a difference of two metrics, with the two sources of its error.

    The value is the mean over seeds. Other test rows would change it, and other seeds would. So its variance has two
    parts: the sum of the squared influences of the rows, and the variance between seeds by their number. Few seeds tell
    their variance badly. So intervals are those of Student's t with Satterthwaite's degrees of freedom.

    Seeds also differ in the rows that they err on. That is in both parts, so the standard error of a difference is up
    to a fifth too large. This makes up for seeds that are far from normal: ``docs/intervals.md`` has the measurement.

    Two estimates of the same seeds and rows are subtracted with ``-``: the result is the paired difference.

    Attributes:
        by_seed: the metric of each seed, (n_seeds,); NaN where it is undefined.
        influence: of each group of test rows on the mean over seeds, (n_groups,). A row that belongs to no group is a
            group of one.

    Source: Efron (1982), "The Jackknife, the Bootstrap and Other Resampling Plans", chapter 6; Satterthwaite (1946),
    "An Approximate Distribution of Estimates of Variance Components".

    >>> import numpy as np
    >>> rows = Estimate(np.array([0.5, 0.6, 0.7]), np.array([0.01, -0.02, 0.01]))
    >>> round(rows.value, 3), round(rows.variance_of_rows, 5), round(rows.variance_of_seeds, 5)
    (0.6, 0.0009, 0.00333)
    >>> [round(end, 3) for end in rows.interval(0.95)]
    [0.393, 0.807]
    """

    by_seed: Floats
    influence: Floats

    def __sub__(self, other: Estimate) -> Estimate:
        sizes = [(one.by_seed.size, one.influence.size) for one in (self, other)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"estimates must have the same seeds and groups of rows; got {sizes[0]} and {sizes[1]}")
        return Estimate(self.by_seed - other.by_seed, self.influence - other.influence)

    @cached_property
    def value(self) -> float:
        """The mean over the seeds in which the metric is defined."""
        return float(np.nanmean(self.by_seed))

    @cached_property
    def n_seeds(self) -> int:
        """How many seeds have the metric."""
        return int(np.count_nonzero(~np.isnan(self.by_seed)))

    @property
    def n_groups(self) -> int:
        """How many groups of test rows there are."""
        return int(self.influence.size)

    @cached_property
    def variance_of_rows(self) -> float:
        """The variance that other test rows bring; 0 for one group, which says nothing about it."""
        n = self.n_groups
        return float((self.influence**2).sum()) * n / (n - 1) if n > 1 else 0.0

    @cached_property
    def variance_of_seeds(self) -> float:
        """The variance that other seeds bring; 0 for one seed, which says nothing about it."""
        return float(np.nanvar(self.by_seed, ddof=1)) / self.n_seeds if self.n_seeds > 1 else 0.0

    @property
    def share_of_seeds(self) -> float:
        """The share of the variance that comes from the seeds, 0 to 1; NaN if there is no variance."""
        whole = self.variance_of_rows + self.variance_of_seeds
        return self.variance_of_seeds / whole if whole > 0 else math.nan

    @cached_property
    def standard_error(self) -> float:
        """The square root of the whole variance."""
        return math.sqrt(self.variance_of_rows + self.variance_of_seeds)

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Satterthwaite's; infinite if there is no variance."""
        whole = self.variance_of_rows + self.variance_of_seeds
        parts = ((self.variance_of_rows, self.n_groups - 1), (self.variance_of_seeds, self.n_seeds - 1))
        below = sum((variance / whole) ** 2 / degrees for variance, degrees in parts if variance)
        return 1 / below if below else math.inf

    @property
    def is_identical(self) -> bool:
        """Whether it is a difference of two sides that are the same in every row and seed."""
        return not self.by_seed.any() and not self.influence.any()

    def half_width(self, level: float) -> float:
        """Return half the width of the interval at a level.

        Raises:
            ValueError: a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level: must be between 0 and 1; got {level}")
        return quantile(self.degrees_of_freedom, (1 + level) / 2) * self.standard_error

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval at a level; see :meth:`half_width`."""
        half = self.half_width(level)
        return self.value - half, self.value + half

    def p_value(self, at: float = 0.0) -> float:
        """Return the two-sided p-value of the hypothesis that the metric, or the difference, is ``at``.

        It is below 1 − level exactly if the interval at that level leaves ``at`` out.
        """
        from scipy.special import ndtr, stdtr

        if self.standard_error == 0:
            return 1.0 if self.value == at else 0.0
        away, degrees = -abs(self.value - at) / self.standard_error, self.degrees_of_freedom
        return float(2 * (ndtr(away) if math.isinf(degrees) else stdtr(degrees, away)))


def quantile(degrees: float, probability: float) -> float:
    """Return the quantile of Student's t; with infinite degrees of freedom, that of the normal distribution.

    >>> round(quantile(4, 0.975), 3), round(quantile(math.inf, 0.975), 3)
    (2.776, 1.96)
    """
    from scipy.special import ndtri, stdtrit  # scipy.stats takes half a second to import

    return float(ndtri(probability) if math.isinf(degrees) else stdtrit(degrees, probability))


def interval_of(
    name: str, estimate: Estimate, level: float = 0.95, own: Sequence[OwnMetric] = ()
) -> tuple[float, float]:
    """Return the interval of a metric, cut to the range of its values.

    Args:
        name: as it is recorded; the range is that of what follows the last slash.
        estimate: of the metric.
        level: of the interval.
        own: metrics of other packages.
    """
    low, high = estimate.interval(level)
    metric = (BY_NAME | {one.name: one for one in own})[name.rpartition("/")[2]]
    low = low if metric.lowest is None else max(low, metric.lowest)
    return low, high if metric.highest is None else min(high, metric.highest)


def estimates(
    parts: Sequence[Scores],
    rules: Sequence[Mapping[str, Rule]],
    values: Sequence[Mapping[str, float]],
    wanted: Collection[str] | None = None,
    own: Sequence[OwnMetric] = (),
) -> dict[str, Estimate]:
    """Return the estimates of the metrics of a trial, by recorded name without the part, such as ``half/macro_f1``.

    A metric that no seed has is left out. One row, or one group of rows, says nothing about other rows: then there is
    no estimate of any metric.

    With ``test: repeated`` the seeds have other test parts. Then the rows are those of all of them; a row has no
    influence on the seeds that did not test it. ``docs/intervals.md`` says what such an interval means.

    Args:
        parts: the test part as scored by each seed. Groups that one seed has are those of all, if all have the same
            rows.
        rules: of each seed, by name.
        values: the metrics of each seed, by the same names.
        wanted: the names; all, if None.
        own: metrics of other packages; one without influences has no estimate.

    Raises:
        ValueError: as many parts, rules or values as there are seeds are not given.
    """
    if not len(parts) == len(rules) == len(values) > 0:
        sizes = f"{len(parts)}, {len(rules)}, {len(values)}"
        raise ValueError(f"scores, rules and values must be of the same seeds, at least one; got {sizes}")
    groups = groups_of_rows(parts)
    n_groups = 1 + max(int(group.max()) for group in groups)
    if n_groups == 1:
        return {}
    total: dict[str, Floats] = {}
    for part, of_seed, group in zip(parts, rules, groups, strict=True):
        for name, influence in influences(part, of_seed, wanted, own).items():
            of_groups = np.bincount(group, weights=influence, minlength=n_groups)
            total[name] = total[name] + of_groups if name in total else of_groups.astype(np.float64)
    by_seed = {name: np.array([of_seed.get(name, np.nan) for of_seed in values]) for name in total}
    return {
        name: Estimate(by_seed[name], influence / len(parts))
        for name, influence in total.items()
        if not np.isnan(by_seed[name]).all()
    }


def groups_of_rows(parts: Sequence[Scores]) -> list[Integers]:
    """Return the group of each row, by its number, for each part. Without declared groups, each row is a group.

    A row is known by its id in all parts; parts without ids, or with the same ids, are the same rows. More than
    ``MOST_GROUPS`` are drawn together, always in the same way. The variance between as many random groups is that
    between rows.
    """
    if all(np.array_equal(part.ids, parts[0].ids) for part in parts):
        groups = next((part.groups for part in parts if part.groups is not None), None)
        own = np.arange(len(parts[0].y)) if groups is None else np.unique(groups, return_inverse=True)[1]
        return [_drawn_together(np.asarray(own))] * len(parts)
    names = [part.ids if part.groups is None else part.groups for part in parts]
    own = np.unique(np.concatenate(names), return_inverse=True)[1]
    return np.split(_drawn_together(own), np.cumsum([len(of_part) for of_part in names])[:-1])


def _drawn_together(own: Integers) -> Integers:
    n_groups = int(own.max()) + 1
    if n_groups <= MOST_GROUPS:
        return own
    drawn = np.random.default_rng(0).permutation(n_groups) % MOST_GROUPS
    return np.asarray(drawn[own])
