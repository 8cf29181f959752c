"""Training on 300 small rows: it learns, and the same seed gives the same numbers whatever was trained before."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.fitted import Scaler, Vocabulary
from rarelabels.data.tokens import Tokens
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError
from rarelabels.learn import batches, declared_losses, models, powerset, training, watched
from rarelabels.learn import network as learn_network
from rarelabels.learn.baselines import linear
from rarelabels.learn.curves import NotFiniteError
from rarelabels.learn.logit_loss import LogitLoss
from rarelabels.learn.tensorflow_setup import keras, tf
from rarelabels.learn.training import FittedNetwork
from rarelabels.learn.weighting import weights

Floats = npt.NDArray[np.float64]
Curves = dict[int, dict[str, float]]
Trained = tuple[FittedNetwork, Curves]

LABELS = ("a", "b", "c", "d", "e")
PREVALENCE = (0.4, 0.3, 0.2, 0.15, 0.1)


def trial(loss: Any = None, model: Any = None, weighting: Any = None, **changes: Any) -> Trial:
    schedule = {"epochs": 3, "batch_size": 32, "learning_rate": 0.02, **changes}
    return Trial.model_validate(
        {
            "name": "small/x",
            "question": "Does it learn at all?",
            "thread": "beyond the threads",
            "dataset": {"kind": "movies"},
            "model": {"kind": "text_bag", "width": 6, **(model or {})},
            "loss": loss or {"kind": "bce"},
            "weighting": weighting or {"kind": "none"},
            "training": schedule,
            "thresholds": {},
            "seeds": [0],
        }
    )


def part(n: int, seed: int) -> Part:
    """Each label mostly has its own word in one field and its own name in the other, among noise."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, len(LABELS))) < PREVALENCE).astype(np.uint8)
    words, names = (
        [
            [f"{kind}{i}" for i in np.flatnonzero(row) if rng.random() < 0.8]
            + [f"noise{i}" for i in rng.integers(0, 20, rng.integers(0, 6))]
            for row in y
        ]
        for kind in ("word", "name")
    )
    words[0], names[0] = [], []
    ids = np.array([f"{seed}-{i}" for i in range(n)])
    return Part(ids, y, {"words": Tokens.from_lists(words), "names": Tokens.from_lists(names)})


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(LABELS, part(300, 0), part(100, 1), part(100, 2), "digest", {})


def cut(part: Part, rows: npt.ArrayLike) -> Part:
    return Part(part.ids[rows], part.y[rows], {field: tokens.take(rows) for field, tokens in part.text.items()})


def fit(declared: Trial, data: Dataset, seed: int = 0, watch: tuple[str, ...] = ()) -> Trained:
    curves: Curves = {}
    fitted = training.fit(declared, data, weights(declared.weighting, data.train.y), seed, watch, curves.__setitem__)
    return fitted, curves


def scores(declared: Trial, data: Dataset, seed: int = 0) -> Floats:
    return fit(declared, data, seed)[0].scores(data.test)


def macro_ap(part: Part, values: Floats) -> float:
    return float(average_precision_score(part.y, values, average="macro"))


PLAIN = trial(keep="last")
WATCH = ("binary_accuracy", "categorical_accuracy", "auc")


@pytest.fixture(scope="module")
def plain(data: Dataset) -> Trained:
    return fit(PLAIN, data, watch=WATCH)


# It learns


def test_it_learns(data: Dataset) -> None:
    fitted, curves = fit(trial(epochs=12), data)
    assert macro_ap(data.validation, fitted.scores(data.validation)) > 0.8 > 3 * np.mean(PREVALENCE)
    assert macro_ap(data.test, fitted.scores(data.test)) > 0.8
    assert curves[12]["loss"] < 0.7 * curves[1]["loss"]


