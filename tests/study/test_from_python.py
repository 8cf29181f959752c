"""``rl.run``, ``rl.tune`` and ``rl.load_model`` from a folder below the project, as a notebook calls them."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

import rarelabels as rl
from old_record import unpack
from project import Here, Project
from rarelabels.errors import UserError
from rarelabels.study import engine, from_python

UNGUARDED = """
import rarelabels as rl

outcome = rl.run("films/floor_prior", seeds=[0, 1, 7], workers=1)
print(outcome)
print(sorted(rl.Study("films").runs().query("trial == 'floor_prior'")["seed"]))
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = unpack(tmp_path_factory.mktemp("old"))
    (project.folder / "notebooks").mkdir()
    return project


@pytest.fixture
def notebook(old: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(old.folder / "notebooks")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(engine, "Engine", Here)
    return old


def test_the_names_are_on_the_face() -> None:
    assert (rl.run, rl.tune, rl.load_model) == (from_python.run, from_python.tune, from_python.load_model)
    assert rl.Study.__name__ == "Study"


def test_a_script_without_a_main_guard_runs_a_study_from_a_folder_below(old: Project) -> None:
    """In real worker processes."""
    script = old.folder / "notebooks" / "unguarded.py"
    script.write_text(UNGUARDED, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, script.name], cwd=script.parent, env=old.environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "Outcome of films: 3 runs, 0 trials skipped, 0 failures\n[0, 1, 7]\n"
    assert "[1/1] done: films/floor_prior seed 7" in ended.stderr.splitlines()
    assert sorted(path.name for path in script.parent.iterdir()) == ["unguarded.py"], "the record is the project's"


def test_names_are_one_or_several_and_paths_count_from_here(notebook: Project) -> None:
    assert rl.run("films/bce").studies == ("films",)
    assert rl.run(["films/bce", "table/linear"]).studies == ("films", "table")
    assert [one.trial.name for one in rl.run("../experiments/films/focal.yaml").identities] == ["films/focal"] * 2
    with pytest.raises(UserError, match="there is no such file"):
        rl.run("experiments/films/focal.yaml")


def test_a_finished_search_is_returned_with_its_best_values(notebook: Project) -> None:
    (row,) = rl.tune("table/tuned").to_dict("records")
    assert row["trial"] == "table/tuned"
    assert pd.isna(row["seed"])
    found = rl.Study("table").trials().set_index("trial").loc["tuned"]
    keys = set(row) - {"trial", "variant", "seed", "trials", "value", "found"}
    assert keys
    for key in keys:
        assert float(found[key]) == pytest.approx(float(row[key]))
        assert key in row["found"]


def test_the_registered_model_predicts_what_the_command_prints(notebook: Project) -> None:
    with pytest.warns(UserWarning, match="its files are not checked"):
        model = rl.load_model("table")
    expected = pd.read_csv(notebook.folder / "expected" / "predicted_table.csv", keep_default_na=False)
    rows = pd.read_csv(notebook.folder / "new.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(model.predict(rows), expected, check_exact=True, check_dtype=False)
    assert [f"probability/{label}" for label in model.labels] == list(expected.columns[2:])


def test_a_study_without_a_model_says_how_to_register_it(notebook: Project) -> None:
    with pytest.raises(UserError, match="no model of nothing is registered yet; `rarelabels best nothing`"):
        rl.load_model("nothing")
