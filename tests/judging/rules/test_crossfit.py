"""Decisions on the rows that choose: each by thresholds of other rows."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from choosing_rows import part
from rarelabels.judging.rules import table
from rarelabels.judging.rules.choose import choose_rules
from rarelabels.judging.rules.crossfit import crossfit
from rarelabels.judging.rules.folds import folds


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


def test_per_label_alone_is_as_with_all_others():
    y, s = part()
    alone = crossfit(y, s, min_positives=5, per_label_alone=True)
    assert tuple(alone) == ("per_label",)
    np.testing.assert_array_equal(alone["per_label"], crossfit(y, s, min_positives=5)["per_label"])


def test_decisions_are_decided_at_half():
    y, s = part()
    decisions = (s > 0.4).astype(float)
    decided = crossfit(y, decisions, min_positives=5, decides=True)
    np.testing.assert_array_equal(decided["global"], decisions == 1)
    np.testing.assert_array_equal(decided["per_label"], decisions == 1)


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="shape of y_true"):
        crossfit([[0], [1]], [[0.1]], min_positives=1)
