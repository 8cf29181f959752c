"""What a rule assigns, and that it is stored exactly."""

import json

import numpy as np

from choosing_rows import part
from rarelabels.judging.rules.choose import choose_rules, oracle
from rarelabels.judging.rules.definition import Rule, from_json, to_json


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
