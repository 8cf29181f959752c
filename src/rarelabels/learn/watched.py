"""The metrics that the threads' authors watched while they trained, as Keras computes them. They are never results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.learn.tensorflow_setup import keras, tf
from rarelabels.names import of_metrics

# F1Score without a threshold assigns only the argmax: every row gets exactly one label.
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
    """Watched metrics as functions of labels and scores.

    All metrics of a trial are traced in one TensorFlow function, because AUC is slow otherwise.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = of_metrics(labels)
        self._traced = functools.cache(self._trace)

    def curves(
        self, names: Iterable[str], prefix: str, y: npt.NDArray[np.uint8], scores: npt.NDArray[np.float64]
    ) -> dict[str, float]:
        """Return each metric as ``<prefix><name>``; a metric with a vector as ``<prefix><name>/<label>``."""
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
    """Return the numbers of the training rows on which watched metrics are computed.

    They are as many rows as validation has, evenly spread, or all rows if there are fewer. They depend only on the
    split. Of 5 rows, 2 are the first and the third.
    """
    n = min(n_train, n_validation)
    return np.arange(n) * n_train // n
