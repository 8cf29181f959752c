"""Addresses of files in a record that was copied or moved."""

from __future__ import annotations

from pathlib import Path

from rarelabels.record import connection, mending, opening, run_files


def addresses(where: str) -> list[str]:
    client = connection.connect(where)
    runs = [run for one in client.read.experiments() for run in client.read.runs(one.experiment_id)]
    return [run.info.artifact_uri for run in runs]


def test_a_moved_record_is_mended_once(tmp_path: Path) -> None:
    old, new = tmp_path / "old" / "runs", tmp_path / "new" / "runs"
    client = connection.connect(f"sqlite:///{old}/mlflow.db")
    run = client.create_run(opening.open_experiment(client, "films")).info.run_id
    client.log_text(run, "one\n", "one.txt")
    where = f"sqlite:///{new}/mlflow.db"
    new.parent.mkdir()
    old.rename(new)
    assert mending.mend(where) == (f"{new}/mlflow.db: was made in {old} and is here now: its addresses are mended")
    assert all(address.startswith(f"file://{new}/") for address in addresses(where))
    assert run_files.file(connection.connect(where), run, "one.txt").read_text("utf-8") == "one\n"
    assert mending.mend(where) == ""


def test_what_is_no_local_record_or_not_there_needs_no_mending(tmp_path: Path) -> None:
    assert mending.mend("http://127.0.0.1:5000") == ""
    assert mending.mend(f"sqlite:///{tmp_path}/mlflow.db") == ""
    assert list(tmp_path.iterdir()) == []
