"""Calibration against SciPy's minimisers, and against simulated scores whose distortion is known."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

from rarelabels.judging import calibration, metrics
from rarelabels.judging.metrics import label_table

Array = npt.NDArray[np.float64]

SLOPES = np.array([2.0, 0.5, 1.0, 3.0])
INTERCEPTS = np.array([0.7, -1.0, 0.0, 2.0])


def simulated(n: int, seed: int) -> tuple[Array, npt.NDArray[np.bool_]]:
    """True logits, (n, 4), of labels with prevalence from 0.03 to 0.3, and the truth drawn from them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal([-4.0, -3.0, -2.0, -1.2], 1.2, (n, 4))
    return logits, rng.random((n, 4)) < expit(logits)


def pooled_log_loss(log_slope: float, truth: npt.NDArray[np.bool_], logits: Array) -> float:
    z = np.exp(log_slope) * logits
    return float(np.logaddexp(0, np.where(truth, -z, z)).mean())


def platt_loss(line: Array, truth: npt.NDArray[np.bool_], logits: Array) -> float:
    z, positives = line[0] * logits + line[1], truth.sum()
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (len(truth) - positives + 2))
    return float((target * np.logaddexp(0, -z) + (1 - target) * np.logaddexp(0, z)).mean())


def test_temperature_is_the_minimum_of_the_pooled_log_loss() -> None:
    logits, truth = simulated(1500, seed=1)
    found = calibration.fit("temperature", truth, expit(2.5 * logits))
    best = minimize_scalar(pooled_log_loss, (-3.0, 1.0), args=(truth, 2.5 * logits), options={"xtol": 1e-10})
    np.testing.assert_allclose(found.slopes, np.exp(best.x), rtol=1e-6)
    assert found.intercepts.tolist() == [0, 0, 0, 0]
    assert found.unfitted == 0


def test_platt_is_the_minimum_of_the_log_loss_with_smoothed_targets() -> None:
    logits, truth = simulated(800, seed=2)
    distorted = SLOPES * logits + INTERCEPTS
    found = calibration.fit("platt", truth, expit(distorted))
    for label in range(4):
        best = minimize(platt_loss, [1.0, 0.0], (truth[:, label], distorted[:, label]), "Nelder-Mead", tol=1e-9)
        np.testing.assert_allclose([found.slopes[label], found.intercepts[label]], best.x, atol=2e-4)


def test_two_positives_of_platt_keep_finite_scores_although_they_stand_apart() -> None:
    """Without smoothed targets the slope would run to infinity; (2+1)/(2+2) is what they are drawn to."""
    truth = np.array([[0], [0], [0], [0], [1], [1]])
    scores = np.array([[0.1], [0.1], [0.1], [0.1], [0.6], [0.6]])
    found = calibration.fit("platt", truth, scores).apply(scores)
    np.testing.assert_allclose(found[[0, -1], 0], [1 / 6, 3 / 4], atol=1e-4)


@pytest.mark.parametrize("kind", ["temperature", "platt"])
def test_calibration_takes_a_known_distortion_back(kind: calibration.Kind) -> None:
    """From 40,000 rows a slope is known to about 2 %; the fresh rows' own scatter is in both sides of the difference.

    The undistorted scores are the best there are, so what is left can only be a little worse.
    """
    logits, truth = simulated(40_000, seed=3)
    slopes, intercepts = (SLOPES, INTERCEPTS) if kind == "platt" else (np.full(4, 2.5), np.zeros(4))
    fitted = calibration.fit(kind, truth, expit(slopes * logits + intercepts))
    np.testing.assert_allclose(fitted.slopes, 1 / slopes, rtol=0.05)
    # an intercept is the line at logit 0, four away from the rarest scores: four times the slope's error
    np.testing.assert_allclose(fitted.intercepts, -intercepts / slopes, atol=0.15)

    logits, truth = simulated(40_000, seed=4)
    distorted = expit(slopes * logits + intercepts)
    best, before, after = (
        metrics.ranking_metrics(truth, scores) for scores in (expit(logits), distorted, fitted.apply(distorted))
    )
    for name, tolerance in (("brier", 2e-4), ("log_loss", 5e-4), ("ece", 3e-3)):
        assert before[name] - best[name] > 5 * tolerance, f"{name}: the distortion must be worth mending"
        assert abs(after[name] - best[name]) < tolerance, name


