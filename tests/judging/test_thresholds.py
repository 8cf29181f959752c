"""The rules: what each chooses, on which rows, and what it assigns."""

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score

from rarelabels.judging.rules import table
from rarelabels.judging.rules.choose import choose_rules, oracle
from rarelabels.judging.rules.crossfit import crossfit
from rarelabels.judging.rules.definition import Rule, from_json, to_json
from rarelabels.judging.rules.folds import folds
from rarelabels.judging.rules.shrunk import STRENGTHS
from rarelabels.judging.settings import F1, BalancedAccuracy, Cost, FBeta, Jaccard
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import best_thresholds
from rarelabels.judging.sweeps.ordered import NEVER
from rarelabels.judging.sweeps.together import best_micro_f1_thresholds, best_top_k

OBJECTIVES = [
    F1,
    FBeta(kind="f_beta", beta=2),
    Jaccard(kind="jaccard"),
    BalancedAccuracy(kind="balanced_accuracy"),
    Cost(kind="cost", false_negative=5.0),
]
LABEL_RULES = ("per_label", "per_label_shrunk", "per_label_crossfit")


def part(n_rows=300, n_labels=12, seed=0, dtype=np.float64, offset=0.3):
    """Labels from frequent to rare, the last with one positive, scores that know something."""
    rng = np.random.default_rng(seed)
    y = rng.random((n_rows, n_labels)) < np.geomspace(0.4, 0.01, n_labels)
    y[:, -1] = np.arange(n_rows) == 3
    offsets = np.linspace(0.0, offset, n_labels)
    return y, np.clip(0.25 * y + offsets + 0.4 * rng.random(y.shape), 0, 1).astype(dtype)


def small_part():
    rng = np.random.default_rng(4)
    y = rng.random((60, 4)) < [0.5, 0.3, 0.0, 0.0]
    y[:4, 2] = True  # four positives; the last label has none
    return y, np.clip(y * 0.3 + 0.6 * rng.random((60, 4)), 0, 1)


# What a rule assigns


def test_a_label_is_assigned_where_its_score_reaches_the_threshold():
    rule = Rule("half", np.full(2, 0.5), fallbacks=0)
    assert rule.assign([[0.5, 0.4], [0.6, 0.7]]).tolist() == [[True, False], [True, True]]
    assert rule.assign([0.5, 0.4]).tolist() == [True, False]


def test_at_least_and_at_most_count_ties_on_one_side():
    scores = np.array([[0.1, 0.3, 0.2], [0.3, 0.3, 0.1], [0.9, 0.1, 0.8], [0.2, 0.2, 0.2]], dtype=np.float32)
    at_least = Rule("a", np.full(3, 0.5), fallbacks=0, at_least=1)
    assert at_least.assign(scores).astype(int).tolist() == [[0, 1, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]]
    at_most = Rule("b", np.full(3, -1.0), fallbacks=0, at_most=1)
    assert at_most.assign(scores).astype(int).tolist() == [[0, 1, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1]]
    both = Rule("c", np.full(3, 0.25), fallbacks=0, at_least=2, at_most=2)
    assert both.assign(scores).astype(int).tolist() == [[0, 1, 1], [1, 1, 0], [1, 0, 1], [1, 1, 1]]
    own = Rule("own", np.array([0.8, 0.2, 0.5]), fallbacks=0, at_least=1)
    assert own.assign([0.7, 0.3, 0.1]).tolist() == [False, True, False]  # has one, though not its highest-scored
    many = Rule("d", np.full(3, 0.5), fallbacks=0, at_least=9)
    assert many.assign(scores).all()
    assert Rule("e", np.full(3, 0.0), fallbacks=0, at_most=9).assign(scores).all()


