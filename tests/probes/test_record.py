"""Observations are one run of the record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from halves import halves
from rarelabels.probes.probe import Observation
from rarelabels.probes.record import record
from rarelabels.record import connection, queries
from recorded_probes import only_run


def test_numbers_are_metrics_and_names_of_exceptions_are_in_the_table(where: str, tmp_path: Path) -> None:
    record([Observation(halves(), halves().expected)], where)
    client, run = only_run(where)
    assert run.info.run_name.startswith("keras ")
    assert run.data.metrics == {"probes": 1, "changed": 0, "probe/halves/half": 0.5}
    assert (run.data.tags["kind"], run.data.tags["changed"]) == ("probes", "")
    table = json.loads(
        Path(client.download_artifacts(run.info.run_id, "probes.json", str(tmp_path))).read_text("utf-8")
    )
    (row,) = (dict(zip(table["columns"], row, strict=True)) for row in table["data"])
    assert row["numbers"] == {"half": 0.5, "raised": "TypeError"}
    assert row["observed"] == "A half is 0.50 and raises TypeError."


def test_changed_probes_are_named(where: str) -> None:
    other = replace(halves(), name="other")
    record([Observation(one, {"half": 0.6, "raised": "TypeError"}) for one in (halves(), other)], where)
    _, run = only_run(where)
    assert (run.data.metrics["changed"], run.data.tags["changed"]) == (2, "halves, other")
    assert run.data.tags["notes"].count("the libraries have changed: ") == 2


def test_a_number_that_is_not_finite_is_recorded_as_such(where: str, tmp_path: Path) -> None:
    record([Observation(halves(), {"half": float("nan"), "raised": "TypeError"})], where)
    client, run = only_run(where)
    text = Path(client.download_artifacts(run.info.run_id, "probes.json", str(tmp_path))).read_text("utf-8")
    assert json.loads(text, parse_constant=pytest.fail)["data"][0][-1] == {"half": "nan", "raised": "TypeError"}


def test_what_cannot_be_recorded_fails_the_run(where: str) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        record([Observation(halves(), {"half": np.float32(0.5)})], where)
    client = connection.connect(where)
    (run,) = client.search_runs([queries.find_experiment(client, "probes")])
    assert run.info.status == "FAILED"
