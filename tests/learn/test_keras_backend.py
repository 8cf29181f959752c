"""Keras on another backend is refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.long
def test_another_backend_of_keras_is_refused() -> None:
    code = """
import sys, types
keras = types.ModuleType("keras")
keras.backend = types.SimpleNamespace(backend=lambda: "jax")
sys.modules["keras"] = keras
from rarelabels.errors import UserError
try:
    from rarelabels.learn import keras_backend
except UserError as error:
    print(error)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True, env=env
    )
    assert done.stdout == (
        "rarelabels: its losses and callbacks need Keras on TensorFlow; Keras runs on jax; set "
        "KERAS_BACKEND=tensorflow before Keras is imported\n"
    )
