"""A table with a row for each label: its frequency, its ranking, and its confusion matrix under each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from rarelabels.judging.metrics.averages import precision_recall_f1
from rarelabels.judging.metrics.curves import AREAS
from rarelabels.judging.metrics.means import ratio
from rarelabels.judging.metrics.measure import label_rankings
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores


def per_label(
    y_true: ArrayLike,
    y_score: ArrayLike,
    rules: Mapping[str, Rule],
    labels: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return one row per label: its frequency, its ranking, and its confusion matrix under each rule.

    Args:
        y_true: 0/1, shape (n, n_labels); NaN where it is not known.
        y_score: probabilities, shape (n, n_labels).
        rules: each with thresholds of shape (n_labels,).
        labels: names; column numbers by default.

    Returns:
        Columns ``label``; ``known``, in how many rows the label is known, if not all labels of all rows are;
        ``positives``, ``prevalence`` (of the known rows), ``average_precision`` and ``roc_auc`` (missing where
        undefined); then for each rule, with the prefix ``<rule>/``: ``threshold``, ``tp``, ``fp``, ``fn``, ``tn``,
        ``precision``, ``recall`` and ``f1``.

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is outside [0, 1].
    """
    return tabulate(Scores.from_arrays(y_true, y_score), rules, labels)


def tabulate(part: Scores, rules: Mapping[str, Rule], labels: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row per label; see :func:`per_label`."""
    part = part.as_probabilities()
    truth, scores = part.truth, part.scores
    n_labels = truth.shape[1]
    actual, n_known = truth.sum(axis=0), part.n_known
    rankings = label_rankings(part)
    columns: dict[str, object] = {
        "label": list(range(n_labels) if labels is None else labels),
        **({} if part.known is None else {"known": n_known}),
        "positives": actual,
        "prevalence": ratio(actual, n_known, undefined=np.nan),
        **{name: rankings[name] for name in AREAS},
    }
    for name, rule in rules.items():
        assigned = part.counted(rule.assign(scores))
        hits, predicted = (truth & assigned).sum(axis=0), assigned.sum(axis=0)
        cells = {"tp": hits, "fp": predicted - hits, "fn": actual - hits, "tn": n_known - predicted - actual + hits}
        block = {"threshold": rule.thresholds, **cells} | precision_recall_f1(hits, predicted, actual)
        columns |= {f"{name}/{column}": values for column, values in block.items()}
    return pd.DataFrame(columns)