def test_rules_survive_json_exactly_and_labels_may_be_picked():
    y, s = part()
    rules = choose_rules(y, s, min_positives=5) | {"oracle": oracle(y, s)}
    labels = [f"label {number}" for number in range(12)]
    text = json.dumps(to_json(rules, labels), allow_nan=False)
    for again in (from_json(json.loads(text)), from_json(json.loads(text), labels)):
        assert list(again) == list(rules)
        for name, rule in rules.items():
            np.testing.assert_array_equal(again[name].thresholds, rule.thresholds)
            for field in ("name", "fallbacks", "at_least", "at_most", "strength"):
                assert getattr(again[name], field) == getattr(rule, field), (name, field)
            np.testing.assert_array_equal(again[name].assign(s), rule.assign(s))
    picked = from_json(json.loads(text), [labels[7], labels[2]])["per_label"]
    np.testing.assert_array_equal(picked.thresholds, rules["per_label"].thresholds[[7, 2]])
    stored = json.loads(text)["top_k"]
    assert list(stored) == ["thresholds", "fallbacks", "at_least", "at_most"]


def test_an_infinite_strength_is_json_too():
    rule = Rule("per_label_shrunk", np.array([0.5]), fallbacks=0, strength=np.inf)
    again = from_json(json.loads(json.dumps(to_json({"per_label_shrunk": rule}, ["a"]), allow_nan=False)))
    assert again["per_label_shrunk"].strength == np.inf


# What is chosen


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


# Shrinking and crossing


def shrunk_with(strength, y, s, monkeypatch, objective=F1):
    monkeypatch.setattr("rarelabels.judging.rules.shrunk.STRENGTHS", (strength,))
    rule = choose_rules(y, s, min_positives=5, objective=objective)["per_label_shrunk"]
    assert rule.strength == strength
    return rule


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_strength_0_decides_like_the_own_thresholds_and_infinity_is_the_global_one(monkeypatch, objective):
    y, s = part()
    own = best_thresholds(y, s, objective).thresholds
    np.testing.assert_array_equal(shrunk_with(0.0, y, s, monkeypatch, objective).assign(s), s >= own)
    common = best_common_threshold(y, s, "micro_f1").threshold
    np.testing.assert_array_equal(shrunk_with(np.inf, y, s, monkeypatch, objective).thresholds, common)


def test_a_threshold_is_shrunk_by_its_positives(monkeypatch):
    # Four labels of 2, 3, 5 and 0 positives; "always", for the second, counts as its lowest score, 0.3.
    y = np.zeros((10, 4), dtype=int)
    y[:2, 0] = y[:3, 1] = y[:5, 2] = 1
    s = np.full((10, 4), 0.1)
    s[:2, 0], s[2:, 0] = 0.8, 0.4
    s[:, 1] = 0.3
    s[:5, 2], s[5:, 2] = 0.9, 0.1
    common = best_common_threshold(y, s, "micro_f1").threshold
    own = np.array([0.6, 0.3, 0.5])
    weights = np.array([2 / 12, 3 / 13, 5 / 15])
    wanted = [*(weights * own + (1 - weights) * common), common]
    rule = shrunk_with(10.0, y, s, monkeypatch)
    np.testing.assert_allclose(rule.thresholds, wanted)
    assert rule.fallbacks == 1


def left_out_macro_f1(y, s, strength):
    """Macro-F1 of decisions on each fold by thresholds of the others, written out label by label."""
    assigned, numbers = np.zeros_like(y), folds(y)
    for fold in range(5):
        others = numbers != fold
        common = best_common_threshold(y[others], s[others], "micro_f1").threshold
        own = best_thresholds(y[others], s[others])
        for label in range(y.shape[1]):
            scores, positives = s[others, label], y[others, label].sum()
            weight = positives / (positives + strength) if positives else 0.0
            mine = min(max(own.thresholds[label], scores.min()), np.nextafter(scores.max(), 2))
            assigned[~others, label] = s[~others, label] >= weight * mine + (1 - weight) * common
    there = y.any(axis=0)
    return f1_score(y[:, there], assigned[:, there], average="macro", zero_division=0)


