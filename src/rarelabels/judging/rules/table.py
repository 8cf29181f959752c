"""Every rule: its name, how it is chosen, what it falls back to, what it is best for, where and how it is shown.

To add a rule, write its block here and add its name to ``TABLE``; all other code reads the table. This file is light to
import, because declarations name rules: what a choice needs is imported when the choice is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rarelabels.judging.rules.kind import RuleKind

if TYPE_CHECKING:
    from rarelabels.judging.rules.definition import Rule
    from rarelabels.judging.rules.rows import Rows

MACRO, MICRO, SAMPLES, SUBSET = "macro_f1", "micro_f1", "samples_f1", "subset_accuracy"


def _at_half(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.HALF)


HALF = RuleKind(
    name="half",
    words="the threshold 0.5",
    chosen_on="nothing",
    choose=_at_half,
    fallback=_at_half,
    compared_by=(MACRO, MICRO, SAMPLES, SUBSET),
    on_validation=True,
    remark="0.5",
    colour="orange",
)


def _highest(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.below_all, at_most=1)


ARGMAX = RuleKind(
    name="argmax",
    words="each row's highest-scored label alone",
    chosen_on="nothing",
    choose=_highest,
    fallback=_highest,
    compared_by=(MICRO,),
    is_of_row=True,
)


def _best_common(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.best_common(kind.best_for))


GLOBAL = RuleKind(
    name="global",
    words="one threshold for all labels",
    best_for=MICRO,
    choose=_best_common,
    compared_by=(MACRO, MICRO),
    on_validation=True,
    colour="sky",
)
GLOBAL_MACRO = RuleKind(
    name="global_macro",
    words="one threshold for all labels, best for macro-F1",
    best_for=MACRO,
    choose=_best_common,
    compared_by=(MACRO,),
)
GLOBAL_SAMPLES = RuleKind(
    name="global_samples",
    words="one threshold for all labels, best for samples F1",
    best_for=SAMPLES,
    choose=_best_common,
    compared_by=(SAMPLES,),
)
GLOBAL_SUBSET = RuleKind(
    name="global_subset",
    words="one threshold for all labels, best for subset accuracy",
    best_for=SUBSET,
    choose=_best_common,
    compared_by=(SUBSET,),
)


def _per_label(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.own_or_common, rows.n_without_own)


PER_LABEL = RuleKind(
    name="per_label",
    words="a threshold for each label",
    best_for="objective",
    choose=_per_label,
    compared_by=(MACRO, MICRO, SAMPLES, SUBSET),
    on_validation=True,
    colour="blue",
)


def _shrunk(kind: RuleKind, rows: Rows) -> Rule:
    from rarelabels.judging.rules.shrunk import shrunk_rule

    return shrunk_rule(kind.name, rows)


def _common_alone(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.HALF, rows.n_labels, strength=float("inf"))


PER_LABEL_SHRUNK = RuleKind(
    name="per_label_shrunk",
    words="a threshold for each label, drawn towards the global one where positives are few",
    best_for="objective",
    choose=_shrunk,
    fallback=_common_alone,
    compared_by=(MACRO,),
    colour="green",
)


def _median(kind: RuleKind, rows: Rows) -> Rule:
    from rarelabels.judging.rules.shrunk import median_rule

    return median_rule(kind.name, rows)


PER_LABEL_CROSSFIT = RuleKind(
    name="per_label_crossfit",
    words="a threshold for each label, the median over five folds",
    best_for="objective",
    choose=_median,
    compared_by=(MACRO,),
)


def _together(kind: RuleKind, rows: Rows) -> Rule:
    from rarelabels.judging.sweeps.together import sweep_micro_f1

    return rows.rule(kind.name, sweep_micro_f1(rows.scores).thresholds, rows.n_without_positives)


PER_LABEL_MICRO = RuleKind(
    name="per_label_micro",
    words="a threshold for each label, together best for micro-F1",
    best_for=MICRO,
    choose=_together,
    compared_by=(MICRO,),
)


def _repaired(kind: RuleKind, rows: Rows) -> Rule:
    from rarelabels.judging.sweeps.common_threshold import sweep_common

    chosen = sweep_common(rows.scores, "samples_f1", at_least_one=True)
    return rows.rule(kind.name, chosen.threshold, at_least=1)


def _half_or_highest(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.HALF, rows.n_labels, at_least=1)


AT_LEAST_ONE = RuleKind(
    name="at_least_one",
    words="one threshold for all labels, and its highest-scored label for a row that has none",
    best_for=SAMPLES,
    choose=_repaired,
    fallback=_half_or_highest,
    compared_by=(SAMPLES,),
    is_of_row=True,
)


def _top_k(kind: RuleKind, rows: Rows) -> Rule:
    from rarelabels.judging.sweeps.together import sweep_top_k

    return rows.rule(kind.name, rows.below_all, at_most=sweep_top_k(rows.scores).k)


def _top_one(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.ALWAYS, rows.n_labels, at_most=1)


TOP_K = RuleKind(
    name="top_k",
    words="the same number of highest-scored labels for each row",
    best_for=SAMPLES,
    choose=_top_k,
    fallback=_top_one,
    compared_by=(SAMPLES,),
    is_of_row=True,
)
SEARCHED = RuleKind(
    name="searched",
    words="thresholds that Optuna found",
    chosen_on="search",
    compared_by=(SAMPLES, SUBSET),
)
ASCENT = RuleKind(
    name="ascent",
    words="thresholds that coordinate ascent found",
    chosen_on="search",
    compared_by=(SAMPLES, SUBSET),
)
MOST_LIKELY_SET = RuleKind(
    name="most_likely_set",
    words="each row's most likely label set",
    chosen_on="model",
    compared_by=(MICRO, SAMPLES, SUBSET),
    on_validation=True,
)


def _best_on_these(kind: RuleKind, rows: Rows) -> Rule:
    return rows.rule(kind.name, rows.sweep.thresholds, rows.n_undefined)


ORACLE = RuleKind(
    name="oracle",
    words="the best threshold of each label on the rows that are measured",
    chosen_on="test",
    best_for="objective",
    choose=_best_on_these,
    fallback=_best_on_these,
    compared_by=(MACRO,),
    remark="a bound",
)

TABLE = (
    *(HALF, ARGMAX, GLOBAL, GLOBAL_MACRO, GLOBAL_SAMPLES, GLOBAL_SUBSET),
    *(PER_LABEL, PER_LABEL_SHRUNK, PER_LABEL_CROSSFIT, PER_LABEL_MICRO, AT_LEAST_ONE, TOP_K),
    *(SEARCHED, ASCENT, MOST_LIKELY_SET, ORACLE),
)
BY_NAME = {kind.name: kind for kind in TABLE}
RULES = tuple(kind.name for kind in TABLE if kind.chosen_on in ("nothing", "validation"))
CHOSEN_ON_VALIDATION = tuple(kind.name for kind in TABLE if kind.chosen_on == "validation")
SEARCHED_RULES = tuple(kind.name for kind in TABLE if kind.chosen_on == "search")
SET_RULES = tuple(kind.name for kind in TABLE if kind.chosen_on == "model")


def known(name: str) -> RuleKind:
    """Return the record of a rule; of a rule of another package nothing is known but its name.

    >>> known("half").words, known("of_somebody").header
    ('the threshold 0.5', 'of somebody')
    """
    return BY_NAME.get(name) or RuleKind(name=name, words=name)


def compared_by(metric: str) -> tuple[str, ...]:
    """Return the rules that tables compare by a decision metric.

    >>> compared_by("subset_accuracy")
    ('half', 'global_subset', 'per_label', 'searched', 'ascent', 'most_likely_set')
    """
    return tuple(kind.name for kind in TABLE if metric in kind.compared_by)