def test_scores_are_probabilities_of_the_parts_shape(data: Dataset, plain: Trained) -> None:
    values = plain[0].scores(data.test)
    assert values.dtype == np.float64
    assert values.shape == data.test.y.shape
    assert ((values > 0) & (values < 1)).all()
    assert np.ptp(values.sum(axis=1)) > 0.1
    softmax = scores(trial(model={"head": "softmax"}), data)
    np.testing.assert_allclose(softmax.sum(axis=1), 1, rtol=1e-12)


def test_pos_weight_reaches_the_loss(data: Dataset, plain: Trained) -> None:
    light, heavy = (
        scores(
            trial(
                loss={"kind": "weighted_bce"},
                weighting={"kind": "pos_weight", "strength": 0, "scale": scale},
                keep="last",
            ),
            data,
        )
        for scale in (1, 1000)
    )
    assert heavy.mean() > light.mean() + 0.3
    np.testing.assert_allclose(light, plain[0].scores(data.test), atol=1e-4)  # weight 1 is plain BCE


@pytest.mark.parametrize("label", [1, 4])
def test_a_weight_reaches_its_own_label(data: Dataset, label: int) -> None:
    declared = trial(loss={"kind": "weighted_bce"}, weighting={"kind": "pos_weight"}, keep="last")
    plain = weights(declared.weighting, data.train.y)
    factors = np.ones(5)
    factors[label] = 200
    equal, heavy = (
        training.fit(declared, data, replace(plain, positive=w), 0).scores(data.test).mean(axis=0)
        for w in (np.ones(5), factors)
    )
    assert np.argmax(heavy - equal) == label  # the others rise a little, for they share its embeddings


# Same seed, same numbers


def test_the_same_seed_gives_the_same_bits_whatever_came_between(data: Dataset) -> None:
    first, curves = fit(PLAIN, data)
    alone = first.scores(data.test)
    between: list[Callable[[], object]] = [
        lambda: None,
        lambda: fit(PLAIN, data, seed=7),
        lambda: fit(trial(loss={"kind": "weighted_bce"}, weighting={"kind": "pos_weight"}), data, seed=3),
        learn_network._compiled.cache_clear,
    ]
    for disturb in between:
        disturb()
        again, same = fit(PLAIN, data)
        np.testing.assert_array_equal(again.scores(data.test), alone)
        assert same == curves
    np.testing.assert_array_equal(first.scores(data.test), alone)  # a later fit leaves an earlier one as it was


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


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31 - 2, 2**31 - 1, 2**31 + 5, 2**40])
def test_rows_are_shuffled_as_tensorflow_does_with_that_global_seed(seed: int) -> None:
    ours = batches._shuffled(100, seed).repeat(3)
    try:
        tf.random.set_seed(seed)
        theirs = tf.data.Dataset.range(100).shuffle(100, seed=seed, reshuffle_each_iteration=True).repeat(3)
    finally:
        tf.random.set_seed(None)
    orders = np.array(list(ours.as_numpy_iterator())).reshape(3, 100)
    assert orders.ravel().tolist() == list(theirs.as_numpy_iterator())
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(100))}
    assert len(set(map(tuple, orders))) == 3


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


def test_packed_tokens_are_those_of_each_row_in_order() -> None:
    ids = np.array([[3, 4, 0], [0, 0, 0], [5, 0, 0]], np.int32)
    assert batches._packed(ids, tf.where(ids > 0), 4).numpy().tolist() == [[3, 0], [4, 0], [5, 2], [0, 0]]
    assert batches._packed(ids, tf.where(ids > 0), 2).numpy().tolist() == [[3, 0], [4, 0], [5, 2], [0, 0]]
    assert batches._packed(ids, tf.where(ids > 0), 3).numpy().tolist() == [[3, 0], [4, 0], [5, 2]]


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
    build = declared_losses.build
    monkeypatch.setattr(declared_losses, "build", lambda _, head, weights: build(shared.loss, head, weights))
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


