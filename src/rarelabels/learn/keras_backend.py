"""Keras and TensorFlow, for losses and callbacks that any model may use. Settings of the process are not changed.

The suite's own trainings import both from ``tensorflow_setup``, which makes TensorFlow quiet and gives it one thread.
"""

import os

from rarelabels.errors import UserError
from rarelabels.extras import need

need("tensorflow", "a network, a loss or a callback")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras  # noqa: E402  after the line that reports a missing library
import tensorflow as tf  # noqa: E402  likewise

if keras.backend.backend() != "tensorflow":
    raise UserError(
        f"rarelabels: its losses and callbacks need Keras on TensorFlow; Keras runs on {keras.backend.backend()}; set "
        "KERAS_BACKEND=tensorflow before Keras is imported"
    )

__all__ = ["keras", "tf"]
