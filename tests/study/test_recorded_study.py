"""The face of a study: who it is, and which trials it has. ``test_recorded_tables.py`` has its tables."""

from __future__ import annotations

import pytest

from old_record import unpack
from rarelabels.errors import UserError
from rarelabels.study.recorded_study import Study


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Study:
    project = unpack(tmp_path_factory.mktemp("old"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        return Study("films", project.record)


def test_it_says_how_many_trials_and_runs_it_has(films: Study) -> None:
    trials, runs = films.trials(), films.runs()
    assert repr(films) == f"Study('films'): {len(trials)} trials, {len(runs)} runs"
    assert f"{len(trials)} trials, {len(runs)} finished runs" in films._repr_html_()


def test_trials_without_a_run_are_named(films: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert films.finished("bce", "gone") == ["bce"]
    assert capsys.readouterr().out == "not run yet: gone (`make films/gone` runs it)\n"


def test_a_part_that_has_no_scores_is_refused(films: Study) -> None:
    with pytest.raises(UserError, match="part must be validation or test; given 'train'"):
        films.scores("bce", part="train")  # type: ignore[arg-type]