def test_the_strength_is_the_best_on_folds_left_out():
    picked = set()
    for seed in range(6):
        y, s = part(seed=seed, n_rows=(60, 300)[seed % 2], offset=(0.0, 0.02, 0.3)[seed % 3])
        reached = [left_out_macro_f1(y, s, strength) for strength in STRENGTHS]
        strength = choose_rules(y, s, min_positives=5)["per_label_shrunk"].strength
        assert reached[STRENGTHS.index(strength)] == pytest.approx(max(reached), abs=1e-12)
        assert strength == max(c for c, value in zip(STRENGTHS, reached, strict=True) if value > max(reached) - 1e-10)
        picked.add(strength)
    assert len(picked) > 1


def test_of_strengths_that_are_equally_good_the_largest_is_taken():
    y = np.tile([[1], [0]], (20, 1))
    assert choose_rules(y, y * 0.8, min_positives=5)["per_label_shrunk"].strength == np.inf


def test_crossfitted_thresholds_are_medians_of_five():
    y, s = part()
    chosen = [best_thresholds(y[folds(y) != fold], s[folds(y) != fold]) for fold in range(5)]
    medians = np.median([one.thresholds for one in chosen], axis=0)
    rule = choose_rules(y, s, min_positives=5)["per_label_crossfit"]
    many = y.sum(axis=0) >= 5
    assert 1 <= (~many).sum() == rule.fallbacks
    np.testing.assert_array_equal(rule.thresholds[many], medians[many])
    # Two rows, two folds: the one positive is missing where it is left out, and "never" is no choice.
    alone = choose_rules([[1], [0]], [[0.8], [0.2]], min_positives=1)["per_label_crossfit"]
    assert (alone.thresholds[0], alone.fallbacks) == (-1.0, 0)


def test_folds_are_always_the_same_and_spread_every_label():
    y, _ = part(n_rows=997)
    numbers = folds(y)
    np.testing.assert_array_equal(numbers, folds(y.astype(int)))
    sizes = np.bincount(numbers)
    assert sizes.size == 5
    assert sizes.max() - sizes.min() <= 1
    rarest_first = np.argsort(y.sum(axis=0), kind="stable")
    rarest = [next((label for label in rarest_first if row[label]), -1) for row in y]
    for label in {*rarest}:
        counts = np.bincount(numbers[np.array(rarest) == label], minlength=5)
        assert counts.max() - counts.min() <= 1, label
    assert sorted(folds(y[:3])) == [0, 1, 2]
    assert sorted(folds(y[:7], k=2)) == [0, 0, 0, 0, 1, 1, 1]


def test_crossfit_decides_each_row_by_the_rules_of_the_other_folds():
    y, s = part()
    decided = crossfit(y, s, min_positives=5)
    assert tuple(decided) == tuple(name for name in table.RULES if name not in ("half", "argmax"))
    numbers = folds(y)
    for fold in range(5):
        rules = choose_rules(y[numbers != fold], s[numbers != fold], min_positives=5)
        for name, labels in decided.items():
            np.testing.assert_array_equal(labels[numbers == fold], rules[name].assign(s[numbers == fold]))


def test_crossfit_does_not_flatter():
    """Scores that know nothing: what the rows themselves choose looks better than it is, crossfitted it does not."""
    rng = np.random.default_rng(6)
    y, s = rng.random((400, 80)) < 0.02, rng.random((400, 80))
    rule = choose_rules(y, s, min_positives=1)["per_label"]
    flattered = f1_score(y, rule.assign(s), average="macro", zero_division=0)
    decided = crossfit(y, s, min_positives=1)["per_label"]
    honest = f1_score(y, decided, average="macro", zero_division=0)
    assert flattered > 1.8 * honest
    # As many hits as chance gives to that many decisions, label by label; the rows themselves choose far more.
    for assigned, least, most in ((decided, 0.8, 1.2), (rule.assign(s), 1.6, 10)):
        by_chance = (y.sum(axis=0) * assigned.sum(axis=0) / 400).sum()
        assert least * by_chance < (y & assigned).sum() < most * by_chance


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
        crossfit([[0], [1]], [[0.1]], min_positives=1)
