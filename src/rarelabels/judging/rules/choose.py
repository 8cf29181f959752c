"""How scores become labels: the rules, each chosen on the validation part by an exact sweep.

:func:`choose_rules` describes every rule. A threshold looks better on the rows that chose it than on others, above all
for rare labels. ``crossfit.crossfit`` decides each of these rows by thresholds that other rows have chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.rules import table
from rarelabels.judging.rules.definition import HALF, Rule, Rules
from rarelabels.judging.rules.own import OwnRule
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1, ObjectiveSpec


def choose_rules(y_val: ArrayLike, s_val: ArrayLike, *, min_positives: int, objective: ObjectiveSpec = F1) -> Rules:
    """Return all of ``rules.table.RULES``, in that order, chosen on the validation part alone.

    - ``half``: 0.5 for every label.
    - ``argmax``: each row's highest-scored label alone, as Keras's ``F1Score`` decides unless it is given a threshold.
    - ``global``, ``global_macro``, ``global_samples``, ``global_subset``: the best common threshold for micro-F1,
      macro-F1, samples F1, subset accuracy.
    - ``per_label``: the best threshold of each label for the objective. A label with fewer than ``min_positives``
      positives, or for which the objective is undefined, takes the global threshold and is counted as a fallback.
    - ``per_label_shrunk``: a threshold p / (p + c) of the way from the global one to the label's own, p being the
      number of its positives; ``min_positives`` does not matter. A label for which the objective is undefined takes the
      global threshold and is counted. The strength c is the one of ``STRENGTHS`` whose decisions on the folds left out
      have the highest mean objective.
    - ``per_label_crossfit``: the median of the five thresholds chosen with one fold left out; fallbacks like
      ``per_label``.
    - ``per_label_micro``: the thresholds per label with the highest micro-F1. Labels without positives are counted.
    - ``at_least_one``: the common threshold with the highest samples F1 where a row that has no label is given its
      highest-scored one.
    - ``top_k``: each row's k highest-scored labels, k best for samples F1.

    A part without any positive cannot choose: thresholds are 0.5 (``top_k``: k = 1), and every label counts as a
    fallback of every rule but the first two.

    A label that is not known, NaN, is neither right nor wrong. Rows in which a label is not known do not count for it,
    in thresholds and in numbers of positives. A rule that looks at the order of a row's scores (``argmax``,
    ``at_least_one``, ``top_k``) gives a row its highest-scored labels, known or not; of these the known ones count.

    >>> y, s = [[1, 0], [1, 0], [0, 1]], [[0.9, 0.2], [0.7, 0.3], [0.2, 0.8]]
    >>> rules = choose_rules(y, s, min_positives=1)
    >>> rules["per_label"].assign([[0.5, 0.5]])
    array([[ True, False]])

    Args:
        y_val: 0/1, shape (n, n_labels); NaN where it is not known.
        s_val: scores, shape (n, n_labels).
        min_positives: positives a label needs for a threshold of its own.
        objective: what thresholds per label are best for.

    Raises:
        ValueError: shapes differ, ``y_val`` is not 0/1, or a score is not finite.
    """
    return choose(Rows(Scores.from_arrays(y_val, s_val), objective, min_positives))


def choose(rows: Rows, names: Iterable[str] = table.RULES, own: Iterable[OwnRule] = ()) -> Rules:
    """Return the rules of these names, and those of other packages, chosen on the rows; see :func:`choose_rules`."""
    has_positives = bool(rows.scores.truth.any())
    rules = {}
    for kind in (*(table.BY_NAME[name] for name in names), *(rule.kind for rule in own)):
        chooser = kind.choose if has_positives else kind.fallback
        assert chooser is not None, f"{kind.name}: no rows choose it"
        rules[kind.name] = chooser(kind, rows)
    return rules


def of_decisions(rules: Mapping[str, Rule]) -> Rules:
    """Return rules for scores that are decisions, 0 or 1: all thresholds become 0.5.

    Only rules that look at the order of a row's scores stay as they are. Chosen thresholds would mislead: a predictor
    that assigns no label scores 0 everywhere, and the only threshold that finds a positive then assigns every label.
    """
    return {
        name: rule if rule.at_least or rule.at_most else replace(rule, thresholds=np.full_like(rule.thresholds, HALF))
        for name, rule in rules.items()
    }


def oracle(y_test: ArrayLike, s_test: ArrayLike, objective: ObjectiveSpec = F1) -> Rule:
    """Return the best threshold of each label on the same rows that measure it: a bound, never a result.

    A label for which the objective is undefined takes "never" (or "always": see ``each_label.best_thresholds``) and
    counts as a fallback. Shapes and errors as :func:`choose_rules`.
    """
    return choose_oracle(Scores.from_arrays(y_test, s_test), objective)


def choose_oracle(test: Scores, objective: ObjectiveSpec) -> Rule:
    """Return the best threshold of each label on the same rows that measure it; see :func:`oracle`."""
    return choose(Rows(test, objective), [table.ORACLE.name])[table.ORACLE.name]
