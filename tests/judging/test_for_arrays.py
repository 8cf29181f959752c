"""What Python users call: objectives by name or number, rules and thresholds of arrays and frames."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import sparse

import rarelabels as rl
from rarelabels.errors import ArgumentError
from rarelabels.judging.rules import choose
from rarelabels.judging.rules.table import RULES
from rarelabels.judging.settings import F1, ThresholdSpec, objective_of
from rarelabels.judging.sweeps import each_label

RNG = np.random.default_rng(5)
Y = RNG.random((300, 6)) < [0.5, 0.3, 0.2, 0.1, 0.03, 0.0]
S = np.clip(0.4 * Y + 0.6 * RNG.random(Y.shape), 0, 1)


def test_objectives_are_made_by_their_numbers_alone():
    assert repr(rl.FBeta(2)) == "FBeta(beta=2.0)"
    assert rl.FBeta(2) == rl.FBeta(beta=2.0)
    assert rl.FBeta() == F1 == objective_of("f1")
    assert rl.Cost(false_positive=1, false_negative=20).false_negative == 20
    assert (objective_of("jaccard"), objective_of("balanced_accuracy")) == (rl.Jaccard(), rl.BalancedAccuracy())
    for objective in (rl.FBeta(2), rl.Jaccard(), rl.Cost(false_negative=3)):
        assert pickle.loads(pickle.dumps(objective)) == copy.deepcopy(objective) == objective


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: rl.FBeta(0), "FBeta.beta: must be greater than 0; given 0"),
        (lambda: rl.FBeta("two"), "FBeta.beta: must be a valid number, .*; given 'two'"),
        (lambda: rl.FBeta(beta=2, bta=1), "FBeta.bta: Extra inputs are not permitted; given 1"),
        (lambda: rl.Cost(false_positive=0), "a wrong label must cost more than a right one of the same truth; given"),
        (lambda: objective_of("f_1"), "objective: allowed 'f1', .*; given 'f_1'; did you mean 'f1'?"),
        (lambda: objective_of(["f1"]), "objective: allowed .*; given ..f1"),
        (lambda: objective_of(2), r"objective: allowed 'f1', .* such as FBeta\(2\) .*; given 2"),
    ],
)
def test_a_wrong_objective_is_said_in_one_line(make, told):
    with pytest.raises(ArgumentError, match=told) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_declared_is_as_it_was():
    """YAML names the kind, is read strictly, and defines the same block, so fingerprints stay."""
    declared = ThresholdSpec.model_validate({"objective": {"kind": "f_beta", "beta": 2.0}}, strict=True)
    assert declared.objective == rl.FBeta(2)
    assert declared.defined()["objective"] == {"kind": "f_beta", "beta": 2.0}
    assert ThresholdSpec().model_dump_json() == (
        '{"min_positives":5,"objective":{"kind":"f_beta","beta":1.0},"calibration":"none"}'
    )
    for wrong in ({"beta": 2.0}, {"kind": "f_beta", "beta": "2"}, {"kind": "f_beta", "bta": 2.0}, "f1"):
        with pytest.raises(ValidationError):
            ThresholdSpec.model_validate({"objective": wrong}, strict=True)


@pytest.mark.parametrize("objective", ["f1", rl.FBeta(2), rl.Cost(false_negative=20)])
def test_rules_and_thresholds_are_those_of_a_run(objective):
    wanted = choose.choose_rules(Y, S, min_positives=5, objective=objective_of(objective))
    chosen = rl.choose_rules(Y, S, objective)
    assert tuple(chosen) == RULES
    for name, rule in chosen.items():
        assert np.array_equal(rule.thresholds, wanted[name].thresholds)
    swept = each_label.best_thresholds(Y, S, objective_of(objective)).thresholds
    assert np.array_equal(rl.best_thresholds(Y, S, objective), swept)


def test_frames_of_another_order_and_sparse_truth_are_the_same():
    names = list("abcdef")
    y, s = pd.DataFrame(Y, columns=names), pd.DataFrame(S, columns=names)
    assert np.array_equal(rl.best_thresholds(y, s[names[::-1]]), rl.best_thresholds(Y, S))
    assert np.array_equal(rl.best_thresholds(sparse.csr_array(Y), S), rl.best_thresholds(Y, S))
    same = rl.choose_rules(y, s[names[::-1]])["per_label_shrunk"].thresholds
    assert np.array_equal(same, rl.choose_rules(Y, S)["per_label_shrunk"].thresholds)


def test_a_single_label_may_be_chosen_for():
    assert rl.best_thresholds(Y[:, :1], S[:, :1]) == rl.best_thresholds(Y, S)[0]


def test_thresholds_may_be_of_logits_and_rules_may_not():
    """A map that keeps the order keeps which rows are assigned; the rule half decides at 0.5, so it needs shares."""
    logits = np.log((S + 1e-3) / (1 + 1e-3 - S))
    assigned = [scores >= rl.best_thresholds(Y, scores) for scores in (S, logits)]
    assert np.array_equal(*assigned)
    with pytest.raises(ArgumentError, match=r"s_val\[\d+, \d\] \(label \d\): must be a probability.* are these logits"):
        rl.choose_rules(Y, logits)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((Y, S[:, :5]), r"s: must have 6 columns, as many as y; given shape \(300, 5\)"),
        ((Y * 2, S), r"y\[\d+, \d\] \(label \d\): must be 0 or 1; given 2"),
        ((Y, np.where(S < 0.2, np.nan, S)), r"s\[\d+, \d\] \(label \d\): must be a finite number; given nothing"),
    ],
)
def test_arrays_that_do_not_fit_are_said_in_one_line(arguments, told):
    with pytest.raises(ValueError, match=told) as caught:
        rl.best_thresholds(*arguments)
    assert len(str(caught.value).splitlines()) == 1
