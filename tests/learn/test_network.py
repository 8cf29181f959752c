"""A compiled network: shared by seeds and trials, set anew for each fit, and what it is compiled with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.fitted import Scaler, Vocabulary
from rarelabels.learn import losses, models
from rarelabels.learn import network as learn_network
from rarelabels.learn.baselines import linear
from rarelabels.learn.logit_loss import LogitLoss
from rarelabels.learn.tensorflow_setup import tf
from rarelabels.learn.weighting import weights
from small_training import LABELS, PLAIN, Floats, Trained, cut, fit, scores, trial


def test_a_network_is_compiled_once_for_all_seeds(data: Dataset) -> None:
    fit(PLAIN, data)
    before = learn_network._compiled.cache_info().misses
    for seed in (1, 2):
        fit(PLAIN, data, seed)
    assert learn_network._compiled.cache_info().misses == before


@pytest.mark.parametrize(
    "model",
    [{"hidden": [4]}, {"wide": True, "pooling": "tfidf"}, {"kind": "text_lstm", "units": 3}, {"kind": "text_cnn"}],
    ids=lambda model: str(model.get("kind", sorted(model)[0])),
)
def test_a_reset_network_has_the_weights_of_a_new_one(data: Dataset, model: Any) -> None:
    declared = trial(model=model, epochs=1, execution="plain")
    fitted, _ = fit(declared, data, seed=1)
    network = fitted.network
    network.reset(7, fitted.prepared, weights(declared.weighting, data.train.y), declared, len(data.train.y))
    new = models.build(network.spec, network.shape, 7)
    assert len(network.model.variables) == len(new.variables) > 3
    for variable, fresh in zip(network.model.variables, new.variables, strict=True):
        if not variable.path.endswith("/idf"):  # the vocabulary's
            np.testing.assert_array_equal(variable.numpy(), fresh.numpy(), variable.path)
    assert any((old != one.numpy()).any() for old, one in zip(fitted.weights, new.variables, strict=True))
    before = fitted.scores(data.test)
    assert (before != scores(declared, data, seed=7)).any()
    np.testing.assert_array_equal(fitted.scores(data.test), before)  # the weights are put back after other fits


def test_a_reused_network_runs_all_batches_of_another_split(data: Dataset) -> None:
    """Seeds part the rows a little differently: 300 rows are 9 batches of 32, the first 260 are 8."""
    fewer = replace(data, train=cut(data.train, np.arange(260)))
    reused = [scores(PLAIN, split) for split in (data, fewer, data)]
    learn_network._compiled.cache_clear()
    np.testing.assert_array_equal(reused[1], scores(PLAIN, fewer))
    np.testing.assert_array_equal(reused[2], scores(PLAIN, data))
    np.testing.assert_array_equal(reused[2], reused[0])


def test_a_batch_with_more_tokens_than_there_is_room_for_is_trained_on_as_well(
    data: Dataset, plain: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn_network, "_room", lambda *_: 64)
    learn_network._compiled.cache_clear()
    one, _ = fit(PLAIN, data)
    np.testing.assert_allclose(one.scores(data.test), plain[0].scores(data.test), rtol=0, atol=1e-6)


def test_there_is_room_for_the_tokens_of_nearly_every_batch() -> None:
    rng = np.random.default_rng(0)
    ids = (np.arange(40) < rng.geometric(0.1, (5000, 1))).astype(np.int32)
    lengths, room = (ids > 0).sum(axis=1), learn_network._room(ids, 256)
    most = max(rng.permutation(lengths)[:256].sum() for _ in range(2000))
    assert most < room < 1.5 * most
    assert room % learn_network.ROOM_STEP == 0
    assert learn_network._room(np.zeros((9, 8), np.int32), 4) == learn_network.ROOM_STEP


def test_a_network_keeps_its_room_for_tokens_which_changes_no_bit(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn_network._compiled.cache_clear()
    alone, curves = fit(PLAIN, data)
    network = alone.network
    needed = network.rooms(alone.prepared.inputs(data.train), 32)
    monkeypatch.setattr(learn_network, "_room", lambda *_: 5 * learn_network.ROOM_STEP)
    assert all(kept > needed[field] for field, kept in network.rooms(dict.fromkeys(needed), 32).items())
    monkeypatch.setattr(learn_network, "_room", lambda *_: learn_network.ROOM_STEP)
    again, same = fit(PLAIN, data)
    assert again.network is network
    assert set(network.rooms(dict.fromkeys(needed), 32).values()) == {5 * learn_network.ROOM_STEP}
    np.testing.assert_array_equal(again.scores(data.test), alone.scores(data.test))
    assert same == curves


def test_trials_share_a_network_where_nothing_compiled_differs() -> None:
    assert trial().compiled() == trial(epochs=9, keep="last", every_epoch=True).compiled()
    assert trial().compiled() == trial(epochs=None, steps=90, evaluate_every=10, patience=2).compiled()
    assert trial(model={"l2": 0.1}).compiled() == trial(model={"l2": 0.2, "bias": "prevalence"}).compiled()
    weighted = [trial(loss={"kind": "weighted_bce"}, weighting={"kind": "pos_weight", "strength": i}) for i in (0, 1)]
    assert weighted[0].compiled() == weighted[1].compiled()
    others = [trial(optimizer="sgd"), trial(model={"width": 7}), trial(execution="plain"), weighted[0]]
    others += [trial(loss={"kind": "binary_focal"}), trial(loss={"kind": "binary_focal", "alpha": 0.3})]
    others += [trial(loss={"kind": "asymmetric", "shift": 0}), trial(loss={"kind": "asymmetric"})]
    others += [trial(model={"l2": 0.1}), trial(model={"dropout": 0.1}), trial(model={"dropout": 0.2})]
    assert len({one.compiled() for one in [trial(), *others]}) == 1 + len(others)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"kind": "binary_focal", "gamma": 0.7, "alpha": 0.95},
            {"kind": "binary_focal", "gamma": 3.0, "alpha": 0.3},
        ),
        ({"kind": "logit_adjusted", "tau": 0.7}, {"kind": "logit_adjusted", "tau": 1.3}),
    ],
    ids=lambda loss: str(loss["kind"]),
)
def test_losses_that_differ_in_numbers_and_learning_rates_share_a_network_and_change_no_bit(
    data: Dataset, monkeypatch: pytest.MonkeyPatch, one: Any, other: Any
) -> None:
    shared, also = trial(loss=one, learning_rate=0.03), trial(loss=other, learning_rate=0.01)
    assert shared.compiled() == also.compiled()
    also_fitted = fit(also, data)[0]
    fitted = fit(shared, data)[0]
    assert fitted.network is also_fitted.network
    found = fitted.scores(data.test)
    assert (also_fitted.scores(data.test) != found).any()
    build = losses.build
    monkeypatch.setattr(losses, "build", lambda _, head, weights, **given: build(shared.loss, head, weights, **given))
    monkeypatch.setattr(LogitLoss, "make_variables", make_variables_of_arrays)
    monkeypatch.setattr(LogitLoss, "take", take_arrays)
    learn_network._compiled.cache_clear()
    with_constants = scores(shared, data)
    learn_network._compiled.cache_clear()
    np.testing.assert_array_equal(found, with_constants)


def make_variables_of_arrays(loss: LogitLoss) -> None:
    """Leave the declared numbers constant, and what comes from the labels variable."""
    arrays = {name: tf.Variable(value, dtype="float32") for name, value in loss.numbers.items() if value.ndim}
    loss.numbers |= arrays


def take_arrays(loss: LogitLoss, other: LogitLoss) -> None:
    for name, value in other.numbers.items():
        if value.ndim:
            loss.numbers[name].assign(value)


LOGISTIC = {"width": 0, "wide": True, "l2": 0.2, "bias": "prevalence"}


def with_numbers(part: Part) -> Part:
    """Two numbers for each row, of which the first tells of the first label."""
    noise = np.random.default_rng(len(part.y)).normal(size=(len(part.y), 2))
    return replace(part, numeric=noise + np.column_stack([part.y[:, 0], np.zeros(len(part.y))]))


@pytest.mark.parametrize("numbers", [False, True])
def test_the_wide_path_alone_converges_to_logistic_regression(data: Dataset, numbers: bool) -> None:
    if numbers:
        parts = {name: with_numbers(getattr(data, name)) for name in ("train", "validation", "test")}
        data = replace(data, **parts, numeric=("x", "y"))
    model = {**LOGISTIC, "min_rows": 1}
    schedule = {"epochs": None, "steps": 1000, "batch_size": 300, "learning_rate": 0.1, "keep": "last"}
    schedule |= {"evaluate_every": 1000}
    net = fit(trial(model=model, **schedule), data)[0].scores(data.test)
    train, test = (
        np.hstack([linear.tfidf(vocabularies(data), of.text).toarray(), scaled(data, of)])
        for of in (data.train, data.test)
    )
    for label in range(len(LABELS)):
        regression = LogisticRegression(C=5.0, tol=1e-10, max_iter=10_000).fit(train, data.train.y[:, label])
        np.testing.assert_allclose(net[:, label], regression.predict_proba(test)[:, 1], atol=1e-3)


def vocabularies(data: Dataset) -> dict[str, Vocabulary]:
    return {name: Vocabulary.fit(of, min_rows=1, max_tokens=None) for name, of in data.train.text.items()}


def scaled(data: Dataset, part: Part) -> Floats:
    return Scaler.fit(data.train.numeric).transform(part.numeric).astype(np.float64)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_penalty_shrinks_tables_and_kernels(data: Dataset, optimizer: str) -> None:
    model = {"wide": True, "hidden": [4]}
    free, shrunk = (
        fit(trial(model={**model, "l2": l2}, optimizer=optimizer, execution="plain"), data)[0] for l2 in (0.0, 3000.0)
    )
    for variable, of_free, of_shrunk in zip(free.network.model.variables, free.weights, shrunk.weights, strict=True):
        if variable.trainable and len(variable.shape) > 1:
            assert np.abs(of_shrunk).sum() < np.abs(of_free).sum(), variable.path


def test_one_step_with_a_penalty_is_worked_by_hand(data: Dataset) -> None:
    """Gradient descent takes rate * (gradient + l2 / (rows * labels) * weight), of biases without the last."""
    whole = {"epochs": 1, "batch_size": 300, "optimizer": "sgd", "learning_rate": 0.5, "keep": "last"}
    whole["execution"] = "plain"
    free, shrunk = (fit(trial(model={"hidden": [4], "l2": l2}, **whole), data)[0] for l2 in (0.0, 150.0))
    start = models.build(free.network.spec, free.network.shape, 0)
    for variable, of_free, of_shrunk in zip(start.variables, free.weights, shrunk.weights, strict=True):
        decay = 0.5 * 150.0 / (300 * 5) * variable.numpy() if len(variable.shape) > 1 else 0.0
        if not variable.path.endswith("idf"):
            np.testing.assert_allclose(of_shrunk, of_free - decay, atol=1e-6)


def test_the_loss_of_a_penalised_training_is_that_without_the_penalty(data: Dataset) -> None:
    free, shrunk = (
        fit(trial(model={"l2": l2}, epochs=1, learning_rate=1e-9, batch_size=300, execution="plain"), data)[1]
        for l2 in (0.0, 1e4)
    )
    assert shrunk[1]["loss"] == pytest.approx(free[1]["loss"], rel=1e-6)


NOTHING_LEARNT = {"epochs": 1, "learning_rate": 1e-9, "keep": "last", "execution": "plain"}


@pytest.mark.parametrize(("loss", "share"), [("bce", 1.0), ("logit_adjusted", 0.0)])
def test_biases_start_where_the_trained_logits_say_how_frequent_labels_are(
    data: Dataset, loss: str, share: float
) -> None:
    declared = trial(loss={"kind": loss}, model={"bias": "prevalence"}, **NOTHING_LEARNT)
    fitted = fit(declared, data)[0]
    by_path = dict(zip((one.path for one in fitted.network.model.variables), fitted.weights, strict=True))
    prevalence = data.train.y.mean(axis=0)
    np.testing.assert_allclose(by_path["logits/bias"], share * np.log(prevalence / (1 - prevalence)), atol=1e-6)


def test_what_is_dropped_is_drawn_by_the_seed_and_only_while_training(data: Dataset) -> None:
    declared = trial(model={"hidden": [8], "dropout": 0.5}, epochs=1)
    once, again, other = (scores(declared, data, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
    fitted = fit(declared, data)[0]
    np.testing.assert_array_equal(fitted.scores(data.test), fitted.scores(data.test))


def test_scores_of_a_row_do_not_depend_on_the_rows_around_it(data: Dataset, plain: Trained) -> None:
    fitted, _ = plain
    whole = fitted.scores(data.test)
    many = np.tile(np.arange(100), 11)  # more than two blocks of 512
    for rows in (np.random.default_rng(0).permutation(100), np.array([17]), np.arange(40, 60), many):
        np.testing.assert_array_equal(fitted.scores(cut(data.test, rows)), whole[rows])
