"""Curves of each epoch, the epoch that is kept, when a training ends, and when it has failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

from rarelabels.data.dataset import Dataset
from rarelabels.learn import network as learn_network
from rarelabels.learn import watched
from rarelabels.learn.curves import NotFiniteError
from rarelabels.learn.tensorflow_setup import keras
from small_training import PLAIN, WATCH, Trained, cut, fit, macro_ap, scores, trial


def test_training_ends_when_validation_has_stood_still(data: Dataset) -> None:
    fitted, curves = fit(trial(epochs=60, learning_rate=0.3, patience=4, execution="plain"), data)
    ranked = [curves[epoch]["val_macro_average_precision"] for epoch in sorted(curves)]
    assert 4 < len(curves) < 60
    assert fitted.kept_epoch == int(np.argmax(ranked)) + 1 == len(curves) - 4
    assert fitted.facts["epochs"] == len(curves)


def test_patience_waits_where_average_precision_is_undefined(data: Dataset) -> None:
    empty = replace(data.validation, y=np.zeros_like(data.validation.y))
    assert len(fit(trial(epochs=5, patience=1, execution="plain"), replace(data, validation=empty))[1]) == 5


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


SETS = {"kind": "categorical_ce"}


def test_a_validation_part_of_unseen_sets_alone_has_no_loss(data: Dataset) -> None:
    others = replace(data, train=cut(data.train, np.flatnonzero(data.train.y.sum(axis=1) < 2)))
    others = replace(others, validation=cut(data.validation, np.flatnonzero(data.validation.y.sum(axis=1) > 1)))
    fitted, curves = fit(trial(loss=SETS, model={"head": "seen_sets"}), others)
    assert all("val_loss" not in curve for curve in curves.values())
    assert fitted.facts["val_loss_share"] == 0
    assert np.isfinite(fitted.scores(data.test)).all()


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
