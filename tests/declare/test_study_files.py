"""Which trials a study has: its own files, or those of another study."""

from __future__ import annotations

from pathlib import Path

import pytest

from declared_trials import FLOOR, FOCAL, write
from rarelabels.declare import study_files
from rarelabels.errors import UserError

pytestmark = pytest.mark.usefixtures("house")
MOVIES, CLOTHES = Path("experiments/movies"), Path("experiments/clothes")
STUDY = "title: Films\nquestion: Which loss?\nthread: movie_genres\n"


def test_trials_are_the_files_that_are_neither_parents_nor_the_study() -> None:
    write(FOCAL, "focal")
    write(FLOOR, "floor_zeros")
    (MOVIES / "study.yaml").write_text(STUDY)
    (MOVIES / ".hidden.yaml").write_text("")
    assert [path.name for path in study_files.trials(MOVIES)] == ["floor_zeros.yaml", "focal.yaml"]
    assert study_files.is_trial(MOVIES / "focal.yaml")
    assert not study_files.is_trial(MOVIES / "bce.yaml")
    assert study_files.trial_name(MOVIES / "focal.yaml") == "movies/focal"


def test_a_study_may_take_the_trials_of_another() -> None:
    write(FOCAL, "focal")
    write(FLOOR, "floor_zeros")
    (CLOTHES / "study.yaml").write_text(f"{STUDY}trials_of: movies\ntrials: [focal]\n")
    assert study_files.trials(CLOTHES) == [CLOTHES / "focal.yaml"]
    assert study_files.is_trial(CLOTHES / "focal.yaml")
    assert study_files.file_of(CLOTHES / "focal.yaml") == MOVIES / "focal.yaml"
    assert study_files.file_of(MOVIES / "focal.yaml") == MOVIES / "focal.yaml"


def test_what_is_wrong_with_taken_trials_names_the_nearest() -> None:
    write(FOCAL, "focal")
    path = CLOTHES / "study.yaml"
    for text, says in (
        ("trials_of: movis\n", "no study 'movis' with trials of its own; did you mean 'movies'?"),
        ("trials_of: movies\ntrials: [focl]\n", "no trial 'focl' in movies; did you mean 'focal'?"),
    ):
        path.write_text(STUDY + text)
        study, problems = study_files.read(CLOTHES)
        assert study is not None
        assert not problems
        assert [one.text for one in study_files.wrong_trials(study, path)] == [says]


def test_without_a_folder_of_experiments_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no folder none/ in .*; change to the folder that holds it"):
        study_files.studies(Path("none"))
    assert [folder.name for folder in sorted(study_files.studies(Path("experiments")))] == ["clothes", "movies"]
