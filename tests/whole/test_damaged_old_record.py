"""A record of 0.4.2 that is damaged: files without digests, a search that lost what it found, a database."""

from __future__ import annotations

import json
import re
from pathlib import Path

from damaged_record import change, cut, file_of
from old_record import unpack
from rarelabels.record import run_files


def test_a_record_without_digests_is_accepted_and_gets_them(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    out, _ = project.do("check")
    assert "films: 9 runs without digests of the files, as 0.4.2 made them" in out
    assert out.splitlines()[-1] == "all is well: 25 runs"
    scores = file_of(project, "run", "scores/test.parquet", "films/bce")
    kept = scores.read_bytes()
    cut(scores)  # even without digests
    assert "scores/test.parquet is cut or damaged" in project.do("check", "films", code=1)[0]
    scores.write_bytes(kept)
    assert "given" in project.do("check", "--repair")[0]
    assert "films/bce" in project.do("check")[0]  # its summary was made by another version
    project.do("run", "films", "table")  # which sums up anew
    assert project.do("check")[0] == "all is well: 25 runs\n"
    before = project.do("results", "films")[0]
    change(file_of(project, "trial", "summary.csv", "films/bce"))
    assert "summary.csv is not what was recorded" in project.do("check", code=1)[0]
    project.do("run", "films")
    assert project.do("check")[0] == "all is well: 25 runs\n"
    assert project.do("results", "films")[0] == before


def test_a_search_that_has_lost_what_it_found_is_concluded_again(tmp_path: Path) -> None:
    project = unpack(tmp_path)
    project.do("check", "--repair")
    (search,) = project.runs("search", "table/tuning")
    trial = search.data.tags["trial"]
    place = run_files.local_folder(search)
    assert place
    best = place / "best.json"
    kept = json.loads(best.read_text("utf-8"))
    best.unlink()
    _, err = project.do("run", "table")
    assert re.search(rf"skipped: {trial}: search of {trial} \(run \w+\): best.json is missing; .*`rarelabels run", err)
    project.do("run", trial)
    assert json.loads(best.read_text("utf-8")) == kept
    assert project.do("check", "table")[0].startswith("all is well")


def test_a_database_that_is_damaged_in_its_middle_is_said(tmp_path: Path) -> None:
    project = unpack(tmp_path / "old")
    file = project.folder / "runs" / "mlflow.db"
    with file.open("r+b") as database:
        database.seek(file.stat().st_size // 2 // 4096 * 4096)
        database.write(b"\xff" * 4096)
    out, _ = project.do("check", code=1)
    assert out.startswith(f"{file} is damaged (")
    assert out.count("\n") == 1
