"""What the command line answers at once: help, versions, lists, schemas, and whether all that is declared is right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from project import Answer, clean_environment
from rarelabels import __version__
from user_commands import MINE, assert_refused, python, rarelabels, write_trial

REPOSITORY = Path(__file__).parents[1]
HEAVY = ["tensorflow", "keras", "mlflow", "dask", "optuna", "sklearn", "pandas", "matplotlib"]


@pytest.mark.parametrize("command", ["--help", "list", "validate", "schema"])
def test_what_needs_no_data_imports_nothing_heavy(command: str):
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('heavy:', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr))\n"
        "from rarelabels import cli\n"
        f"sys.argv = ['rarelabels', {command!r}]\n"
        "cli.main()\n"
    )
    answer = python(REPOSITORY, "-c", code)
    assert (answer.code, answer.err) == (0, "heavy: []\n")
    assert answer.out


def test_the_version_is_that_of_the_package(tmp_path: Path):
    assert rarelabels(tmp_path, "--version") == Answer(0, f"rarelabels {__version__}\n", "")


def test_a_shell_completes_commands_and_options(tmp_path: Path):
    """As bash asks the script that pip installs."""
    script = tmp_path / "rarelabels"
    script.write_text("from rarelabels.cli import main\nmain()\n")

    def completed(words: str) -> list[str]:
        shell = {"_RARELABELS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return subprocess.check_output([sys.executable, script], env=clean_environment() | shell, text=True).split()

    assert completed("rarelabels pr") == ["predict", "probes"]
    assert completed("rarelabels run --sc") == ["--scheduler"]


def test_list_names_every_trial(house: Path):
    answer = rarelabels(house, "list")
    own = {f"{p.parent.name}/{p.stem}" for p in house.glob("experiments/*/[!_]*.yaml") if p.name != "study.yaml"}
    studies = {path.parent.name: YAML(typ="safe").load(path) for path in house.glob("experiments/*/study.yaml")}
    taken = {f"{study}/{trial}" for study, stated in studies.items() for trial in stated.get("trials", ())}
    assert {"movies/focal_plain", "movies_each_tuned/focal_plain"} < own | taken
    assert {line.split()[0] for line in answer.out.splitlines()} == own | taken
    assert (answer.code, answer.err) == (0, "")


def test_schema_is_json(house: Path):
    schema = json.loads(rarelabels(house, "schema").out)
    assert {"extends", "loss", "model", "seeds"} <= set(schema["properties"])


def test_validate_takes_a_path_to_any_file(house: Path):
    (house / "mine.yaml").write_text(MINE.format(parent="experiments/movies/_base.yaml"))
    assert rarelabels(house, "validate", "mine.yaml").out.startswith("1 trials ")


def test_validate_tells_the_problems_of_all_trials_and_studies(house: Path):
    study = house / "experiments/movies/study.yaml"
    study.write_text(study.read_text(encoding="utf-8").replace("trial: cce_textbook", "trial: cce_textbok"))
    write_trial(house, "loss: {kind: bce, gama: 2}")
    empty = house / "experiments/clothes"
    empty.mkdir()
    (empty / "study.yaml").write_text("titel: Clothes\nquestion: Which loss?\nthread: clothes_attributes\n")
    assert_refused(
        house,
        ["validate"],
        "experiments/movies/mine.yaml: loss.gama: unknown key",
        "experiments/clothes/study.yaml: titel: unknown key; did you mean 'title'?",
        "experiments/movies/study.yaml: hypotheses.cce_fails_by_its_gradient.trial: no trial 'cce_textbok' in this "
        "folder; did you mean 'cce_textbook'?",
    )
