"""Files and overrides become trials and studies; what is wrong is told with its file and key."""

import subprocess
import sys
from pathlib import Path

import pytest

from declared_trials import FLOOR, FOCAL, HEAD, HERE, STUDY_BASE, problem_of, problems_of, trial_of, write
from rarelabels.declare import declarations, find
from rarelabels.errors import UserError

pytestmark = pytest.mark.usefixtures("house")


def test_a_trial_is_its_file_over_its_parents():
    trial = trial_of(FOCAL)
    assert trial.name == "movies/t"
    assert trial.loss.model_dump() == {"kind": "binary_focal", "gamma": 2.0, "alpha": 0.25, "reduction": "mean"}
    assert trial.seeds == (0, 1, 2)
    assert trial.training.epochs == 12
    assert trial.training.learning_rate == 0.004
    assert trial.watch == ("auc",)


def test_a_whole_number_may_stand_for_a_float():
    trial = trial_of(HEAD + "training: {learning_rate: 1}")
    assert isinstance(trial.training.learning_rate, float)


def test_a_trial_may_lie_anywhere(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "mine.yml"
    path.write_text(FOCAL.replace("_base.yaml", "../experiments/movies/_base.yaml"))
    assert declarations.load_trial(path).name == "elsewhere/mine"


def test_what_is_wrong_is_told_with_the_file_it_came_from():
    Path("experiments/movies/_base.yaml").write_text(STUDY_BASE.replace("epochs: 12", "epochs: 0"))
    assert problems_of(HEAD + "loss: {kind: binary_focal, gama: 2}") == [
        "experiments/movies/_base.yaml: training.epochs: out of range; allowed at least 1; given 0",
        f"{HERE}loss.gama: unknown key; did you mean 'gamma'?",
    ]
    assert "experiments/movies/t.yaml or experiments/movies/_base.yaml or conf/base.yaml" in problem_of(
        HEAD + "training: {epochs: 1}\nmodel: {kind: floor}"
    )
    assert problem_of("watch: [auc").startswith(f"{HERE}line 1: not YAML")


def test_the_name_of_a_trial_is_not_written():
    assert problem_of(HEAD + "name: movies/mine") == (
        f"{HERE}name: cannot be written: the name of a trial is the path of its file; leave it out"
    )


def test_overrides_change_a_trial():
    trial = trial_of(FOCAL, {"training.epochs": 3, "model.hidden": [64, 32], "seeds": [9], "loss.alpha": None})
    assert (trial.training.epochs, trial.seeds) == (3, (9,))
    assert trial.model.hidden == (64, 32)  # type: ignore[union-attr]
    assert trial.loss.alpha is None  # type: ignore[union-attr]


def test_an_overridden_kind_replaces_the_block_in_any_order():
    overrides: dict[str, object] = {"loss.targets": "normalised", "loss.kind": "categorical_ce"}
    assert trial_of(FOCAL, overrides).loss.model_dump() == {
        "kind": "categorical_ce",
        "form": "shipped",
        "targets": "normalised",
    }


def test_an_overridden_trial_is_validated_again():
    assert "only weighted_bce takes them" in problem_of(FOCAL, {"loss.kind": "weighted_bce"})


@pytest.mark.parametrize("key", ["name", "question", "thread", "extends"])
def test_what_a_trial_is_cannot_be_overridden(key: str):
    assert problem_of(FOCAL, {key: "something else"}).startswith(f"--set: {key}: cannot be overridden: ")


def test_each_override_goes_to_the_trials_that_have_its_key():
    write(FOCAL, "focal")
    write(FLOOR, "floor")
    floor, focal = find.load_many(["movies"], {"model.width": 8, "training.epochs": 2})
    assert (floor.name, focal.name) == ("movies/floor", "movies/focal")
    assert focal.model.width == 8  # type: ignore[union-attr]
    assert (floor.training.epochs, focal.training.epochs) == (2, 2)


def test_an_unwritten_field_with_a_default_can_be_overridden():
    assert trial_of(FOCAL, {"model.max_length": 8}).model.max_length == 8  # type: ignore[union-attr]


def test_an_override_that_no_trial_has_a_key_for_is_refused_with_the_nearest():
    write(FOCAL, "focal")
    write(FLOOR, "floor")
    with pytest.raises(UserError) as caught:
        find.load_many(["movies"], {"model.widht": 8})
    assert str(caught.value) == "--set: model.widht: no named trial has this key; did you mean 'model.width'?"
    with pytest.raises(UserError, match=r"model\.width: no named trial has this key"):
        find.load_many(["movies/floor"], {"model.width": 8})


def test_an_override_that_a_sweep_would_undo_is_refused():
    text = HEAD + "vary: {dataset.labels: [3, 5]}"
    line = problem_of(text, {"dataset.labels": 8})
    assert line.startswith("--set: dataset.labels: is varied in experiments/movies/t.yaml")
    assert trial_of(text, {"dataset.labels": 8, "vary": None}).dataset.labels == 8
    assert trial_of(text, {"vary.dataset.labels": [8]}).vary == {"dataset.labels": (8,)}


STUDY = "title: Films\nquestion: Which loss?\nthread: movie_genres\n"
CLAIM = "claim: Focal loss is better., source: thread, metric: test/half/macro_f1, direction: greater, margin: 0.03"


def write_study(text: str, folder: Path = Path("experiments/movies")) -> Path:
    (folder / "study.yaml").write_text(text)
    return folder


def study_problems_of(text: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        declarations.load_study(write_study(text))
    return str(caught.value).removeprefix("experiments/movies/study.yaml: ").split("\nexperiments/movies/study.yaml: ")


def test_a_study_is_what_its_folder_says():
    assert declarations.load_study(Path("experiments/movies")) is None
    write(FOCAL, "focal")
    write(FLOOR, "floor_zeros")
    text = f"{STUDY}hypotheses: [{{name: better, trial: focal, against: floor_zeros, {CLAIM}}}]"
    study = declarations.load_study(write_study(text))
    assert study is not None
    assert (study.title, study.hypotheses[0].against) == ("Films", "floor_zeros")


def test_baselines_are_trials_of_the_folder():
    write(FOCAL, "focal")
    write(FLOOR, "floor_zeros")
    study = declarations.load_study(write_study(f"{STUDY}baselines: [focal]\ncompetence_margin: 0.02\n"))
    assert study is not None
    assert (study.baselines, study.competence_margin) == (("focal",), 0.02)
    assert study_problems_of(f"{STUDY}baselines: [focal, floor_zero]") == [
        "baselines: no trial 'floor_zero' in this folder; did you mean 'floor_zeros'?"
    ]


def test_what_is_wrong_with_a_study_is_told_at_once():
    lines = study_problems_of(
        STUDY.replace("title", "titel") + "hypotheses: [{name: better, trail: x}]\nextends: x.yaml"
    )
    assert "titel: unknown key; did you mean 'title'?" in lines
    assert "title: is missing; write it in experiments/movies/study.yaml" in lines
    assert "hypotheses[0].trail: unknown key; did you mean 'trial'?" in lines
    assert any(line.startswith("extends: unknown key") for line in lines)


def test_a_hypothesis_is_about_trials_of_its_own_folder():
    write(FOCAL, "focal_auc")
    write(FLOOR, "floor_zeros")
    text = f"{STUDY}hypotheses: [{{name: better, trial: focal, against: _base, {CLAIM}}}]"
    assert study_problems_of(text) == [
        "hypotheses.better.against: no trial '_base' in this folder; there are: floor_zeros, focal_auc",
        "hypotheses.better.trial: no trial 'focal' in this folder; did you mean 'focal_auc'?",
    ]


def test_importing_config_imports_nothing_heavy():
    heavy = ["tensorflow", "keras", "mlflow", "pandas", "numpy", "sklearn", "dask", "optuna", "matplotlib"]
    code = f"import sys, rarelabels.declare.declarations; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
