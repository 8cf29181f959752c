"""Trials on 300 small rows, and what their trainings give."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.tokens import Tokens
from rarelabels.declare.trial import Trial
from rarelabels.learn import training
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


def cut(part: Part, rows: npt.ArrayLike) -> Part:
    return part.take(np.asarray(rows))


def fit(declared: Trial, data: Dataset, seed: int = 0, watch: tuple[str, ...] = ()) -> Trained:
    curves: Curves = {}
    weighed = weights(declared.weighting, data.train.y, data.labels, data.train.known, data.train.weights)
    fitted = training.fit(declared, data, weighed, seed, watch, curves.__setitem__)
    return fitted, curves


def scores(declared: Trial, data: Dataset, seed: int = 0) -> Floats:
    return fit(declared, data, seed)[0].scores(data.test)


def macro_ap(part: Part, values: Floats) -> float:
    return float(average_precision_score(part.y, values, average="macro"))


PLAIN = trial(keep="last")
WATCH = ("binary_accuracy", "categorical_accuracy", "auc")
