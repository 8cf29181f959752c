"""Rules and thresholds for plain arrays: ``rarelabels.choose_rules`` and ``rarelabels.best_thresholds``."""

from __future__ import annotations

from typing import Any

from rarelabels.judging.arrays import Floats
from rarelabels.judging.rules import choose
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.score_arrays import pair
from rarelabels.judging.settings import ObjectiveSpec, ThresholdSpec, objective_of
from rarelabels.judging.sweeps import each_label

SPEC = ThresholdSpec()


def choose_rules(
    y_val: Any,
    s_val: Any,
    objective: str | ObjectiveSpec = "f1",
    *,
    min_positives: int = SPEC.min_positives,
    unknown: float | None = None,
) -> dict[str, Rule]:
    """Return every rule that turns scores into labels, chosen on these rows; measure them on other rows.

    The rules, by name: ``half`` (score ≥ 0.5), ``argmax``, ``global``, ``global_macro``, ``global_samples``,
    ``global_subset``, ``per_label``, ``per_label_shrunk``, ``per_label_crossfit``, ``per_label_micro``,
    ``at_least_one`` and ``top_k``; ``rarelabels.judging.rules.choose.choose_rules`` says how each is chosen. A rule has
    ``thresholds``, (labels,), and ``assign(scores)``, which gives True or False for each, (rows, labels).

    Args:
        y_val: 0/1, (rows, labels): array, frame, sparse matrix or tensor on the CPU; NaN, masked or missing where a
            label is not known: such rows do not count for it.
        s_val: probabilities, (rows, labels).
        objective: what thresholds per label are best for: "f1", "jaccard", "balanced_accuracy", or an object such as
            ``rarelabels.FBeta(2)`` or ``rarelabels.Cost(false_positive=1, false_negative=20)``.
        min_positives: a label with fewer positives takes the global threshold under ``per_label``.
        unknown: a number in ``y_val`` that stands for a label that is not known, such as -1.

    Raises:
        ArgumentError: a ``ValueError``: shapes differ, a truth is not 0 or 1, a score is no probability, or the
            objective is unknown.

    >>> import rarelabels as rl
    >>> y_val = [[1, 1], [1, 0], [0, 0], [0, 0]] * 5
    >>> s_val = [[0.9, 0.8], [0.3, 0.6], [0.2, 0.4], [0.1, 0.1]] * 5
    >>> rules = rl.choose_rules(y_val, s_val)
    >>> rules["per_label"].thresholds
    array([0.25, 0.7 ])
    >>> rules["per_label"].assign([[0.4, 0.6]]).astype(int)
    array([[1, 0]])
    """
    part = pair(y_val, s_val, ("y_val", "s_val"), probabilities=True, unknown=unknown)
    return choose.choose(Rows(part, objective_of(objective), min_positives))


def best_thresholds(y: Any, s: Any, objective: str | ObjectiveSpec = "f1", *, unknown: float | None = None) -> Floats:
    """Return the best threshold of each label on these rows, exactly, (labels,).

    A label is assigned where its score ≥ its threshold. Every distinct score is a candidate. On the rows that
    chose them, thresholds flatter: measure them on other rows. A label without a positive has a threshold above all
    scores; see ``rarelabels.judging.sweeps.each_label.best_thresholds``.

    Args:
        y: 0/1, (rows, labels): array, frame, sparse matrix or tensor on the CPU; NaN, masked or missing where a label
            is not known: such rows do not count for it.
        s: any finite scores, logits too, (rows, labels); higher means more likely positive.
        objective: as for :func:`choose_rules`.
        unknown: as for :func:`choose_rules`.

    Raises:
        ArgumentError: a ``ValueError``: shapes differ, a truth is not 0 or 1, a score is not finite, or the objective
            is unknown.

    Source: Lipton, Elkan and Naryanaswamy (2014), "Optimal thresholding of classifiers to maximize F1".

    >>> import rarelabels as rl
    >>> rl.best_thresholds([[1, 0], [1, 1], [0, 0]], [[0.9, 0.3], [0.7, 0.6], [0.2, 0.1]])
    array([0.45, 0.45])
    >>> rl.best_thresholds([[1, 0], [1, 1], [-1, 0]], [[0.9, 0.3], [0.7, 0.6], [0.8, 0.1]], unknown=-1)
    array([-1.  ,  0.45])
    """
    part = pair(y, s, ("y", "s"), probabilities=False, unknown=unknown)
    return each_label.sweep_labels(part, objective_of(objective)).thresholds
