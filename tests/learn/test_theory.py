"""The maps against direct minimisation, the gradients of the real losses, and simulated calibrated scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import TypeAdapter
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from rarelabels.declare.losses import LossSpec
from rarelabels.judging import metrics
from rarelabels.judging.sweeps import common_threshold, each_label
from rarelabels.learn import losses, theory
from rarelabels.learn.tensorflow_setup import tf
from rarelabels.learn.weighting import Weights

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PREVALENCE = 0.03


def spec(kind: str, **declared: Any) -> LossSpec:
    return TypeAdapter(LossSpec).validate_python({"kind": kind, **declared})


def asymmetric(up: float, down: float, shift: float) -> LossSpec:
    return spec("asymmetric", gamma_positive=up, gamma_negative=down, shift=shift)


FOCAL, FOCAL_ALPHA = spec("binary_focal", gamma=2.0), spec("binary_focal", gamma=2.0, alpha=0.25)
CASES: dict[str, tuple[LossSpec, dict[str, float]]] = {
    "bce": (spec("bce"), {}),
    "pos_weight": (spec("weighted_bce"), {"pos_weight": 7.0}),
    "weight pair": (spec("weighted_bce"), {"pos_weight": 3.0, "negative_weight": 0.4}),
    "focal": (FOCAL, {}),
    "focal alpha": (FOCAL_ALPHA, {}),
    "focal 0.5": (spec("binary_focal", gamma=0.5, alpha=0.9), {}),
    "focal 5": (spec("binary_focal", gamma=5.0), {}),
    "asymmetric": (asymmetric(1, 4, 0.05), {}),
    "asymmetric without shift": (asymmetric(0.5, 2, 0), {}),
    "asymmetric, shift alone": (asymmetric(0, 0, 0.2), {}),
    "asymmetric, small gamma": (asymmetric(0, 0.3, 0.1), {}),
    "logit_adjusted": (spec("logit_adjusted"), {"prevalence": PREVALENCE}),
    "logit_adjusted 0.5": (spec("logit_adjusted", tau=0.5), {"prevalence": PREVALENCE}),
}
every_map = pytest.mark.parametrize(("loss", "settings"), CASES.values(), ids=CASES.keys())


def cost(loss: LossSpec, settings: dict[str, float], target: float, z: Array) -> tuple[Array, Array]:
    """Value and gradient in z of the real loss, each of shape (n,)."""
    values = (PREVALENCE, settings.get("pos_weight", 1.0), settings.get("negative_weight", 1.0))
    weights = Weights(*(np.array([value]) for value in values))
    logits = tf.constant(z[:, None])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        found = losses.build(loss, "sigmoid", weights).call(
            tf.fill(logits.shape, tf.constant(target, "float64")), logits
        )
    return found.numpy(), tape.gradient(found, logits).numpy()[:, 0]


# The maps


@every_map
def test_the_expected_gradient_of_the_real_loss_vanishes_at_the_score(
    loss: LossSpec, settings: dict[str, float]
) -> None:
    z = np.linspace(-9, 9, 181)
    q = theory.true_probability(loss, expit(z), **settings)
    representable = 1 - q > 1e-6  # of q nearer to 1 float64 keeps too few digits of 1 − q
    assert representable.sum() > 100
    q = q[representable]
    pulls = [cost(loss, settings, target, z[representable])[1] for target in (1.0, 0.0)]
    scale = q * np.abs(pulls[0]) + (1 - q) * np.abs(pulls[1])
    np.testing.assert_array_less(np.abs(q * pulls[0] + (1 - q) * pulls[1]), 1e-9 * scale + 1e-300)


@every_map
def test_the_minimiser_is_the_minimum_of_the_expected_loss(loss: LossSpec, settings: dict[str, float]) -> None:
    """A minimum is flat, so a minimiser of values knows where it is only to the root of the spacing of float64."""
    for q in (0.001, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9):

        def expected(z: float, q: float = q) -> float:
            one, zero = (float(cost(loss, settings, target, np.array([z]))[0][0]) for target in (1.0, 0.0))
            return q * one + (1 - q) * zero

        direct = minimize_scalar(expected, bounds=(-15, 15), method="bounded", options={"xatol": 1e-9})
        found = float(theory.minimiser(loss, q, **settings))
        assert expected(float(logit(np.clip(found, 1e-12, 1 - 1e-12)))) <= direct.fun * (1 + 1e-9)
        if abs(direct.x) < 14:
            assert found == pytest.approx(expit(direct.x), abs=2e-5)


@every_map
def test_the_two_maps_are_inverse_and_rise(loss: LossSpec, settings: dict[str, float]) -> None:
    p = expit(np.linspace(-30, 30, 2001))
    q = theory.true_probability(loss, p, **settings)
    assert (np.diff(q) >= 0).all()
    assert ((q >= 0) & (q <= 1)).all()
    inside = (q > 0) & (q < 1 - 1e-9)
    np.testing.assert_allclose(theory.minimiser(loss, q[inside], **settings), p[inside], rtol=1e-6)
    back = np.linspace(0.001, 0.999, 500)
    scores = theory.minimiser(loss, back, **settings)
    assert (np.diff(scores) >= 0).all()
    reachable = (scores < 1) & (theory.true_probability(loss, np.nextafter(scores, 1), **settings) - back < 1e-6)
    np.testing.assert_allclose(theory.true_probability(loss, scores[reachable], **settings), back[reachable], rtol=1e-9)


def test_focal_keeps_too_close_to_a_half_and_by_hand_at_0_3() -> None:
    """At p = 0.3: pulls 0.49·(0.7 − 0.6·ln 0.3) = 0.6970 and 0.09·(0.3 − 1.4·ln 0.7) = 0.0719."""
    up, down = 0.49 * (0.7 - 0.6 * np.log(0.3)), 0.09 * (0.3 - 1.4 * np.log(0.7))
    assert theory.true_probability(FOCAL, 0.3) == pytest.approx(down / (down + up), rel=1e-12)
    q = np.linspace(0.01, 0.49, 49)
    assert (theory.minimiser(FOCAL, q) > q).all()
    np.testing.assert_allclose(theory.minimiser(FOCAL, 1 - q), 1 - theory.minimiser(FOCAL, q), rtol=1e-9)


def test_a_score_up_to_the_shift_stands_for_nothing_and_q_of_nothing_rests_at_the_shift() -> None:
    loss = asymmetric(1, 4, 0.05)
    assert theory.true_probability(loss, [0.0, 0.01, 0.0499]).tolist() == [0, 0, 0]
    assert theory.true_probability(loss, 0.06) > 0
    assert theory.minimiser(loss, 0.0) == pytest.approx(0.05, rel=1e-9)


def test_where_the_map_jumps_the_minimiser_stays_at_the_jump() -> None:
    """Without γ₋ the negative's pull sets in at once at the shift 0.2: dl₀/dp = 1 there, dl₁/dp = −5, q = 1/6."""
    loss = asymmetric(0, 0, 0.2)
    np.testing.assert_allclose(theory.minimiser(loss, [0.01, 0.1, 0.16]), 0.2, rtol=1e-9)
    assert theory.minimiser(loss, 0.18) > 0.2
    assert theory.true_probability(loss, 0.2 + 1e-9) == pytest.approx(1 / 6, rel=1e-6)


