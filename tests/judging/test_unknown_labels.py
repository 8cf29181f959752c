"""What nobody annotated counts nowhere: numbers against scikit-learn on what is known, choices against every try."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from rarelabels.judging import calibration, evaluation, metrics, picking
from rarelabels.judging.metrics.label_table import tabulate
from rarelabels.judging.metrics.measure import label_rankings
from rarelabels.judging.rules import table
from rarelabels.judging.rules.choose import choose, choose_oracle
from rarelabels.judging.rules.crossfit import decide_by_folds
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.scores import NO_IDS, Scores
from rarelabels.judging.settings import F1, BalancedAccuracy, Cost, Jaccard, ThresholdSpec
from rarelabels.judging.statistics.influence import influences
from rarelabels.judging.sweeps.climbing import climb
from rarelabels.judging.sweeps.common_threshold import sweep_common
from rarelabels.judging.sweeps.each_label import best_thresholds, sweep_labels
from rarelabels.judging.sweeps.together import sweep_micro_f1, sweep_top_k

OF_ROWS = tuple(kind.name for kind in table.TABLE if kind.is_of_row)
CASES = [(0, 60, 4, 6), (1, 60, 4, 1), (2, 25, 7, 1), (3, 200, 3, 2), (4, 12, 2, 0)]


def drawn(seed: int, n_rows: int, n_labels: int, decimals: int) -> Scores:
    """Rounded scores; labels are known in 5 % to 95 % of the rows; nothing is of a row, and often of a label."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n_rows, n_labels)) < rng.uniform(0.1, 0.6, n_labels)
    scores = np.round(np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0, 1), decimals)
    known = rng.random((n_rows, n_labels)) < np.linspace(0.95, 0.05, n_labels)
    known[0], known[1] = False, True
    if n_labels > 3:
        known[:, 2] = False
    return Scores(NO_IDS, truth & known, scores, known=known)


def others_scored(part: Scores) -> Scores:
    """The same rows with other scores where nothing is known."""
    assert part.known is not None
    return replace(part, scores=np.where(part.known, part.scores, np.random.default_rng(9).random(part.scores.shape)))


@pytest.mark.parametrize("case", CASES)
def test_each_number_of_a_label_is_scikit_learns_on_the_rows_that_are_known(case) -> None:
    part = drawn(*case)
    rule = choose_oracle(part, F1)
    found, ranked = tabulate(part, {"oracle": rule}), label_rankings(part)
    for label, row in found.iterrows():
        rows = part.known[:, label]
        y, s = part.truth[rows, label], part.scores[rows, label]
        assert (row["known"], row["positives"]) == (rows.sum(), y.sum())
        assigned = s >= rule.thresholds[label]
        counts = sk.confusion_matrix(y, assigned, labels=[False, True]).ravel() if y.size else np.zeros(4)
        assert [row[f"oracle/{cell}"] for cell in ("tn", "fp", "fn", "tp")] == counts.tolist()
        if not y.any():
            assert np.isnan(row["average_precision"])
            continue
        assert row["prevalence"] == y.mean()
        assert row["average_precision"] == pytest.approx(sk.average_precision_score(y, s))
        assert row["oracle/f1"] == pytest.approx(sk.f1_score(y, assigned))
        assert np.isnan(row["roc_auc"]) if y.all() else row["roc_auc"] == pytest.approx(sk.roc_auc_score(y, s))
        alone = metrics.ranking_metrics(y[:, None], s[:, None])
        assert ranked["ece"][label] == pytest.approx(alone["ece"])


@pytest.mark.parametrize("case", CASES)
def test_means_over_labels_are_those_of_scikit_learns_numbers(case) -> None:
    part = drawn(*case)
    assigned, measured = part.scores >= 0.5, metrics.measure_rankings(part)
    decided = metrics.measure_decisions(part.truth, assigned, known=part.known)
    f1, precision, areas, roc, weights = [], [], [], [], []
    for label in np.flatnonzero(part.positives):
        rows = part.known[:, label]
        y, s, given = part.truth[rows, label], part.scores[rows, label], assigned[rows, label]
        f1.append(sk.f1_score(y, given, zero_division=0))
        precision.append(sk.precision_score(y, given, zero_division=0))
        areas.append(sk.average_precision_score(y, s))
        weights.append(y.sum())
        if not y.all():
            roc.append(sk.roc_auc_score(y, s))
    assert decided["macro_f1"] == pytest.approx(np.mean(f1))
    assert decided["macro_precision"] == pytest.approx(np.mean(precision))
    assert decided["weighted_f1"] == pytest.approx(np.average(f1, weights=weights))
    assert measured["macro_average_precision"] == pytest.approx(np.mean(areas))
    assert measured["macro_average_precision"] == metrics.macro_average_precision(part.y_or_nan, part.scores)
    assert measured["macro_roc_auc"] == pytest.approx(np.mean(roc))


