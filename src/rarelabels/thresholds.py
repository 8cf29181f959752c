"""How scores become labels: the rules, each chosen on the validation part by an exact sweep.

What every rule is, :func:`choose_rules` says. Sweeps look at the rows that choose, which flatters rare labels;
:func:`crossfit` gives decisions on the same rows that no threshold chosen on them has made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rarelabels.schema import F1, ObjectiveSpec
from rarelabels.sweeps import (
    ALWAYS,
    Array,
    Bools,
    Floats,
    Sweep,
    best_common_threshold,
    best_micro_f1_thresholds,
    best_thresholds,
    best_top_k,
    checked,
    objective_values,
)

HALF = 0.5
N_FOLDS = 5
FOLD_SEED = 20_240_917  # any fixed number: the same rows are always dealt the same folds
STRENGTHS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, float("inf"))
Calibrate: TypeAlias = Callable[[Bools, Array], Callable[[Array], Array]]

CHOSEN_BY_NOTHING = ("half", "argmax")
COMMON = {"global_macro": "macro_f1", "global_samples": "samples_f1", "global_subset": "subset_accuracy"}


@dataclass(frozen=True, eq=False)
class Rule:
    """One way to turn scores into labels.

    Attributes:
        name: one of ``schema.RULES``, or ``oracle``.
        thresholds: one per label, shape (n_labels,).
        fallbacks: labels whose threshold is not the rule's own choice, because it had too few positives to choose.
        at_least: a row that reaches fewer thresholds is also given its ``at_least`` highest-scored labels.
        at_most: a row is given no label below its ``at_most``-th highest score; None: as many as reach theirs.
        strength: of ``per_label_shrunk``, the positives at which a label's own threshold weighs half.
    """

    name: str
    thresholds: Floats
    fallbacks: int
    at_least: int = 0
    at_most: int | None = None
    strength: float | None = None

    def assign(self, y_score: ArrayLike) -> Bools:
        """Return the labels assigned to ``y_score``, shape (..., n_labels), compared in float64.

        Labels that tie for the last place of ``at_least`` or ``at_most`` are on the same side, so the order of the
        columns never matters.
        """
        scores = np.asarray(y_score)
        # Thresholds may come from JSON: as Python floats, float32 scores would round them first and could change sides.
        assigned: Bools = scores >= np.asarray(self.thresholds, dtype=np.float64)
        if self.at_least:
            short = np.count_nonzero(assigned, axis=-1, keepdims=True) < self.at_least
            assigned |= short & (scores >= _kth_highest(scores, self.at_least))
        if self.at_most is not None:
            assigned &= scores >= _kth_highest(scores, self.at_most)
        return assigned


Rules: TypeAlias = dict[str, Rule]


def to_json(rules: Mapping[str, Rule], labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what JSON can hold, exactly, of every rule.

    ``{rule: {"thresholds": {label: threshold}, "fallbacks": n, "at_least": n, "at_most": n or null}}``, and where there
    is one ``"strength"``: a number or, as JSON has no infinity, ``"inf"``.
    """
    stored: dict[str, dict[str, Any]] = {}
    for name, rule in rules.items():
        chosen = dict(zip(labels, rule.thresholds.tolist(), strict=True))
        stored[name] = {
            "thresholds": chosen,
            "fallbacks": rule.fallbacks,
            "at_least": rule.at_least,
            "at_most": rule.at_most,
        }
        if rule.strength is not None:
            stored[name]["strength"] = rule.strength if np.isfinite(rule.strength) else "inf"
    return stored


def from_json(stored: Mapping[str, Mapping[str, Any]], labels: Sequence[str] | None = None) -> Rules:
    """Return what :func:`to_json` made.

    Args:
        stored: parsed JSON.
        labels: the order of the thresholds, or a part of the labels; by default as stored.

    Raises:
        KeyError: a label that has no threshold there.
    """
    rules = {}
    for name, one in stored.items():
        thresholds = [one["thresholds"][label] for label in (one["thresholds"] if labels is None else labels)]
        strength = one.get("strength")
        rules[name] = Rule(
            name,
            np.array(thresholds, dtype=np.float64),
            fallbacks=one["fallbacks"],
            at_least=one["at_least"],
            at_most=one["at_most"],
            strength=None if strength is None else float(strength),
        )
    return rules


