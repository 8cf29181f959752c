"""A small project to declare trials in."""

from pathlib import Path

import pytest

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