@pytest.mark.parametrize("case", CASES)
def test_pooled_numbers_are_scikit_learns_on_all_known_cells(case) -> None:
    part = drawn(*case)
    y, s = part.truth[part.known], part.scores[part.known]
    decided, ranked = (
        metrics.measure_decisions(part.truth, part.scores >= 0.5, known=part.known),
        metrics.measure_rankings(part),
    )
    assert decided["micro_f1"] == pytest.approx(sk.f1_score(y, s >= 0.5))
    assert decided["micro_precision"] == pytest.approx(sk.precision_score(y, s >= 0.5))
    assert decided["binary_accuracy"] == pytest.approx(sk.accuracy_score(y, s >= 0.5))
    assert decided["hamming_loss"] == pytest.approx(sk.zero_one_loss(y, s >= 0.5))
    assert ranked["micro_average_precision"] == pytest.approx(sk.average_precision_score(y, s))
    assert ranked["micro_roc_auc"] == pytest.approx(sk.roc_auc_score(y, s))
    assert ranked["brier"] == pytest.approx(sk.brier_score_loss(y, s))
    assert ranked["log_loss"] == pytest.approx(sk.log_loss(y, s))
    assert ranked["ece"] == pytest.approx(metrics.ranking_metrics(y[:, None], s[:, None])["ece"])


@pytest.mark.parametrize("case", CASES)
def test_means_over_rows_are_scikit_learns_on_the_known_labels_of_each_row(case) -> None:
    part = drawn(*case)
    decided = metrics.measure_decisions(part.truth, part.scores >= 0.5, known=part.known)
    ranked = metrics.measure_rankings(part)
    found: dict[str, list[float]] = {}
    for y, s, inside in zip(part.truth, part.scores, part.known, strict=True):
        if not inside.any():
            continue
        y, s = y[inside][None], s[inside][None]
        of_row = {"samples_f1": sk.f1_score(y[0], s[0] >= 0.5, zero_division=0)}
        of_row["samples_jaccard"] = sk.jaccard_score(y[0], s[0] >= 0.5, zero_division=0)
        of_row["subset_accuracy"] = float((y == (s >= 0.5)).all())
        of_row["coverage"] = sk.coverage_error(y, s) if y.size > 1 else float(y.sum())
        if y.any():
            of_row["lrap"] = sk.label_ranking_average_precision_score(y, s) if y.size > 1 else 1.0
        if y.any() and not y.all():
            of_row["ranking_loss"] = sk.label_ranking_loss(y, s)
        for name, value in of_row.items():
            found.setdefault(name, []).append(value)
    for name, values in found.items():
        assert (decided | ranked)[name] == pytest.approx(np.mean(values)), name


def test_a_row_with_fewer_known_labels_than_k_is_left_out_of_precision_at_k() -> None:
    y = np.array([[1, 0, 0, 1], [0, np.nan, np.nan, 1], [np.nan] * 4, [0, 1, 0, np.nan]])
    s = np.array([[0.9, 0.1, 0.8, 0.7], [0.9, 1.0, 1.0, 0.1], [0.5] * 4, [0.2, 0.9, 0.3, 1.0]])
    found = metrics.ranking_metrics(y, s)
    assert found["precision_at_1"] == pytest.approx((1 + 0 + 1) / 3)
    assert found["precision_at_3"] == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_how_much_is_known_and_undefined_is_counted() -> None:
    nan = np.nan
    assert metrics.counts([[1, nan, nan], [1, 0, nan], [nan, nan, nan], [nan, 0, nan]]) == {
        "labels_without_positives": 2,
        "labels_without_negatives": 2,
        "rows_without_labels": 2,
        "rows_with_all_labels": 2,
        "rows_without_known_labels": 1,
        "labels_without_known_rows": 1,
    }


