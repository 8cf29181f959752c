"""Numbers of each epoch against scikit-learn and the suite's own, and callbacks of Keras that act on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.metrics import average_precision_score, f1_score

import rarelabels as rl
from rarelabels.errors import UserError
from rarelabels.judging import evaluation
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.learn.keras_backend import keras, tf

RNG = np.random.default_rng(0)
Y = (RNG.random((90, 4)) < [0.5, 0.3, 0.2, 0.1]).astype(np.float32)
X = (Y + RNG.normal(0, 0.7, Y.shape)).astype(np.float32)
LOGITS = rl.losses.BinaryCrossentropy()
FOLLOWED = "val_macro_average_precision"


def net(loss: Any = LOGITS, activation: str | None = None, rate: float = 1.0) -> Any:
    """A model whose scores are its inputs at first."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation, kernel_initializer="identity")])
    model.compile(keras.optimizers.SGD(rate), loss=loss, run_eagerly=True)
    return model


def fit(model: Any, *callbacks: Any, epochs: int = 3) -> Any:
    return model.fit(X, Y, epochs=epochs, batch_size=90, verbose=0, shuffle=False, callbacks=list(callbacks))


class Turns(keras.callbacks.Callback):  # type: ignore[misc]  # keras is untyped
    """Make the model right in the epochs that are named, and wrong in the others."""

    def __init__(self, right: set[int]) -> None:
        super().__init__()
        self.right = right

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        sign = 1.0 if epoch + 1 in self.right else -1.0
        self.model.set_weights([sign * np.eye(4), np.full(4, epoch + 1.0)])


@pytest.mark.parametrize(("loss", "activation"), [(LOGITS, None), ("binary_crossentropy", "sigmoid")])
def test_numbers_are_those_of_the_scores_that_the_epoch_ended_with(loss: Any, activation: str | None) -> None:
    model, scores = net(loss, activation), rl.EpochScores(X, Y, batch_size=32)
    history = fit(model, scores).history
    predicted = model.predict(X, verbose=0).astype(np.float64)
    by_hand = predicted if activation else expit(predicted)
    last = scores.history[3]
    assert last[FOLLOWED] == pytest.approx(average_precision_score(Y, by_hand, average="macro"))
    assert last["val_half_macro_f1"] == pytest.approx(f1_score(Y, by_hand >= 0.5, average="macro"))
    honest = evaluation.crossfit_metrics(Scores.from_arrays(Y, by_hand), ThresholdSpec())
    for rule in ("global", "per_label", "per_label_shrunk", "top_k"):
        assert last[f"val_{rule}_macro_f1"] == pytest.approx(honest[f"crossfit/{rule}/macro_f1"])
    assert len({name for name in last if name.endswith("_macro_f1")}) == 11
    assert history.keys() == {"loss", *last}
    assert [history[name][2] for name in last] == list(last.values())


def test_frame_has_a_row_for_each_epoch_and_a_new_training_begins_anew() -> None:
    model, scores = net(), rl.EpochScores(X, Y)
    for _ in range(2):
        history = fit(model, scores).history
        frame = scores.frame()
        assert (frame.index.name, frame.index.tolist()) == ("epoch", [1, 2, 3])
        assert frame[FOLLOWED].tolist() == history[FOLLOWED]


def test_every_second_epoch() -> None:
    scores = rl.EpochScores(X, Y, every=2)
    history = fit(net(), scores, epochs=5).history
    assert scores.frame().index.tolist() == [2, 4]
    assert (len(history["loss"]), len(history[FOLLOWED])) == (5, 2)


def test_early_stopping_behind_it_sees_the_numbers() -> None:
    model, stopping = net(), keras.callbacks.EarlyStopping(FOLLOWED, mode="max", patience=2, restore_best_weights=True)
    history = fit(model, Turns({2}), rl.EpochScores(X, Y), stopping, epochs=9)
    assert len(history.history["loss"]) == 4  # two epochs after the best
    assert stopping.best_epoch == 1  # counted from 0
    np.testing.assert_array_equal(model.get_weights()[1], np.full(4, 2.0))


def test_a_checkpoint_behind_it_keeps_the_best_epoch(tmp_path: Path) -> None:
    where = str(tmp_path / "{epoch}-{val_macro_average_precision:.2f}.keras")
    keeping = keras.callbacks.ModelCheckpoint(where, FOLLOWED, mode="max", save_best_only=True)
    scores = rl.EpochScores(X, Y)
    fit(net(), Turns({3}), scores, keeping, epochs=5)
    best = scores.frame()[FOLLOWED]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"1-{best[1]:.2f}.keras", f"3-{best[3]:.2f}.keras"]
    kept = keras.saving.load_model(tmp_path / f"3-{best[3]:.2f}.keras")
    np.testing.assert_array_equal(kept.get_weights()[1], np.full(4, 3.0))


