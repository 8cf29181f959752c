"""Small nets with a few weights, and the labels of the three-classes thread, for all probes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.learn.tensorflow_setup import keras, tf

Array = npt.NDArray[np.float32]

# The seven rows of the three-classes thread: every label set except the empty one.
SEVEN_ROWS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=np.float32)
# Scores that are right in all 21 decisions at 0.5.
ALL_RIGHT = np.where(SEVEN_ROWS == 1, np.array([0.7, 0.8, 0.9]), 0.1).astype(np.float32)


def given_scores(n_labels: int, **compiled: Any) -> Any:
    """Return a compiled net whose scores are its inputs. So Keras can measure scores that were chosen by hand."""
    net = keras.Sequential([keras.Input((n_labels,)), keras.layers.Identity()])
    net.compile(**compiled)
    return net


def constant_net(biases: Array, activation: str, learning_rate: float, **compiled: Any) -> Any:
    """Return a compiled net with the same scores for every row: an output layer of which only the biases matter.

    Its input must be a column of zeros. So gradient descent moves only the biases. A step moves them by the negative
    gradient with respect to the logits, times the learning rate.
    """
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(len(biases), activation, kernel_initializer="zeros")])
    net.set_weights([np.zeros((1, len(biases)), np.float32), biases])
    net.compile(optimizer=keras.optimizers.SGD(learning_rate), **compiled)
    return net


def dense_net(
    activation: str, start: Array, loss: Any, learning_rate: float, behind: bool = False, **compiled: Any
) -> Any:
    """Return a compiled net of one dense layer without biases, with given weights.

    If its input is an identity matrix, each row has its own weights. ``behind`` adds a product with 1 behind the
    activation.
    """
    layers = [keras.Input((len(start),)), keras.layers.Dense(start.shape[1], activation, use_bias=False)]
    net = keras.Sequential([*layers, *([keras.layers.Rescaling(1.0)] if behind else [])])
    net.set_weights([start])
    net.compile(optimizer=keras.optimizers.SGD(learning_rate), loss=loss, **compiled)
    return net


def fit(net: Any, x: Any, y: Any, epochs: int = 1, **arguments: Any) -> dict[str, list[float]]:
    """Fit with one batch per epoch and without shuffling; return the losses and metrics that Keras reports."""
    history = net.fit(x, y, batch_size=len(x), epochs=epochs, shuffle=False, verbose=0, **arguments).history
    return {name: [float(value) for value in values] for name, values in history.items()}


def take_steps(net: Any, x: Any, y: Any, steps: int) -> None:
    """Take many steps of ``fit`` on one batch. They are one epoch, because each epoch takes extra time."""
    net.fit(tf.data.Dataset.from_tensors((x, y)).repeat(steps), verbose=0)


def apart(one: Any, other: Any) -> float:
    """Return the largest difference of two arrays to six decimals. Smaller differences are float32 rounding."""
    return round(float(np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).max()), 6)


def weights_apart(one: Any, other: Any) -> float:
    """Return the largest difference of the weights of two nets; 0 only if they are bit-identical."""
    return max(
        float(np.abs(np.asarray(a, np.float64) - b).max())
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )
