"""How scores become labels: the rules, each chosen on the validation part by an exact sweep.

What every rule is, :func:`choose_rules` says. Sweeps look at the rows that choose, which flatters rare labels;
:func:`crossfit` gives decisions on the same rows that no threshold chosen on them has made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools, checked
from rarelabels.judging.rules.definition import HALF, Rule, Rules, count_labels
from rarelabels.judging.rules.folds import splits
from rarelabels.judging.rules.shrunk import FoldChoice, Shrinkable, median_rule, shrunk_rule
from rarelabels.judging.settings import F1, ObjectiveSpec
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import Sweep, best_thresholds
from rarelabels.judging.sweeps.ordered import ALWAYS
from rarelabels.judging.sweeps.together import best_micro_f1_thresholds, best_top_k

COMMON = {"global_macro": "macro_f1", "global_samples": "samples_f1", "global_subset": "subset_accuracy"}


def choose_rules(y_val: ArrayLike, s_val: ArrayLike, *, min_positives: int, objective: ObjectiveSpec = F1) -> Rules:
    """Return all of ``settings.RULES``, in that order, chosen on the validation part alone.

    - ``half``: 0.5 for every label.
    - ``argmax``: each row's highest-scored label alone, as Keras's ``F1Score`` decides unless it is given a threshold.
    - ``global``, ``global_macro``, ``global_samples``, ``global_subset``: the best common threshold for micro-F1,
      macro-F1, samples F1, subset accuracy.
    - ``per_label``: the best threshold of each label for the objective. A label with fewer than ``min_positives``
      positives, or for which the objective is undefined, takes the global one and is counted.
    - ``per_label_shrunk``: p / (p + c) of the way from the global threshold to the label's own, p being its positives,
      whatever ``min_positives``; an undefined label takes the global one and is counted. The strength c is the one of
      ``STRENGTHS`` whose decisions on the fold left out have the highest mean objective.
    - ``per_label_crossfit``: the median of the five thresholds chosen with one fold left out; fallbacks like
      ``per_label``.
    - ``per_label_micro``: the thresholds per label with the highest micro-F1. Labels without positives are counted.
    - ``at_least_one``: the common threshold with the highest samples F1 where a row that has no label is given its
      highest-scored one.
    - ``top_k``: each row's k highest-scored labels, k best for samples F1.

    Without a positive in the whole part there is nothing to choose by: 0.5 (``top_k``: k = 1), and every label counts
    as a fallback of every rule but the first two.

    Args:
        y_val: 0/1, shape (n, n_labels).
        s_val: scores, shape (n, n_labels).
        min_positives: positives a label needs for a threshold of its own.
        objective: what thresholds per label are best for.

    Raises:
        ValueError: shapes differ, ``y_val`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_val, s_val)
    n_labels = truth.shape[1]
    chosen = choose_on(truth, scores, min_positives, objective)
    argmax = Rule("argmax", np.full(n_labels, _below(scores)), fallbacks=0, at_most=1)
    rules = [Rule("half", np.full(n_labels, HALF), fallbacks=0), argmax, *chosen]
    return {rule.name: rule for rule in rules}


def of_decisions(rules: Mapping[str, Rule]) -> Rules:
    """Return rules for scores that are decisions, 0 or 1: at 0.5, but for those that look at the order of a row.

    A threshold chosen for a predictor that says no to everything would turn it into one that says yes to everything:
    with all scores 0 there is no other choice that finds anything.
    """
    return {
        name: rule if rule.at_least or rule.at_most else replace(rule, thresholds=np.full_like(rule.thresholds, HALF))
        for name, rule in rules.items()
    }


def oracle(y_test: ArrayLike, s_test: ArrayLike, objective: ObjectiveSpec = F1) -> Rule:
    """Return the best threshold of each label on the very rows that score it: a bound, never a result.

    A label for which the objective is undefined takes "never" (or "always": see ``each_label.best_thresholds``) and
    counts as a fallback. Shapes and errors as :func:`choose_rules`.
    """
    sweep = best_thresholds(y_test, s_test, objective)
    return Rule("oracle", sweep.thresholds, fallbacks=count_labels(~sweep.defined))


def choose_on(
    truth: Bools, scores: Array, min_positives: int, objective: ObjectiveSpec, *, per_label_alone: bool = False
) -> list[Rule]:
    """Return the rules that rows choose, or ``per_label`` alone; see :func:`choose_rules`."""
    if not truth.any():
        return [rule for rule in _by_nothing(truth.shape[1]) if rule.name == "per_label" or not per_label_alone]
    per_label = _PerLabel.of(truth, scores, min_positives, objective)
    return [per_label.rule()] if per_label_alone else _by_positives(truth, scores, per_label, objective)


def _by_nothing(n_labels: int) -> list[Rule]:
    names = ("global", *COMMON, "per_label", "per_label_shrunk", "per_label_crossfit", "per_label_micro")
    half = np.full(n_labels, HALF)
    return [
        *(Rule(name, half, n_labels, strength=np.inf if name == "per_label_shrunk" else None) for name in names),
        Rule("at_least_one", half, n_labels, at_least=1),
        Rule("top_k", np.full(n_labels, ALWAYS), n_labels, at_most=1),
    ]


@dataclass(frozen=True, eq=False)
class _PerLabel:
    """The best threshold of each label; which labels have positives enough for it, (n_labels,); the global one."""

    sweep: Sweep
    own: Bools
    common: float

    @classmethod
    def of(cls, truth: Bools, scores: Array, min_positives: int, objective: ObjectiveSpec) -> _PerLabel:
        common = float(best_common_threshold(truth, scores, "micro_f1").threshold)
        sweep = best_thresholds(truth, scores, objective)
        return cls(sweep, sweep.defined & (np.count_nonzero(truth, axis=0) >= min_positives), common)

    def rule(self) -> Rule:
        return Rule("per_label", np.where(self.own, self.sweep.thresholds, self.common), count_labels(~self.own))


def _by_positives(truth: Bools, scores: Array, per_label: _PerLabel, objective: ObjectiveSpec) -> list[Rule]:
    n_labels, common = truth.shape[1], per_label.common
    by_fold = [FoldChoice.on(truth, scores, others, fold, objective) for others, fold in splits(truth)]
    micro = best_micro_f1_thresholds(truth, scores).thresholds
    repaired = best_common_threshold(truth, scores, "samples_f1", at_least_one=True).threshold
    return [
        Rule("global", np.full(n_labels, common), fallbacks=0),
        *_common_rules(truth, scores),
        per_label.rule(),
        shrunk_rule(truth, scores, by_fold, Shrinkable.of(truth, scores, per_label.sweep, common), objective),
        median_rule(by_fold, per_label.own, common),
        Rule("per_label_micro", micro, count_labels(np.count_nonzero(truth, axis=0) == 0)),
        Rule("at_least_one", np.full(n_labels, repaired), fallbacks=0, at_least=1),
        Rule("top_k", np.full(n_labels, _below(scores)), fallbacks=0, at_most=best_top_k(truth, scores).k),
    ]


def _below(scores: Array) -> float:
    """Return a threshold that all scores reach, and others like them."""
    return min(ALWAYS, float(np.nextafter(scores.min(), -np.inf)))


def _common_rules(truth: Bools, scores: Array) -> Iterator[Rule]:
    for name, metric in COMMON.items():
        threshold = best_common_threshold(truth, scores, metric).threshold  # type: ignore[arg-type]  # the values of COMMON
        yield Rule(name, np.full(truth.shape[1], threshold), fallbacks=0)
