"""Files of runs, wherever the record keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.record import connection, moved, queries, run_files


@pytest.mark.parametrize("record", ["filled", "server"])
def test_files_of_a_run_are_found_and_read(record: str, request: pytest.FixtureRequest) -> None:
    client = connection.connect(request.getfixturevalue(record))
    experiment = queries.find_experiment(client, "filled/tuning")
    run = queries.heads(client, experiment)[0].info.run_id
    assert run_files.file_names(client, run) == {"one.txt", "scores"}
    assert run_files.file(client, run, "one.txt").read_text("utf-8") == "one\n"
    assert (run_files.file(client, run, "scores") / "deep" / "two.txt").read_text("utf-8") == "two\n"
    assert run_files.file(client, run, "scores/deep/two.txt").read_text("utf-8") == "two\n"
    with pytest.raises(run_files.DamagedError, match=r"none\.txt is missing"):
        run_files.file(client, run, "none.txt")
    with pytest.raises(LookupError, match="is not in the record"):
        run_files.file(client, "0" * 32, "one.txt")


def test_files_in_another_store_are_found_by_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"sqlite:///{tmp_path}/mlflow.db"
    client = connection.connect(where)
    run = client.create_run(client.create_experiment("elsewhere", (tmp_path / "files").as_uri())).info.run_id
    client.log_text(run, "one\n", "one.txt")
    monkeypatch.setattr(moved, "path_of", lambda _: None)
    assert run_files.file_names(client, run) == {"one.txt"}
    assert run_files.file(client, run, "one.txt").read_text("utf-8") == "one\n"