def test_steps_are_a_bound_and_epochs_are_as_long_as_declared(data: Dataset) -> None:
    epochs = {"epochs": None, "steps": 25, "execution": "plain"}
    assert len(fit(trial(**epochs, evaluate_every=7), data)[1]) == 3
    assert len(fit(trial(**epochs), data)[1]) == 2  # 9 batches of 32 make a pass over 300 rows
    fitted, curves = fit(trial(**{**epochs, "steps": 3}), data)
    assert (len(curves), fitted.facts["epochs"]) == (1, 1.0)


def test_the_same_steps_cut_into_other_epochs_give_the_same_bits(data: Dataset) -> None:
    by_pass, by_steps = (
        trial(**how, keep="last") for how in ({"epochs": 2}, {"epochs": None, "steps": 18, "evaluate_every": 6})
    )
    np.testing.assert_array_equal(scores(by_pass, data), scores(by_steps, data))


def test_training_ends_when_validation_has_stood_still(data: Dataset) -> None:
    fitted, curves = fit(trial(epochs=60, learning_rate=0.3, patience=4, execution="plain"), data)
    ranked = [curves[epoch]["val_macro_average_precision"] for epoch in sorted(curves)]
    assert 4 < len(curves) < 60
    assert fitted.kept_epoch == int(np.argmax(ranked)) + 1 == len(curves) - 4
    assert fitted.facts["epochs"] == len(curves)


def test_patience_waits_where_average_precision_is_undefined(data: Dataset) -> None:
    empty = replace(data.validation, y=np.zeros_like(data.validation.y))
    assert len(fit(trial(epochs=5, patience=1, execution="plain"), replace(data, validation=empty))[1]) == 5


def test_another_seed_gives_other_numbers(data: Dataset) -> None:
    assert np.abs(scores(PLAIN, data, seed=0) - scores(PLAIN, data, seed=1)).max() > 1e-3


@pytest.mark.long
def test_two_processes_give_the_same_bits(data: Dataset, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import numpy as np, test_training as t; "
        "data = t.Dataset(t.LABELS, t.part(300, 0), t.part(100, 1), t.part(100, 2), 'digest', {}); "
        "np.save(sys.argv[2], t.scores(t.PLAIN, data))"
    )
    file = tmp_path / "scores.npy"
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # TensorFlow and Keras have nothing to warn of
    fit(PLAIN, data, seed=5)
    np.testing.assert_array_equal(np.load(file), scores(PLAIN, data))


def test_scores_of_a_row_do_not_depend_on_the_rows_around_it(data: Dataset, plain: Trained) -> None:
    fitted, _ = plain
    whole = fitted.scores(data.test)
    many = np.tile(np.arange(100), 11)  # more than two blocks of 512
    for rows in (np.random.default_rng(0).permutation(100), np.array([17]), np.arange(40, 60), many):
        np.testing.assert_array_equal(fitted.scores(cut(data.test, rows)), whole[rows])


# Curves and the epoch kept


def test_curves_have_the_documented_names_for_every_epoch(data: Dataset, plain: Trained) -> None:
    names = {"loss", "val_loss", "val_macro_average_precision"}
    bare = fit(PLAIN, data)[1]
    assert list(bare) == [1, 2, 3]
    assert all(set(curve) == names for curve in bare.values())
    names |= {*WATCH, *(f"val_{name}" for name in WATCH)}
    assert list(plain[1]) == [1, 2, 3]
    assert all(set(curve) == names for curve in plain[1].values())


def test_watching_changes_nothing(data: Dataset, plain: Trained) -> None:
    np.testing.assert_array_equal(plain[0].scores(data.test), scores(PLAIN, data))


