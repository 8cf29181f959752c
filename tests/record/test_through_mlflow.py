"""Where no reader of ours can read, MLflow's client gives the same."""

from __future__ import annotations

import time

import pytest

import filled_record
from rarelabels.record import client
from rarelabels.record.through_mlflow import ThroughMlflow


def test_it_reads_what_a_reader_of_ours_reads(filled: str) -> None:
    read, ours = ThroughMlflow(filled), client.reader(filled)
    experiment = ours.experiment("rarelabels/filled/tuning")
    assert experiment is not None
    assert read.experiment("rarelabels/filled/tuning") == experiment
    assert [one.name for one in read.experiments()] == [one.name for one in ours.experiments()]
    for kind in ("", "run", "trial"):
        expected = ours.runs(experiment, kind, with_metrics=True)
        assert [filled_record.shown(run) for run in read.runs(experiment, kind)] == [
            filled_record.shown(run) for run in expected
        ]
    run = ours.runs(experiment, "run")[0].info.run_id
    assert read.tags(run) == ours.tags(run)
    assert read.artifact_uri(run) == ours.artifact_uri(run)
    points = filled_record.points(read.histories(run, "curve/"))
    assert points == filled_record.points(ours.histories(run, "curve/"))
    assert [one.info.run_id for one in read.running([experiment])] == [
        one.info.run_id for one in ours.running([experiment])
    ]


def test_it_never_says_that_a_record_is_begun(filled: str) -> None:
    """MLflow makes what is not there, so who wants to read first has to open it."""
    assert not ThroughMlflow(filled).is_begun()


def test_the_time_of_a_file_is_that_of_this_machine(filled: str) -> None:
    assert ThroughMlflow(filled).now() == pytest.approx(time.time(), abs=5)
