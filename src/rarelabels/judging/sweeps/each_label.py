"""Exact sweeps: the thresholds that are best on given rows, with every distinct score as a candidate.

A label is assigned where ``score >= threshold``, so equal scores are always on the same side. Thresholds are float64
and lie strictly above the next lower score: in the middle of the gap, or on the upper score when there is no float
between the two. ``NEVER`` and ``ALWAYS`` lie beyond every probability; for other scores they are moved further out. Of
thresholds that are equally good, the one that assigns the fewest labels is taken.

Only cuts at the score of a positive, and the cut that assigns nothing, are candidates. Other cuts cannot be best: if
only negatives have the lowest assigned score, leaving them out keeps every true positive and lowers the false
positives. That raises F-beta and Jaccard (or leaves them at 0, below the cut at the highest positive). It also raises
the share of negatives that are right, and lowers the cost, as a false positive costs more than a true negative. The
same holds for a sum over labels or rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools, Floats
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1, BalancedAccuracy, Cost, FBeta, Jaccard, ObjectiveSpec
from rarelabels.judging.sweeps.ordered import Cuts, beyond_lowest, find_cuts, highest_of_each


@dataclass(frozen=True, eq=False)
class Sweep:
    """The best threshold of every label.

    Attributes:
        thresholds: shape (n_labels,).
        values: the objective reached on the swept rows, shape (n_labels,); 0 where undefined. For a cost matrix it is
            minus the mean cost of a row.
        defined: whether the objective has a maximum, shape (n_labels,); see :func:`best_thresholds`.
    """

    thresholds: Floats
    values: Floats
    defined: Bools


def best_thresholds(y_true: ArrayLike, y_score: ArrayLike, objective: ObjectiveSpec = F1) -> Sweep:
    """Return the best threshold of every label for an objective.

    Exact, O(n log n) for each label. Scores 0.9, 0.7, 0.2 of a positive, a positive and a negative give 0.45.

    F-beta and Jaccard are undefined for a label without positives (its threshold is "never"). Balanced accuracy is
    undefined for a label without positives ("never") or without negatives ("always"). The value is then 0. A cost is
    always defined. Rows in which a label is not known do not count for it; without any, it is undefined ("never").

    >>> best_thresholds([[1, 0], [1, 0], [0, 1]], [[0.9, 0.2], [0.7, 0.3], [0.2, 0.8]]).thresholds
    array([0.45, 0.55])

    Args:
        y_true: 0/1, shape (n, n_labels); NaN where it is not known.
        y_score: any real scores, shape (n, n_labels); higher means more likely positive. Fast for scores that are not
            negative; 0.0 and -0.0 are equal.
        objective: what is maximised; for a cost matrix, minus the cost.

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.

    Source: Lipton, Elkan and Naryanaswamy (2014), "Optimal thresholding of classifiers to maximize F1".
    """
    return sweep_labels(Scores.from_arrays(y_true, y_score), objective)


def sweep_labels(scores: Scores, objective: ObjectiveSpec) -> Sweep:
    """Return the best threshold of every label; see :func:`best_thresholds`."""
    blocks = [_best_of_block(find_cuts(ordered), objective) for ordered in scores.by_label]
    thresholds, values, defined = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Sweep(thresholds, values, defined)


def objective_values(
    objective: ObjectiveSpec, hits: Array, assigned: Array, positives: ArrayLike, n_rows: ArrayLike
) -> Floats:
    """Return the objective from counts that broadcast; NaN where 0/0.

    Args:
        objective: what is computed; for a cost matrix, minus the mean cost of a row.
        hits: true positives.
        assigned: rows the label is assigned to.
        positives: rows that have the label.
        n_rows: all rows in which the label is known.
    """
    positives, n_rows = np.asarray(positives), np.asarray(n_rows)
    missed, false, negatives = positives - hits, assigned - hits, n_rows - positives
    values: Array
    with np.errstate(invalid="ignore"):
        match objective:
            case FBeta(beta=beta):
                # If a float holds beta² exactly, the division alone rounds: equal values are then equal floats.
                values = (1 + beta**2) * hits / (beta**2 * positives + assigned)
            case Jaccard():
                values = hits / (positives + false)
            case BalancedAccuracy():
                values = (hits / positives + (negatives - false) / negatives) / 2
            case Cost() as cost:
                wrong = cost.false_negative * missed + cost.false_positive * false
                right = cost.true_positive * hits + cost.true_negative * (negatives - false)
                values = -(wrong + right) / n_rows
    return np.asarray(values, dtype=np.float64)


def _best_of_block(cuts: Cuts, objective: ObjectiveSpec) -> tuple[Floats, Floats, Bools]:
    """Return the thresholds, their values and where the objective is defined, each (labels of the block,)."""
    merits = merits_of(objective, cuts)
    best, chosen = highest_of_each(merits, cuts.bounds)
    nothing = (chosen < 0) | (best <= 0)  # assigning nothing has the merit 0
    hits, assigned = cuts.counts(chosen, nothing)
    values = objective_values(objective, hits, assigned, cuts.positives, cuts.n_rows)
    thresholds = cuts.thresholds(chosen, nothing)
    defined = _is_defined(objective, cuts)
    if isinstance(objective, BalancedAccuracy):
        full = (cuts.positives > 0) & (cuts.positives == cuts.n_rows)
        thresholds[full] = beyond_lowest(cuts.ordered.lowest()[full])
    return thresholds, np.where(defined, values, 0.0), defined


def merits_of(objective: ObjectiveSpec, cuts: Cuts) -> Array:
    """Return a merit of each cut, in the order of the objective; above 0 if better than assigning nothing."""
    sizes = np.diff(cuts.bounds)
    match objective:
        case BalancedAccuracy():
            # Balanced accuracy minus 1/2, that of nothing, times 2 · positives · negatives: exact whole numbers.
            positives = np.repeat(cuts.positives, sizes)
            merits: Array = cuts.hits * (cuts.n_rows - positives) - (cuts.assigned - cuts.hits) * positives
        case Cost() as cost:
            saved, spent = cost.false_negative - cost.true_positive, cost.false_positive - cost.true_negative
            merits = saved * cuts.hits - spent * (cuts.assigned - cuts.hits)
        case _:
            positives = np.repeat(cuts.positives, sizes)
            merits = objective_values(objective, cuts.hits, cuts.assigned, positives, cuts.n_rows)
    return merits


def _is_defined(objective: ObjectiveSpec, cuts: Cuts) -> Bools:
    match objective:
        case Cost():
            return np.full(cuts.positives.shape, cuts.n_rows > 0)
        case BalancedAccuracy():
            return np.asarray((cuts.positives > 0) & (cuts.positives < cuts.n_rows))
        case _:
            return np.asarray(cuts.positives > 0)