def test_curves_of_the_last_epoch_are_those_of_its_scores(data: Dataset, plain: Trained) -> None:
    fitted, curves = plain
    last = curves[3]
    some = cut(data.train, watched.rows(300, 100))
    for prefix, rows in (("", some), ("val_", data.validation)):
        values = fitted.scores(rows)
        by_hand = {
            "binary_accuracy": ((values > 0.5) == rows.y).mean(),
            "categorical_accuracy": (values.argmax(axis=1) == rows.y.argmax(axis=1)).mean(),
        }
        auc = keras.metrics.AUC(multi_label=True, num_labels=5)
        auc.update_state(rows.y, values)
        for name, value in (by_hand | {"auc": float(auc.result())}).items():
            assert last[prefix + name] == pytest.approx(value, abs=1e-6), prefix + name
    validation = fitted.scores(data.validation)
    assert last["val_macro_average_precision"] == pytest.approx(macro_ap(data.validation, validation))
    per_label = [log_loss(data.validation.y[:, i], validation[:, i]) for i in range(5)]
    assert last["val_loss"] == pytest.approx(np.mean(per_label), rel=1e-5)


def test_training_curves_are_of_as_many_rows_as_validation_has_evenly_spread() -> None:
    assert watched.rows(5, 2).tolist() == [0, 2]
    assert watched.rows(10, 4).tolist() == [0, 2, 5, 7]
    assert watched.rows(3, 4).tolist() == [0, 1, 2]
    rows = watched.rows(7515, 1074)
    assert len(rows) == 1074
    assert set(np.diff(rows)) == {6, 7}
    assert rows[-1] > 7515 - 8


def test_best_keeps_the_epoch_with_the_best_validation_average_precision(data: Dataset) -> None:
    declared = {"epochs": 6, "learning_rate": 0.5}  # so fast that later epochs can be worse
    noisy = replace(data, validation=cut(data.validation, np.arange(30)))
    fitted, curves = fit(trial(**declared, keep="best"), noisy)
    followed = [curve["val_macro_average_precision"] for curve in curves.values()]
    assert 1 <= fitted.kept_epoch < 6
    assert fitted.kept_epoch == 1 + int(np.argmax(followed))
    assert macro_ap(noisy.validation, fitted.scores(noisy.validation)) == pytest.approx(max(followed))
    last, same = fit(trial(**declared, keep="last"), noisy)
    assert same == curves
    assert last.kept_epoch == 6
    assert macro_ap(noisy.validation, last.scores(noisy.validation)) == pytest.approx(followed[-1])
    assert max(followed) > followed[-1]


def test_a_loss_that_sums_over_labels_is_reported_on_both_scales(data: Dataset, plain: Trained) -> None:
    focal = {"kind": "binary_focal", "gamma": 0.0, "reduction": "sum_over_labels"}
    fitted, curves = fit(trial(loss=focal, keep="last"), data)
    assert all(c["loss_per_label"] == pytest.approx(c["loss"] / 5) for c in curves.values())
    validation = fitted.scores(data.validation)
    per_label = [log_loss(data.validation.y[:, i], validation[:, i]) for i in range(5)]
    assert curves[3]["val_loss"] == pytest.approx(np.sum(per_label), rel=1e-5)
    assert curves[3]["val_loss_per_label"] == pytest.approx(np.mean(per_label), rel=1e-5)
    assert not [name for name in plain[1][1] if name.endswith("_per_label")]


# Label sets as classes


SETS = {"kind": "categorical_ce"}
SET_HEADS = ("powerset", "seen_sets")


@pytest.mark.parametrize("head", SET_HEADS)
def test_label_sets_learn_and_score_the_same_bits_again(data: Dataset, head: str, tmp_path: Path) -> None:
    declared = trial(loss=SETS, model={"head": head, "hidden": [8]}, epochs=12)
    fitted, curves = fit(declared, data)
    values, sets = fitted.scores(data.test), fitted.label_sets(data.test)
    assert sets is not None
    assert values.dtype == np.float64
    assert sets.dtype == np.uint8
    assert values.shape == sets.shape == data.test.y.shape
    assert ((values >= 0) & (values <= 1)).all()
    assert macro_ap(data.test, values) > 0.6 > 2 * np.mean(PREVALENCE)
    assert (sets == data.test.y).all(axis=1).mean() > 1.5 * (data.test.y == 0).all(axis=1).mean()
    assert curves[12]["loss"] < 0.7 * curves[1]["loss"]
    fitted.save(tmp_path)
    fit(declared, data, seed=9)
    learn_network._compiled.cache_clear()
    loaded = training.load_saved(declared, tmp_path)
    for rows in (np.arange(100), np.random.default_rng(0).permutation(100), np.tile(np.arange(100), 6)):
        np.testing.assert_array_equal(loaded.scores(cut(data.test, rows)), values[rows])
        np.testing.assert_array_equal(loaded.label_sets(cut(data.test, rows)), sets[rows])


