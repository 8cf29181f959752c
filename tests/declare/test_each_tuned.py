"""A study that searches each of its networks with the same budget, and one that takes the trials of another."""

import json
import subprocess
from pathlib import Path

import pytest

from declared_search import search
from project import Project
from rarelabels.declare import as_yaml, declarations, each_tuned, find, variants
from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import NoPruner, ParameterSearch
from rarelabels.errors import UserError
from rarelabels.record import connection, identities, reading

ROOT = Path(__file__).parents[2]
BASE = """
dataset: {kind: simulated, rows: 300, features: 4, labels: 3, prevalence: 0.2}
model: {kind: mlp, hidden: [4]}
loss: {kind: bce}
weighting: {kind: none}
training: {epochs: 2, batch_size: 64, learning_rate: 1.0e-2, execution: plain}
thresholds: {min_positives: 5}
seeds: [3, 4]
"""
TRIALS = {
    "bce": "",
    "focal": "loss: {kind: binary_focal, gamma: 2.0}",
    "weighted": "loss: {kind: weighted_bce}\nweighting: {kind: pos_weight}",
    "linear": "model: {kind: linear}",
    "floor": "model: {kind: floor, predicts: zeros}",
    "two_sizes": "vary: {dataset.labels: [3, 4]}",
    "gammas": "loss: {kind: binary_focal}\nvary: {loss.gamma: [1.0, 2.0]}",
    "losses": "vary: {loss.kind: [bce, binary_focal]}",
    "picked": "training: {every_epoch: true}\npicked_by: val_loss",
    "calibrated": "thresholds: {calibration: platt}",
    "tuned": search("{training.learning_rate: {low: 0.001, high: 0.1}}"),
}
STUDY = "title: All at their best\nquestion: Which is best?\nthread: beyond the threads\n"
EACH = STUDY + "protocol: each_tuned\nsearch: {trainings: 3}\ntrials_of: sim\n"
BEST = Path("experiments/best")


def declare(folder: Path) -> None:
    """Write the study ``sim`` with its trials, and ``best``, which has none yet."""
    for name in ("conf", "experiments/sim", "experiments/best"):
        (folder / name).mkdir(parents=True)
    (folder / "experiments/sim/_base.yaml").write_text(BASE)
    for name, block in TRIALS.items():
        head = f"extends: _base.yaml\nquestion: How far does {name} get?\nthread: beyond the threads\n"
        (folder / f"experiments/sim/{name}.yaml").write_text(head + block)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    declare(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str) -> None:
    (BEST / "study.yaml").write_text(text)


def claim(trial: str, against: str, metric: str, against_metric: str = "null") -> str:
    return (
        f"hypotheses: [{{name: x, claim: One is better., source: nowhere, trial: {trial}, against: {against}, "
        f"metric: {metric}, against_metric: {against_metric}, direction: greater, margin: 0.01}}]\n"
    )


def best(name: str, overrides: dict[str, object] | None = None) -> Trial:
    return declarations.load_trial(BEST / f"{name}.yaml", overrides or {})


def search_of(trial: Trial) -> ParameterSearch:
    assert isinstance(trial.tuning, ParameterSearch)
    return trial.tuning


# What is searched

NETWORKS = [
    trial
    for path in find.all_trials(ROOT / "experiments")
    if "each_tuned" not in path.parent.name and (trial := declarations.load_trial(path)).is_network
]


@pytest.mark.parametrize("trial", NETWORKS, ids=[trial.name for trial in NETWORKS])
def test_every_network_can_be_searched_from_its_declaration(trial: Trial) -> None:
    """Its keys exist, their ends are allowed, and what is declared lies between them."""
    trial = trial.model_copy(update={"tuning": None, "vary": None})
    known = as_yaml.flat(trial)
    for key, values in each_tuned.space(trial).items():
        ends = values.choices or (values.low, values.high)
        for end in ends:
            assert as_yaml.flat(variants.with_values(trial, {key: end}))[key] == end
        inside = known[key] in ends if values.choices else ends[0] <= known[key] <= ends[1]
        assert inside or (key, known[key]) == ("model.l2", 0)  # no penalty has no logarithm