def test_platt_leaves_the_ranking_of_every_label_alone() -> None:
    logits, truth = simulated(2000, seed=5)
    scores = expit(2 * logits).astype(np.float32)  # as a net gives them
    calibrated = calibration.fit("platt", truth, scores).apply(scores)
    before, after = (label_table.per_label(truth, values, {}) for values in (scores, calibrated))
    assert before[["average_precision", "roc_auc"]].equals(after[["average_precision", "roc_auc"]])


def test_order_and_ties_are_kept_also_among_extreme_scores() -> None:
    """All float32 scores near 0, 0.5 and 1 stay apart; neighbouring float64 may meet but none overtakes another."""
    around = np.float32([1e-38, 1e-30, 1e-20, 1e-9, 0.02, 0.5, 0.9, 1 - 2e-5])
    steps = np.arange(-40, 41)
    ladder = np.sort(np.concatenate([(x.view(np.int32) + steps).astype(np.int32).view(np.float32) for x in around]))
    fine = np.concatenate([(np.float64(x).view(np.int64) + np.arange(-3000, 3001)).view(np.float64) for x in around])
    for slope, intercept in ((0.3, -2.0), (1 / 3, 0.1), (1.7, 1.0)):
        one = calibration.Calibration("platt", np.array([slope]), np.array([intercept]), 0)
        assert (np.diff(one.apply(ladder[:, None])[:, 0]) > 0).all()
        assert (np.diff(one.apply(np.sort(fine)[:, None])[:, 0]) >= 0).all()
        shuffled = np.random.default_rng(0).permutation(np.repeat(ladder, 3))
        for value in ladder[::50]:
            assert len(set(one.apply(shuffled[:, None])[shuffled == value, 0])) == 1


def test_zero_and_one_stay_the_lowest_and_the_highest() -> None:
    scores = np.array([0.0, 1e-300, 1e-20, 0.5, 1 - 1e-15, 1.0])[:, None]
    found = calibration.Calibration("platt", np.array([0.5]), np.array([-1.0]), 0).apply(scores)[:, 0]
    assert (np.diff(found) > 0).all()
    assert 0 < found[0] < found[-1] < 1


def test_the_epsilon_keeps_a_single_zero_of_a_positive_from_deciding() -> None:
    logits, truth = simulated(3000, seed=6)
    scores = expit(logits)
    scores[np.flatnonzero(truth[:, 3])[0], 3] = 0.0
    found = calibration.fit("platt", truth, scores)
    assert 0.5 < found.slopes[3] < 1.1


def test_what_cannot_be_fitted_is_left_as_it_is_and_counted() -> None:
    logits, truth = simulated(500, seed=7)
    scores = np.hstack([expit(2 * logits), np.full((500, 1), 0.1)])
    truth = np.hstack([truth, truth[:, :1]])
    truth[:, 0], truth[:, 1], scores[:, 2] = False, True, 1 - scores[:, 2]  # no positive, no negative, wrong way round
    found = calibration.fit("platt", truth, scores)
    left = [0, 1, 2, 4]
    assert found.unfitted == 4
    assert found.slopes[3] == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(found.apply(scores)[:, left], scores[:, left])
    for nothing in (np.zeros_like(truth), np.ones_like(truth)):
        pooled = calibration.fit("temperature", nothing, scores)
        assert pooled.unfitted == 5
        np.testing.assert_array_equal(pooled.apply(scores), scores)


def test_useless_scores_take_a_high_temperature_and_keep_their_order() -> None:
    rng = np.random.default_rng(8)
    truth, scores = rng.random((400, 3)) < 0.5, rng.random((400, 3)).astype(np.float32)
    truth[scores > 0.6] = False
    found = calibration.fit("temperature", truth, scores)
    assert (found.slopes > 0).all()
    np.testing.assert_array_equal(np.argsort(found.apply(scores), axis=0), np.argsort(scores, axis=0))


def test_it_comes_back_from_json() -> None:
    logits, truth = simulated(300, seed=9)
    scores = expit(logits)
    found = calibration.fit("platt", truth, scores)
    stored = json.loads(json.dumps(found.to_json(("a", "b", "c", "d"))))
    assert list(stored["labels"]) == ["a", "b", "c", "d"]
    again = calibration.Calibration.from_json(stored)
    assert (again.kind, again.unfitted) == ("platt", found.unfitted)
    np.testing.assert_array_equal(again.apply(scores), found.apply(scores))