def test_scores_of_label_sets_are_the_softmax_of_the_logits_summed_up(data: Dataset) -> None:
    for head in SET_HEADS:
        fitted, curves = fit(trial(loss=SETS, model={"head": head}, keep="last"), data)
        table = powerset.sets_of(np.arange(2**5), 5) if head == "powerset" else powerset.seen_sets(data.train.y)
        assert fitted.facts["output_parameters"] == 13 * len(table)
        inputs = fitted.prepared.inputs(data.validation)
        probability = softmax(fitted.network.logits(inputs).numpy().astype(np.float64), axis=1)
        np.testing.assert_allclose(fitted.scores(data.validation), probability @ table, atol=1e-6)
        np.testing.assert_array_equal(fitted.label_sets(data.validation), table[probability.argmax(axis=1)])
        own = (data.validation.y[:, None] == table).all(axis=2)  # a one-hot, but for a set that is no class
        covered = own.any(axis=1)
        assert covered.all() == (head == "powerset")
        expected = -np.log(probability[own]).mean()
        assert curves[3]["val_loss"] == pytest.approx(expected, rel=1e-5)
        assert fitted.facts["val_loss_share"] == covered.mean()


def test_a_validation_part_of_unseen_sets_alone_has_no_loss(data: Dataset) -> None:
    others = replace(data, train=cut(data.train, np.flatnonzero(data.train.y.sum(axis=1) < 2)))
    others = replace(others, validation=cut(data.validation, np.flatnonzero(data.validation.y.sum(axis=1) > 1)))
    fitted, curves = fit(trial(loss=SETS, model={"head": "seen_sets"}), others)
    assert all("val_loss" not in curve for curve in curves.values())
    assert fitted.facts["val_loss_share"] == 0
    assert np.isfinite(fitted.scores(data.test)).all()


def test_rows_weigh_in_the_loss_of_label_sets(data: Dataset) -> None:
    """Rows of weight 0 teach nothing: as many epochs on the others alone end at the same loss, if not at one time."""
    declared = trial(loss=SETS, model={"head": "powerset"}, keep="last", batch_size=300, epochs=2)
    given = weights(declared.weighting, data.train.y)
    half = np.repeat([2.0, 0.0], 150)
    weighed, alone = {}, {}
    training.fit(declared, data, replace(given, rows=half), 0, (), weighed.__setitem__)
    first = replace(data, train=cut(data.train, np.arange(150)))
    training.fit(declared, first, given, 0, (), alone.__setitem__)
    assert weighed[1]["loss"] == pytest.approx(alone[1]["loss"], rel=0.02)  # another vocabulary, and so another start


def test_heads_on_labels_have_no_label_sets(plain: Trained, data: Dataset) -> None:
    assert plain[0].label_sets(data.test) is None
    assert "val_loss_share" not in plain[0].facts


def test_what_a_training_took_is_among_its_facts(plain: Trained) -> None:
    facts = plain[0].facts
    assert facts["output_parameters"] == 13 * 5
    assert 0 < facts["seconds_per_epoch"] < 5
    if sys.platform == "linux":
        assert 0 <= facts["memory_rise_bytes"] < 10**10


# Pruning


