"""Runs of each kind as they are begun: their names, tags and places."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.declare import find
from rarelabels.record import opening, queries
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity, fingerprints
from rarelabels.record.writing import Record

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def identity(name: str = "bce_accuracy", *, seed: int = 0, variant: str = "", overrides: str = "") -> Identity:
    trial = find.load_many([str(EXPERIMENTS / "movies" / f"{name}.yaml")], {})[0]
    found = fingerprints(trial, [seed], "data")
    return Identity(trial, variant, seed, found.definition, found.runs[seed], found.trainings[seed], overrides)


@pytest.fixture
def experiment(client: Client, tmp_path: Path) -> str:
    return opening.open_experiment(client, tmp_path.name)


def test_an_experiment_is_made_once_with_files_beside_the_record(
    client: Client, experiment: str, tmp_path: Path
) -> None:
    assert opening.open_experiment(client, tmp_path.name) == experiment
    (found,) = [one for one in queries.experiments(client) if one.name == f"rarelabels/{tmp_path.name}"]
    assert found.tags["mlflow.experimentKind"] == "custom_model_development"
    run = client.create_run(experiment)
    beside = Path(str(client.tracking_uri).removeprefix("sqlite:///")).parent
    assert run.info.artifact_uri.startswith(f"{(beside / 'artifacts' / tmp_path.name).as_uri()}/")


def test_a_run_lies_below_its_parent_and_says_what_it_is(client: Client, experiment: str) -> None:
    parent = opening.open_parent(client, experiment, identity())
    run = opening.start(client, experiment, identity(seed=1), parent.run_id, {"better": "digest"})
    found, above = client.run(run.run_id), client.run(parent.run_id)
    assert (above.info.run_name, found.info.run_name) == ("bce_accuracy", "seed 1")
    tags = found.data.tags
    assert (tags["kind"], tags["trial"], tags["study"], tags["seed"]) == ("run", "movies/bce_accuracy", "movies", "1")
    assert (tags[opening.PARENT], tags["hypothesis.better"]) == (parent.run_id, "digest")
    assert tags["fingerprint"] == identity(seed=1).fingerprint
    assert found.info.status == "RUNNING"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"variant": "dataset.labels=3"}, "bce_accuracy labels=3"),
        ({"overrides": "training.epochs=2"}, "bce_accuracy (overridden)"),
    ],
)
def test_the_name_of_a_parent(client: Client, experiment: str, changes: dict[str, str], name: str) -> None:
    assert client.run(opening.open_parent(client, experiment, identity(**changes)).run_id).info.run_name == name


def test_a_search_that_was_begun_is_gone_on_with(client: Client, experiment: str) -> None:
    first = opening.open_search(client, experiment, identity(), None)
    assert opening.open_search(client, experiment, identity(), None).run_id == first.run_id
    assert opening.open_search(client, experiment, identity(seed=1), 1).run_id != first.run_id


def test_a_study_has_one_run_of_its_own(client: Client, tmp_path: Path) -> None:
    assert opening.study_run(client, tmp_path.name) is None
    experiment = opening.open_experiment(client, tmp_path.name)
    made = opening.open_study(client, experiment, tmp_path.name)
    found = opening.study_run(client, tmp_path.name)
    assert found is not None
    assert (found.info.run_id, found.info.run_name) == (made.run_id, f"= {tmp_path.name}")
    assert opening.open_study(client, experiment, tmp_path.name).run_id == made.run_id


def test_trials_get_colours_in_turn_and_keep_them(client: Client, experiment: str) -> None:
    runs = [opening.open_parent(client, experiment, identity(variant=str(i))).run_id for i in range(3)]
    assert opening.colour_trials(client, experiment, ["red", "blue"]) == 3
    assert [client.run(run).data.tags[opening.COLOUR] for run in runs] == ["red", "blue", "red"]
    assert opening.colour_trials(client, experiment, ["green"]) == 3
    assert client.run(runs[0]).data.tags[opening.COLOUR] == "red"


def test_a_training_is_copied_without_what_rules_change(client: Client, run: Run, tmp_path: Path) -> None:
    source = Record(client, run.info.run_id)
    source.curve(1, {"loss": 0.5})
    source.curve(2, {"loss": 0.25})
    source.metrics({"training/epochs": 2.0, "test/half/macro_f1": 0.4})
    source.tags({"watched": "auc"})
    source.data("films", "d" * 64, {"rows": {"train": 3}})
    with source.folder() as folder:
        (folder / "data.json").write_text("{}", "utf-8")
        for name in ("model", "scores"):
            (folder / name).mkdir()
        (folder / "model" / "trial.json").write_text("{}", "utf-8")
        (folder / "scores" / "test.parquet").write_text("scores", "utf-8")
    source.text("thresholds.json", "{}")
    copy = Record(client, client.create_run(run.info.experiment_id).info.run_id)
    opening.copy_training(client, source.run_id, copy)
    found = client.run(copy.run_id)
    assert found.data.metrics == {"curve/loss": 0.25, "training/epochs": 2.0}
    assert [point.value for point in client.get_metric_history(copy.run_id, "curve/loss")] == [0.5, 0.25]
    assert (found.data.tags["trained_by"], found.data.tags["watched"]) == (source.run_id, "auc")
    assert Path(client.download_artifacts(copy.run_id, "scores/test.parquet")).read_text("utf-8") == "scores"
    assert {file.path for file in client.list_artifacts(copy.run_id)} == {"data.json", "model", "scores"}


def test_a_name_that_is_too_long_for_a_database_is_cut(client: Client, experiment: str) -> None:
    parent = opening.open_parent(client, experiment, identity(variant="x" * 300))
    name = client.run(parent.run_id).info.run_name
    assert name.startswith("bce_accuracy xxx")
    assert len(name) == opening.LONGEST_NAME
