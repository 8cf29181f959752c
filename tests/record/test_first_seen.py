"""When hypotheses and trials were first seen, by the tags and times of runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rarelabels.declare.first_seen import NOTHING_SEEN
from rarelabels.record import connection, damage, first_seen, opening, queries
from rarelabels.record.entities import Run, RunData, RunInfo
from rarelabels.study.runner import Task, run
from small_record import Record, floor

FORM, OTHER = "0123456789ab", "ba9876543210"


def at(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def made(began: int, trial: str = "bce", status: str = "FINISHED", kind: str = "run", **tags: str) -> Run:
    known = {"kind": kind, "trial": f"films/{trial}", "variant": "", "overrides": ""}
    info = RunInfo(f"{trial} {began}", "0", trial, status, began, began + 9, "")
    return Run(info, RunData({}, {}, known | {key.replace("_", ".", 1): text for key, text in tags.items()}))


def test_nothing_is_seen_in_an_empty_record() -> None:
    assert first_seen.of([]) == NOTHING_SEEN


def test_each_form_is_seen_with_its_first_run_of_any_trial_in_any_order() -> None:
    runs = [
        made(30, hypothesis_claim=OTHER),
        made(20, "focal", hypothesis_claim=FORM, hypothesis_more=FORM),
        made(10, hypothesis_claim=FORM),
    ]
    for order in (runs, runs[::-1]):
        found = first_seen.of(order)
        assert found.hypotheses == {"claim": {FORM: at(10), OTHER: at(30)}, "more": {FORM: at(20)}}
        assert found.trials == {"bce": at(10), "focal": at(20)}


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "KILLED"])
def test_a_run_that_does_not_finish_shows_a_form_and_is_no_look_at_its_trial(status: str) -> None:
    found = first_seen.of([made(10, status=status, hypothesis_claim=FORM), made(20)])
    assert (found.hypotheses, found.trials) == ({"claim": {FORM: at(10)}}, {"bce": at(20)})


def test_a_run_with_other_settings_or_of_a_variant_is_a_look() -> None:
    assert first_seen.of([made(10, overrides="seeds=[1]"), made(20)]).trials == {"bce": at(10)}
    assert first_seen.of([made(10, variant="loss.gamma=2"), made(20)]).trials == {"bce": at(10)}


@pytest.mark.parametrize("kind", ["trial", "study", "refit", "judged", "search", "tried"])
def test_other_kinds_of_runs_are_no_runs_of_a_trial(kind: str) -> None:
    assert first_seen.of([made(10, kind=kind, hypothesis_claim=FORM)]) == NOTHING_SEEN


def test_a_tag_that_holds_no_digest_says_nothing() -> None:
    strange = {"hypothesis_claim": "of another version", "hypothesis_more": FORM + "\n", "hypothesis_": FORM}
    assert first_seen.of([made(10, **strange)]).hypotheses == {}


def test_a_real_run_is_seen_when_it_began_and_stays_seen_once_its_files_are_damaged(tmp_path: Path) -> None:
    record = Record(tmp_path)
    identity = record.identity(floor("prior"))
    parent = opening.open_parent(record.client, record.experiment, identity).run_id
    run(Task(record.experiment, ((identity, parent),), (), {"claim": FORM}), record.where, lambda _: None)
    (one,) = queries.heads(record.client, record.experiment, "run")
    found = first_seen.of(queries.heads(record.client, record.experiment))
    assert found.hypotheses == {"claim": {FORM: at(one.info.start_time)}}
    assert found.trials == {"prior": at(one.info.start_time)}
    assert abs(datetime.now(UTC) - found.trials["prior"]) < timedelta(minutes=5)

    damage.condemn(record.client, one, {"thresholds.json": "is missing"})
    (condemned,) = queries.heads(connection.connect(record.where), record.experiment, "run")
    assert condemned.info.status == "FAILED"
    assert first_seen.of([condemned]) == found
