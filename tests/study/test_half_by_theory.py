"""What theory predicts of decisions at 0.5, against numbers worked out from the scores."""

from __future__ import annotations

import pytest

from rarelabels.compare import comparison
from rarelabels.judging import metrics
from rarelabels.record import queries, reading
from rarelabels.study import half_by_theory, summary
from rarelabels.study.summary import SummaryTask
from small_record import Record, floor, trial


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory):
    """Plain binary cross-entropy, focal loss with alpha 0.25, label smoothing of another net, and a floor."""
    record = Record(tmp_path_factory.mktemp("record"))
    trials = [
        trial("plain"),
        trial("focal", loss={"kind": "binary_focal", "gamma": 0.0, "alpha": 0.25}),
        trial("other", training={"epochs": 1}, loss={"kind": "binary_focal", "gamma": 0.0, "alpha": 0.25}),
        floor("floor"),
    ]
    identities = [record.identity(one) for one in trials]
    record.do(identities)
    for one in identities:
        parent, children = record.family(one)
        summary.sum_up(record.where, SummaryTask(parent, children, "stamp"), print)
    runs = queries.all_runs(record.client, record.experiment)
    (compared,) = comparison.compare(
        record.client, runs, {one.parent_key: one.trial.short_name for one in identities}, []
    )
    return record, runs, half_by_theory.half_by_theory(record.client, compared, runs, identities)


def test_only_losses_with_a_map_and_a_plain_twin_are_in_it(table) -> None:
    assert list(table[2]["trial"]) == ["focal"], "the other net has no twin, and the floor no loss"


def test_alpha_of_a_quarter_moves_one_half_to_three_quarters(table) -> None:
    record, runs, frame = table
    row = frame.iloc[0]
    assert row["threshold"] == pytest.approx(0.75)
    by_name = {run.data.tags["trial"]: run for run in runs if run.data.tags["kind"] == "run"}
    plain = by_name["tests/plain"]
    part = reading.scores(record.client, plain.info.run_id, "test")
    predicted = metrics.decision_metrics(part.y, part.scores >= 0.75)["macro_f1"]
    assert row["predicted"] == pytest.approx(predicted)
    assert row["plain"] == pytest.approx(plain.data.metrics["test/half/macro_f1"])
    assert row["measured"] == pytest.approx(by_name["tests/focal"].data.metrics["test/half/macro_f1"])