def test_threshold_of_half() -> None:
    weights = np.array([1.0, 3.0, 9.0])
    at_half = theory.threshold_of_half
    np.testing.assert_allclose(at_half(spec("weighted_bce"), pos_weight=weights), [0.5, 0.25, 0.1])
    assert at_half(spec("weighted_bce"), pos_weight=2.0, negative_weight=0.5) == pytest.approx(0.2)
    for gamma in (0.0, 0.5, 2.0, 5.0):
        assert at_half(spec("binary_focal", gamma=gamma)) == pytest.approx(0.5)
        assert at_half(spec("binary_focal", gamma=gamma, alpha=0.25)) == pytest.approx(0.75)
    np.testing.assert_allclose(at_half(spec("logit_adjusted"), prevalence=[0.01, 0.2]), [0.01, 0.2])
    assert at_half(spec("logit_adjusted", tau=0.5), prevalence=0.1) == pytest.approx(1 / (1 + 9**0.5))
    assert at_half(spec("bce")) == pytest.approx(0.5)
    up, down = 0.5 * (0.5 - 0.5 * np.log(0.5)), 0.25 * (0.45**4 / 0.55 - 4 * 0.45**3 * np.log(0.55))
    assert at_half(asymmetric(1, 4, 0.05)) == pytest.approx(down / (down + up))


