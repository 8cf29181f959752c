"""The losses as Keras's own: reduction, sample weights, slopes, and models that are saved with them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import TypeAdapter
from scipy.special import softmax

import rarelabels as rl
from loss_cases import KINDS, NEGATIVE, POSITIVE, PREVALENCE, RUNNERS, built, cce_of_softmax, rows
from rarelabels.declare import losses as declared
from rarelabels.declare.models import SET_HEADS
from rarelabels.learn import loss_formulas, losses
from rarelabels.learn.keras_backend import keras, tf
from rarelabels.learn.logit_loss import LogitLoss

LOSSES: dict[str, LogitLoss] = {
    "BinaryCrossentropy": losses.BinaryCrossentropy(head="softmax", form="textbook"),
    "WeightedBinaryCrossentropy": losses.WeightedBinaryCrossentropy(POSITIVE, NEGATIVE),
    "BinaryFocal": losses.BinaryFocal(1.5, 0.3, over_labels="sum"),
    "CategoricalCrossentropy": losses.CategoricalCrossentropy("sigmoid", "textbook", "normalised"),
    "Asymmetric": losses.Asymmetric(0.5, 3.0, 0.1),
    "DistributionBalanced": losses.DistributionBalanced(PREVALENCE, alpha=0.2, kappa=0.1),
    "LogitAdjusted": losses.LogitAdjusted(PREVALENCE, tau=0.7),
    "Hill": losses.Hill(2.0, 0.5, 1.0),
    "SelfPacedCorrection": losses.SelfPacedCorrection(0.7, 1, 0.5, 1.5),
    "Hamming": losses.Hamming(),
    "SoftF1": losses.SoftF1(),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
OF_ROWS = {name: loss for name, loss in LOSSES.items() if name != "SoftF1"}
every_loss_of_rows = pytest.mark.parametrize("loss", OF_ROWS.values(), ids=OF_ROWS)


def ordinary() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    y, z = rows(3)
    return y.astype(np.float32), np.clip(z, -5, 5).astype(np.float32)


def again(loss: LogitLoss, **changes: Any) -> LogitLoss:
    made: LogitLoss = type(loss).from_config(loss.get_config() | changes)
    return made


def test_every_declared_loss_is_public_and_tried_here() -> None:
    specs = [type(TypeAdapter(declared.LossSpec).validate_python({"kind": kind})).__name__ for kind in KINDS]
    assert sorted(LOSSES) == sorted(specs) == losses.__all__ == dir(rl.losses)


def test_defaults_are_those_of_the_declared_losses() -> None:
    for kind in KINDS:
        spec = TypeAdapter(declared.LossSpec).validate_python({"kind": kind})
        settings = spec.model_dump(exclude={"kind"})
        signature = inspect.signature(getattr(losses, type(spec).__name__)).parameters
        if kind == "binary_focal":
            assert settings.pop("reduction") == signature["over_labels"].default == "mean"
        assert settings == {name: signature[name].default for name in settings}, kind


@every_loss
def test_it_is_a_loss_of_keras_that_its_config_makes_again(loss: LogitLoss) -> None:
    assert isinstance(loss, keras.losses.Loss)
    config = keras.losses.serialize(loss)
    assert config["registered_name"] == f"rarelabels>{type(loss).__name__}"
    same = keras.losses.deserialize(config)
    assert same.get_config() == loss.get_config()
    np.testing.assert_array_equal(same(*ordinary()), loss(*ordinary()))


@every_loss
def test_the_slope_is_that_of_finite_differences(loss: LogitLoss) -> None:
    y, z = (values.astype(np.float64) for values in ordinary())
    precise = again(loss, dtype="float64")
    direction = np.random.default_rng(1).normal(size=z.shape)
    with tf.GradientTape() as tape:
        logits = tf.constant(z)
        tape.watch(logits)
        value = precise(y, logits)
    step = 1e-5 * direction
    slope = (float(precise(y, z + step)) - float(precise(y, z - step))) / 2e-5
    assert float(tf.reduce_sum(tape.gradient(value, logits) * direction)) == pytest.approx(slope, rel=1e-6, abs=1e-9)


@every_loss_of_rows
def test_reduction_and_sample_weights_are_keras_own(loss: LogitLoss) -> None:
    y, z = ordinary()
    weights = np.linspace(0, 3, len(y)).astype(np.float32)
    of_rows = again(loss, reduction=None)(y, z).numpy()
    assert of_rows.shape == (len(y),)
    np.testing.assert_allclose(loss(y, z), of_rows.mean(), rtol=1e-5)
    np.testing.assert_allclose(loss(y, z, weights), (of_rows * weights).mean(), rtol=1e-5)
    np.testing.assert_allclose(again(loss, reduction="sum")(y, z, weights), (of_rows * weights).sum(), rtol=1e-5)
    by_weight = again(loss, reduction="mean_with_sample_weight")(y, z, weights)
    np.testing.assert_allclose(by_weight, (of_rows * weights).sum() / weights.sum(), rtol=1e-5)


def test_soft_f1_counts_a_row_as_often_as_it_weighs() -> None:
    y, z = ordinary()
    times = np.arange(len(y)) % 3
    weighed = losses.SoftF1()(y, z, times.astype(np.float32))
    assert float(weighed) == pytest.approx(float(losses.SoftF1()(y.repeat(times, 0), z.repeat(times, 0))), rel=1e-5)
    assert abs(float(weighed) - float(losses.SoftF1()(y, z))) > 1e-3
    net = tiny(losses.SoftF1())
    assert net.test_on_batch(z, y, sample_weight=times) == pytest.approx(float(losses.SoftF1()(y, net(z), times)))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (losses.BinaryCrossentropy(), keras.losses.BinaryCrossentropy(from_logits=True)),
        (losses.BinaryFocal(2.0), keras.losses.BinaryFocalCrossentropy(gamma=2.0, from_logits=True)),
        (
            losses.BinaryFocal(1.5, 0.3),
            keras.losses.BinaryFocalCrossentropy(True, alpha=0.3, gamma=1.5, from_logits=True),
        ),
        (losses.CategoricalCrossentropy(), keras.losses.CategoricalCrossentropy(from_logits=True)),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_a_loss_that_keras_has_too_is_the_same(ours: Any, theirs: Any) -> None:
    y, z = ordinary()
    weights = np.linspace(0, 3, len(y))
    assert float(ours(y, z)) == pytest.approx(float(theirs(y, z)), rel=1e-4)
    assert float(ours(y, z, weights)) == pytest.approx(float(theirs(y, z, weights)), rel=1e-4)


def test_what_a_loss_needs_of_the_labels_is_one_call_away() -> None:
    y, z = ordinary()
    weighted = rl.losses.WeightedBinaryCrossentropy(rl.pos_weight(y))
    theirs = tf.nn.weighted_cross_entropy_with_logits(y, z, rl.pos_weight(y).astype(np.float32))
    assert float(weighted(y, z)) == pytest.approx(float(tf.reduce_mean(theirs)), rel=1e-5)
    adjusted = rl.losses.LogitAdjusted(rl.prevalence(y))
    moved = z + np.log(y.mean(axis=0) / (1 - y.mean(axis=0)))
    assert float(adjusted(y, z)) == pytest.approx(float(rl.losses.BinaryCrossentropy()(y, moved)), rel=1e-5)


def tiny(loss: Any) -> Any:
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((5,)), keras.layers.Dense(5)])
    net.compile("sgd", loss=loss, run_eagerly=True)
    return net


@every_loss
def test_a_model_is_saved_and_loaded_with_its_loss(loss: LogitLoss, tmp_path: Path) -> None:
    y, x = ordinary()
    net = tiny(loss)
    net.fit(x, y, verbose=0)
    net.save(tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras")
    assert type(loaded.loss) is type(loss)
    assert loaded.loss.get_config() == loss.get_config()
    loaded.run_eagerly = True
    assert loaded.test_on_batch(x, y) == pytest.approx(net.test_on_batch(x, y), rel=1e-6)
    assert loaded.train_on_batch(x, y) == pytest.approx(net.train_on_batch(x, y), rel=1e-6)
    np.testing.assert_allclose(loaded.get_weights()[0], net.get_weights()[0], rtol=1e-5, atol=1e-7)


@pytest.mark.long
def test_another_process_loads_the_model_and_keeps_its_threads(tmp_path: Path) -> None:
    """Naming ``rl.losses`` is enough for Keras to know them; it does not bind TensorFlow to one thread."""
    tiny(losses.Asymmetric(shift=0.2)).save(tmp_path / "net.keras")
    code = (
        "import os, sys, keras, rarelabels as rl; rl.losses; model = keras.saving.load_model(sys.argv[1]); "
        "loss = model.loss; "
        "print(type(loss) is rl.losses.Asymmetric, loss.settings['shift'], 'TF_NUM_INTRAOP_THREADS' in os.environ)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "net.keras")]
    anew = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True, env=anew)
    assert done.stdout.strip() == "True 0.2 False"


@pytest.mark.parametrize("head", SET_HEADS)
@pytest.mark.parametrize("how", RUNNERS)
def test_label_sets_cost_categorical_crossentropy_on_their_one_hot(head: str, how: str) -> None:
    loss = built("categorical_ce", head=head)
    rng = np.random.default_rng(0)
    z, classes = rng.normal(0, 4, (40, 16)), rng.integers(0, 16, 40)
    logits = tf.constant(z)

    def value_and_gradient(logits: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            values = loss(tf.constant(classes), logits)
        return values, tape.gradient(values, logits)

    values, gradient = RUNNERS[how](value_and_gradient)(logits)
    one_hot = np.eye(16)[classes]
    np.testing.assert_allclose(values, cce_of_softmax(one_hot, z), rtol=1e-9)
    np.testing.assert_allclose(gradient, softmax(z, axis=1) - one_hot, atol=1e-9)
    step = 1e-5 * rng.normal(size=z.shape)
    slope = (cce_of_softmax(one_hot, z + step) - cce_of_softmax(one_hot, z - step)) / 2
    np.testing.assert_allclose(slope, (gradient * step).numpy().sum(axis=1), atol=1e-9)


def test_the_class_of_a_row_stays_an_integer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras would round 2^24 + 1 to 2^24 in float32."""
    told: list[Any] = []

    def sums(classes: Any, z: Any) -> Any:
        told.append(classes)
        return tf.reduce_sum(z, axis=1)

    monkeypatch.setattr(loss_formulas, "label_set_crossentropy", sums)
    loss = losses.LabelSetCrossentropy()
    classes = tf.constant([2**24 + 1, 3], tf.int64)
    z = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert float(loss(classes, z)) == 5.0
    assert float(loss(classes, z, tf.constant([2.0, 0.0]))) == 3.0
    assert told[0].dtype == tf.int64
    assert told[0].numpy().tolist() == [2**24 + 1, 3]
