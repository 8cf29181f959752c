"""Which runs are left to do, which training they take, and how long they may take."""

from __future__ import annotations

from pathlib import Path

from rarelabels.record import opening, run_files
from rarelabels.study.plan import make_plan, seconds_ahead
from small_record import Record, floor, trial


def test_what_is_finished_is_not_planned_again_and_force_plans_it(tmp_path: Path) -> None:
    record = Record(tmp_path)
    one, other = record.identity(floor("one")), record.identity(floor("other", thresholds={"min_positives": 7}))
    plan = make_plan(record.client, "tests", [one, other], False)
    assert [len(task.runs) for task in plan.tasks] == [2], "they differ in rules alone: one training"
    assert (plan.finished, plan.seconds, plan.lost) == (0, None, [])
    assert seconds_ahead(plan, 2).startswith("tests: 2 runs to do (1 training: ")
    (made,) = record.task([one])
    plan = make_plan(record.client, "tests", [one, other], False)
    assert [(task.source, len(task.runs)) for task in plan.tasks] == [(made.info.run_id, 1)]
    assert plan.finished == 1
    forced = make_plan(record.client, "tests", [one, other], True)
    assert [(task.source, len(task.runs)) for task in forced.tasks] == [("", 2)]


def test_a_run_with_a_damaged_file_is_marked_and_planned_again(tmp_path: Path) -> None:
    record = Record(tmp_path)
    one = record.identity(floor("one"))
    (made,) = record.task([one])
    folder = run_files.local_folder(made)
    assert folder
    (folder / "thresholds.json").unlink()
    plan = make_plan(record.client, "tests", [one], False)
    assert len(plan.tasks) == 1
    (line,) = plan.lost
    assert line.endswith(": thresholds.json is missing; it is done again")
    assert record.client.get_run(made.info.run_id).info.status == "FAILED"


def test_who_has_lost_the_scores_of_every_epoch_is_no_source_of_who_picks_one(tmp_path: Path) -> None:
    """The copies of a training are whole, and lead to epochs that are gone."""
    record, every = Record(tmp_path), {"every_epoch": True}
    kept, last, loss = (
        record.identity(trial(name, training=every, picked_by=by))
        for name, by in (("kept", None), ("last", "last"), ("loss", "val_loss"))
    )
    made = record.task([kept, last])

    def sources() -> list[str]:
        return [task.source for task in make_plan(record.client, "tests", [kept, last, loss], False).tasks]

    assert sources() == [made[0].info.run_id]
    folder = run_files.local_folder(made[0])
    assert folder
    (folder / opening.EPOCHS).unlink()
    assert sources() == [""]  # of the one that was lost, and of the one that picks
    lost = record.client.get_run(made[0].info.run_id)
    assert (lost.info.status, lost.data.tags["reason"]) == ("FAILED", "damaged: scores/epochs.npz is missing")