@pytest.mark.parametrize(
    ("block", "keys"),
    [
        ("", set()),
        ("loss: {kind: binary_focal}", {"loss.gamma"}),
        ("loss: {kind: binary_focal, alpha: 0.25}", {"loss.gamma", "loss.alpha"}),
        ("loss: {kind: asymmetric}", {"loss.gamma_positive", "loss.gamma_negative", "loss.shift"}),
        ("loss: {kind: logit_adjusted}", {"loss.tau"}),
        ("loss: {kind: distribution_balanced}", {"loss.kappa", "loss.negative_scale"}),
        ("loss: {kind: weighted_bce}\nweighting: {kind: pos_weight}", {"weighting.strength"}),
        ("loss: {kind: weighted_bce}\nweighting: {kind: class_balanced}", {"weighting.beta"}),
        ("loss: {kind: weighted_bce}\nweighting: {kind: label_weights}", set()),
        ("loss: {kind: hill}", {"loss.lamb", "loss.margin", "loss.gamma"}),
        ("loss: {kind: splc}", {"loss.tau", "loss.margin", "loss.gamma"}),
        ("loss: {kind: soft_f1}", set()),
    ],
)
def test_a_network_is_searched_over_its_rate_its_penalty_and_the_numbers_of_its_loss(
    block: str, keys: set[str], house: Path
) -> None:
    path = house / "experiments/sim/one.yaml"
    path.write_text(f"extends: _base.yaml\nquestion: What is searched?\nthread: beyond\n{block}\n")
    own = set(each_tuned.space(declarations.load_trial(path)))
    assert own - {"model.l2"} == {"training.learning_rate"} | keys


def test_the_rates_of_gradient_descent_are_others(house: Path) -> None:
    rates = {
        optimizer: each_tuned.space(
            declarations.load_trial(house / "experiments/sim/bce.yaml", {"training.optimizer": optimizer})
        )["training.learning_rate"]
        for optimizer in ("adam", "adamw", "sgd")
    }
    assert rates["adam"] == rates["adamw"] != rates["sgd"]
    assert all(values.log for values in rates.values())


# What is declared


def test_a_study_takes_the_trials_of_another(house: Path) -> None:
    write(EACH + "trials: [floor, bce, linear]\n")
    assert [path for path in find.all_trials() if path.parent == BEST] == [
        BEST / f"{name}.yaml" for name in ("bce", "floor", "linear")
    ]
    bce, floor, linear = find.load_many(["best"])
    assert (bce.name, bce.study, bce.question) == ("best/bce", "best", "How far does bce get?")
    assert (floor.tuning, linear.tuning) == (None, None)
    (plain,) = find.load_many(["sim/bce"])
    assert plain.tuning is None
    assert bce.definition() == plain.definition()
    assert find.load_many(["best/bce"]) == find.load_many([str(BEST / "bce.yaml")]) == [bce]
    for name in ("best/focal", str(BEST / "focal.yaml")):  # is not among its trials
        with pytest.raises(UserError, match=r"no trial or study 'best/focal'|there is no such file"):
            find.find([name])


def test_without_names_it_takes_all_that_have_no_search_of_their_own(house: Path) -> None:
    others = sorted(TRIALS.keys() - {"tuned", "picked"})
    write(EACH)
    assert [path.stem for path in find.find(["best"])] == others
    write(STUDY + "trials_of: sim\n")
    assert [path.stem for path in find.find(["best"])] == sorted(TRIALS)
    assert search_of(best("tuned")).n_trials == 2  # as it is declared there


def test_each_network_is_searched_alike(house: Path) -> None:
    write(EACH + "trials: [bce, focal, weighted]\n")
    searches = [search_of(trial) for trial in find.load_many(["best"])]
    bce, focal, _ = searches
    assert (bce.n_trials, bce.seeds, bce.metric, bce.direction) == (3, (3,), "crossfit/per_label/macro_f1", "maximize")
    assert focal.space.keys() - bce.space.keys() == {"loss.gamma"}
    same = {one.model_copy(update={"space": bce.space}).model_dump_json() for one in searches}
    assert len(same) == 1
    write(EACH.replace("trainings: 3", "metric: validation/ranking/log_loss") + "trials: [bce]\n")
    assert (search_of(best("bce")).n_trials, search_of(best("bce")).direction) == (12, "minimize")
    folds = search_of(best("bce", {"dataset.validation": "cross_validated"}))
    assert isinstance(folds.pruner, NoPruner)


def test_trials_of_its_own_are_searched_too(house: Path) -> None:
    write(STUDY + "protocol: each_tuned\n")
    own = f"extends: ../sim/_base.yaml\nquestion: Is it searched?\nthread: beyond\n{TRIALS['focal']}\n"
    (BEST / "mine.yaml").write_text(own)
    assert "loss.gamma" in search_of(best("mine")).space
    assert find.to_search(["best", "sim", "sim/tuned"]) == {"best/mine", "sim/tuned"}


