"""What single runs hold: which of them count, their curves, scores, rules and tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from old_record import unpack
from rarelabels.judging import evaluation, scores
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.record import connection, outbox, queries, reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run, RunData, RunInfo
from rarelabels.record.writing import Record


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


NAMES = (
    "1.0",
    "1",
    "10",
    "0010",
    "7",
    "07",
    "NA",
    "null",
    "None",
    "nan",
    "true",
    "1e5",
    "a\rb",
    'x "y"',
    "#N/A",
    "a,b",
)


def test_labels_that_look_like_numbers_or_nothing_come_back_as_they_were(
    client: Client, run: Run, tmp_path: Path
) -> None:
    """``1.0`` and ``1``, ``7`` and ``07`` are labels of their own, whatever a reader of CSV would make of them."""
    rng, run_id = np.random.default_rng(0), run.info.run_id
    y = (rng.random((60, len(NAMES))) < 0.3).astype(np.uint8)
    ids = np.array([f"{row:03d}" for row in range(60)])
    part = Scores(ids, y, np.clip(0.4 * y + 0.6 * rng.random(y.shape), 0, 1))
    measured = evaluation.evaluate(NAMES, part, part, evaluation.floors(y.mean(axis=0)), ThresholdSpec())
    told = Record(client, run_id, outbox.of_run(tmp_path / "box", str(client.tracking_uri), run_id))
    with told.folder() as folder:
        measured.save(folder)
        scores.save_scores(folder / "scores", NAMES, part, part)
    told.finish()
    assert reading.labels(client, run_id) == NAMES
    pd.testing.assert_frame_equal(reading.per_label(client, run_id), measured.per_label, check_dtype=False)
    labels, validation, _ = reading.raw_scores(client, run_id)
    assert labels == NAMES
    assert validation.ids.tolist() == ids.tolist()
    np.testing.assert_array_equal(
        reading.rules(client, run_id)["per_label"].thresholds, measured.rules["per_label"].thresholds
    )
