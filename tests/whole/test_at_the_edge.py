"""What is seldom tried: a record that stands still, a full disk, files that change meanwhile, several commands at once.

Labels have the names that a stranger's table may have.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest
import requests

import mlflow_page
from browser import browser
from browser import page as opened_page
from mlflow_server import MlflowServer
from old_record import unpack
from postgres import Postgres
from project import Answer, Project, command, wait_for
from rarelabels.record import writing
from rarelabels.study import runner, selection

FLOOR = ("run", "films/floor_prior")
STILL_SECONDS = 20.0  # by hand it was 90
HOSTILE = (
    *("<script>window.hacked = 1</script>", '<img src=x onerror="window.hacked=1">', '"quo\'te"', "$x^2$ \\frac{"),
    *(
        "a very long name " * 12,
        "../../../etc/passwd",
        "[red]bold[/red]",
        "line\u2028like",
        "{{ 7 * 7 }} {% if %}",
        "%s %d",
    ),
)


def statuses(project: Project, study_name: str = "films") -> Counter[str]:
    return Counter(run.info.status for run in project.runs("run", study_name))


def check_failure(answer: Answer) -> None:
    """It ended with a line or two that say what the matter is."""
    assert answer.code in (1, 2), answer.err
    assert "Traceback" not in answer.err
    assert "No space left" in answer.err or "cannot grow" in answer.err or "full" in answer.err, answer.err
    assert max(map(len, answer.err.splitlines())) < 900


# A record that stands still


@pytest.mark.long
@pytest.mark.parametrize("kind", ["server", "database"])
def test_a_record_that_stands_still_while_runs_end_loses_nothing(tmp_path: Path, kind: str) -> None:
    """It is stopped, not killed: connections stay open, and nobody answers."""
    project = unpack(tmp_path / "project")
    with Postgres() as postgres:
        database = postgres.create("mlflow")
        with MlflowServer(tmp_path / "server") if kind == "server" else nullcontext() as server:
            project.environment["MLFLOW_TRACKING_URI"] = server.url if server else database
            stopped = server or postgres
            process = project.start(*FLOOR, "--seeds", ",".join(map(str, range(6))))
            wait_for(lambda: sum(statuses(project).values()) >= 2, 300)
            stopped.stand_still()
            time.sleep(STILL_SECONDS)
            stopped.go_on()
            _, err = process.communicate(timeout=900)
            assert process.returncode == 0, err
            assert statuses(project)["FINISHED"] == 6
            assert statuses(project)["RUNNING"] == 0
            assert "6 finished before" in project.do(*FLOOR, "--seeds", ",".join(map(str, range(6))))[1]


# A full disk


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Project]:
    """A project whose record is on a disk of its own, of 48 MB."""
    project = unpack(tmp_path)
    (tmp_path / "runs").rename(tmp_path / "packed")
    (tmp_path / "runs").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(tmp_path / "runs")]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        shutil.copytree(tmp_path / "packed", tmp_path / "runs", dirs_exist_ok=True)
        yield project
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path / "runs")], check=True)


def fill(folder: Path, but: int) -> Path:
    """Fill a disk but for some bytes."""
    filler = folder / "filler"
    filler.write_bytes(b"x" * (shutil.disk_usage(folder).free - but))
    return filler


@pytest.mark.long
def test_a_disk_that_is_full_ends_every_command_in_a_line_and_then_they_go_on(
    small: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In training, summing up, a search, the report and the registration of a model, whichever meets it."""
    monkeypatch.setattr(writing, "PATIENCE_HERE", 1.0)
    monkeypatch.setattr(writing, "PAUSE_SECONDS", 0.1)
    runs = small.folder / "runs"
    for place, free in enumerate((0, 400_000)):
        commands = (
            ("run", "films/floor_prior", "films/bce", "--seeds", str(2 + place)),
            ("run", "table/tuned", "--set", f"tuning.n_trials={5 + place}"),
            ("best", "films", "--metric", f"{('half', 'global')[place]}/micro_f1"),
            ("report",),
        )
        for one in commands:
            filler = fill(runs, free)
            answer = command(small.folder, *one, environment=small.environment)
            if answer.code:
                check_failure(answer)
            else:  # it had little to write
                assert free
            filler.unlink()
            small.do(*one)
            assert not list(runs.rglob("*.part"))
    finished = [run.data.tags for run in small.runs("run", "films") if run.info.status == "FINISHED"]
    assert {(tags["trial"], tags["seed"]) for tags in finished} >= {
        (f"films/{trial}", seed) for trial in ("floor_prior", "bce") for seed in "0123"
    }


