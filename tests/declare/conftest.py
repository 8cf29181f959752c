"""A small project to declare trials in, and a folder with one parent to extend."""

from pathlib import Path

import pytest

import yaml_texts
from declared_trials import BASE, STUDY_BASE


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small project, which is the current folder."""
    for folder in ("conf", "experiments/movies", "experiments/clothes"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "conf/base.yaml").write_text(BASE)
    (tmp_path / "experiments/movies/_base.yaml").write_text(STUDY_BASE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def beside_a_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds the parent _base.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "_base.yaml").write_text(yaml_texts.BASE)
    return tmp_path
