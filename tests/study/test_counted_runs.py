"""Of what is recorded, which runs count, and by which names they go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rarelabels.errors import UserError
from rarelabels.record import queries
from rarelabels.study import counted_runs
from small_record import Record, floor


def test_of_a_trial_the_definition_that_was_run_last_counts_and_overridden_runs_if_wanted(tmp_path: Path) -> None:
    record = Record(tmp_path)
    first = record.identity(floor("one"))
    anew = record.identity(floor("one", thresholds={"min_positives": 9}))
    changed = replace(record.identity(floor("one", thresholds={"min_positives": 7})), overrides="a=1")
    for identity in (first, anew, changed):
        record.task([identity])
    runs = counted_runs.recorded("tests", record.where)
    assert len([run for run in runs if run.data.tags["kind"] == "run"]) == 3
    (only,) = counted_runs.counted(runs, overridden=False)
    assert only.data.tags["fingerprint"] == anew.fingerprint
    assert counted_runs.key(only) == ("one", "", 0)
    both = counted_runs.counted(runs, overridden=True)
    assert [counted_runs.short_name(run) for run in both] == ["one", "one (a=1)"]


def test_of_two_runs_that_are_the_same_the_one_that_ended_first_counts(tmp_path: Path) -> None:
    record = Record(tmp_path)
    one = record.identity(floor("one"))
    (first,) = record.task([one])
    record.task([one])
    runs = queries.all_runs(record.client, record.experiment)
    assert len([run for run in runs if run.data.tags["kind"] == "run"]) == 2
    assert [run.info.run_id for run in counted_runs.counted(runs, overridden=False)] == [first.info.run_id]


def test_a_study_that_is_not_recorded_is_said_with_those_that_are(tmp_path: Path) -> None:
    record = Record(tmp_path)
    with pytest.raises(UserError, match=r"nothing is recorded of 'films' yet: `make films` runs it; there are: tests$"):
        counted_runs.recorded("films", record.where)
