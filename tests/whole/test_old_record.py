"""The record that 0.4.2 made is read, continued, reported and served by what stands now."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from old_record import unpack
from project import Project
from rarelabels.record import connection, identities, registry, run_files
from rarelabels.study import selection

SERVE = """
import sys, mlflow, pandas as pd
rows = pd.read_csv(sys.argv[2], dtype=object, keep_default_na=False)
mlflow.pyfunc.load_model(sys.argv[1]).predict(rows).to_csv(sys.argv[3])
"""  # as `mlflow models serve` does: in a process of its own, with the code that was registered with the model


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return unpack(tmp_path_factory.mktemp("old"))


def same(printed: Path, expected: Path) -> None:
    """What is expected is printed, text as text and numbers as numbers; a newer version may print columns more."""
    wanted = pd.read_csv(expected)
    pd.testing.assert_frame_equal(pd.read_csv(printed)[list(wanted)], wanted, check_exact=True)


def test_its_verdicts_are_as_they_were_by_intervals_that_are_made_anew(old: Project) -> None:
    printed = pd.read_csv(io.StringIO(old.call("findings", "films", "--format", "csv")[0]))
    wanted = pd.read_csv(old.folder / "expected" / "findings_films.csv")
    changed = ["low", "high"]
    pd.testing.assert_frame_equal(printed[list(wanted)].drop(columns=changed), wanted.drop(columns=changed))
    for end in changed:
        assert (printed[end] - wanted[end]).abs().max() < 0.5 * (wanted["high"] - wanted["low"]).max()


@pytest.mark.parametrize("name", ["results_films", "results_table"])
def test_it_is_read(old: Project, name: str, tmp_path: Path) -> None:
    command, study = name.split("_")
    (tmp_path / "printed.csv").write_text(old.call(command, study, "--format", "csv")[0], encoding="utf-8")
    same(tmp_path / "printed.csv", old.folder / "expected" / f"{name}.csv")


@pytest.mark.parametrize("name", ["films", "table"])
def test_its_declarations_have_their_fingerprints(old: Project, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is declared as it was then is what it was then, whatever keys there are today."""
    runs = old.runs("run", name)
    made_by = runs[0].data.tags
    versions = {key: made_by[key.replace("-", "_")] for key in ("scikit-learn", "numpy", "tensorflow", "keras")}
    without = {key: versions[key] for key in ("scikit-learn", "numpy")}
    threads = {"threads": made_by["threads"]}
    monkeypatch.setattr(identities, "library_versions", lambda tf: (versions if tf else without) | threads)
    monkeypatch.setattr(identities, "version", {"optuna": "5.0.0"}.__getitem__)
    monkeypatch.setattr(identities, "__version__", made_by["rarelabels"])
    monkeypatch.setattr(identities, "EVALUATION", 4)
    monkeypatch.chdir(old.folder)
    keys = ("trial", "seed", "definition", "fingerprint", "training")
    today = selection.identify([name], {}).identities
    assert {(one.trial.name, str(one.seed), one.definition, one.fingerprint, one.training) for one in today} == {
        tuple(run.data.tags[key] for key in keys) for run in runs
    }


def test_its_registered_models_predict(old: Project, tmp_path: Path) -> None:
    out, err = old.call("predict", "table", "new.csv")
    assert err == (
        "rarelabels: rarelabels-table version 1: its files are not checked, for it was registered before there were "
        "digests; `rarelabels best table` registers a model anew\n"
    )
    (tmp_path / "printed.csv").write_text(out, encoding="utf-8")
    expected = old.folder / "expected" / "predicted_table.csv"
    same(tmp_path / "printed.csv", expected)
    version = registry.registered(connection.connect(old.record), "table")
    assert version is not None
    served = tmp_path / "served.csv"
    command = [sys.executable, "-c", SERVE, version.source, str(old.folder / "new.csv"), str(served)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    named = [column for column in pd.read_csv(expected, nrows=0) if column.startswith("probability/")]
    np.testing.assert_allclose(pd.read_csv(served)[named], pd.read_csv(expected)[named], atol=1e-9)


def test_what_is_registered_without_digests_is_registered_once_more(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    for _ in range(2):
        assert "registered: rarelabels-table version 2 (alias best): " in project.do("best", "table")[0]
    assert [one.version for one in registry.versions(connection.connect(project.record), "table")] == ["2", "1"]
    out, err = project.do("predict", "table", "new.csv")
    assert not err
    (tmp_path / "printed.csv").write_text(out, encoding="utf-8")
    same(tmp_path / "printed.csv", project.folder / "expected" / "predicted_table.csv")


def test_it_is_reported(old: Project) -> None:
    assert old.call("report")[0] == "runs/report.html: films, table\n"
    page = (old.folder / "runs" / "report.html").read_text("utf-8")
    assert page.count('src="data:image/webp;base64,') == 12
    assert "Focal loss ranks films as well as binary cross-entropy." in page


def test_a_trial_is_done_if_all_its_runs_are(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(old.folder)
    seeds = selection.identify(["films/floor_prior"], {}, (0, 1, 2)).identities
    is_done = selection.done_before(["films"], old.record)
    assert (is_done(seeds[:2]), is_done(seeds), is_done(seeds[2:])) == (True, False, False)


def test_it_is_continued(tmp_path: Path) -> None:
    """All is trained and summed up anew; then one more seed trains that seed alone, and its trial is summed up."""
    project = unpack(tmp_path)
    before = {run.info.run_id for run in project.runs("run", "films")}
    _, err = project.do("run", "films")
    assert "films: 0 runs to do, 6 finished before" in err
    assert {run.info.run_id for run in project.runs("run", "films")} == before
    _, err = project.do("run", "films/floor_prior", "--seeds", "0,1,2", "--workers", "1")
    assert "films: 1 run to do, 2 finished before" in err
    (new,) = [run for run in project.runs("run", "films") if run.info.run_id not in before]
    assert (new.data.tags["trial"], new.data.tags["seed"]) == ("films/floor_prior", "2")
    parents = {run.data.tags["trial"]: run for run in project.runs("trial", "films")}
    assert parents["films/floor_prior"].data.tags["seeds"] == "0 1 2"
    assert parents["films/floor_prior"].data.tags["drawn"] == parents["films/floor_prior"].data.tags["summed_up"]
    stored = run_files.file(connection.connect(project.record), parents["films/bce"].info.run_id, "influence.parquet")
    assert stored.is_file()


@pytest.mark.long
def test_its_figures_are_drawn_where_they_are_missing(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    parents = {run.data.tags["trial"]: run.info.run_id for run in project.runs("trial", "films")}
    folder = project.folder / "runs" / "artifacts" / "films" / parents["films/bce"] / "artifacts" / "figures"
    shutil.rmtree(folder)
    project.call("run", "films")
    kinds = ("confusion", "f1_theory", "learning_curves", "precision_recall", "reliability", "winners_curse")
    assert sorted(file.name for file in folder.iterdir()) == [f"{kind}.png" for kind in kinds]
