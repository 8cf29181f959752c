"""What is published: small files, all or none, that say where their numbers come from."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from old_record import unpack
from project import Project
from rarelabels.errors import UserError
from rarelabels.study import publishing


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def films(project: Project) -> Path:
    """What the command publishes of ``films``."""
    out, err = project.do("publish", "films", "--to", "results")
    assert out.startswith("results/films: ")
    assert not [line for line in err.splitlines() if "not published" in line and "seed" in line], err
    return project.folder / "results" / "films"


def test_about_says_where_the_numbers_come_from(films: Path) -> None:
    about = json.loads((films / "about.json").read_text("utf-8"))
    assert about["rarelabels"] == ["0.4.2"]
    assert about["runs"] == pd.read_parquet(films / "runs.parquet")["run_id"].nunique()
    assert about["versions"]["threads"] == ["1"]
    assert about["data"][0]["kind"]
    assert set(about["data"][0]["rows"]) >= {"train", "validation", "test"}
    assert sorted(about["files"]) == sorted(file.name for file in films.iterdir() if file.suffix == ".parquet")
    assert about["first_run"] <= about["last_run"] <= about["published"]


def test_no_id_of_a_row_and_no_score_is_published(films: Path) -> None:
    names = {column for file in films.glob("*.parquet") for column in pd.read_parquet(file).columns}
    assert not names & {"id", "ids"}
    assert [name for name in names if name.startswith(("score/", "true/"))] == []


def test_a_study_without_runs_is_refused_and_nothing_is_written(project: Project) -> None:
    _, err = project.do("publish", "nothing", "--to", "elsewhere", code=2)
    assert "nothing" in err
    assert len(err.strip().splitlines()) == 1
    assert not (project.folder / "elsewhere").exists()


def test_what_cannot_be_written_leaves_what_was_there(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {file.name: file.read_bytes() for file in films.iterdir()}

    def full(path: Path, content: bytes) -> int:  # as a full disk does, at the second file
        if path.name == "b":
            raise OSError(28, "No space left on device")
        return len(content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            publishing._replace(films, {"a": b"", "b": b""})
    assert {file.name: file.read_bytes() for file in films.iterdir()} == before
    assert [path.name for path in films.parent.iterdir()] == ["films"]


def test_whole_results_are_not_replaced_by_a_part(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the published results, and ran one seed, keeps them."""
    to = project.folder / "kept"
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(publishing.standing, "missing", lambda *_: [])
    publishing.publish("films", project.record, to)
    before = (to / "films" / "about.json").read_bytes()
    monkeypatch.setattr(publishing.standing, "missing", lambda *_: ["bce: not run with seeds 1"])
    with pytest.raises(UserError, match=r"kept/films: holds the whole study, .* \(bce: not run with seeds 1\)"):
        publishing.publish("films", project.record, to)
    assert (to / "films" / "about.json").read_bytes() == before


def test_a_file_that_is_in_the_way_is_one_line(project: Project, films: Path) -> None:
    (project.folder / "taken").write_text("", "utf-8")
    _, err = project.do("publish", "films", "--to", "taken", code=2)
    assert "taken/films: cannot be written" in err


def test_a_large_table_is_cut_into_files_in_the_order_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"value": np.random.default_rng(0).random(20_000), "label": "x"})
    monkeypatch.setattr(publishing, "LARGEST", 20_000)
    files = dict(publishing._files("curves", frame))
    assert list(files) == [f"curves-{number}.parquet" for number in range(1, len(files) + 1)]
    assert max(map(len, files.values())) <= 20_000
    rows = pd.concat([pd.read_parquet(io.BytesIO(content)) for content in files.values()])
    assert rows["value"].to_numpy() == pytest.approx(frame["value"].to_numpy(), rel=1e-6)


def test_the_digest_knows_what_is_declared_and_not_how_it_is_told(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    (root / "sim").mkdir(parents=True)
    trial = root / "sim" / "bce.yaml"
    text = (
        "question: Which loss is best?\nthread: none\nseeds: [0]\n"
        "dataset: {kind: simulated, rows: 300, features: 4, labels: 3, prevalence: 0.2}\n"
        "model: {kind: mlp, hidden: [4]}\nloss: {kind: bce}\nweighting: {kind: none}\n"
        "training: {epochs: 2, batch_size: 64, learning_rate: 1.0e-2}\nthresholds: {min_positives: 5}\n"
    )
    trial.write_text(text, "utf-8")
    first = publishing.digest("sim", root)
    trial.write_text("# A comment.\n" + text, "utf-8")
    assert publishing.digest("sim", root) == first
    trial.write_text(text.replace("seeds: [0]", "seeds: [0, 1]"), "utf-8")
    assert publishing.digest("sim", root) != first
    trial.write_text(text.replace("epochs: 2", "epochs: 3"), "utf-8")
    assert publishing.digest("sim", root) != first
