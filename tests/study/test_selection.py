"""From names to runs: trials, variants and seeds; what is skipped, and why; overrides."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from old_record import unpack
from project import Project
from rarelabels.errors import MissingDataError, NotSearchedError, UserError
from rarelabels.study import selection


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = unpack(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    selection._data.cache_clear()
    selection._digest.cache_clear()
    return project


def names(selected: selection.Selection) -> list[tuple[str, int]]:
    return [(one.trial.name, one.seed) for one in selected.identities]


def test_a_study_is_all_its_trials_and_seeds_and_its_data_are_described_once(old: Project) -> None:
    selected = selection.identify(["films"], {})
    trials = ("bce", "floor_prior", "focal")
    assert names(selected) == [(f"films/{trial}", seed) for trial in trials for seed in (0, 1)]
    assert selected.skipped == {}
    (line,) = selected.data
    assert line.startswith("movies: ")
    assert names(selection.identify(["films/bce"], {}, (5,))) == [("films/bce", 5)]


def test_overrides_are_kept_with_the_trials_that_they_change(old: Project) -> None:
    bce, floor = selection.load(["films/bce", "films/floor_prior"], {"thresholds.min_positives": 9})
    assert (bce.overrides, floor.overrides) == ("thresholds.min_positives=9",) * 2
    (same,) = selection.load(["films/bce"], {"seeds": [0]})
    assert same.overrides == "", "seeds change no run"
    assert selection.load(["films/bce"], {})[0].overrides == ""


def test_a_tuned_trial_has_the_values_of_its_search_or_is_skipped(old: Project) -> None:
    (old.folder / "experiments" / "table" / "tuned.yaml").read_text("utf-8")
    with pytest.raises(NotSearchedError, match=r"table/tuned: its search|table/tuned: not searched yet"):
        selection.identify(["table/tuned"], {"tuning.n_trials": 99})
    selected = selection.identify(["table"], {"tuning.n_trials": 99})
    assert list(selected.skipped) == ["table/tuned"]
    assert "`rarelabels run table/tuned` searches" in selected.skipped["table/tuned"]


def test_without_its_data_a_trial_is_skipped_and_alone_it_is_an_error(old: Project) -> None:
    folder = old.folder / "experiments" / "films"
    text = "extends: _base.yaml\nquestion: What do plots add?\nthread: none\ndataset: {kind: wikipedia_movies}\n"
    (folder / "plots.yaml").write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RARELABELS_DATA", str(old.folder / "nothing"))
        selected = selection.identify(["films"], {})
        assert "films/bce" in {name for name, _ in names(selected)}
        assert "rarelabels fetch wikipedia_movies" in selected.skipped["films/plots"]
        with pytest.raises(MissingDataError):
            selection.identify(["films/plots"], {})


def test_a_mistake_in_the_data_names_the_trial(old: Project) -> None:
    shutil.copy(old.folder / "experiments" / "table" / "linear.yaml", old.folder / "experiments" / "table" / "w.yaml")
    with pytest.raises(UserError, match="thresholds"):
        selection.identify(["table/w"], {"thresholds.min_positives": "many"})


def test_reasons_are_said_once_with_all_names() -> None:
    skipped = {"a/x": "no data", "a/y": "no search", "a/z": "no data"}
    assert selection.by_reason(skipped) == ["a/x, a/z: no data", "a/y: no search"]
    assert selection.reason_of("a/x", UserError("a/x: no data")) == "no data"
