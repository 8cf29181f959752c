"""The wheel, without the repository: with base dependencies alone, and with those of this environment."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NEEDS = "rarelabels: the record of runs needs mlflow, of the extra suite: pip install 'rarelabels[suite]'\n"
JUDGE = """
import pandas as pd
import rarelabels as rl
if "judge" in rl.__all__:
    parts = [pd.read_csv(f"{part}.csv") for part in ("test", "validation")]
    parts = [(part[["true/a", "true/b"]].to_numpy(), part[["score/a", "score/b"]].to_numpy()) for part in parts]
    (y, s), validation = parts
    assert len(rl.judge(y, s, validation=validation, labels=["a", "b"]).table())
"""


def test_what_says_how_to_cite_it_is_about_this_version() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (REPOSITORY / "CITATION.cff").read_text("utf-8").splitlines()
    assert f"version: {project['version']}" in lines
    assert f"license: {project['license']}" in lines


def done(command: list[str], folder: Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Do a command where nothing of the repository is in reach."""
    of_python = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MLFLOW_TRACKING_URI", "OPTUNA_STORAGE")
    clean = {name: value for name, value in os.environ.items() if name not in of_python}
    ended = subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True)
    assert ended.returncode == code, f"{command}: {ended.stdout}{ended.stderr}"
    return ended


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of what is needed to build it, by the build tools of this environment or of pip's own."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder)]
    copy = folder / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    shutil.copytree(REPOSITORY / "src" / "rarelabels", copy / "src" / "rarelabels")
    done([*command, str(copy)], folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """An empty folder with scores of two parts."""
    draw = random.Random(0)
    for part in ("validation", "test"):
        with (tmp_path / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["true/a", "true/b", "score/a", "score/b"])
            for _ in range(60):
                truth = [draw.random() < 0.3, draw.random() < 0.6]
                writer.writerow([*map(int, truth), *(round(0.5 * one + 0.5 * draw.random(), 3) for one in truth)])
    return tmp_path


def test_it_has_its_licence_its_types_and_its_templates(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as stored:
        names = stored.namelist()
        (metadata,) = (stored.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    fields = Parser().parsestr(metadata)
    assert fields["License-Expression"] == "BSD-3-Clause"
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {"rarelabels/py.typed", "rarelabels/__init__.pyi"} <= set(names)
    files = {path.relative_to(REPOSITORY / "src").as_posix() for path in (REPOSITORY / "src/rarelabels").rglob("*")}
    needed = {name for name in files if not name.endswith(".pyc") and (REPOSITORY / "src" / name).is_file()}
    assert needed <= set(names)


@pytest.mark.long
def test_with_base_dependencies_alone_scores_are_judged(wheel: Path, scores: Path) -> None:
    place = scores / "venv"
    venv.create(place, with_pip=True)
    done([str(place / "bin" / "pip"), "install", "--quiet", str(wheel)], scores)
    command = str(place / "bin" / "rarelabels")
    judged = done([command, "judge", "validation.csv", "test.csv", "--format", "csv"], scores)
    assert "per_label/macro_f1" in judged.stdout
    assert "Traceback" not in judged.stderr
    done([str(place / "bin" / "python"), "-c", JUDGE], scores)
    run = done([command, "run", "movies"], REPOSITORY, code=2)
    assert (run.stdout, run.stderr) == ("", NEEDS)
    installed = done([str(place / "bin" / "pip"), "list", "--format", "freeze"], scores).stdout
    assert not [line for line in installed.splitlines() if line.startswith(("tensorflow", "mlflow", "optuna", "dask"))]


def table(path: Path) -> None:
    """Rows whose words tell something of their labels."""
    draw = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["title", "year", "tags"])
        for row in range(300):
            tags = [tag for tag in ("war", "love", "space") if draw.random() < 0.4]
            words = [f"{tag}{draw.randrange(4)}" for tag in tags if draw.random() < 0.8]
            words += [f"word{draw.randrange(40)}" for _ in range(4)]
            writer.writerow([" ".join(words), 1950 + row % 70, "|".join(tags)])


@pytest.mark.long
def test_a_table_becomes_a_study_and_a_model_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    place, folder = tmp_path / "installed", tmp_path / "mine"
    folder.mkdir()
    done([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place), str(wheel)], tmp_path)
    table(folder / "my.csv")

    def rarelabels(*arguments: str) -> str:
        first = {"PYTHONPATH": str(place), "RARELABELS_CACHE": str(tmp_path / "cache")}
        return done([sys.executable, "-m", "rarelabels", *arguments], folder, **first).stdout

    where = [sys.executable, "-c", "import rarelabels; print(rarelabels.__file__)"]
    assert done(where, folder, PYTHONPATH=str(place)).stdout.strip() == str(place / "rarelabels" / "__init__.py")
    rarelabels("init", "my.csv", "--labels", "tags", "--text", "title", "--quick")
    steps = ("--set", "training.steps=20", "--set", "training.evaluate_every=20")
    said = rarelabels("run", "my/linear", "my/floor_prior", "my/bce", "--seeds", "0", "--workers", "1", *steps)
    assert "linear" in said
    assert "runs/report.html: my" in rarelabels("report")
    assert (folder / "runs" / "report.html").stat().st_size > 10_000
    assert "rarelabels-my" in rarelabels("best", "my")
    answers = list(csv.DictReader(rarelabels("predict", "my", "my.csv").splitlines()))
    assert len(answers) == 300
