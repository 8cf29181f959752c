"""Threshold rules of other packages: their record, and their choice, checked whenever it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rarelabels.errors import UserError, failure
from rarelabels.judging.arrays import Bools, Floats, unchangeable
from rarelabels.judging.rules.definition import Rule, count_labels
from rarelabels.judging.rules.kind import RuleKind
from rarelabels.judging.rules.rows import Rows


@dataclass(frozen=True, kw_only=True)
class OwnRule:
    """The record of a rule of another package; entry points in the group ``rarelabels.rules`` name such records.

    Like the rules of this package that choose thresholds, it is chosen on validation, cross-fitted there, measured on
    test, and stored as one threshold for each label. So whoever reads the record, or predicts, needs no package.

    >>> import numpy as np
    >>> from rarelabels.judging.scores import Scores
    >>> from rarelabels.judging.settings import F1
    >>> mean = OwnRule(
    ...     name="mean_score",
    ...     words="the mean score of each label",
    ...     thresholds=lambda truth, scores, known: scores.mean(axis=0),
    ... )
    >>> rows = Rows(Scores.from_arrays([[1, 0], [0, 1]], [[0.9, 0.2], [0.5, 0.6]]), F1)
    >>> mean.kind.choose(mean.kind, rows).thresholds
    array([0.7, 0.4])

    Attributes:
        name: as it is declared and recorded.
        words: what it is called in a sentence that says what to use.
        thresholds: takes the truth, True or False, the scores, and which cells are known, each (n, n_labels), which it
            cannot change; returns thresholds, (n_labels,). A label is assigned where its score is as high or higher. A
            label whose threshold is NaN takes the common threshold that is best for micro-F1, and is counted. Rows
            without any positive choose nothing: then all thresholds are 0.5.
        package: name and version of the package; set when its entry point is read.
    """

    name: str
    words: str
    thresholds: Callable[[Bools, Floats, Bools], Floats]
    package: str = ""

    @property
    def kind(self) -> RuleKind:
        """The rule as a kind of rule of this package."""
        return RuleKind(name=self.name, words=self.words, choose=partial(_chosen, self))


def _chosen(own: OwnRule, kind: RuleKind, rows: Rows) -> Rule:
    """Return the rule that rows choose.

    Raises:
        UserError: the function fails, or returns no thresholds; the message names its package.
    """
    part = rows.scores
    known = np.ones(part.truth.shape, dtype=bool) if part.known is None else part.known
    given = map(unchangeable, (part.truth, part.scores.astype(np.float64), known))
    where = f"{own.package or 'another package'}: its rule {own.name!r}"
    try:
        thresholds = np.asarray(own.thresholds(*given), dtype=np.float64)
    except Exception as error:  # whatever a stranger's function raises
        raise UserError(f"{where} failed: {failure(error)}") from error
    if thresholds.shape != (rows.n_labels,):
        needed = (rows.n_labels,)
        raise UserError(f"{where} gave thresholds of shape {thresholds.shape}; they must be one a label, {needed}")
    if np.isinf(thresholds).any():
        raise UserError(f"{where} gave a threshold that is infinite; allowed are finite ones, and NaN for none")
    lacking = np.isnan(thresholds)
    common = rows.common if lacking.any() else 0.0
    return rows.rule(kind.name, np.where(lacking, common, thresholds), count_labels(lacking))