def choose_rules(y_val: ArrayLike, s_val: ArrayLike, *, min_positives: int, objective: ObjectiveSpec = F1) -> Rules:
    """Return all of ``schema.RULES``, in that order, chosen on the validation part alone.

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
    chosen = _chosen(truth, scores, min_positives, objective)
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

    A label for which the objective is undefined takes "never" (or "always": see ``sweeps.best_thresholds``) and counts
    as a fallback. Shapes and errors as :func:`choose_rules`.
    """
    sweep = best_thresholds(y_test, s_test, objective)
    return Rule("oracle", sweep.thresholds, fallbacks=_count(~sweep.defined))


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
    """Return, for every rule but ``half`` and ``argmax``, decisions on each row by the rule chosen on the other folds.

    An honest validation objective: no row is decided by a threshold that it helped to choose, and what a rule chooses
    by folds of its own it chooses inside the other folds. Hits are as frequent as on fresh rows; the F1 of pooled folds
    still is a little higher, for they do not depend on each other by chance alone. Measured with scores that know
    nothing, 80 labels of share 0.02 on 400 rows, macro-F1 under ``per_label``: in-sample 0.09, here 0.05, fresh 0.03.

    Args:
        y_val: 0/1, shape (n, n_labels).
        s_val: scores, shape (n, n_labels).
        min_positives: as for :func:`choose_rules`.
        objective: as for :func:`choose_rules`.
        calibrate: fits a map of scores on labels and scores; done anew for each fold, on the other ones.
        decides: whether the scores are decisions; see :func:`of_decisions`.
        per_label_alone: leave out all other rules: on 1,600 rows of 983 labels this takes 0.5 s in place of 5 s.

    Returns:
        Rule to decisions, each of shape (n, n_labels).

    Raises:
        ValueError: shapes differ, ``y_val`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_val, s_val)
    decided: dict[str, Bools] = {}
    given = scores
    for others, fold in _splits(truth):
        scores = calibrate(truth[others], given[others])(given) if calibrate and others.any() else given
        chosen = _chosen(truth[others], scores[others], min_positives, objective, per_label_alone=per_label_alone)
        rules = {rule.name: rule for rule in chosen}
        for name, rule in (of_decisions(rules) if decides else rules).items():
            decided.setdefault(name, np.zeros(truth.shape, dtype=bool))[fold] = rule.assign(scores[fold])
    return decided


def folds(y: ArrayLike, k: int = N_FOLDS) -> NDArray[np.int64]:
    """Return a fold of each row, 0 to k - 1, always the same for the same labels, shape (n,).

    Rows are ordered by their rarest label, rows without labels last, by a fixed chance among equals, and dealt out in
    turn: the rows that share a rarest label are spread over the folds as evenly as they can be. With fewer rows than k
    the last folds are empty.

    Args:
        y: 0/1, shape (n, n_labels).
        k: number of folds.
    """
    truth = np.asarray(y, dtype=bool)
    n_rows, n_labels = truth.shape
    rarest_first = np.argsort(np.count_nonzero(truth, axis=0), kind="stable")
    group = np.where(truth.any(axis=1), np.argmax(truth[:, rarest_first], axis=1), n_labels)
    order = np.lexsort((np.random.default_rng(FOLD_SEED).random(n_rows), group))
    fold = np.empty(n_rows, dtype=np.int64)
    fold[order] = np.arange(n_rows) % k
    return fold


def _splits(truth: Bools) -> Iterator[tuple[Bools, Bools]]:
    """Yield for each fold that has rows: which rows are in the others, which in it."""
    numbers = folds(truth)
    for number in range(min(N_FOLDS, len(truth))):
        yield numbers != number, numbers == number


def _chosen(
    truth: Bools, scores: Array, min_positives: int, objective: ObjectiveSpec, *, per_label_alone: bool = False
) -> list[Rule]:
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
        return Rule("per_label", np.where(self.own, self.sweep.thresholds, self.common), _count(~self.own))


def _by_positives(truth: Bools, scores: Array, per_label: _PerLabel, objective: ObjectiveSpec) -> list[Rule]:
    n_labels, common = truth.shape[1], per_label.common
    by_fold = [_FoldChoice.on(truth, scores, others, fold, objective) for others, fold in _splits(truth)]
    micro = best_micro_f1_thresholds(truth, scores).thresholds
    repaired = best_common_threshold(truth, scores, "samples_f1", at_least_one=True).threshold
    return [
        Rule("global", np.full(n_labels, common), fallbacks=0),
        *_common_rules(truth, scores),
        per_label.rule(),
        _shrunk_rule(truth, scores, by_fold, _Shrinkable.of(truth, scores, per_label.sweep, common), objective),
        _median_rule(by_fold, per_label.own, common),
        Rule("per_label_micro", micro, _count(np.count_nonzero(truth, axis=0) == 0)),
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


@dataclass(frozen=True, eq=False)
class _Shrinkable:
    """Own thresholds (n_labels,), how many positives chose them (n_labels,), where there are any; the global one."""

    own: Floats
    positives: NDArray[np.int64]
    there: Bools
    common: float

    @classmethod
    def of(cls, truth: Bools, scores: Array, sweep: Sweep, common: float) -> _Shrinkable:
        positives = np.count_nonzero(truth, axis=0)
        lowest = scores.min(axis=0).astype(np.float64)
        # "Never" and "always" lie far from all scores: drawn to where they just still decide as they do.
        just_above = np.nextafter(scores.max(axis=0).astype(np.float64), np.inf)
        own = np.clip(sweep.thresholds, lowest, just_above)
        return cls(own, positives, sweep.defined & (positives > 0), common)

    def shrunk(self, strength: float) -> Floats:
        weight = np.where(self.there, self.positives / (np.maximum(self.positives, 1) + strength), 0.0)
        return np.asarray(weight * self.own + (1 - weight) * self.common)


@dataclass(frozen=True, eq=False)
class _FoldChoice:
    """What was chosen on all folds but one: the thresholds per label, what shrinks them; and the rows of that one."""

    sweep: Sweep
    shrinkable: _Shrinkable
    fold: Bools

    @classmethod
    def on(cls, truth: Bools, scores: Array, others: Bools, fold: Bools, objective: ObjectiveSpec) -> _FoldChoice:
        if not others.any():  # a single row
            others = fold
        y, s = truth[others], scores[others]
        common = float(best_common_threshold(y, s, "micro_f1").threshold) if y.any() else HALF
        sweep = best_thresholds(y, s, objective)
        return cls(sweep, _Shrinkable.of(y, s, sweep, common), fold)


def _shrunk_rule(
    truth: Bools, scores: Array, by_fold: Sequence[_FoldChoice], whole: _Shrinkable, objective: ObjectiveSpec
) -> Rule:
    reached = [_left_out_mean(truth, scores, by_fold, strength, objective) for strength in STRENGTHS]
    best = max(zip(reached, STRENGTHS, strict=True))[1]  # of equals the largest strength
    return Rule("per_label_shrunk", whole.shrunk(best), _count(~whole.there), strength=best)


def _left_out_mean(
    truth: Bools, scores: Array, by_fold: Sequence[_FoldChoice], strength: float, objective: ObjectiveSpec
) -> float:
    """Return the mean objective, over labels with a positive, of decisions on folds left out, pooled."""
    assigned = np.empty(truth.shape, dtype=bool)
    for choice in by_fold:
        assigned[choice.fold] = scores[choice.fold] >= choice.shrinkable.shrunk(strength)
    hits, predicted, positives = (np.count_nonzero(cells, axis=0) for cells in (truth & assigned, assigned, truth))
    values = objective_values(objective, hits, predicted, positives, len(truth))[positives > 0]
    defined = ~np.isnan(values)
    return round(float(values[defined].mean()), 12) if defined.any() else 0.0


def _median_rule(by_fold: Sequence[_FoldChoice], own: Bools, common: float) -> Rule:
    chosen = np.stack([choice.sweep.thresholds for choice in by_fold])
    defined = np.stack([choice.sweep.defined for choice in by_fold])
    there = own & defined.any(axis=0)  # a single positive is in no fold but one, and missing where that is left out
    medians = np.full(own.shape, common)
    medians[there] = np.nanmedian(np.where(defined, chosen, np.nan)[:, there], axis=0)
    return Rule("per_label_crossfit", medians, _count(~there))


def _kth_highest(scores: Array, k: int) -> Array:
    """Return the k-th highest score of each row, the lowest where there are fewer, shape (..., 1)."""
    place = max(scores.shape[-1] - k, 0)
    return np.partition(scores, place, axis=-1)[..., place : place + 1]


def _count(labels: Bools) -> int:
    return int(np.count_nonzero(labels))
