"""What the threads' authors watched while they trained, as Keras computes it: curves, never results."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.learn.tensorflow_setup import keras, tf

# F1Score without a threshold is that of the argmax alone: every row gets exactly one label.
WATCHED: dict[str, Callable[[int], Any]] = {
    "binary_accuracy": lambda _: keras.metrics.BinaryAccuracy(),
    "categorical_accuracy": lambda _: keras.metrics.CategoricalAccuracy(),
    "auc": lambda n_labels: keras.metrics.AUC(multi_label=True, num_labels=n_labels),
    "f1_none": lambda _: keras.metrics.F1Score(average=None),
    "f1_micro": lambda _: keras.metrics.F1Score(average="micro"),
    "f1_none_half": lambda _: keras.metrics.F1Score(average=None, threshold=0.5),
    "f1_micro_half": lambda _: keras.metrics.F1Score(average="micro", threshold=0.5),
}


class Watched:
    """Watched metrics as functions of labels and scores, those of a trial traced at once: AUC is slow otherwise."""

    def __init__(self, labels: Sequence[str]) -> None:
        # MLflow takes no other signs in a metric's name, and a slash begins a section; the number tells labels apart
        # that are then written alike.
        plain = [re.sub(r"[^\w\-. :]", "_", label).strip(". ") for label in labels]
        alike = Counter(plain)
        self.labels = [name if name and alike[name] == 1 else f"{name}_{i}" for i, name in enumerate(plain)]
        self._traced = functools.cache(self._trace)

    def curves(
        self, names: Iterable[str], prefix: str, y: npt.NDArray[np.uint8], scores: npt.NDArray[np.float64]
    ) -> dict[str, float]:
        """Return ``<prefix><name>`` of each metric; one that gives a vector as ``<prefix><name>/<label>``."""
        curves: dict[str, float] = {}
        values = self._traced(tuple(names))(tf.constant(y, tf.float32), tf.constant(scores, tf.float32))
        for name, tensor in values.items():
            value = tensor.numpy()
            if np.ndim(value) == 0:
                curves[prefix + name] = float(value)
            else:
                curves |= {f"{prefix}{name}/{label}": float(v) for label, v in zip(self.labels, value, strict=True)}
        return curves

    def _trace(self, names: tuple[str, ...]) -> Callable[..., Any]:
        metrics = {name: WATCHED[name](len(self.labels)) for name in names}
        any_rows = tf.TensorSpec((None, len(self.labels)), tf.float32)

        @tf.function(input_signature=(any_rows, any_rows), autograph=False)  # type: ignore[untyped-decorator]  # as above
        def values(y_true: Any, scores: Any) -> Any:
            for metric in metrics.values():
                metric.reset_state()
                metric.update_state(y_true, scores)
            return {name: metric.result() for name, metric in metrics.items()}

        return values  # type: ignore[no-any-return]  # tensorflow is untyped


def rows(n_train: int, n_validation: int) -> npt.NDArray[np.int64]:
    """Return which training rows the curves of the training part are of: as many as validation has, evenly spread.

    All of them where there are no more. They depend on the split alone; 2 of 5 rows are the first and the third.
    """
    n = min(n_train, n_validation)
    return np.arange(n) * n_train // n
