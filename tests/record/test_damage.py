"""Files of finished runs that are missing or damaged, and what is done about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.errors import UserError
from rarelabels.record import damage
from rarelabels.record.client import Client
from rarelabels.record.digests import DIGEST
from rarelabels.record.entities import Run
from rarelabels.record.run_files import local_folder
from rarelabels.record.writing import Record


@pytest.fixture
def finished(client: Client, run: Run) -> tuple[Run, Path]:
    """A run of another kind with one file, and the folder of its files."""
    record = Record(client, run.info.run_id)
    record.tags({"kind": "judged"})
    record.text("one.txt", "one\n")
    record.finish()
    found = client.run(run.info.run_id)
    folder = local_folder(found)
    assert folder is not None
    return found, folder


def test_whole_files_are_no_fault_and_missing_or_changed_ones_are(client: Client, finished: tuple[Run, Path]) -> None:
    run, folder = finished
    assert DIGEST + "one.txt" in run.data.tags
    assert damage.faults(client, run) == {}
    (folder / "one.txt").write_text("two\n", "utf-8")
    assert damage.faults(client, run) == {"one.txt": "is not what was recorded"}
    (folder / "one.txt").unlink()
    assert damage.faults(client, run, deep=False) == {"one.txt": "is missing"}


def test_without_the_folder_of_all_files_no_run_is_blamed(client: Client, finished: tuple[Run, Path]) -> None:
    run, folder = finished
    root = folder.parents[1]
    root.rename(root.with_name("away"))
    try:
        with pytest.raises(UserError, match=r"the files of the record are not there; mount that folder"):
            damage.faults(client, run)
    finally:
        root.with_name("away").rename(root)


def test_a_condemned_run_has_failed_and_says_for_which_file(client: Client, finished: tuple[Run, Path]) -> None:
    run, _ = finished
    damage.condemn(client, run, {"one.txt": "is missing"})
    now = client.run(run.info.run_id)
    assert (now.info.status, now.data.tags["reason"]) == ("FAILED", "damaged: one.txt is missing")
    assert now.info.end_time == run.info.end_time
    assert damage.is_condemned(now)
    assert not damage.is_condemned(run)
    client.set_tag(run.info.run_id, "reason", "ValueError: damaged: something else")
    assert not damage.is_condemned(client.run(run.info.run_id))


def test_a_run_of_an_older_version_gets_digests_of_its_files(client: Client, run: Run, tmp_path: Path) -> None:
    (tmp_path / "thresholds.json").write_text("{}", "utf-8")
    client.log_artifacts(run.info.run_id, str(tmp_path))
    client.set_tag(run.info.run_id, "kind", "run")
    found = client.run(run.info.run_id)
    assert damage.lacks_digests(found)
    assert "thresholds.json" not in damage.faults(client, found)
    damage.give_digests(client, found)
    assert DIGEST + "thresholds.json" in client.run(run.info.run_id).data.tags


def test_what_is_forgotten_of_a_trial_is_made_anew(client: Client, run: Run) -> None:
    tags = {"kind": "trial", "summed_up": "stamp", "seeds": "0,1", "drawn": "all", "pictures": "2"}
    tags |= {DIGEST + "summary.csv": "x 1", DIGEST + "figures/a.png": "y 2", DIGEST + "other.txt": "z 3"}
    Record(client, run.info.run_id).tags(tags)
    damage.forget(client, client.run(run.info.run_id), ["summary.csv", "figures/a.png"])
    left = client.run(run.info.run_id).data.tags
    assert {"summed_up", "seeds", DIGEST + "summary.csv", DIGEST + "figures/a.png"}.isdisjoint(left)
    assert (left["drawn"], left["pictures"], left[DIGEST + "other.txt"]) == ("", "", "z 3")
