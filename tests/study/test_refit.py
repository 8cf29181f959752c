"""The winner trained anew on training and validation rows: what it is made of, and that nothing counts it as a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from old_record import unpack
from project import Project
from rarelabels.compare.ranking import Ranked
from rarelabels.data import loading
from rarelabels.errors import UserError
from rarelabels.learn.baselines import baseline, boosting
from rarelabels.record import connection, registry, run_files
from rarelabels.record.entities import Run
from rarelabels.study import refit, selection, standing

ANEW = ", trained anew on training and validation rows; the numbers are those of before\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture
def ranked(project: Project, monkeypatch: pytest.MonkeyPatch) -> dict[str, Ranked]:
    monkeypatch.chdir(project.folder)
    return {one.name: one for one in standing.rank("table", project.record, "per_label/macro_f1").ranked}


def files(run: Run) -> Path:
    folder = run_files.local_folder(run)
    assert folder
    return folder


def test_it_is_registered_once_and_predicts_and_nothing_counts_it(project: Project, tmp_path: Path) -> None:
    before = project.do("results", "table", "--format", "csv")[0]
    for is_trained in (True, False):
        out, err = project.do("best", "table", "--refit")
        assert "version 2 (alias best): linear, seed 0, rule per_label" + ANEW in out
        assert ("training linear anew on training and validation rows" in err) == is_trained
    (made,) = project.runs("refit", "table")
    assert project.do("results", "table", "--format", "csv")[0] == before
    assert "0 runs to do, 4 finished before" in project.do("run", "table/linear", "table/bce")[1]
    assert project.do("check", "table")[0].splitlines()[-1].startswith("all is well")
    out, err = project.do("predict", "table", "new.csv")
    assert not err
    (tmp_path / "printed.csv").write_text(out, encoding="utf-8")
    probabilities = pd.read_csv(tmp_path / "printed.csv").filter(regex="^probability/")
    earlier = pd.read_csv(project.folder / "expected" / "predicted_table.csv").filter(regex="^probability/")
    assert not np.allclose(probabilities, earlier, atol=1e-3)  # of more rows
    version = registry.registered(connection.connect(project.record), "table")
    assert version
    assert version.run_id == made.info.run_id
    assert "version 3 (alias best): linear, seed 0, rule per_label\n" in project.do("best", "table")[0]
    assert "version 2 (alias best): linear, seed 0, rule per_label" + ANEW in project.do("best", "table", "--refit")[0]


def test_a_linear_model_is_that_of_all_rows_outside_the_test_part(project: Project, ranked: dict[str, Ranked]) -> None:
    one = ranked["linear"]
    client = connection.connect(project.record)
    made = refit.refit(client, selection.recorded("table", project.record), one, print)
    data = loading.load(one.trial.dataset, 0)
    n = len(data.train.y) + len(data.validation.y)
    assert made.data.metrics["training/rows"] == n
    whole = loading.load(one.trial.dataset.model_copy(update={"validation": "cross_validated"}), 0)
    assert set(whole.train.ids) == {*data.train.ids, *data.validation.ids}
    assert whole.test.digest() == data.test.digest()
    theirs = baseline.fit(one.trial, replace(whole, folds=None), 0)
    ours = baseline.load_saved(files(made) / "model")
    np.testing.assert_allclose(ours.scores(data.test), theirs.scores(data.test), atol=1e-9)
    chosen = files(one.runs[0]) / "thresholds.json"
    assert (files(made) / "thresholds.json").read_bytes() == chosen.read_bytes()


def test_a_network_trains_for_the_epochs_that_were_kept(project: Project, ranked: dict[str, Ranked]) -> None:
    one = ranked["bce"]
    made = refit.refit(connection.connect(project.record), selection.recorded("table", project.record), one, print)
    assert made.info.status == "FINISHED"
    assert made.data.params["training.epochs"] == f"{one.runs[0].data.metrics['training/kept_epoch']:.0f}"
    assert made.data.params["training.keep"] == "last"
    assert made.data.tags["refit_of"] == one.runs[0].info.run_id
    assert "training" not in made.data.tags  # it is no training that others may share


@pytest.mark.long
def test_a_c_and_trees_that_validation_chose_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all rows there is nothing to choose by: validation would be among the rows that are trained on."""
    project = Project(tmp_path)
    folder = project.folder / "experiments" / "numbers"
    folder.mkdir()
    models = {"linear": "{kind: linear, c: [0.01, 1.0, 100.0]}", "boosted": "{kind: gradient_boosting}"}
    for name, model in models.items():
        (folder / f"{name}.yaml").write_text(
            "extends: ../../conf/base.yaml\nquestion: How far does it get here?\nthread: none\nseeds: [0]\n"
            "dataset: {kind: simulated, rows: 600, labels: 3, prevalence: 0.2}\n"
            f"model: {model}\ntraining: {{epochs: 1, batch_size: 8, learning_rate: 0.1}}\n",
            encoding="utf-8",
        )
    project.do("run", "numbers")
    monkeypatch.chdir(project.folder)
    ranked = {one.name: one for one in standing.rank("numbers", project.record, "per_label/macro_f1").ranked}
    client = connection.connect(project.record)
    made = {name: refit.refit(client, [], one, print) for name, one in ranked.items()}
    chosen = ranked["linear"].runs[0].data.metrics["training/c"]
    assert chosen in (0.01, 1.0, 100.0)
    assert float(made["linear"].data.params["model.c"]) == chosen
    before, after = (baseline.load_saved(files(run) / "model") for run in (ranked["boosted"].runs[0], made["boosted"]))
    assert isinstance(before, boosting.Boosted)
    assert isinstance(after, boosting.Boosted)
    assert before.iterations.max() < 100  # validation ended it
    np.testing.assert_array_equal(after.iterations, before.iterations)
    assert made["boosted"].data.metrics["training/rows"] == 480


def test_files_that_were_changed_are_refused_and_trained_anew(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    project.do("best", "table", "--refit")
    version = registry.registered(connection.connect(project.record), "table")
    assert version
    weights = Path(version.source.removeprefix("file://")) / "artifacts" / "predictor" / "model" / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-9])
    assert "bytes that were recorded; the model is not used" in project.do("predict", "table", "new.csv", code=2)[1]
    assert "version 3 (alias best)" in project.do("best", "table", "--refit")[0]
    assert not project.do("predict", "table", "new.csv")[1]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"validation": "cross_validated"},
            "linear is cross-validated: its model is trained on all these rows already",
        ),
        ({"train_fraction": 0.5}, "linear trains on a fraction of the rows on purpose"),
    ],
)
def test_what_has_no_rows_more_is_refused(
    project: Project, ranked: dict[str, Ranked], changed: dict[str, object], reason: str
) -> None:
    one = ranked["linear"]
    trial = one.trial.model_copy(update={"dataset": one.trial.dataset.model_copy(update=changed)})
    with pytest.raises(UserError, match=reason):
        refit.refit(connection.connect(project.record), [], replace(one, trial=trial), print)
