"""All studies are run and published, each once; what is published stays published without its record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import everything
import rarelabels as rl

FLOOR = """question: How far does a floor get?
thread: beyond the threads
dataset: {kind: simulated, rows: 300, features: 4, labels: 3, prevalence: 0.2}
model: {kind: floor, predicts: prior}
loss: {kind: bce}
weighting: {kind: none}
training: {epochs: 1, batch_size: 64, learning_rate: 1.0e-2}
thresholds: {min_positives: 5}
seeds: [0, 1]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "experiments" / "sim").mkdir(parents=True)
    (tmp_path / "experiments" / "sim" / "floor.yaml").write_text(FLOOR, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.mark.long
def test_a_study_is_run_and_published_once(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert everything.main([]) == 0
    assert "sim: never run" in capfd.readouterr().out
    assert set(rl.Study("sim", published="docs/results").runs()["seed"]) == {0, 1}
    shutil.rmtree(folder / "runs")
    assert everything.main(["sim"]) == 0
    assert "sim: published as it is declared" in capfd.readouterr().out
    assert not (folder / "runs").exists()
    trial = folder / "experiments" / "sim" / "floor.yaml"
    trial.write_text(FLOOR.replace("[0, 1]", "[0, 1, 2]"), "utf-8")
    assert everything.main(["sim"]) == 0
    assert set(rl.Study("sim", published="docs/results").runs()["seed"]) == {0, 1, 2}


def test_a_study_that_is_not_whole_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []

    def command(*arguments: str) -> int:
        asked.append(arguments)
        about = {"format": 1, "title": "", "question": "", "bounds": [], "files": []}
        about |= {"digest": everything.publishing.digest("sim", folder / "experiments"), "missing": ["floor: seed 1"]}
        (folder / "docs" / "results" / "sim").mkdir(parents=True, exist_ok=True)
        (folder / "docs" / "results" / "sim" / "about.json").write_text(json.dumps(about), "utf-8")
        return 0

    monkeypatch.setattr(everything, "command", command)
    assert everything.main(["sim"]) == 1
    assert "sim: not whole; the same command goes on" in capsys.readouterr().err
    assert [one[0] for one in asked] == ["run", "publish"]


def test_an_unknown_study_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert everything.main(["sum"]) == 2
    assert capsys.readouterr().err == "everything: no trial or study 'sum' under experiments/; did you mean 'sim'?\n"
