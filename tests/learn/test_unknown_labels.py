"""Labels that nobody annotated: they add nothing to a loss, and pull no logit; every loss, weight and model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import LogisticRegression

import rarelabels as rl
from loss_cases import CASES, N_LABELS, NEGATIVE, POSITIVE, PREVALENCE, RUNNERS, Case, factors, rows
from rarelabels.data.dataset import Dataset
from rarelabels.errors import UserError
from rarelabels.learn import fitting, losses
from rarelabels.learn.baselines import linear
from rarelabels.learn.keras_backend import tf
from rarelabels.learn.weighting import weights
from small_training import LABELS, Floats, fit, macro_ap, trial

TAKING = {
    name: case
    for name, case in CASES.items()
    if case.declared.kind != "categorical_ce" and not (case.declared.kind == "bce" and case.head == "softmax")
}
every_taking_loss = pytest.mark.parametrize("case", TAKING.values(), ids=TAKING.keys())


def some_known(seed: int = 0) -> npt.NDArray[np.bool_]:
    """Twelve rows: the first is wholly unknown, the second wholly known; the third label is known in no row."""
    known = np.random.default_rng(seed).random((12, N_LABELS)) < 0.6
    known[0], known[1] = False, True
    known[:, 2] = False
    return known


def of_known_cells(case: Case, y: Floats, z: Floats, known: npt.NDArray[np.bool_]) -> float:
    """The mean over known cells: each row is one without the labels that are unknown; soft F1 is so by label."""
    if case.declared.kind == "soft_f1":
        rows_of = [np.flatnonzero(column) for column in known.T]
        costs = [case.formula(y[r][:, [i]], z[r][:, [i]])[0] for i, r in enumerate(rows_of) if len(r)]
        return float(np.mean(costs))
    total = 0.0
    for of_row, logits, seen in zip(y, z, known, strict=True):
        if seen.any():
            of_labels = factors(POSITIVE[seen], NEGATIVE[seen], PREVALENCE[seen])
            loss = losses.build(case.declared, case.head, of_labels)
            mean = loss.call(tf.constant(of_row[None, seen]), tf.constant(logits[None, seen])).numpy()[0]
            is_sum = getattr(case.declared, "reduction", "mean") != "mean"
            total += mean * (N_LABELS if is_sum else seen.sum())
    return float(total / known.sum())


@every_taking_loss
def test_the_loss_is_the_mean_over_known_cells(case: Case) -> None:
    y, z = rows()
    z = np.clip(z, -5, 5)
    known = some_known()
    loss = losses.build(case.declared, case.head, factors(), unknown=True)
    value = loss.call(tf.constant(np.where(known, y, np.nan)), tf.constant(z)).numpy()
    assert value.shape == (12,)
    assert value.mean() == pytest.approx(of_known_cells(case, y, z, known), rel=1e-9)
    if case.declared.kind != "soft_f1":
        assert value[0] == 0


@every_taking_loss
@pytest.mark.parametrize("how", RUNNERS)
def test_the_gradient_of_an_unknown_cell_is_exactly_zero(case: Case, how: str) -> None:
    y, z = (values.astype(np.float32) for values in rows(1))
    known = some_known(1)
    z[~known] = np.random.default_rng(2).choice([-1e30, -50, -1, 0, 3, 60, 1e30], (~known).sum())
    loss = losses.build(case.declared, case.head, factors(), unknown=True)

    def both(y: Any, z: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = loss(y, z)
        return value, tape.gradient(value, z)

    value, gradient = RUNNERS[how](both)(tf.constant(np.where(known, y, -1)), tf.constant(z))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert (gradient.numpy()[~known] == 0).all()
    assert np.abs(gradient.numpy()[known]).max() > 0


@every_taking_loss
def test_where_all_cells_are_known_it_is_the_loss_of_ever(case: Case) -> None:
    y, z = (tf.constant(values) for values in rows(3))
    ordinary = losses.build(case.declared, case.head, factors())
    np.testing.assert_allclose(ordinary.with_unknown().call(y, z), ordinary.call(y, z), rtol=1e-12)


def test_a_batch_without_any_known_cell_costs_nothing() -> None:
    for case in TAKING.values():
        loss = losses.build(case.declared, case.head, factors(), unknown=True)
        assert (loss.call(tf.fill((3, N_LABELS), np.nan), tf.ones((3, N_LABELS))).numpy() == 0).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: losses.CategoricalCrossentropy(unknown=True),
        lambda: losses.CategoricalCrossentropy().with_unknown(),
        lambda: losses.BinaryCrossentropy(head="softmax", unknown=True),
        lambda: losses.LabelSetCrossentropy(unknown=True),
    ],
)
def test_losses_that_need_every_label_of_a_row_refuse(make: Any) -> None:
    with pytest.raises(UserError, match="unknown: must be False"):
        make()


def test_whether_labels_may_be_unknown_is_saved_with_the_loss() -> None:
    assert rl.losses.Hill(unknown=True).get_config()["unknown"] is True
    assert rl.losses.Hill.from_config(rl.losses.Hill(unknown=True).get_config()).unknown
    assert "unknown" not in rl.losses.Hill().get_config()


def half_known(data: Dataset) -> Dataset:
    """Data of which about half of the training and validation labels are unknown."""
    rng = np.random.default_rng(5)
    parts = {}
    for name in ("train", "validation"):
        part = getattr(data, name)
        known = rng.random(part.y.shape) < 0.5
        parts[name] = replace(part, known=known, y=(part.y * known).astype(np.uint8))
    return replace(data, **parts)


def test_a_network_learns_from_known_labels(data: Dataset) -> None:
    fitted, curves = fit(trial(epochs=12, model={"bias": "prevalence"}), half_known(data))
    assert macro_ap(data.test, fitted.scores(data.test)) > 0.75
    assert curves[12]["loss"] < 0.8 * curves[1]["loss"]


def test_the_wide_path_alone_converges_to_logistic_regression_on_the_known_rows(data: Dataset) -> None:
    some = half_known(data)
    assert some.train.known is not None
    model = {"width": 0, "wide": True, "min_rows": 1, "l2": 0.2}
    schedule = {"epochs": None, "steps": 1000, "batch_size": 300, "learning_rate": 0.1, "keep": "last"}
    net = fit(trial(model=model, **schedule, evaluate_every=1000), some)[0].scores(data.test)
    features = linear.Features.fit(linear.LinearSpec(kind="linear", min_rows=1), some)
    train, test = features.of(some.train), features.of(data.test)
    for label in range(len(LABELS)):
        rows_of = np.flatnonzero(some.train.known[:, label])
        regression = LogisticRegression(C=5.0, tol=1e-10, max_iter=10_000)
        regression.fit(train[rows_of], some.train.y[rows_of, label])
        np.testing.assert_allclose(net[:, label], regression.predict_proba(test)[:, 1], atol=1e-3)


def test_curves_count_known_labels(data: Dataset) -> None:
    some = half_known(data)
    fitted, curves = fit(trial(epochs=1, keep="last"), some)
    known, y = some.validation.known, some.validation.y
    assert known is not None
    scores = fitted.scores(some.validation)
    cost = -np.where(y == 1, np.log(scores), np.log1p(-scores))[known].mean()
    assert curves[1]["val_loss"] == pytest.approx(cost, rel=1e-5)


def test_the_epoch_reaches_a_loss_that_corrects_labels(data: Dataset) -> None:
    late, at_once, never = (
        fit(trial(loss={"kind": "splc", "tau": 0.3, "correct_from": first}, epochs=3, keep="last"), data)[0]
        for first in (2, 1, 9)
    )
    again = fit(trial(loss={"kind": "splc", "tau": 0.3, "correct_from": 2}, epochs=3, keep="last"), data)[0]
    scores = [one.scores(data.test) for one in (late, at_once, never, again)]
    assert (scores[0] == scores[3]).all()
    assert scores[0].mean() != scores[1].mean() != scores[2].mean() != scores[0].mean()
    assert scores[0].mean() > scores[2].mean()


def test_a_keras_training_tells_the_loss_its_epoch() -> None:
    loss = rl.losses.SelfPacedCorrection(correct_from=2)
    net = losses.keras.Sequential([losses.keras.Input((2,)), losses.keras.layers.Dense(2)])
    net.compile("sgd", loss=loss)
    net.fit(np.eye(2), np.eye(2), epochs=1, verbose=0, callbacks=[loss.callback()])
    assert float(loss.numbers["corrects"]) == 0
    net.fit(np.eye(2), np.eye(2), epochs=2, verbose=0, callbacks=[loss.callback()])
    assert float(loss.numbers["corrects"]) == 1


def test_out_of_fold_scores_know_what_is_known(data: Dataset) -> None:
    some = half_known(data)
    folds = np.arange(len(some.train.y)) % 5
    crossed = replace(some, validation=some.train, folds=folds)
    declared = trial().model_copy(update={"model": linear.LinearSpec(kind="linear", c=(1.0, 5.0))})
    fitted, scored = fitting.fit(declared, 0, crossed, weights(declared.weighting, some.train.y), (), lambda *_: None)
    assert scored.known is not None
    assert some.train.known is not None
    assert (scored.known == some.train.known).all()
    assert macro_ap(data.test, fitted.scores(data.test)) > 0.7