def test_logits_are_refused() -> None:
    with pytest.raises(ValueError, match="are these logits"):
        calibration.fit("platt", [[0], [1]], [[-3.0], [2.0]])


def parted(name: str) -> tuple[npt.NDArray[np.bool_], Array]:
    """Truth and scores, (300, 3), of which 0.5 parts all or nearly all positives from the negatives."""
    rng = np.random.default_rng(11)
    truth = rng.random((300, 3)) < (0.04 if name == "rare" else 0.4)
    logits = np.where(truth, 1, -1) * rng.normal(3, 0.6, truth.shape)
    match name:
        case "a positive at 0.5":
            logits[np.flatnonzero(truth[:, 0])[0], 0] = 0.0
        case "a positive just below 0.5":
            logits[np.flatnonzero(truth[:, 0])[0], 0] = -1e-9
        case "a negative above 0.5":
            logits[np.flatnonzero(~truth[:, 1])[0], 1] = 0.01
        case "rare":
            logits = np.where(truth, 0.5, -4) + rng.normal(0, 0.1, truth.shape)
        case "near 0.5":
            logits *= 1e-5
        case "sure":
            logits *= 7
    scores = expit(logits)
    if name == "float32":
        scores = scores.astype(np.float32)
    if name == "decisions":
        scores = np.where(truth, 1.0, 0.0)
        scores[0] = 0.5
    return truth, scores


PARTED = ["parted", "a positive at 0.5", "a positive just below 0.5", "a negative above 0.5"]
PARTED += ["rare", "near 0.5", "sure", "float32", "decisions"]


@pytest.mark.parametrize("name", PARTED)
@pytest.mark.parametrize("kind", ["temperature", "platt"])
def test_scores_that_part_positives_from_negatives_get_finite_slopes(kind: calibration.Kind, name: str) -> None:
    truth, scores = parted(name)
    found = calibration.fit(kind, truth, scores)
    assert np.isfinite([found.slopes, found.intercepts]).all()
    assert (found.slopes > 0).all()
    stored = json.dumps(found.to_json(("a", "b", "c")), allow_nan=False)
    calibrated = calibration.Calibration.from_json(json.loads(stored)).apply(scores)
    assert np.isfinite(calibrated).all()
    before, after = (label_table.per_label(truth, values, {}) for values in (scores, calibrated))
    assert before[["average_precision", "roc_auc"]].equals(after[["average_precision", "roc_auc"]])
    if kind == "temperature":
        np.testing.assert_array_equal(calibrated >= 0.5, scores >= 0.5)
        assert (calibrated[scores == 0.5] == 0.5).all()
        order = np.argsort(scores, axis=0, kind="stable")
        assert (np.diff(np.take_along_axis(calibrated, order, axis=0), axis=0) >= 0).all()


def test_a_temperature_is_lowered_only_to_keep_scores_apart() -> None:
    """The fit of scores that 0.5 does not part is the minimum, as above; parted ones get the slope 20 / highest."""
    truth, scores = parted("parted")
    found = calibration.fit("temperature", truth, scores)
    np.testing.assert_allclose(found.slopes, 20 / np.log(scores.max() / (1 - scores.max())), rtol=1e-12)
    truth, scores = parted("near 0.5")
    found = calibration.fit("temperature", truth, scores)
    assert found.slopes[0] > 1000, "no two scores become equal"


def test_an_infinite_slope_of_an_earlier_version_leaves_scores_as_they_are() -> None:
    scores = np.array([[0.2, 0.5], [0.7, 0.5]])
    for kind, unfitted in (("platt", 1), ("temperature", 2)):
        lines = {
            "a": {"slope": np.inf, "intercept": 0.0},
            "b": {"slope": np.inf if unfitted == 2 else 2.0, "intercept": 0.0},
        }
        stored = json.loads(json.dumps({"kind": kind, "unfitted": 0, "labels": lines}))
        found = calibration.Calibration.from_json(stored)
        assert found.unfitted == unfitted
        np.testing.assert_array_equal(found.apply(scores)[:, 0], scores[:, 0])