def test_keras_says_so_where_early_stopping_stands_before_it() -> None:
    stopping = keras.callbacks.EarlyStopping(FOLLOWED, mode="max")
    with pytest.warns(UserWarning, match=f"conditioned on metric `{FOLLOWED}` which is not available"):
        assert len(fit(net(), stopping, rl.EpochScores(X, Y)).history["loss"]) == 3


@pytest.mark.parametrize(
    "y",
    [pd.DataFrame(Y, columns=list("abcd")), csr_array(Y), Y.astype(bool), Y.tolist()],
    ids=lambda y: type(y).__name__,
)
def test_labels_in_every_form_give_the_same_numbers(y: Any) -> None:
    given, usual = rl.EpochScores(X, y), rl.EpochScores(X, Y)
    fit(net(), given, usual, epochs=1)
    assert given.history == usual.history


def test_shuffled_batches_give_the_same_numbers_where_order_does_not_matter() -> None:
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(90).batch(32)
    given, usual = rl.EpochScores(batches), rl.EpochScores(X, Y)
    fit(net(), given, usual, epochs=2)
    for name in (FOLLOWED, "val_half_macro_f1"):  # the folds of the others depend on the order
        np.testing.assert_allclose(given.frame()[name], usual.frame()[name], rtol=1e-12)


def test_what_is_undefined_is_left_out() -> None:
    scores = rl.EpochScores(X, np.zeros_like(Y))
    history = fit(net(), scores, epochs=1).history
    assert FOLLOWED not in history
    assert all(np.isfinite(value) for value in scores.history[1].values())


@pytest.mark.parametrize(
    ("loss", "said", "message"),
    [
        ("binary_crossentropy", None, r"^EpochScores: scores must be probabilities .* epoch 1 got .*from_logits=True$"),
        (LOGITS, False, r"^EpochScores: scores must be probabilities in \[0, 1\]"),
        (
            lambda y, z: tf.reduce_mean(z, axis=1),
            None,
            r"^EpochScores: from_logits: must be .* does not say which; got",
        ),
    ],
)
def test_a_guess_of_what_the_model_predicts_is_refused(loss: Any, said: bool | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        fit(net(loss), rl.EpochScores(X, Y, from_logits=said))


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.BinaryCrossentropy(from_logits=True),
        keras.losses.BinaryFocalCrossentropy(from_logits=True),
        rl.losses.Hamming(),
    ],
)
def test_the_loss_says_whether_the_model_predicts_logits(loss: Any) -> None:
    scores, said = rl.EpochScores(X, Y), rl.EpochScores(X, Y, from_logits=True)
    fit(net(loss), scores, said, epochs=1)
    assert scores.history == said.history


def test_a_model_of_other_labels_is_refused() -> None:
    with pytest.raises(UserError, match=r"^EpochScores: the model must predict .* \(90, 3\); got \(90, 4\)$"):
        fit(net(), rl.EpochScores(X, Y[:, :3]))
    with pytest.raises(ValueError, match=r"^y_val: must be 0 or 1"):
        rl.EpochScores(X, X)
    with pytest.raises(UserError, match=r"^EpochScores: every and batch_size must be 1 or more; got 0 and 512$"):
        rl.EpochScores(X, Y, every=0)


def test_labels_that_are_not_known_count_nowhere() -> None:
    known = np.random.default_rng(1).random(Y.shape) < 0.7
    scores = rl.EpochScores(X, np.where(known, Y, np.nan))
    model = net(rl.losses.BinaryCrossentropy(unknown=True))
    model.fit(X, np.where(known, Y, np.nan), epochs=1, batch_size=90, verbose=0, callbacks=[scores])
    predicted = expit(model.predict(X, verbose=0).astype(np.float64))
    of_labels = [average_precision_score(Y[rows, i], predicted[rows, i]) for i, rows in enumerate(known.T)]
    assert scores.history[1][FOLLOWED] == pytest.approx(np.mean(of_labels))
    at_half = [f1_score(Y[rows, i], predicted[rows, i] >= 0.5) for i, rows in enumerate(known.T)]
    assert scores.history[1]["val_half_macro_f1"] == pytest.approx(np.mean(at_half))
