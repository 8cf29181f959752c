"""TensorFlow as the suite trains with it: quiet and one thread; every module of a training imports it from here.

One thread per process, because runs are spread over processes (measured on the films: a second thread gains nothing),
and because the same thread count is part of "same seed, same numbers". With one thread TensorFlow's operations on a CPU
are deterministic; Keras would switch XLA off if asked for determinism in general, so that is asked for on a GPU only.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

from rarelabels.declare.training import THREADS

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ["TF_NUM_INTRAOP_THREADS"] = str(THREADS)
os.environ["TF_NUM_INTEROP_THREADS"] = str(THREADS)
os.environ["KERAS_BACKEND"] = "tensorflow"


@contextmanager
def _without_stderr() -> Iterator[None]:
    """TensorFlow's C++ start-up notes ignore every log level; they go to the null device."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


with _without_stderr():
    from rarelabels.learn.keras_backend import keras, tf

    tf.get_logger().setLevel("ERROR")  # it warns of every function that is traced for two parts of data
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()

gc.freeze()  # what TensorFlow imports lives as long as the process: no collection need look at it again

__all__ = ["keras", "tf"]