@pytest.mark.long
@pytest.mark.parametrize("sparsity", [0.5, 0.8])
def test_a_pruned_net_has_the_declared_share_of_zeros_in_every_table_and_kernel(
    data: Dataset,
    sparsity: float,
    tmp_path: Path,
) -> None:
    declared = {"keep": "last", "epochs": 4, "pruning": {"sparsity": sparsity, "end_epoch": 3}}
    model = {"wide": True, "hidden": [8]}
    fitted, curves = fit(trial(model=model, **declared), data)
    weights = dict(zip((v.path for v in fitted.network.model.variables), fitted.weights, strict=True))
    for path, values in weights.items():
        if values.ndim > 1:
            assert (values == 0).mean() >= round(sparsity * values.size) / values.size, path
    trained = [values for path, values in weights.items() if values.ndim > 1]
    assert fitted.facts["zero_share"] == pytest.approx(
        sum((v == 0).sum() for v in trained) / sum(v.size for v in trained)
    )
    assert all(values.all() for path, values in weights.items() if path.endswith("bias"))
    assert curves[4]["loss"] < curves[1]["loss"]
    plain, _ = fit(trial(model=model, keep="last", epochs=4), data)
    sizes = []
    for name, one in (("pruned", fitted), ("plain", plain)):
        one.save(tmp_path / name)
        sizes.append((tmp_path / name / "weights.npz").stat().st_size)
    assert sizes[0] < sizes[1] * (1 - sparsity / 2)


@pytest.mark.long
def test_frequent_tokens_of_a_path_that_starts_at_zero_are_not_cut_before_they_are_learnt(data: Dataset) -> None:
    declared = trial(model={"wide": True}, keep="last", epochs=4, pruning={"sparsity": 0.5, "end_epoch": 3})
    fitted, _ = fit(declared, data)
    plain, _ = fit(trial(model={"wide": True}, keep="last", epochs=4), data)
    names = [v.path for v in fitted.network.model.variables]
    for field in ("wide_0", "wide_1"):
        at = names.index(f"{field}/table")
        learnt = np.abs(plain.weights[at][1:11]).mean(axis=1)  # the ten most frequent tokens; row 0 is padding
        strongest = 1 + int(learnt.argmax())
        assert (fitted.weights[at][strongest] != 0).any()
        assert (fitted.weights[at][1:11] != 0).mean() > 0.5


def test_the_masks_of_one_seed_are_not_the_next_ones(data: Dataset) -> None:
    declared = trial(keep="last", pruning={"sparsity": 0.6, "end_epoch": 2})
    alone = fit(declared, data, seed=1)[0].scores(data.test)
    fit(declared, data, seed=2)
    np.testing.assert_array_equal(fit(declared, data, seed=1)[0].scores(data.test), alone)


def test_a_pruning_of_nothing_changes_nothing(data: Dataset) -> None:
    none = trial(keep="last", pruning={"sparsity": 0.0, "end_epoch": 2})
    np.testing.assert_array_equal(
        fit(none, data)[0].scores(data.test), fit(trial(keep="last"), data)[0].scores(data.test)
    )


# What goes wrong


def test_a_loss_that_explodes_is_named_with_its_epoch(data: Dataset) -> None:
    with pytest.raises(NotFiniteError, match=r"^epoch [123]: (loss|val_loss|weight \S+) is"):
        fit(trial(learning_rate=1e30), data)