def load_study_and_trials() -> None:
    declarations.load_study(BEST)
    find.load_many(["best"])


def problems(text: str) -> str:
    write(text)
    with pytest.raises(UserError) as caught:
        load_study_and_trials()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (EACH.replace("sim", "sin"), "trials_of: no study 'sin' with trials of its own; did you mean 'sim'?"),
        (EACH.replace("sim", "best"), "trials_of: no study 'best' with trials of its own"),
        (EACH + "trials: [bce, focall]\n", "trials: no trial 'focall' in sim; did you mean 'focal'?"),
        (EACH + "trials: [bce, bce]\n", "trials: 'bce' is listed twice"),
        (STUDY + "trials: [bce]\n", "trials needs trials_of"),
        (STUDY + "trials_of: sim\nsearch: {trainings: 3}\n", "search has no effect with protocol: same_settings"),
        (STUDY + "protocol: each_tunde\n", "protocol: unknown value; did you mean 'each_tuned'?"),
        (EACH.replace("{trainings: 3}", "{metric: test/half/macro_f1}"), "search.metric: is a test metric"),
        (EACH.replace("{trainings: 3}", "{metric: validation/per_label/macro_f1}"), "search.metric: is in-sample"),
        (EACH + "trials: [tuned]\n", "protocol: each_tuned: best/tuned has a search of its own (tuning)"),
        (EACH + "trials: [picked]\n", "protocol: each_tuned: best/picked picks its epoch by val_loss"),
        (
            EACH + "trials: [gammas]\n",
            "protocol: each_tuned: best/gammas varies loss.gamma, which is a searched key",
        ),
        (EACH + "trials: [losses]\n", "protocol: each_tuned: best/losses varies loss.kind, which is a searched key"),
        (
            EACH + "trials: [calibrated, bce]\n" + claim("calibrated", "bce", "test/half/macro_f1"),
            "protocol: each_tuned: best/calibrated is calibrated (platt) on the rows that score its decisions",
        ),
    ],
)
def test_what_cannot_be_is_told_with_a_way_on(text: str, says: str, house: Path) -> None:
    told = problems(text)
    assert f"{BEST}/study.yaml: " in told
    assert says in told


def test_a_study_has_trials_or_takes_them(house: Path) -> None:
    (BEST / "mine.yaml").write_text((house / "experiments/sim/bce.yaml").read_text().replace("_base", "../sim/_base"))
    assert "trials_of: takes the trials of another study, but the folder has a trial of its own, mine.yaml" in problems(
        EACH
    )


def test_what_is_searched_is_not_set_unless_the_search_is_left_out(house: Path) -> None:
    write(EACH)
    with pytest.raises(UserError, match=r"training.learning_rate: is searched in .*--set tuning=null"):
        best("bce", {"training.learning_rate": 0.5})
    assert best("bce", {"training.learning_rate": 0.5, "tuning": None}).tuning is None
    assert search_of(best("bce", {"training.epochs": 1})).n_trials == 3


# Hypotheses about 0.5


def sides(text: str) -> tuple[str, str]:
    write(text)
    study = declarations.load_study(BEST)
    assert study is not None
    return study.hypotheses[0].trial, study.hypotheses[0].against


@pytest.mark.parametrize(
    ("declared", "judged"),
    [
        (("focal", "bce", "test/half/macro_recall"), ("focal searched for half", "bce searched for half")),
        (("bce", "floor", "test/half/macro_f1"), ("bce searched for half", "floor")),
        (("focal", "bce", "test/per_label/macro_f1"), ("focal", "bce")),
        (("focal", "bce", "test/ranking/macro_average_precision"), ("focal", "bce")),
        (("bce", "bce", "test/per_label/macro_f1", "test/half/macro_f1"), ("bce", "bce")),
        (("focal", "bce", "test/half/macro_f1", "test/per_label/macro_f1"), ("focal searched for half", "bce")),
        (
            ("two_sizes dataset.labels=3", "two_sizes dataset.labels=4", "test/half/macro_f1"),
            ("two_sizes dataset.labels=3 searched for half", "two_sizes dataset.labels=4 searched for half"),
        ),
    ],
)
def test_a_hypothesis_about_half_is_judged_on_what_was_searched_for_it(
    declared: tuple[str, ...], judged: tuple[str, str], house: Path
) -> None:
    assert sides(EACH + claim(*declared)) == judged
    same = sides(EACH.replace("{trainings: 3}", "{metric: validation/half/macro_f1}") + claim(*declared))
    assert same == declared[:2]  # there is one search, for that


