"""What single runs hold: which of them count, their curves, scores, rules and tables."""

from __future__ import annotations

import numpy as np
import pytest

from old_record import unpack
from rarelabels.record import connection, queries, reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run, RunData, RunInfo


def recorded(number: int, *, ended: int, seed: int = 0, status: str = "FINISHED", **tags: str) -> Run:
    said = {"kind": "run", "trial": "films/bce", "variant": "", "seed": str(seed), "overrides": "", "definition": "d"}
    return Run(
        RunInfo(f"run{number}", "1", f"seed {seed}", status, ended - 1, ended, ""),
        RunData({"test/half/macro_f1": number / 10, "curve/loss": 1.0}, {}, said | {"fingerprint": f"f{seed}"} | tags),
    )


def test_a_table_of_runs_has_final_metrics_of_runs_alone() -> None:
    frame = reading.runs([recorded(1, ended=5), recorded(2, ended=6, kind="trial"), recorded(3, ended=7, seed=1)])
    assert list(frame.columns) == [*reading.HEADER, "test/half/macro_f1"]
    assert frame["run_id"].tolist() == ["run1", "run3"]
    assert frame["seed"].tolist() == [0, 1]
    assert list(reading.runs([]).columns) == reading.HEADER


def test_of_equal_runs_the_one_that_ended_first_counts() -> None:
    runs = [
        recorded(1, ended=9),
        recorded(2, ended=5),
        recorded(3, ended=3, status="FAILED"),
        recorded(4, ended=7, seed=1),
    ]
    assert [run.info.run_id for run in reading.earliest_finished(runs).values()] == ["run2", "run4"]
    ((key, below),) = reading.below(runs).items()
    assert key == ("films/bce", "", "d", "")
    assert [run.info.run_id for run in below] == ["run2", "run4"]


def test_the_first_parent_of_a_trial_counts_and_the_longest_of_equal_searches() -> None:
    parents = [recorded(1, ended=1, kind="trial"), recorded(2, ended=2, kind="trial")]
    assert list(reading.parents(parents).values()) == ["run1"]
    searches = [recorded(1, ended=1, kind="search", trials="30"), recorded(2, ended=2, kind="search", trials="4")]
    assert reading.searches(searches)["f0"].info.run_id == "run1"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return connection.connect(unpack(tmp_path_factory.mktemp("old")).record)


@pytest.fixture(scope="module")
def network(old: Client) -> Run:
    experiment = queries.find_experiment(old, "films")
    assert experiment is not None
    runs = reading.earliest_finished(queries.all_runs(old, experiment)).values()
    return next(run for run in runs if run.data.tags["trial"] == "films/bce")


def test_what_a_run_holds(old: Client, network: Run) -> None:
    run_id = network.info.run_id
    names = reading.labels(old, run_id)
    table = reading.per_label(old, run_id)
    prevalence = reading.train_prevalence(old, run_id)
    assert table["label"].tolist() == list(names)
    assert prevalence.shape == (len(names),)
    assert ((prevalence > 0) & (prevalence < 1)).all()
    of_run, validation, test = reading.raw_scores(old, run_id)
    assert of_run == names
    assert test.scores.shape == test.y.shape == (len(test.y), len(names))
    assert (reading.scores(old, run_id, "test").scores == test.scores).all()
    assert (reading.scores(old, run_id, "validation").y == validation.y).all()
    rule = reading.rules(old, run_id)["per_label"]
    assigned = rule.assign(test.scores)
    assert assigned.shape == test.y.shape
    hits = (assigned.astype(bool) & test.y.astype(bool)).sum(axis=0)
    assert table["per_label/tp"].tolist() == hits.tolist()
    f1 = 2 * hits / (assigned.sum(axis=0, dtype=int) + test.y.sum(axis=0, dtype=int))
    np.testing.assert_allclose(table["per_label/f1"], f1, atol=1e-12)


def test_curves_have_a_row_for_each_epoch(old: Client, network: Run) -> None:
    frame = reading.curves(old, [network.info.run_id])
    assert list(frame.columns) == ["run_id", "curve", "epoch", "value"]
    losses = frame[frame["curve"] == "curve/val_loss"]
    assert losses["epoch"].tolist() == list(range(1, len(losses) + 1))
    assert (reading.curves(old, []).columns == frame.columns).all()


def test_the_summary_of_a_trial_and_of_one_that_has_none(old: Client, network: Run) -> None:
    experiment = queries.find_experiment(old, "films")
    assert experiment is not None
    parents = [run for run in queries.heads(old, experiment, "trial") if run.data.tags["trial"] == "films/bce"]
    summary = reading.summary(old, parents[0])
    assert list(summary.columns) == ["metric", "mean", "low", "high"]
    metric = "test/half/macro_f1"
    row = summary.set_index("metric").loc[metric]
    assert row["low"] <= row["mean"] <= row["high"]
    assert reading.summary(old, network).empty
