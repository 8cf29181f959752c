"""Comparison, verdicts, winner and ranking of a study, as it is declared now."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from old_record import unpack
from project import Project
from rarelabels.declare import first_seen
from rarelabels.errors import UserError
from rarelabels.study import selection, standing


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture
def root(old: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The declarations, from another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", old.record)
    return old.folder / "experiments"


def test_all_declared_trials_are_compared_from_any_folder(old: Project, root: Path) -> None:
    (compared,) = standing.compare("films", old.record, root=root)
    assert {row.name for row in compared.rows} == {"bce", "focal", "floor_prior"}
    assert (compared.missing, compared.skipped, compared.overridden) == ([], [], [])


def test_without_its_folder_a_study_is_compared_as_it_was_recorded(old: Project, root: Path, tmp_path: Path) -> None:
    assert not (tmp_path / "experiments").exists()
    (compared,) = standing.compare("films", old.record)
    assert {row.name for row in compared.rows} == {"bce", "focal", "floor_prior"}


def test_a_trial_that_was_declared_later_is_missing(old: Project, root: Path) -> None:
    later = root / "films" / "later.yaml"
    later.write_text("extends: _base.yaml\nquestion: What comes now?\nthread: none\n", "utf-8")
    try:
        (compared,) = standing.compare("films", old.record, root=root)
        assert compared.missing == ["later"]
    finally:
        later.unlink()


def test_a_reason_that_was_said_is_not_repeated(old: Project, root: Path) -> None:
    plots = root / "films" / "plots.yaml"
    plots.write_text(
        "extends: _base.yaml\nquestion: What do plots add?\nthread: none\ndataset: {kind: wikipedia_movies}\n", "utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RARELABELS_DATA", str(old.folder / "nothing"))
        try:
            (compared,) = standing.compare("films", old.record, root=root)
            (reason,) = compared.skipped
            assert reason.startswith("films/plots: ")
            said = {"films/plots": reason.removeprefix("films/plots: ")}
            (again,) = standing.compare("films", old.record, said=said, root=root)
            assert again.skipped == []
        finally:
            plots.unlink()


def test_verdicts_conclusions_and_ranking_are_of_the_same_trials(old: Project, root: Path) -> None:
    findings = standing.verdicts("films", old.record, root)
    assert [one.hypothesis.name for one in findings] == ["focal_ranks_as_well", "net_beats_its_floor"]
    concluded = standing.conclude("films", old.record, root)
    assert [one.verdict for one in concluded.findings] == [one.verdict for one in findings]
    assert any("focal" in line for line in concluded.winner)
    ranked = standing.rank("films", old.record, "per_label/macro_f1", root)
    assert [one.name for one in ranked.ranked] == ["focal", "bce"]
    assert [one.name for one in ranked.beside] == ["floor_prior"]


def test_nothing_recorded_cannot_be_ranked(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing is recorded of films yet; `rarelabels run films` runs it"):
        standing.rank("films", f"sqlite:///{tmp_path}/runs/mlflow.db", "per_label/macro_f1")


def test_names_have_their_variant_and_overrides() -> None:
    assert standing.shown_name(("films/bce", "a=1", "digest", "b=2")) == "films/bce a=1 (b=2)"
    assert standing.shown_name(("films/bce", "", "digest", "")) == "films/bce"
    assert selection.NOTHING_SAID == {}


def test_first_times_are_of_the_file_and_the_record_together(old: Project, root: Path) -> None:
    """The file alone knows a run of a trial that is older than the record: what the record knew first is late then."""

    def late() -> dict[str, bool]:
        (stated, concluded) = standing.verdicts("films", old.record, root), standing.conclude("films", old.record, root)
        assert [one.late for one in stated] == [one.late for one in concluded.findings]
        return {one.hypothesis.name: one.late for one in stated}

    assert late() == {"focal_ranks_as_well": False, "net_beats_its_floor": False}
    file = standing.keep_first_seen("films", old.record, root)
    assert file == root / "films" / "_first_seen.yaml"
    try:
        assert late() == {"focal_ranks_as_well": False, "net_beats_its_floor": False}
        seen = first_seen.read(root / "films")
        assert set(seen.hypotheses) == {"focal_ranks_as_well", "net_beats_its_floor"}
        assert set(seen.trials) == {"bce", "focal", "floor_prior"}
        before = seen.trials["floor_prior"] - timedelta(days=1)
        first_seen.keep(root / "films", seen.model_copy(update={"trials": {"floor_prior": before}}))
        assert late() == {"focal_ranks_as_well": False, "net_beats_its_floor": True}
    finally:
        file.unlink()
