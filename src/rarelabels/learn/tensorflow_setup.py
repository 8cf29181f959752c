"""TensorFlow for the suite's own trainings: quiet, with one thread. Every module of a training imports it from here.

A process has one thread for two reasons. Runs are spread over processes, and on the films a second thread gains
nothing. And results depend on the thread count: the same seed gives the same numbers only with the same count.

With one thread, TensorFlow's operations on a CPU are deterministic. On a GPU, determinism must be switched on. On a CPU
it is not, because Keras would then switch XLA off.
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
    """Send stderr to the null device while a block runs: TensorFlow's start-up notes in C++ ignore every log level."""
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

    tf.get_logger().setLevel("ERROR")  # below that level, it warns of every function that is traced for two parts
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()

gc.freeze()  # TensorFlow's objects live as long as the process: the garbage collector need not visit them again

__all__ = ["keras", "tf"]
