"""Runs that were cut off are found by their owner and their lease."""

from __future__ import annotations

import time

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from rarelabels.record import queries


def test_a_run_that_ended_after_the_record_was_read_stays_as_it_ended(client: MlflowClient, run: Run) -> None:
    for key, value in (("owner", "elsewhere 1 1"), ("lease", "1")):
        client.set_tag(run.info.run_id, key, value)
    read = queries.heads(client, run.info.experiment_id)
    client.set_terminated(run.info.run_id, "FINISHED")
    assert queries.end_orphans(client, read) == []
    found = client.get_run(run.info.run_id)
    assert (found.info.status, "reason" in found.data.tags) == ("FINISHED", False)


@pytest.mark.parametrize(
    ("who", "after", "expected"), [("elsewhere 1 1", -1, "KILLED"), ("elsewhere 1 1", 60, "RUNNING")]
)
def test_a_run_of_another_machine_is_cut_off_when_its_lease_is_over(
    client: MlflowClient, run: Run, who: str, after: float, expected: str
) -> None:
    for key, value in (("owner", who), ("lease", f"{time.time() + after:.0f}")):
        client.set_tag(run.info.run_id, key, value)
    queries.end_orphans(client, queries.heads(client, run.info.experiment_id))
    found = client.get_run(run.info.run_id)
    assert found.info.status == expected
    assert ("cut off" in found.data.tags.get("reason", "")) == (expected == "KILLED")
