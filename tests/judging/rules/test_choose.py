"""What each rule chooses, on which rows, and what it falls back to."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from choosing_rows import OBJECTIVES, part, small_part
from rarelabels.judging.rules import table
from rarelabels.judging.rules.choose import choose_rules, of_decisions, oracle
from rarelabels.judging.rules.crossfit import crossfit
from rarelabels.judging.settings import BalancedAccuracy
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import best_thresholds
from rarelabels.judging.sweeps.ordered import NEVER
from rarelabels.judging.sweeps.together import best_micro_f1_thresholds, best_top_k

LABEL_RULES = ("per_label", "per_label_shrunk", "per_label_crossfit")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_rules_are_chosen_in_order_each_by_its_own_metric(dtype):
    y, s = part(dtype=dtype, offset=0.1)
    rules = choose_rules(y, s, min_positives=5)
    assert tuple(rules) == table.RULES
    assert [rule.name for rule in rules.values()] == list(rules)
    np.testing.assert_array_equal(rules["half"].thresholds, 0.5)
    for name, metric in (
        ("global", "micro_f1"),
        ("global_macro", "macro_f1"),
        ("global_samples", "samples_f1"),
        ("global_subset", "subset_accuracy"),
    ):
        np.testing.assert_array_equal(rules[name].thresholds, best_common_threshold(y, s, metric).threshold)
    sure = best_common_threshold(y, s, "samples_f1", at_least_one=True)
    rule = rules["at_least_one"]
    np.testing.assert_array_equal(rule.thresholds, sure.threshold)
    assert sure.threshold != rules["global_samples"].thresholds[0]
    assert rule.assign(s).any(axis=1).all()
    assert f1_score(y, rule.assign(s), average="samples", zero_division=0) == pytest.approx(sure.value)
    np.testing.assert_array_equal(rules["per_label_micro"].thresholds, best_micro_f1_thresholds(y, s).thresholds)
    top = best_top_k(y, s)
    assert rules["top_k"].at_most == top.k
    reached = f1_score(y, rules["top_k"].assign(s), average="samples", zero_division=0)
    assert reached == pytest.approx(top.value)


def test_fallbacks_are_counted():
    y, s = small_part()
    rules = choose_rules(y, s, min_positives=5)
    counted = {name: rule.fallbacks for name, rule in rules.items() if rule.fallbacks}
    assert counted == {"per_label": 2, "per_label_shrunk": 1, "per_label_crossfit": 2, "per_label_micro": 1}
    common = rules["global"].thresholds[0]
    own = best_thresholds(y, s).thresholds
    np.testing.assert_array_equal(rules["per_label"].thresholds, [own[0], own[1], common, common])
    np.testing.assert_array_equal(rules["per_label_crossfit"].thresholds[2:], common)
    assert rules["per_label_shrunk"].thresholds[3] == common
    assert rules["per_label_micro"].thresholds[3] == NEVER


@pytest.mark.parametrize(("min_positives", "fallbacks"), [(0, 1), (1, 1), (4, 1), (5, 2), (1000, 4)])
def test_a_label_with_exactly_min_positives_has_its_own_threshold_and_one_with_none_never(min_positives, fallbacks):
    rules = choose_rules(*small_part(), min_positives=min_positives)
    assert rules["per_label"].fallbacks == rules["per_label_crossfit"].fallbacks == fallbacks


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_thresholds_per_label_are_best_for_the_objective(objective):
    y, s = part()
    sweep = best_thresholds(y, s, objective)
    rules = choose_rules(y, s, min_positives=1, objective=objective)
    np.testing.assert_array_equal(rules["per_label"].thresholds, sweep.thresholds)
    np.testing.assert_array_equal(oracle(y, s, objective).thresholds, sweep.thresholds)


def test_undefined_for_the_objective_falls_back_too():
    y, s = small_part()
    y[:, 3] = True  # no negatives
    balanced = BalancedAccuracy(kind="balanced_accuracy")
    rules = choose_rules(y, s, min_positives=1, objective=balanced)
    for name in LABEL_RULES:
        assert rules[name].fallbacks == 1
        assert rules[name].thresholds[3] == rules["global"].thresholds[3]
    assert oracle(y, s, balanced).fallbacks == 1


def test_validation_without_positives_falls_back_to_half_everywhere():
    rules = choose_rules(np.zeros((5, 3)), np.full((5, 3), 0.7), min_positives=1)
    assert tuple(rules) == table.RULES
    for name, fallbacks in (("top_k", 3), ("argmax", 0)):
        top = rules.pop(name)
        assert (top.at_most, top.fallbacks) == (1, fallbacks)
        assert top.assign([0.1, 0.3, 0.2]).tolist() == [False, True, False]
    for rule in rules.values():
        np.testing.assert_array_equal(rule.thresholds, 0.5)
        assert rule.fallbacks == (0 if rule.name in ("half", "argmax") else 3)
    assert rules["at_least_one"].at_least == 1


def test_oracle_is_best_per_label_and_never_assigns_an_undefined_one():
    y, s = small_part()
    rule = oracle(y, s)
    assert (rule.name, rule.fallbacks) == ("oracle", 1)
    assigned = rule.assign(s)
    assert not assigned[:, 3].any()
    for label in range(3):
        every = [f1_score(y[:, label], s[:, label] >= cut) for cut in s[:, label]]
        assert f1_score(y[:, label], assigned[:, label]) == pytest.approx(max(every))


@pytest.mark.parametrize("n_rows", [1, 2, 3, 4, 6])
def test_few_rows_are_enough(n_rows):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y, s = rng.random((n_rows, 3)) < 0.3, rng.random((n_rows, 3))
        for objective in OBJECTIVES:
            rules = choose_rules(y, s, min_positives=1, objective=objective)
            assert tuple(rules) == table.RULES
            assert all(np.isfinite(rule.thresholds).all() for rule in rules.values())
            decided = crossfit(y, s, min_positives=1, objective=objective)
            assert all(labels.shape == y.shape for labels in decided.values())


def test_input_is_left_alone():
    y, s = part()
    kept = y.copy(), s.copy()
    choose_rules(y, s, min_positives=1)
    crossfit(y, s, min_positives=1)
    oracle(y, s)
    np.testing.assert_array_equal(y, kept[0])
    np.testing.assert_array_equal(s, kept[1])


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="must be finite"):
        choose_rules([[0], [1]], [[0.1], [np.nan]], min_positives=1)
    with pytest.raises(ValueError, match="shape of y_true"):
        choose_rules([[0], [1]], [[0.1]], min_positives=1)


def test_rules_of_decisions_cut_at_half_and_those_of_a_rows_order_stay():
    rules = choose_rules(*part(), min_positives=5)
    for name, rule in of_decisions(rules).items():
        if name in ("argmax", "at_least_one", "top_k"):
            assert rule is rules[name]
        else:
            np.testing.assert_array_equal(rule.thresholds, 0.5)
            assert rule.fallbacks == rules[name].fallbacks
