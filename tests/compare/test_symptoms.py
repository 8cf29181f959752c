"""What trainings suffer from, by their facts and curves."""

from __future__ import annotations

import pandas as pd
import pytest

from rarelabels.compare import symptoms

UNDERTRAINED = "undertrained: the best epoch was the last one"
PARAMS = {"training.epochs": "10", "training.keep": "best"}


def losses(*of_runs: list[float]) -> pd.DataFrame:
    rows = [
        (f"run {number}", "curve/val_loss", epoch, value)
        for number, values in enumerate(of_runs)
        for epoch, value in enumerate(values, 1)
    ]
    return pd.DataFrame(rows, columns=["run_id", "curve", "epoch", "value"])


def runs(*kept: int, gap: float = 0.1, **more: float) -> list[dict[str, float]]:
    return [{symptoms.KEPT: epoch, symptoms.GAP: gap, **more} for epoch in kept]


def test_a_training_that_ends_well_has_no_symptom() -> None:
    assert symptoms.of(runs(4, 6, 10), PARAMS, losses([0.5, 0.3, 0.4])) == []


@pytest.mark.parametrize(("kept", "is_so"), [((10, 10, 3), True), ((10, 3), False), ((10,), True)])
def test_undertrained_is_more_than_half_of_the_seeds(kept: tuple[int, ...], is_so: bool) -> None:
    assert symptoms.of(runs(*kept), PARAMS, losses()) == ([UNDERTRAINED] if is_so else [])


def test_recorded_evaluations_come_before_declared_epochs() -> None:
    made = [one | {symptoms.EVALUATIONS: 7.0} for one in runs(7, 7)]
    assert symptoms.of(made, PARAMS, losses()) == [UNDERTRAINED]
    stopped = [one | {symptoms.EVALUATIONS: 12.0} for one in runs(10, 10)]
    assert symptoms.of(stopped, PARAMS, losses()) == []


def test_who_keeps_the_last_epoch_on_purpose_is_not_undertrained() -> None:
    assert symptoms.of(runs(10), PARAMS | {"training.keep": "last"}, losses()) == []


def test_of_a_picked_epoch_that_one_counts() -> None:
    made = [one | {symptoms.PICKED: 3.0} for one in runs(10, gap=0.9)]
    assert symptoms.of(made, PARAMS, losses()) == []


def test_overfitted_is_a_wide_gap_with_a_rising_validation_loss() -> None:
    told = ["overfitted: macro average precision on training is 0.60 higher than on test"]
    rising, flat = losses([0.5, 0.4, 0.5]), losses([0.5, 0.4, 0.4])
    assert symptoms.of(runs(4, gap=0.6), PARAMS, rising) == told
    assert symptoms.of(runs(4, gap=0.6), PARAMS, flat) == []  # so may be logistic regression with few rows
    assert symptoms.of(runs(4, gap=0.5), PARAMS, rising) == []


def test_diverging_is_a_validation_loss_at_three_times_its_least() -> None:
    told = ["diverging: validation loss ended at 4.0 times its least value"]
    assert symptoms.of(runs(1, 1), PARAMS, losses([0.2, 0.3, 0.9], [0.2, 0.9, 0.7])) == told
    assert symptoms.of(runs(1, 1), PARAMS, losses([0.2, 0.3, 0.9], [0.2, 0.9, 0.3])) == []  # half of them


def test_an_optimum_on_the_edge_is_told() -> None:
    assert symptoms.of(runs(4), PARAMS, losses(), "loss.gamma at 5") == ["on the edge of its search: loss.gamma at 5"]


def test_what_is_no_network_has_none() -> None:
    assert symptoms.of([{"test/half/macro_f1": 0.5}], {"training.epochs": "10"}, losses()) == []