def test_its_trials_are_searched_twice_and_no_others(house: Path) -> None:
    write(EACH + claim("focal", "bce", "test/half/macro_f1"))
    searched = {
        name: [(label, search_of(one).metric) for label, one in variants.variants(best(name))]
        for name in ("bce", "weighted")
    }
    assert searched == {
        "bce": [
            ("", "crossfit/per_label/macro_f1"),
            ("searched for half", "validation/half/macro_f1"),
        ],
        "weighted": [("", "crossfit/per_label/macro_f1")],
    }
    prints = {identities.search_fingerprint(one, None, "data") for _, one in variants.variants(best("bce"))}
    assert len(prints) == 2


# Runs


def ran(folder: Path) -> Project:
    project = Project(folder, declared=False)
    declare(folder)
    text = EACH + "trials: [floor, linear, bce, weighted]\n" + claim("weighted", "bce", "test/half/macro_f1")
    (folder / BEST / "study.yaml").write_text(text)
    project.out, project.err = project.do("run", "best")
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return ran(tmp_path_factory.mktemp("best"))


def found(project: Project) -> dict[str, dict[str, object]]:
    """What each search found, by its trial and variant."""
    client = connection.connect(project.record)
    searches = project.runs("search", "best/tuning")
    return {
        f"{one.data.tags['trial']} {one.data.tags['variant']}".strip(): reading.best(client, one.info.run_id)
        for one in searches
    }


@pytest.mark.long
def test_to_run_the_study_searches_each_network_with_the_same_budget(project: Project) -> None:
    searches = {one.info.run_id: one.data.tags for one in project.runs("search", "best/tuning")}
    assert {f"{tags['trial']} {tags['variant']}".strip() for tags in searches.values()} == {
        *("best/bce", "best/bce searched for half", "best/weighted", "best/weighted searched for half"),
    }
    begun = [one.data.tags["mlflow.parentRunId"] for one in project.runs("tried", "best/tuning")]
    assert {search: begun.count(search) for search in searches} == dict.fromkeys(searches, 3)
    assert {tags["trials"] for tags in searches.values()} == {"3"}
    assert all("edge" in tags and "3 trials, " in tags["found"] for tags in searches.values())


@pytest.mark.long
def test_its_trials_are_run_with_what_was_found_and_judged(project: Project) -> None:
    runs = project.runs("run", "best")
    assert sorted((one.data.tags["trial"], one.data.tags["variant"], one.data.tags["seed"]) for one in runs) == sorted(
        (f"best/{name}", variant, seed)
        for name, variant in (
            *(("bce", ""), ("bce", "searched for half"), ("weighted", ""), ("weighted", "searched for half")),
            *(("floor", ""), ("linear", "")),
        )
        for seed in ("3", "4")
    )
    values = found(project)
    for run in runs:
        for key, value in values.get(f"{run.data.tags['trial']} {run.data.tags['variant']}".strip(), {}).items():
            assert float(run.data.params[key]) == value
    out, _ = project.do("results", "best")
    assert "weighted searched for half: Tuned: training.learning_rate = " in out
    out, _ = project.do("findings", "best", "--format", "csv")
    assert ",weighted searched for half,bce searched for half,test/half/macro_f1," in out
    assert "not run" not in out


@pytest.mark.long
def test_what_was_searched_is_not_searched_again(project: Project) -> None:
    _, err = project.do("run", "best")
    assert err.count("0 of 3 trials to do, 3 done before") == 4
    assert "best: 0 runs to do, 12 finished before" in err


@pytest.mark.long
def test_two_searches_with_the_same_seeds_find_the_same(project: Project, tmp_path: Path) -> None:
    assert json.dumps(found(ran(tmp_path)), sort_keys=True) == json.dumps(found(project), sort_keys=True)


@pytest.mark.parametrize("name", ["movies_each_tuned", "movies_each_tuned/focal_plain"])
def test_the_makefile_has_such_studies_and_their_trials(name: str) -> None:
    asked = subprocess.check_output(["make", "--dry-run", name], cwd=ROOT, text=True)
    assert f"rarelabels run {name}" in asked
