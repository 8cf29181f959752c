"""Decisions on the rows that choose the rules: a row is decided by thresholds that the other folds have chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools
from rarelabels.judging.rules import table
from rarelabels.judging.rules.choose import choose, of_decisions
from rarelabels.judging.rules.folds import splits
from rarelabels.judging.rules.own import OwnRule
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1, ObjectiveSpec

Calibrate: TypeAlias = Callable[[Scores], Callable[[Array], Array]]


def crossfit(
    y_val: ArrayLike,
    s_val: ArrayLike,
    *,
    min_positives: int,
    objective: ObjectiveSpec = F1,
    calibrate: Calibrate | None = None,
    decides: bool = False,
    per_label_alone: bool = False,
) -> dict[str, Bools]:
    """Return the decisions of every rule that validation chooses; a row's rule is chosen on the other folds.

    This gives an honest validation objective: no row is decided by a threshold that it helped to choose. A rule that
    uses folds itself makes them of the rows of the other folds. Hits are as frequent as on fresh rows. The F1 of the
    pooled folds is still a little higher, because the folds are not independent. Measured with random scores, 80 labels
    of share 0.02 on 400 rows, macro-F1 under ``per_label``: in-sample 0.09, here 0.05, fresh 0.03.

    Args:
        y_val: 0/1, shape (n, n_labels); NaN where it is not known.
        s_val: scores, shape (n, n_labels).
        min_positives: as for :func:`choose_rules`.
        objective: as for :func:`choose_rules`.
        calibrate: takes the other folds, once for each fold, and returns a fitted map of scores.
        decides: whether the scores are decisions; see :func:`of_decisions`.
        per_label_alone: leave out all other rules: on 1,600 rows of 983 labels this takes 0.5 s in place of 5 s.

    Returns:
        Rule to decisions, each of shape (n, n_labels).

    Raises:
        ValueError: shapes differ, ``y_val`` is not 0/1, or a score is not finite.
    """
    return decide_by_folds(
        Rows(Scores.from_arrays(y_val, s_val), objective, min_positives),
        calibrate=calibrate,
        decides=decides,
        per_label_alone=per_label_alone,
    )


def decide_by_folds(
    rows: Rows,
    *,
    calibrate: Calibrate | None = None,
    decides: bool = False,
    per_label_alone: bool = False,
    own: Iterable[OwnRule] = (),
) -> dict[str, Bools]:
    """Return decisions on each row by the rule chosen on the other folds; see :func:`crossfit`.

    ``own`` are rules of other packages, which are decided by as well.
    """
    part = rows.scores
    names = (table.PER_LABEL.name,) if per_label_alone else table.CHOSEN_ON_VALIDATION
    decided: dict[str, Bools] = {}
    for others, fold in splits(part.truth):
        scored = part
        if calibrate and others.any():
            scored = replace(part, scores=calibrate(part.take(others))(part.scores))
        rules = choose(replace(rows, scores=scored.take(others)), names, own)
        for name, rule in (of_decisions(rules) if decides else rules).items():
            decided.setdefault(name, np.zeros(part.truth.shape, dtype=bool))[fold] = rule.assign(scored.scores[fold])
    return decided