@pytest.mark.parametrize("objective", [F1, Jaccard(), BalancedAccuracy(), Cost(false_positive=1, false_negative=5)])
@pytest.mark.parametrize("case", CASES)
def test_the_best_threshold_of_a_label_is_that_of_its_known_rows(case, objective) -> None:
    part = drawn(*case)
    found = sweep_labels(part, objective)
    for label in range(part.truth.shape[1]):
        y, s = part.of_label(label)
        if not y.size:
            assert (found.defined[label], found.thresholds[label], found.values[label]) == (False, 2.0, 0.0)
            continue
        alone = best_thresholds(y[:, None], s[:, None], objective)
        for name in ("thresholds", "values", "defined"):
            assert getattr(found, name)[label] == getattr(alone, name)[0]


@pytest.mark.parametrize("at_least_one", [False, True])
@pytest.mark.parametrize("metric", ["micro_f1", "macro_f1", "samples_f1", "subset_accuracy"])
@pytest.mark.parametrize("case", CASES)
def test_the_common_threshold_is_the_best_of_all(case, metric, at_least_one) -> None:
    part = drawn(*case)
    found = sweep_common(part, metric, at_least_one=at_least_one)

    def value(threshold: float) -> float:
        rule = Rows(part, F1).rule("any", threshold, at_least=int(at_least_one))
        return metrics.measure_decisions(part.truth, rule.assign(part.scores), known=part.known)[metric]

    tried = [value(threshold) for threshold in [*np.unique(part.scores), 2.0]]
    assert found.value == pytest.approx(max(tried))
    assert value(found.threshold) == pytest.approx(max(tried))


@pytest.mark.parametrize("case", CASES)
def test_the_best_number_of_labels_is_counted_on_known_ones_among_the_highest_of_all(case) -> None:
    part = drawn(*case)
    found = sweep_top_k(part)

    def value(k: int) -> float:
        rule = Rows(part, F1).rule("any", -1.0, at_most=k)
        return metrics.measure_decisions(part.truth, rule.assign(part.scores), known=part.known)["samples_f1"]

    tried = [value(k) for k in range(1, part.truth.shape[1] + 1)]
    assert found.value == pytest.approx(max(tried))
    assert found.k == 1 + int(np.flatnonzero(np.isclose(tried, max(tried)))[0])


@pytest.mark.parametrize("metric", ["macro_f1", "samples_f1", "subset_accuracy"])
@pytest.mark.parametrize("case", CASES)
def test_no_single_threshold_improves_where_the_ascent_ends(case, metric) -> None:
    part = drawn(*case)
    found = climb(part, metric, np.full(part.truth.shape[1], 0.5))

    def value(thresholds) -> float:
        return metrics.measure_decisions(part.truth, part.scores >= thresholds, known=part.known)[metric]

    assert found.value == pytest.approx(value(found.thresholds))
    for label in range(part.truth.shape[1]):
        for threshold in [*np.unique(part.scores), 2.0]:
            other = found.thresholds.copy()
            other[label] = threshold
            assert value(other) <= found.value + 1e-9


@pytest.mark.parametrize("case", CASES)
def test_thresholds_for_micro_f1_are_better_together_than_any_others(case) -> None:
    part, rng = drawn(*case), np.random.default_rng(5)
    found = sweep_micro_f1(part)
    for thresholds in [found.thresholds, *rng.random((200, part.truth.shape[1]))]:
        value = metrics.measure_decisions(part.truth, part.scores >= thresholds, known=part.known)["micro_f1"]
        assert value <= found.value + 1e-12
        if thresholds is found.thresholds:
            assert value == pytest.approx(found.value)


@pytest.mark.parametrize("kind", ["temperature", "platt"])
def test_a_calibration_is_fitted_on_known_cells(kind) -> None:
    part = drawn(0, 60, 4, 6)
    found = calibration.fit_to(kind, part)
    if kind == "temperature":
        y, s = part.cells()
        assert found.slopes[0] == pytest.approx(calibration.fit(kind, y[:, None], s[:, None]).slopes[0])
        return
    for label in range(4):
        y, s = part.of_label(label)
        alone = calibration.fit(kind, y[:, None], s[:, None]) if y.size else None
        slope, intercept = (alone.slopes[0], alone.intercepts[0]) if alone else (1.0, 0.0)
        assert (found.slopes[label], found.intercepts[label]) == pytest.approx((slope, intercept))
    assert found.unfitted >= 1  # the label that no row is known for


