"""The one door to Keras and TensorFlow, as the process has them: what is of use to anyone's model imports it from here.

Trainings of the suite go through ``tensorflow_setup``, which makes TensorFlow quiet and gives it one thread.
"""

import os

from rarelabels.errors import UserError

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf

if keras.backend.backend() != "tensorflow":
    raise UserError(
        f"rarelabels: its losses and callbacks need Keras on TensorFlow; Keras runs on {keras.backend.backend()}; set "
        "KERAS_BACKEND=tensorflow before Keras is imported"
    )

__all__ = ["keras", "tf"]
