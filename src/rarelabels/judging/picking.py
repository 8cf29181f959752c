"""The epoch that a watched metric picks, from the scores of one training after every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, assert_never

import numpy as np
import numpy.typing as npt

from rarelabels.judging import metrics
from rarelabels.judging.arrays import Floats
from rarelabels.judging.rules.definition import HALF
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import PickedBy

Metric = Literal["binary_accuracy", "auc", "f1_micro", "f1_macro", "f1_weighted", "f1_samples", "f1_none"]


@dataclass(frozen=True, eq=False)
class Epochs:
    """The scores of validation and test after each epoch, each (n_epochs, n, n_labels), and the validation loss."""

    validation: Floats
    test: Floats
    val_loss: Floats

    @classmethod
    def of(cls, stored: Mapping[str, npt.NDArray[Any]]) -> Epochs:
        """Return the arrays that a training stored under the names of the attributes."""
        return cls(*(stored[name].astype(np.float64) for name in ("validation", "test", "val_loss")))


@dataclass(frozen=True, eq=False)
class Picked:
    """The scores of the picked epoch; ``epochs`` has its number for each label, from 1, shape (n_labels,)."""

    validation: Scores
    test: Scores
    epochs: npt.NDArray[np.int64]


def pick(by: PickedBy, epochs: Epochs, validation: Scores, test: Scores) -> Picked:
    """Return the scores of the epoch that is best on the validation part; the earliest of equally good ones.

    ``f1_none`` has a value for each label, so each label takes its own best epoch. ``last`` watches no metric and takes
    the last epoch.

    Args:
        by: the metric watched; F1 and binary accuracy are those of decisions at 0.5.
        epochs: of the same rows as the two parts.
        validation: ids and truth of its rows.
        test: ids and truth of its rows.
    """
    values = _of_epochs(by, epochs, validation)
    best = np.broadcast_to(np.argmax(np.nan_to_num(values, nan=-np.inf), axis=0), (validation.y.shape[1],))
    columns = np.arange(len(best))
    return Picked(
        replace(validation, scores=epochs.validation[best, :, columns].T),
        replace(test, scores=epochs.test[best, :, columns].T),
        best + 1,
    )


def _of_epochs(by: PickedBy, epochs: Epochs, validation: Scores) -> Floats:
    """Return the watched value after each epoch, higher being better: (n_epochs, 1) or (n_epochs, n_labels)."""
    if by == "val_loss":
        return -epochs.val_loss[:, None]
    if by == "last":
        return np.arange(len(epochs.val_loss), dtype=np.float64)[:, None]
    return np.stack([_watched(by, replace(validation, scores=scores)) for scores in epochs.validation])


def _watched(by: Metric, part: Scores) -> Floats:
    """Return the metric after one epoch, higher being better: (1,), or (n_labels,) for ``f1_none``."""
    decided = part.counted(part.scores >= HALF)
    match by:
        case "auc":
            return np.array([metrics.measure_rankings(part).get("macro_roc_auc", np.nan)])
        case "f1_none":
            hits, assigned, positives = (cells.sum(axis=0) for cells in (decided & part.truth, decided, part.truth))
            return np.asarray(2 * hits / np.maximum(assigned + positives, 1))
        case "binary_accuracy" | "f1_micro" | "f1_macro" | "f1_weighted" | "f1_samples":
            name = by if by == "binary_accuracy" else f"{by.removeprefix('f1_')}_f1"
            return np.array([metrics.measure_decisions(part.truth, decided, known=part.known).get(name, np.nan)])
        case _:
            assert_never(by)