# What changes meanwhile


@pytest.fixture
def old(tmp_path: Path) -> Project:
    return unpack(tmp_path)


def after_the_first(monkeypatch: pytest.MonkeyPatch, do) -> None:
    """Do something once the first run of a study has ended."""
    real, done = runner.run, list[int]()

    def run(*arguments):
        answer = real(*arguments)
        if not done:
            done.append(1)
            do()
            selection._data.cache_clear()
        return answer

    monkeypatch.setattr(runner, "run", run)


@pytest.mark.long
def test_a_table_that_changes_while_a_study_runs_is_no_table_of_that_study(
    old: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = old.folder / "table.csv"
    before = table.read_bytes()
    after_the_first(monkeypatch, lambda: table.write_bytes(b"".join(before.splitlines(keepends=True)[:-3])))
    _, err = old.do("run", "table/linear", "--seeds", "5,6", code=1)
    (line,) = [line for line in err.splitlines() if line.startswith("FAILED")]
    assert "the data or the versions of the libraries" in line
    table.write_bytes(before)
    monkeypatch.undo()
    assert "table: 1 run to do, 1 finished before" in old.call("run", "table/linear", "--seeds", "5,6")[1]


def test_a_declaration_that_is_broken_while_its_study_runs_is_said_at_the_end_and_no_run_is_lost(
    old: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = old.folder / "experiments" / "films" / "focal.yaml"
    before = declared.read_text("utf-8")
    after_the_first(monkeypatch, lambda: declared.write_text("lost: {gama: 2", "utf-8"))
    _, err = old.do(*FLOOR, "--seeds", "5,6", code=2)
    assert "experiments/films/focal.yaml" in err.splitlines()[-1]
    declared.write_text(before, "utf-8")
    monkeypatch.undo()
    assert "films: 0 runs to do, 2 finished before" in old.do(*FLOOR, "--seeds", "5,6")[1]


def test_a_prediction_is_that_of_the_registered_model_whatever_has_become_of_table_and_declaration(
    old: Project,
) -> None:
    before, _ = old.do("predict", "table", "new.csv")
    (old.folder / "table.csv").unlink()
    declared = old.folder / "experiments" / "table" / "_base.yaml"
    declared.write_text(declared.read_text("utf-8").replace('"what: it says"', '"another: text"'), "utf-8")
    assert old.do("predict", "table", "new.csv")[0] == before


def test_a_search_with_fewer_trials_than_it_had_is_finished(old: Project) -> None:
    searched = len(old.runs("tried", "table/tuning"))
    declared = old.folder / "experiments" / "table" / "tuned.yaml"
    declared.write_text(declared.read_text("utf-8").replace("n_trials: 4", "n_trials: 2"), "utf-8")
    _, err = old.do("run", "table/tuned")
    assert "search of table/tuned: 0 of 2 trials to do, 2 done before" in err
    assert "table: 0 runs to do, 2 finished before" in err
    assert len(old.runs("tried", "table/tuning")) == searched == 4


# Several at once


@pytest.mark.long
def test_a_run_the_best_a_report_and_the_page_at_once(old: Project) -> None:
    with mlflow_page.served(old) as links:
        commands = (
            (*FLOOR, "--seeds", "0,1,5,6"),
            ("run", "films/focal", "--seeds", "0,1,5"),
            ("best", "films", "--metric", "half/micro_f1"),
            ("report", "films"),
            ("results", "films"),
        )
        processes = [old.start(*one) for one in commands]
        for one, process in zip(commands, processes, strict=True):
            _, err = process.communicate(timeout=900)
            assert process.returncode == 0, (one, err)
            assert "Traceback" not in err
        assert requests.get(links["films"].partition("/#")[0], timeout=60).ok
    assert set(statuses(old)) == {"FINISHED"}
    for one in (("run", "films"), ("report", "films")):  # a summary that was made beside a run is made again
        old.do(*one)
    _, err = old.do(*commands[0])
    assert "films: 0 runs to do, 4 finished before" in err


# Names


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A study of a table whose labels have odd names."""
    project = unpack(tmp_path_factory.mktemp("hostile"))
    with (project.folder / "odd.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", *HOSTILE])
        for row in range(300):
            ones = [int((row * (place + 3)) % 7 < 3) for place in range(len(HOSTILE))]
            writer.writerow([row, " ".join(f"w{place}" for place, one in enumerate(ones) if one) or "none", *ones])
    folder = project.folder / "experiments" / "odd"
    folder.mkdir()
    labels = json.dumps({"columns": list(HOSTILE)})
    (folder / "_base.yaml").write_text(
        "extends: ../../conf/base.yaml\n"
        f"dataset: {{kind: table, path: ../../odd.csv, labels: {labels}, text: [text], id: id}}\n"
        "training: {epochs: 1, batch_size: 32, learning_rate: 1.0e-2, execution: plain}\nseeds: [0, 1]\n"
        "question: What becomes of names?\nthread: beyond the threads\n",
        "utf-8",
    )
    for name, model in (("floor", "{kind: floor, predicts: prior}"), ("linear", "{kind: linear}")):
        (folder / f"{name}.yaml").write_text(f"extends: _base.yaml\nmodel: {model}\n", "utf-8")
    shutil.copy(project.folder / "experiments" / "films" / "study.yaml", folder)
    (folder / "study.yaml").write_text(
        "title: Odd <b>names</b>\nquestion: What becomes of names?\nthread: beyond the threads\n", "utf-8"
    )
    project.do("run", "odd")
    return project


def test_odd_names_of_labels_come_out_as_they_went_in(hostile: Project) -> None:
    assert "linear" in hostile.do("results", "odd")[0]
    hostile.do("best", "odd")
    rows = pd.read_csv(hostile.folder / "odd.csv", nrows=5)
    rows.to_csv(hostile.folder / "few.csv", index=False)
    out, _ = hostile.do("predict", "odd", "few.csv")
    head = next(csv.reader(io.StringIO(out)))
    assert [name for name in head if name.startswith("probability/")] == [f"probability/{name}" for name in HOSTILE]
    assert not list(hostile.folder.parent.rglob("passwd"))


@pytest.mark.long
def test_odd_names_do_nothing_on_the_pages(hostile: Project) -> None:
    hostile.do("report", "odd")
    with browser() as chromium, opened_page(chromium, width=1280) as (page, watch):
        page.goto((hostile.folder / "runs" / "report.html").as_uri())
        text = page.locator("body").inner_text()
        assert "Odd <b>names</b>" in text
        assert page.evaluate("typeof window.hacked") == "undefined"
        assert watch.problems == []
        assert {url.partition(":")[0] for url in watch.requests} <= {"file", "data"}
    with mlflow_page.served(hostile) as links, browser() as chromium, opened_page(chromium) as (page, watch):
        mlflow_page.open_study(page, links["odd"])
        mlflow_page.unfold(page, "linear")
        page.get_by_role("link", name="seed 1").click()
        page.get_by_role("tab", name="Artifacts").click()
        page.get_by_text("per_label.csv").first.click()
        page.get_by_text("window.hacked").first.wait_for()
        assert page.evaluate("typeof window.hacked") == "undefined"
        assert watch.unexpected(mlflow_page.NOISE) == []
