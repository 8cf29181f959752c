"""What is measured by its recorded name: rules, calibration, floors, and the objectives of a search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score, f1_score

from rarelabels.judging import evaluation
from rarelabels.judging.calibration import Calibration
from rarelabels.judging.rules import choose, definition, folds
from rarelabels.judging.rules import crossfit as rules_crossfit
from rarelabels.judging.rules.table import RULES
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec

LABELS = ("a", "b", "c", "d", "e")
PREVALENCE = np.array([0.4, 0.3, 0.2, 0.1, 0.05])


def part(n: int, seed: int) -> Scores:
    """Scores that are too sure of themselves: their logits are twice the true ones."""
    rng = np.random.default_rng(seed)
    true = expit(logit(PREVALENCE) + rng.normal(size=(n, 5)))
    y = (rng.random((n, 5)) < true).astype(np.uint8)
    return Scores(np.array([str(i) for i in range(n)]), y, expit(2 * logit(true)))


VALIDATION, TEST = part(400, 0), part(600, 1)
FLOORS = evaluation.floors(PREVALENCE)


def test_the_gap_is_how_much_better_the_training_part_fares() -> None:
    perfect = replace(TEST, scores=np.where(TEST.y == 1, 0.9, 0.1))
    found = evaluation.gap(perfect, TEST)
    assert found["training/gap_half_macro_f1"] == pytest.approx(
        1 - f1_score(TEST.y, TEST.scores >= 0.5, average="macro")
    )
    theirs = average_precision_score(TEST.y, TEST.scores, average="macro")
    assert found["training/gap_macro_average_precision"] == pytest.approx(1 - theirs)


def evaluated(**changes: object) -> evaluation.Evaluation:
    return evaluation.evaluate(LABELS, VALIDATION, TEST, FLOORS, ThresholdSpec.model_validate(changes))


def test_every_rule_is_measured_on_test_and_only_three_in_sample() -> None:
    measured = evaluated().metrics
    for rule in (*RULES, "oracle"):
        assert f"test/{rule}/macro_f1" in measured
        assert (f"validation/{rule}/macro_f1" in measured) == (rule in evaluation.IN_SAMPLE)


def test_the_most_likely_set_is_measured_where_there_is_one_and_stored() -> None:
    rng = np.random.default_rng(3)
    validation, test = (
        replace(part, label_sets=(part.y ^ (rng.random(part.y.shape) < 0.1)).astype(np.uint8))
        for part in (VALIDATION, TEST)
    )
    spec = ThresholdSpec.model_validate({"calibration": "platt"})  # moves scores, not sets
    measured = evaluation.evaluate(LABELS, validation, test, FLOORS, spec).metrics
    for name, part in (("validation", validation), ("test", test)):
        subset = (part.y == part.label_sets).all(axis=1).mean()
        assert measured[f"{name}/most_likely_set/subset_accuracy"] == pytest.approx(subset)
        expected = f1_score(part.y, part.label_sets, average="micro")
        assert measured[f"{name}/most_likely_set/micro_f1"] == pytest.approx(expected)
    assert not [name for name in evaluated().metrics if "most_likely_set" in name]
    frame = test.frame(LABELS)
    assert list(frame.columns[-5:]) == [f"set/{label}" for label in LABELS]
    again = Scores.from_frame(frame)
    np.testing.assert_array_equal(again.label_sets, test.label_sets)
    assert again.label_sets.dtype == np.uint8
    assert Scores.from_frame(TEST.frame(LABELS)).label_sets is None


@pytest.mark.parametrize("changed", ["validation", "test", "prevalence", "thresholds", "no validation"])
def test_floors_that_are_remembered_are_those_of_the_same_split_and_thresholds(changed: str) -> None:
    validation: Scores | None = VALIDATION
    test, floors, spec = TEST, FLOORS, ThresholdSpec.model_validate({})
    evaluated()  # remembers theirs
    match changed:
        case "validation":
            validation = replace(VALIDATION, y=VALIDATION.y[::-1].copy() | (np.arange(5) == 4).astype(np.uint8))
        case "test":
            test = replace(TEST, y=1 - TEST.y)
        case "prevalence":
            floors = evaluation.floors(PREVALENCE[::-1])
        case "thresholds":
            spec = ThresholdSpec.model_validate({"min_positives": 1000})
        case _:
            validation = None

    def of_floors() -> dict[str, float]:
        measured = evaluation.evaluate(LABELS, validation, test, floors, spec).metrics
        return {name: value for name, value in measured.items() if name.startswith("floor/")}

    found = of_floors()
    evaluation._FLOORS.clear()
    assert found == of_floors()
    assert found != {name: value for name, value in evaluated().metrics.items() if name.startswith("floor/")}


def test_base_rates_are_measured_under_every_rule_chosen_on_validation() -> None:
    measured = evaluated().metrics
    # The k most frequent labels for every row, k best for samples F1 on validation.
    k = choose.choose_rules(VALIDATION.y, np.broadcast_to(PREVALENCE, VALIDATION.y.shape), min_positives=5)[
        "top_k"
    ].at_most
    assert k is not None
    assigned = np.zeros(TEST.y.shape, bool)
    assigned[:, :k] = True
    expected = f1_score(TEST.y, assigned, average="samples", zero_division=0)
    assert measured["floor/prior_top_k/samples_f1"] == pytest.approx(expected)
    # Under its own threshold a constant score assigns a label to all rows or to none: to all, for F1.
    assert measured["floor/prior_per_label/macro_f1"] == pytest.approx(measured["floor/ones/macro_f1"])
    assert "floor/prior_oracle/macro_f1" in measured


def test_a_calibration_changes_scores_before_rules_and_says_what_it_began_with() -> None:
    plain, calibrated = evaluated(), evaluated(calibration="platt")
    before = {name: calibrated.metrics[f"test/uncalibrated/{name}"] for name in evaluation.UNCALIBRATED}
    assert before == {name: plain.metrics[f"test/ranking/{name}"] for name in before}
    for name, value in before.items():
        assert calibrated.metrics[f"test/ranking/{name}"] < value
    assert calibrated.metrics["validation/count/labels_uncalibrated"] == 0
    # A map that rises leaves every label's ranking, and so its best threshold, where it was.
    for name in ("test/per_label/macro_f1", "test/ranking/macro_average_precision", "test/oracle/macro_f1"):
        assert calibrated.metrics[name] == pytest.approx(plain.metrics[name])
    assert calibrated.metrics["test/half/macro_f1"] != plain.metrics["test/half/macro_f1"]
    np.testing.assert_array_equal(calibrated.test.scores, TEST.scores)  # what is stored is what the model gave


def test_rules_and_calibration_are_stored_and_read_back(tmp_path: Path) -> None:
    result = evaluated(calibration="temperature")
    result.save(tmp_path)
    rules = definition.from_json(json.loads((tmp_path / "thresholds.json").read_text("utf-8")))
    read = Calibration.from_json(json.loads((tmp_path / evaluation.CALIBRATION).read_text("utf-8")))
    for name, rule in rules.items():
        assigned = rule.assign(read.apply(TEST.scores))
        expected = f1_score(TEST.y, assigned, average="macro", zero_division=0)
        assert result.metrics[f"test/{name}/macro_f1"] == pytest.approx(expected)


@pytest.mark.parametrize("calibration", ["none", "platt"])
def test_an_objective_is_the_metric_of_that_name(calibration: str) -> None:
    spec = ThresholdSpec.model_validate({"calibration": calibration})
    crossfit = evaluation.crossfit_metrics(VALIDATION, spec)
    asked = ("validation/half/macro_f1", "validation/ranking/brier")
    for name in (*asked, "crossfit/global/micro_f1", "crossfit/per_label/macro_f1"):
        known = evaluation.validation_metrics(VALIDATION, spec, name)
        assert evaluation.objective(name, VALIDATION.y, spec)(VALIDATION.scores) == known[name]
        assert crossfit.get(name, known[name]) == known[name]
    half = evaluation.validation_metrics(VALIDATION, spec, "validation/half/macro_f1")
    assert not [name for name in half if name.startswith("crossfit/")]
    assert np.isnan(evaluation.objective("crossfit/top_k/none", VALIDATION.y, spec)(VALIDATION.scores))


def test_crossfit_decides_and_calibrates_every_row_by_the_other_folds() -> None:
    """The rows of a fold never reach what is fitted for it: their labels may be turned round."""
    fold = folds.folds(VALIDATION.y)
    seen: list[int] = []

    def calibrate(others):
        seen.append(len(others.truth))
        return lambda given: given

    plain = rules_crossfit.crossfit(VALIDATION.y, VALIDATION.scores, min_positives=5)
    passed = rules_crossfit.crossfit(VALIDATION.y, VALIDATION.scores, min_positives=5, calibrate=calibrate)
    assert seen == [int((fold != number).sum()) for number in range(5)]
    for rule, decided in plain.items():
        np.testing.assert_array_equal(decided, passed[rule])
    spec = ThresholdSpec.model_validate({"calibration": "platt"})
    honest = evaluation.crossfit_metrics(VALIDATION, spec)
    in_sample = evaluated(calibration="platt").metrics
    assert honest["crossfit/per_label/macro_f1"] < in_sample["validation/per_label/macro_f1"]


@pytest.mark.parametrize("name", ["zeros", "ones"])
def test_no_threshold_changes_what_decides(name: str) -> None:
    """All zeros find nothing under any rule, as the floor of that name says; base rates are scores."""
    constant = FLOORS[name]
    parts = [replace(part, scores=np.broadcast_to(constant, part.y.shape)) for part in (VALIDATION, TEST)]
    spec = ThresholdSpec.model_validate({})
    measured = evaluation.evaluate(LABELS, *parts, FLOORS, spec, decides=True).metrics
    for rule in ("half", "global", "global_macro", "per_label", "per_label_micro", "oracle"):
        for metric in ("macro_f1", "micro_f1", "binary_accuracy", "subset_accuracy"):
            assert measured[f"test/{rule}/{metric}"] == measured[f"floor/{name}/{metric}"], (rule, metric)
    if name == "zeros":
        assert measured["test/global/micro_f1"] == 0
        chosen = evaluation.evaluate(LABELS, *parts, FLOORS, spec).metrics
        assert chosen["test/global/micro_f1"] > 0  # scores that are all 0 would all be assigned
        honest = evaluation.crossfit_metrics(parts[0], spec, decides=True)
        assert honest["crossfit/global/micro_f1"] == honest["crossfit/per_label/macro_f1"] == 0
