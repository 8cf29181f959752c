"""The package in ``examples/own_loss``, installed and run: its loss is declared and recorded like any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import my_study
from installed_example import install
from project import Project

pytestmark = pytest.mark.long
TRIAL = """
extends: _base.yaml
question: Does the squared error do as well?
thread: beyond the threads
training: {execution: plain}
seeds: [0]
"""
LOSS = "loss: {kind: squared, positives: 4.0}\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package, built and installed without the network."""
    return install("own_loss", tmp_path_factory.mktemp("own_loss"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Project:
    project = Project(tmp_path_factory.mktemp("own"))
    my_study.declare(project.folder)
    study = project.folder / "experiments" / my_study.STUDY
    for name in ("linear", "platt", "floor"):
        (study / f"{name}.yaml").unlink()
    (study / "bce.yaml").write_text(TRIAL, encoding="utf-8")
    (study / "squared.yaml").write_text(TRIAL + LOSS, encoding="utf-8")
    paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    project.environment |= {"PYTHONPATH": os.pathsep.join(paths)}
    return project


def test_a_file_can_name_only_what_is_installed(project: Project) -> None:
    out, _ = project.call("validate", my_study.STUDY)
    assert out == "2 trials and 1 studies are valid\n"
    assert '"squared"' in project.call("schema")[0]
    _, err = project.do("validate", my_study.STUDY, code=2)  # this process has not got it
    assert "loss.kind: unknown kind; allowed 'bce', 'weighted_bce'" in err
    squared = project.folder / "experiments" / my_study.STUDY / "squared.yaml"
    squared.write_text(TRIAL + LOSS.replace("positives", "positive"), encoding="utf-8")
    assert (
        "loss.positive: unknown key; did you mean 'positives'?" in project.call("validate", my_study.STUDY, code=2)[1]
    )
    squared.write_text(TRIAL + LOSS.replace("4.0", "0.0"), encoding="utf-8")
    assert "loss.positives: out of range; allowed more than 0" in project.call("validate", my_study.STUDY, code=2)[1]
    squared.write_text(TRIAL + LOSS, encoding="utf-8")


def test_it_trains_in_workers_and_is_recorded_with_its_package(project: Project) -> None:
    out, _ = project.call("run", my_study.STUDY, "--workers", "1")
    assert "squared" in out
    tags = {run.data.tags["trial"]: run.data.tags for run in project.runs(study=my_study.STUDY)}
    assert tags["my/squared"]["packages"] == "own_loss==0.1.0"
    assert "packages" not in tags["my/bce"]
    by_name = {run.info.run_name: run.data.metrics for run in project.runs("trial", my_study.STUDY)}
    name = "test/ranking/macro_average_precision"
    assert by_name["squared"][name] != by_name["bce"][name]
    assert np.isfinite(by_name["squared"][name])


def test_its_formula_is_right(installed: Path) -> None:
    """By NumPy, on large logits too; and its number is a variable of a compiled network."""
    program = """
import numpy as np
from own_loss import Squared
loss = Squared(kind="squared", positives=3.0).build(np.array([0.5, 0.5]))
y, z = np.array([[1, 0], [0, 1], [1, 1]]), np.array([[0.3, -2.0], [90.0, -90.0], [0.0, 5.0]])
p = 1 / (1 + np.exp(-z))
expected = (3 * y * (1 - p) ** 2 + (1 - y) * p**2).mean(axis=1)
np.testing.assert_allclose(loss.call(y.astype("float32"), z.astype("float32")), expected, rtol=1e-5)
loss.make_variables()
loss.take(Squared(kind="squared", positives=1.0).build(np.array([0.5])))
expected = (y * (1 - p) ** 2 + (1 - y) * p**2).mean(axis=1)
np.testing.assert_allclose(loss.call(y.astype("float32"), z.astype("float32")), expected, rtol=1e-5)
"""
    paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