SPECS = [ThresholdSpec(), ThresholdSpec.model_validate({"calibration": "platt", "objective": {"kind": "jaccard"}})]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("case", CASES[:4])
def test_the_scores_of_what_is_not_known_change_no_number(case, spec) -> None:
    """Rules that look at the order of a row's scores are left out: they give a row its highest labels, known or not."""
    seed, *size = case
    validation, test = drawn(seed, *size), drawn(seed + 100, *size)
    labels, prior = tuple(map(str, range(size[1]))), evaluation.floors(validation.prevalence)
    one, other = (
        evaluation.evaluate(labels, *parts, prior, spec)
        for parts in ((validation, test), (others_scored(validation), others_scored(test)))
    )
    assert one.metrics.keys() == other.metrics.keys()
    for name, value in one.metrics.items():
        assert other.metrics[name] == value or name.split("/")[1] in OF_ROWS, name
    kept = [column for column in one.per_label if column.split("/")[0] not in OF_ROWS]
    assert one.per_label[kept].equals(other.per_label[kept])
    fold_by_fold = (decide_by_folds(Rows(part, F1, 5)) for part in (validation, others_scored(validation)))
    for (rule, decided), others in zip(*(found.items() for found in fold_by_fold), strict=True):
        if rule not in OF_ROWS:
            assert (validation.counted(decided) == validation.counted(others[1])).all(), rule


def masked(part: Scores) -> Scores:
    """The same part in the way of parts that are not known everywhere."""
    return replace(part, known=np.ones(part.truth.shape, dtype=bool), check=False)


@pytest.mark.parametrize("decimals", [6, 1])
def test_where_all_is_known_both_ways_have_the_same_numbers(decimals) -> None:
    rng = np.random.default_rng(decimals)
    truth = rng.random((150, 6)) < np.linspace(0.02, 0.5, 6)
    scores = np.round(np.clip(rng.normal(0.2 + 0.4 * truth, 0.2), 0, 1), decimals)
    whole = Scores(NO_IDS, truth, scores)
    validation, test = whole.take(np.arange(80)), whole.take(np.arange(80, 150))
    labels, prior = tuple("abcdef"), evaluation.floors(validation.prevalence)
    plain, other = (
        evaluation.evaluate(labels, *parts, prior, ThresholdSpec())
        for parts in ((validation, test), (masked(validation), masked(test)))
    )
    for name, value in plain.metrics.items():
        assert other.metrics[name] == pytest.approx(value), name
    for name, rule in plain.rules.items():
        np.testing.assert_allclose(other.rules[name].thresholds, rule.thresholds)
    assert {name.split("/")[-1] for name in other.metrics.keys() - plain.metrics.keys()} == {
        "known_share",
        "rows_without_known_labels",
        "labels_without_known_rows",
    }
    for name, values in influences(test, plain.rules).items():
        np.testing.assert_allclose(
            influences(masked(test), plain.rules, [name])[name], values, atol=1e-12, err_msg=name
        )
    for metric in ("macro_f1", "samples_f1", "subset_accuracy"):
        start = np.full(6, 0.5)
        assert climb(masked(test), metric, start).value == pytest.approx(climb(test, metric, start).value)


def test_rules_count_known_positives_alone() -> None:
    """A label with five positives of which four are known takes the global threshold."""
    y = np.zeros((40, 2))
    y[:5, 0] = y[10:25, 1] = 1
    s = np.clip(0.4 * y + np.linspace(0.3, 0.5, 40)[:, None], 0, 1)
    assert choose(Rows(Scores.from_arrays(y, s), F1, 5))["per_label"].fallbacks == 0
    y[0, 0] = np.nan
    rules = choose(Rows(Scores.from_arrays(y, s), F1, 5))
    assert rules["per_label"].fallbacks == 1
    assert rules["per_label"].thresholds[0] == rules["global"].thresholds[0]


def test_the_epoch_that_is_picked_is_the_best_on_what_is_known() -> None:
    part = drawn(0, 60, 4, 6)
    perfect = np.where(part.truth, 0.9, 0.1)
    flattered = np.where(part.known, 0.3, 0.9)  # assigns what nobody annotated, and nothing else
    epochs = picking.Epochs(np.stack([flattered, perfect]), np.stack([flattered, perfect]), np.zeros(2))
    for by in ("f1_micro", "f1_macro", "f1_samples", "auc", "binary_accuracy"):
        assert picking.pick(by, epochs, part, part).epochs.tolist() == [2] * 4


def test_nothing_is_divided_by_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        validation, test = drawn(2, 25, 7, 1), drawn(7, 25, 7, 1)
        evaluation.evaluate(
            tuple("abcdefg"), validation, test, evaluation.floors(validation.prevalence), ThresholdSpec()
        )
        influences(test, {"half": Rows(test, F1).rule("half", 0.5)})
