"""Metrics of other packages."""

from __future__ import annotations

import doctest
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rarelabels.errors import UserError
from rarelabels.judging.metrics import own
from rarelabels.judging.metrics.own import OwnMetric
from rarelabels.judging.scores import Scores

PART = Scores.from_arrays([[1, 0], [1, 1], [0, 0]], [[0.9, 0.2], [0.4, 0.7], [0.6, 0.1]])
PARTLY = Scores.from_arrays([[1, 0], [np.nan, 1], [0, np.nan]], [[0.9, 0.2], [0.4, 0.7], [0.6, 0.8]])


def wrong_labels(truth: Any, assigned: Any, known: Any) -> float:
    return float(((truth != assigned) & known).sum() / len(truth))


def influence(truth: Any, assigned: Any, known: Any) -> Any:
    wrong = ((truth != assigned) & known).sum(axis=1)
    return (wrong - wrong.mean()) / len(wrong)


WRONG = OwnMetric(
    name="wrong_labels",
    words="wrong labels a row",
    lower_is_better=True,
    highest=None,
    of=wrong_labels,
    influence=influence,
    package="mine 1.2",
)


def decided(part: Scores) -> Any:
    return part.scores >= 0.5


def test_the_example() -> None:
    assert doctest.testmod(own).failed == 0


def test_a_value_and_influences_by_hand() -> None:
    assert own.values([WRONG], PART, decided(PART)) == {"wrong_labels": 2 / 3}  # a miss and a false alarm
    found = own.influences([WRONG], PART, decided(PART))["wrong_labels"]
    np.testing.assert_allclose(found, np.array([-2 / 3, 1 / 3, 1 / 3]) / 3)


def test_what_is_not_known_is_false_in_truth_and_in_assigned_labels() -> None:
    seen = []

    def look(truth: Any, assigned: Any, known: Any) -> float:
        seen.append((truth.tolist(), assigned.tolist(), known.tolist()))
        return 0.0

    own.values([replace(WRONG, of=look)], PARTLY, decided(PARTLY))
    ((truth, assigned, known),) = seen
    assert truth == [[True, False], [False, True], [False, False]]
    assert assigned == [[True, False], [False, True], [True, False]]  # the last cell is not known
    assert known == [[True, True], [False, True], [True, False]]


def test_scores_come_as_they_are_in_float64() -> None:
    seen = []
    metric = OwnMetric(name="m", words="m", measures="scores", of=lambda *given: seen.append(given[1]) or 0.5)
    part = replace(PART, scores=PART.scores.astype(np.float32))
    assert own.values([metric], part, part.scores) == {"m": 0.5}
    assert seen[0].dtype == np.float64
    assert seen[0].tolist() == part.scores.astype(np.float64).tolist()


def test_an_undefined_value_is_left_out_and_has_no_influence() -> None:
    undefined = replace(WRONG, of=lambda *_: float("nan"), influence=lambda *_: pytest.fail("not asked"))
    assert own.values([undefined], PART, decided(PART)) == {}
    assert own.influences([undefined], PART, decided(PART))["wrong_labels"].tolist() == [0.0, 0.0, 0.0]


def test_without_a_function_there_are_no_influences() -> None:
    assert own.influences([replace(WRONG, influence=None)], PART, decided(PART)) == {}


def test_a_metric_below_zero_or_of_an_upper_bound_of_zero() -> None:
    metric = replace(WRONG, of=lambda *_: -2.0, lowest=None, highest=0.0)
    assert own.values([metric], PART, decided(PART)) == {"wrong_labels": -2.0}
    with pytest.raises(UserError, match="gave 1; its range is -inf to 0"):
        own.values([replace(metric, of=lambda *_: 1.0)], PART, decided(PART))


def change(truth: Any, assigned: Any, known: Any) -> float:
    truth[0] = assigned[0] = known[0] = False
    return 0.0


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"of": lambda *_: 1 / 0}, "failed: ZeroDivisionError: division by zero"),
        ({"of": change}, "failed: ValueError: assignment destination is read-only"),
        ({"of": lambda *_: "much"}, "gave 'much'; its value must be a number"),
        ({"of": lambda *_: None}, "gave None; its value must be a number"),
        ({"of": lambda *_: float("inf")}, "gave inf; its range is 0 to inf"),
        ({"of": lambda *_: -0.5}, "gave -0.5; its range is 0 to inf"),
        ({"highest": 0.5}, "gave 0.666667; its range is 0 to 0.5"),
        ({"influence": lambda *_: 1 / 0}, "failed: ZeroDivisionError: division by zero"),
        (
            {"influence": lambda *_: [0.0, 0.0]},
            r"gave influences of shape \(2,\); they must be one for each row, \(3,\)",
        ),
        ({"influence": lambda *_: "none"}, "gave 'none' as influences; they must be numbers"),
        ({"influence": lambda *_: [np.nan, 0.0, 0.0]}, "gave influences that are not finite"),
        ({"influence": lambda *_: [1.0, 1.0, 0.0]}, "gave influences that add up to 2; they must add up to 0"),
    ],
)
def test_what_fails_is_one_line_that_names_the_package(broken: dict[str, Any], reason: str) -> None:
    metric = replace(WRONG, **broken)
    with pytest.raises(UserError, match=f"^mine 1.2: its metric 'wrong_labels' {reason}$"):
        own.influences([metric], PART, decided(PART))  # asks for the value first
