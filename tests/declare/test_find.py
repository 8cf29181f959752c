"""Names of trials and studies, and paths, become files."""

from pathlib import Path

import pytest

from declared_trials import FLOOR, FOCAL, HEAD, write
from rarelabels.declare import find
from rarelabels.errors import UserError

pytestmark = pytest.mark.usefixtures("house")


def test_the_problems_of_all_files_and_overrides_come_together():
    write(HEAD + "watch: [accuracy]", "a")
    write("[", "b")
    write(FOCAL, "c")
    with pytest.raises(UserError) as caught:
        find.load_many(["movies"], {"training.epochs": 0})
    starts = [line.split(": ")[:2] for line in str(caught.value).split("\n")]
    assert starts == [
        ["--set", "training.epochs"],
        ["experiments/movies/a.yaml", "watch"],
        ["experiments/movies/b.yaml", "line 1"],
    ]


def test_names_are_trials_studies_and_paths_without_repeats():
    focal, floor = write(FOCAL, "focal"), write(FLOOR, "floor")
    Path("experiments/movies/study.yaml").write_text("title: t")
    assert find.all_trials(Path("experiments")) == [floor, focal]
    assert find.find(["movies"]) == [floor, focal]
    assert find.find(["movies/focal", "movies/", str(focal), str(focal.resolve())]) == [focal, floor]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "movies/focal_acc",
            "no trial or study 'movies/focal_acc' under experiments/; did you mean 'movies/focal_auc'?",
        ),
        ("movie", "no trial or study 'movie' under experiments/; did you mean 'movies'?"),
        ("zzz", "no trial or study 'zzz' under experiments/; there are: clothes, movies"),
        ("clothes", "study 'clothes' has no trials yet"),
        ("movies/_base", "is not a trial: a file whose name begins with '_'"),
        ("experiments/movies/_base.yaml", "is not a trial: a file whose name begins with '_'"),
        ("movies/study", "is not a trial: it describes the study"),
        ("experiments/movies/study.yaml", "is not a trial: it describes the study"),
        ("experiments/movies/gone.yaml", "experiments/movies/gone.yaml: there is no such file"),
        ("../conf/base", "no trial or study '../conf/base'"),
    ],
)
def test_a_name_that_is_no_trial_is_refused(name: str, says: str):
    write(FOCAL, "focal_auc")
    with pytest.raises(UserError) as caught:
        find.find([name])
    assert says in str(caught.value)


def test_all_wrong_names_are_told():
    with pytest.raises(UserError) as caught:
        find.find(["zzz", "yyy"])
    assert len(str(caught.value).split("\n")) == 2


def test_without_the_folder_of_experiments_one_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(FOCAL).resolve()
    monkeypatch.chdir(tmp_path / "conf")
    with pytest.raises(UserError, match=r"there is no folder experiments/ in .*change to the folder"):
        find.find(["movies"])
    assert find.find([str(path)]) == [path]