def test_hamming_is_lowest_at_nothing_or_all_and_jumps_at_a_half() -> None:
    """The expected loss q(1−p) + (1−q)p is linear in p, so that a score stands for no probability, but 0.5 for 0.5."""
    loss = spec("hamming")
    q = np.array([0.0, 0.01, 0.49, 0.51, 0.99, 1.0])
    best = theory.minimiser(loss, q)
    assert best.tolist() == [0, 0, 0, 1, 1, 1]
    assert theory.threshold_of_half(loss) == 0.5
    z = np.linspace(-9, 9, 181)
    for truth, score in zip(q, best, strict=True):
        one, zero = (cost(loss, {}, target, z)[0] for target in (1.0, 0.0))
        expected = truth * one + (1 - truth) * zero
        assert (expected > truth * (1 - score) + (1 - truth) * score).all()
    up, down = (cost(loss, {}, target, z)[1] for target in (1.0, 0.0))
    np.testing.assert_allclose(down, -up, rtol=1e-12)  # equal pulls: q(p) would be 0.5 at every score
    assert not theory.has_true_probability(loss)
    with pytest.raises(theory.NoTrueProbability, match="hamming"):
        theory.true_probability(loss, 0.5)
    with pytest.raises(ValueError, match="q: must be"):
        theory.minimiser(loss, -0.1)


@pytest.mark.parametrize("kind", ["soft_f1", "categorical_ce", "distribution_balanced"])
def test_losses_of_more_than_one_label_have_no_map(kind: str) -> None:
    assert not theory.has_true_probability(spec(kind))
    for function in (theory.true_probability, theory.minimiser):
        with pytest.raises(theory.NoTrueProbability, match=kind):
            function(spec(kind), 0.5)


def test_what_is_missing_or_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="prevalence"):
        theory.threshold_of_half(spec("logit_adjusted"))
    with pytest.raises(ValueError, match="are these logits"):
        theory.true_probability(FOCAL, [-2.0])
    with pytest.raises(ValueError, match="q: must be"):
        theory.minimiser(FOCAL, 1.5)
    with pytest.raises(ValueError, match="at least one"):
        theory.optimal_f1_of_calibrated([])


# Simulated calibrated scores: a label is drawn from its score


def calibrated(n: int, n_labels: int = 1, seed: int = 0, mean: float = -2.5) -> tuple[Bools, Array]:
    rng = np.random.default_rng(seed)
    q = expit(rng.normal(mean, 1.5, (n, n_labels)))
    return rng.random((n, n_labels)) < q, q


def f1(truth: Bools, assigned: Bools) -> float:
    return float(2 * (truth & assigned).sum() / (truth.sum() + assigned.sum()))


def test_optimal_f1_by_hand_and_each_column_on_its_own() -> None:
    found = theory.optimal_f1_of_calibrated([0.1, 0.9, 0.6])
    assert (found.f1, found.threshold) == (pytest.approx(3 / 3.6), pytest.approx(1.5 / 3.6))
    two = theory.optimal_f1_of_calibrated([[0.1, 0.2], [0.9, 0.2], [0.6, 0.2]])
    np.testing.assert_allclose(two.f1, [3 / 3.6, 1.2 / 3.6])
    np.testing.assert_allclose(two.threshold, two.f1 / 2)


@pytest.mark.parametrize("mean", [-4.5, -2.5, 0.0])
def test_the_best_threshold_of_calibrated_scores_is_half_the_best_f1(mean: float) -> None:
    """400,000 rows: F1 of a fixed cut scatters by about 0.003. The optimum is flat, so its place is known less well."""
    truth, q = calibrated(400_000, seed=1, mean=mean)
    predicted = theory.optimal_f1_of_calibrated(q[:, 0])
    swept = each_label.best_thresholds(truth[:, :1], q[:, :1]).thresholds[0]
    best, at_half_f1 = (f1(truth, q >= cut) for cut in (swept, predicted.threshold))
    assert best == pytest.approx(predicted.f1, abs=0.01)
    assert 0 <= best - at_half_f1 < 0.002
    assert swept == pytest.approx(best / 2, abs=0.04)


