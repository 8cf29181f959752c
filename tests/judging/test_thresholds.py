"""What Python users call: rules and thresholds of arrays."""

import numpy as np
import pytest

import rarelabels as rl
from rarelabels.errors import ArgumentError
from rarelabels.judging.rules import choose
from rarelabels.judging.rules.table import RULES
from rarelabels.judging.settings import objective_of
from rarelabels.judging.sweeps import each_label

RNG = np.random.default_rng(5)
Y = RNG.random((300, 6)) < [0.5, 0.3, 0.2, 0.1, 0.03, 0.0]
S = np.clip(0.4 * Y + 0.6 * RNG.random(Y.shape), 0, 1)


@pytest.mark.parametrize("objective", ["f1", rl.FBeta(2), rl.Cost(false_negative=20)])
def test_rules_and_thresholds_are_those_of_a_run(objective):
    wanted = choose.choose_rules(Y, S, min_positives=5, objective=objective_of(objective))
    chosen = rl.choose_rules(Y, S, objective)
    assert tuple(chosen) == RULES
    for name, rule in chosen.items():
        assert np.array_equal(rule.thresholds, wanted[name].thresholds)
    swept = each_label.best_thresholds(Y, S, objective_of(objective)).thresholds
    assert np.array_equal(rl.best_thresholds(Y, S, objective), swept)


def test_a_single_label_may_be_chosen_for():
    assert rl.best_thresholds(Y[:, :1], S[:, :1]) == rl.best_thresholds(Y, S)[0]


def test_thresholds_may_be_of_logits_and_rules_may_not():
    """A map that keeps the order keeps which rows are assigned; the rule half decides at 0.5, so it needs shares."""
    logits = np.log((S + 1e-3) / (1 + 1e-3 - S))
    assigned = [scores >= rl.best_thresholds(Y, scores) for scores in (S, logits)]
    assert np.array_equal(*assigned)
    with pytest.raises(ArgumentError, match=r"s_val\[\d+, \d\] \(label \d\): must be a probability.* are these logits"):
        rl.choose_rules(Y, logits)