def test_a_weight_that_is_not_finite_is_named_though_the_loss_is(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that no row has: its row of the table is never read, so that no loss can show what became of it."""
    reset = learn_network.Network.reset

    def reset_with_a_hole(self: learn_network.Network, *args: Any) -> None:
        reset(self, *args)
        layer = self.model.get_layer("bag_1")
        table = layer.table.numpy()
        table[-1] = np.nan
        layer.table.assign(table)

    monkeypatch.setattr(learn_network.Network, "reset", reset_with_a_hole)
    with pytest.raises(NotFiniteError, match=r"^epoch 1: weight bag_1/table is no longer finite$"):
        fit(PLAIN, data)


def test_validation_without_any_positive(data: Dataset) -> None:
    none = replace(data.validation, y=np.zeros_like(data.validation.y))
    fitted, curves = fit(trial(keep="best"), replace(data, validation=none), watch=("auc",))
    assert fitted.kept_epoch == 3
    assert np.isfinite(fitted.scores(data.test)).all()
    assert all("val_macro_average_precision" not in curve for curve in curves.values())
    assert all(np.isfinite(list(curve.values())).all() for curve in curves.values())


def test_fewer_rows_than_a_batch_make_one_batch(data: Dataset) -> None:
    few = replace(data, train=cut(data.train, np.arange(20)))
    fitted, curves = fit(PLAIN, few)
    assert np.isfinite(fitted.scores(data.test)).all()
    assert curves[3]["loss"] < curves[1]["loss"]


# Preprocessing and files


def test_vocabulary_is_the_training_parts_and_obeys_min_rows_and_max_tokens(data: Dataset) -> None:
    frequent, _ = fit(trial(model={"min_rows": 60}, epochs=1), data)
    for field, vocabulary in frequent.prepared.vocabularies.items():
        rows = [set(row) for row in data.train.text[field].to_lists()]
        frequency = {token: sum(token in row for row in rows) for token in set().union(*rows)}
        assert set(vocabulary.tokens) == {token for token in frequency if frequency[token] >= 60}
        assert 0 < len(vocabulary.tokens) < len(frequency)
    few, _ = fit(trial(model={"max_tokens": 2}, epochs=1), data)
    assert [len(vocabulary.tokens) for vocabulary in few.prepared.vocabularies.values()] == [2, 2]
    assert few.network.model.get_layer("bag_0").table.shape == (3, 6)


def test_the_idf_of_a_run_is_its_own_splits(data: Dataset) -> None:
    """Two splits whose tables have the same shape share a compiled network, not an idf."""
    other = replace(data, train=cut(data.train, np.arange(150).repeat(2)))
    for split in (data, other):
        fitted, _ = fit(PLAIN, split)
        idf = fitted.network.model.get_layer("bag_0").idf.numpy()
        vocabulary = fitted.prepared.vocabularies["words"]
        np.testing.assert_allclose(idf[1 : len(vocabulary.idf) + 1], vocabulary.idf, rtol=1e-6)
        assert not idf[0]
        assert not idf[len(vocabulary.idf) + 1 :].any()


def test_saved_and_loaded_scores_are_the_same_bits(data: Dataset, tmp_path: Path) -> None:
    declared = trial(model={"wide": True, "hidden": [4]})
    fitted, _ = fit(declared, data)
    fitted.save(tmp_path / "model")
    expected = fitted.scores(data.test)
    fit(declared, data, seed=9)
    learn_network._compiled.cache_clear()
    loaded = training.load_saved(declared, tmp_path / "model")
    np.testing.assert_array_equal(loaded.scores(data.test), expected)
    assert loaded.labels == LABELS
    assert loaded.kept_epoch == fitted.kept_epoch


def test_saved_files_need_no_pickles(plain: Trained, tmp_path: Path) -> None:
    plain[0].save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"weights.npz", "preprocessing.json"}
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as archive:
        shapes = {name: archive[name].shape for name in archive}
    assert shapes["logits/kernel"] == (12, 5)
    assert shapes["bag_0/table"][1] == 6
    stored = json.loads((tmp_path / "preprocessing.json").read_text(encoding="utf-8"))
    assert stored["labels"] == list(LABELS)
    assert "word0" in stored["fields"]["words"]["tokens"]


def test_an_empty_folder_holds_no_network(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"preprocessing\.json: missing; .* holds no saved network"):
        training.load_saved(PLAIN, tmp_path)


def test_other_threads_that_draw_random_numbers_change_nothing(data: Dataset) -> None:
    """A Dask worker's own thread draws from Python's generator while a run trains in another."""
    alone = scores(trial(), data, seed=3)
    done = threading.Event()

    def draw() -> None:
        while not done.is_set():
            random.random()
            np.random.random()

    noise = threading.Thread(target=draw)
    noise.start()
    try:
        disturbed = scores(trial(), data, seed=3)
    finally:
        done.set()
        noise.join()
    np.testing.assert_array_equal(disturbed, alone)