def test_only_the_cut_at_half_its_own_f1_is_optimal() -> None:
    _, q = calibrated(20_000, seed=2)
    grid = np.linspace(0.01, 0.9, 179)
    expected = np.array([2 * q[q >= cut].sum() / (q.sum() + (q >= cut).sum()) for cut in grid])
    found = theory.optimal_f1_of_calibrated(q[:, 0])
    assert expected.max() <= found.f1 + 1e-12
    assert grid[expected.argmax()] == pytest.approx(float(found.threshold), abs=0.01)


@pytest.mark.parametrize("weight", [0.2, 3.0, 30.0])
def test_pos_weight_at_a_half_decides_as_the_threshold_it_amounts_to(weight: float) -> None:
    _, q = calibrated(20_000, seed=3)
    trained = theory.minimiser(spec("weighted_bce"), q, pos_weight=weight)
    np.testing.assert_array_equal(trained >= 0.5, q >= 1 / (1 + weight))
    np.testing.assert_array_equal(np.argsort(trained, axis=0), np.argsort(q, axis=0))


def test_focal_with_alpha_a_quarter_decides_at_three_quarters_and_finds_less() -> None:
    truth, q = calibrated(50_000, seed=4)
    trained = theory.minimiser(FOCAL_ALPHA, q)
    np.testing.assert_array_equal(trained >= 0.5, q >= 0.75)
    np.testing.assert_array_equal(theory.minimiser(FOCAL, q) >= 0.5, q >= 0.5)
    recall = [truth[assigned].sum() / truth.sum() for assigned in (q >= 0.5, trained >= 0.5)]
    assert recall[1] < 0.5 * recall[0]


def micro_f1_of_own_thresholds(truth: Bools, scores: Array) -> float:
    """The best micro-F1 of two labels over every pair of thresholds on a grid: brute force."""
    hits, assigned = [], []
    for kept, column in zip(truth.T, scores.T, strict=True):
        above = [column >= cut for cut in np.quantile(column, np.linspace(0.5, 0.9995, 300))]
        hits.append(np.array([(kept & side).sum() for side in above]))
        assigned.append(np.array([side.sum() for side in above]))
    found, total = hits[0][:, None] + hits[1], assigned[0][:, None] + assigned[1]
    return float((2 * found / (truth.sum() + total)).max())


def test_own_thresholds_gain_micro_f1_only_where_labels_are_distorted_differently() -> None:
    """200,000 rows: two thresholds fitted in-sample flatter by less than 0.002."""
    rng = np.random.default_rng(5)
    q = expit(rng.normal([-3.5, -1.0], 1.5, (200_000, 2)))
    truth = rng.random(q.shape) < q
    distorted = expit(logit(q) * [1.0, 1.4] + [2.5, -1.0])
    gains = []
    for scores in (q, distorted):
        common = common_threshold.best_common_threshold(truth, scores, "micro_f1").threshold
        gains.append(micro_f1_of_own_thresholds(truth, scores) - f1(truth, scores >= common))
    assert abs(gains[0]) < 0.002
    assert gains[1] > 0.05


def test_macro_f1_wants_a_threshold_for_each_label_even_of_calibrated_scores() -> None:
    """Half the best F1 of each label, which differs from label to label: the common one is best for micro-F1 only."""
    truth, q = calibrated(100_000, 1, seed=6, mean=-4.5)
    other, p = calibrated(100_000, 1, seed=7, mean=0.0)
    y, scores = np.hstack([truth, other]), np.hstack([q, p])
    common = common_threshold.best_common_threshold(y, scores, "micro_f1").threshold
    own = theory.optimal_f1_of_calibrated(scores).threshold
    macro = [metrics.decision_metrics(y, scores >= cut)["macro_f1"] for cut in (common, own)]
    assert macro[1] > macro[0] + 0.02


def test_smoothed_targets_by_hand() -> None:
    smooth = spec("bce", label_smoothing=0.2)
    found = theory.true_probability(smooth, [0.05, 0.1, 0.3, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(found, [0, 0, 0.25, 0.5, 1, 1], atol=1e-12)
    np.testing.assert_allclose(theory.minimiser(smooth, [0.0, 0.25, 0.5, 1.0]), [0.1, 0.3, 0.5, 0.9], atol=1e-12)
    assert theory.threshold_of_half(smooth) == 0.5
