"""A training's TensorFlow is quiet and has one thread, even where anyone's parts of the suite came first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import os, sys
if sys.argv[1] == "late":
    import rarelabels as rl
    rl.losses
    sys.stderr.flush()
import rarelabels.learn.tensorflow_setup
from rarelabels.learn.keras_backend import tf
tf.linalg.matmul(*[tf.random.normal((600, 600))] * 2)
names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
print(names.count("tf_Compute"))
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names threads")
@pytest.mark.parametrize("when", ["first", "late"])
def test_it_computes_in_one_thread(when: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", CODE, when]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True, env=env)
    assert done.stdout == "1\n"
    if when == "first":
        assert done.stderr == ""
