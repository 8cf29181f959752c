"""What watching one metric would have kept of one training."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, roc_auc_score

from rarelabels.judging import picking
from rarelabels.judging.picking import Epochs
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import PickedBy

RNG = np.random.default_rng(0)
N_EPOCHS, N_LABELS = 12, 4


def part(n: int, prevalence: tuple[float, ...] = (0.5, 0.3, 0.2, 0.1)) -> Scores:
    y = (RNG.random((n, N_LABELS)) < prevalence).astype(np.uint8)
    return Scores(np.arange(n).astype(str), y, np.zeros(y.shape))


VALIDATION, TEST = part(150), part(90)
EPOCHS = Epochs(
    *(
        np.clip(0.35 * one.y + RNG.random((N_EPOCHS, *one.y.shape)) * RNG.uniform(0.4, 0.8, (N_EPOCHS, 1, 1)), 0, 1)
        for one in (VALIDATION, TEST)
    ),
    val_loss=RNG.random(N_EPOCHS),
)


def expected(by: str) -> np.ndarray:
    """The value of each epoch in scikit-learn, higher being better."""
    y = VALIDATION.y
    values = []
    for scores, loss in zip(EPOCHS.validation, EPOCHS.val_loss, strict=True):
        decided = (scores >= 0.5).astype(int)
        match by:
            case "last":
                values.append(len(values))
            case "val_loss":
                values.append(-loss)
            case "binary_accuracy":
                values.append((decided == y).mean())
            case "auc":
                values.append(roc_auc_score(y, scores, average="macro"))
            case _:
                average = {"f1_none": None}.get(by, by.removeprefix("f1_"))
                values.append(f1_score(y, decided, average=average, zero_division=0))
    return np.array(values)


@pytest.mark.parametrize("by", get_args(PickedBy))
def test_the_best_epoch_of_validation_is_picked(by: PickedBy) -> None:
    picked = picking.pick(by, EPOCHS, VALIDATION, TEST)
    best = np.broadcast_to(expected(by).argmax(axis=0), N_LABELS)
    np.testing.assert_array_equal(picked.epochs, best + 1)
    for label, epoch in enumerate(best):
        np.testing.assert_array_equal(picked.validation.scores[:, label], EPOCHS.validation[epoch, :, label])
        np.testing.assert_array_equal(picked.test.scores[:, label], EPOCHS.test[epoch, :, label])
    np.testing.assert_array_equal(picked.test.y, TEST.y)


def test_only_the_vector_picks_an_epoch_for_each_label() -> None:
    different = {by: len(set(picking.pick(by, EPOCHS, VALIDATION, TEST).epochs)) for by in get_args(PickedBy)}
    assert different.pop("f1_none") > 1
    assert set(different.values()) == {1}


def test_of_equals_the_earliest_and_what_is_undefined_never() -> None:
    same = replace(EPOCHS, validation=np.tile(EPOCHS.validation[:1], (N_EPOCHS, 1, 1)))
    assert (picking.pick("f1_macro", same, VALIDATION, TEST).epochs == 1).all()
    nothing = replace(VALIDATION, y=np.zeros_like(VALIDATION.y))
    assert (picking.pick("auc", EPOCHS, nothing, TEST).epochs == 1).all()


def test_it_is_the_loss_that_was_recorded_and_not_one_made_of_scores() -> None:
    own = np.array([log_loss(VALIDATION.y.ravel(), scores.ravel()) for scores in EPOCHS.validation])
    picked = picking.pick("val_loss", EPOCHS, VALIDATION, TEST)
    assert picked.epochs[0] == EPOCHS.val_loss.argmin() + 1 != own.argmin() + 1
