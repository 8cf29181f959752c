"""Searches with Optuna on a real record and a real storage, in real processes where several take part."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
import sqlalchemy
from optuna.exceptions import StorageInternalError

from postgres import Postgres
from project import Project, wait_for
from rarelabels.declare import as_yaml, declarations, variants
from rarelabels.declare.tuning import RandomSampler, TpeSampler
from rarelabels.errors import UserError
from rarelabels.judging.metrics import decision_metrics
from rarelabels.record import bounds as connection_bounds
from rarelabels.record import connection, reading
from rarelabels.study import selection
from rarelabels.study.tuning import counted_trials, parameters, samplers, searches
from rarelabels.study.tuning import search as tuning_search
from rarelabels.study.tuning import storage as tuning_storage

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
TUNED = "movies/pos_weight_tuned"
SHORT = ["--seeds", "0", "--set", "training.epochs=2", "--set", "tuning.seeds=[0]"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, plain=True, genres=5)


def optuna_trials(project: Project, storage: str = "") -> list[optuna.trial.FrozenTrial]:
    """Every trial in the storage of a project, of all its searches."""
    storages = [storage] if storage else map(str, (project.folder / "runs" / "optuna").glob("*.journal"))
    opened = [tuning_storage.open_storage(one) for one in storages]
    return [t for store in opened for one in store.get_all_studies() for t in store.get_all_trials(one._study_id)]


def search_runs(project: Project) -> list:
    return project.runs("search", "movies/tuning")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Five trials on two workers, then two more; and the study's results afterwards."""
    project = Project(tmp_path_factory.mktemp("searched"), plain=True, genres=5)
    _, project.first = project.call("run", TUNED, *SHORT, "--set", "tuning.n_trials=5", "--workers", "2")
    project.before = project.runs()
    project.out, project.second = project.do("run", TUNED, *SHORT, "--set", "tuning.n_trials=7")
    return project


@pytest.mark.long
def test_a_search_runs_its_trials_and_goes_on_with_more(searched: Project) -> None:
    assert "search of movies/pos_weight_tuned: 5 of 5 trials to do, 0 done before" in searched.first
    assert "search of movies/pos_weight_tuned: 2 of 7 trials to do, 5 done before" in searched.second
    trials = optuna_trials(searched)
    assert sorted(trial.number for trial in trials) == list(range(7))
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}


@pytest.mark.long
def test_it_begins_with_the_declaration_and_no_worker_repeats_another(searched: Project) -> None:
    trials = sorted(optuna_trials(searched), key=lambda trial: trial.number)
    assert trials[0].params == {"weighting.strength": 1.0, "weighting.scale": 1.0}
    assert len({tuple(trial.params.values()) for trial in trials}) == 7
    for trial in trials:
        assert 0 <= trial.params["weighting.strength"] <= 1.5
        assert 0.25 <= trial.params["weighting.scale"] <= 4


@pytest.mark.long
def test_every_trial_is_a_run_below_its_search_and_never_looks_at_test(searched: Project) -> None:
    (search,) = search_runs(searched)
    tried = searched.runs("tried", "movies/tuning")
    client = connection.connect(searched.record)
    by_number = {trial.number: trial for trial in optuna_trials(searched)}
    assert sorted(int(run.data.tags["number"]) for run in tried) == list(range(7))
    for run in tried:
        trial = by_number[int(run.data.tags["number"])]
        assert run.data.tags["mlflow.parentRunId"] == search.info.run_id
        assert {key: float(value) for key, value in run.data.params.items()} == pytest.approx(trial.params)
        assert trial.user_attrs["run"] == run.info.run_id
        assert not [name for name in run.data.metrics if name.startswith(("test/", "floor/"))]
        assert not client.list_artifacts(run.info.run_id)
        curve = client.get_metric_history(run.info.run_id, "curve/seed_0_val_loss")
        assert [point.step for point in curve][:1] == [1]
        if trial.state.name == "COMPLETE":
            assert run.data.metrics["validation/half/macro_f1"] == pytest.approx(trial.value)
            assert run.data.tags["state"] == "complete"
            assert list(trial.intermediate_values) == [0, 1]


@pytest.mark.long
def test_the_best_is_run_as_an_ordinary_trial(searched: Project) -> None:
    (search,) = search_runs(searched)
    client = connection.connect(searched.record)
    best = max((t for t in optuna_trials(searched) if t.state.name == "COMPLETE"), key=lambda t: t.value)
    stored = json.loads(Path(client.download_artifacts(search.info.run_id, "best.json")).read_text("utf-8"))
    assert stored["values"] == best.params == reading.best(client, search.info.run_id)
    assert stored["value"] == best.value
    assert (search.data.tags["trials"], search.info.status) == ("7", "FINISHED")
    run = searched.runs()[-1]
    assert run.data.tags["search"] == search.info.run_id
    assert float(run.data.params["weighting.strength"]) == best.params["weighting.strength"]
    assert float(run.data.params["weighting.scale"]) == best.params["weighting.scale"]
    # The search's seed is the run's: trained again, and the same to the last digit.
    assert run.data.metrics["validation/half/macro_f1"] == best.value
    assert "test/per_label/macro_f1" in run.data.metrics
    assert f"Tuned: weighting.strength = {best.params['weighting.strength']:.4g}" in searched.out.replace("\n", " ")


@pytest.mark.long
def test_its_history_and_figures_are_kept(searched: Project) -> None:
    (search,) = search_runs(searched)
    client = connection.connect(searched.record)
    table = pd.read_csv(client.download_artifacts(search.info.run_id, "trials.csv"))
    assert table["number"].tolist() == list(range(7))
    figures = {file.path for file in client.list_artifacts(search.info.run_id, "figures")}
    assert figures == {f"figures/{name}.png" for name in ("history", "importance", "slices")}
    steps = {point.step for point in client.get_metric_history(search.info.run_id, "search/value")}
    assert steps == {t.number for t in optuna_trials(searched) if t.state.name == "COMPLETE"}


@pytest.mark.long
def test_a_finished_search_searches_nothing_and_a_study_starts_none(searched: Project) -> None:
    _, err = searched.do("run", TUNED, *SHORT, "--set", "tuning.n_trials=7")
    assert "0 of 7 trials to do, 7 done before" in err
    assert "1 finished before" in err
    assert len(optuna_trials(searched)) == 7
    out, _ = searched.do("results", "movies")
    assert "skipped: movies/focal_tuned: not searched yet; `rarelabels run movies/focal_tuned` searches" in out
    assert "skipped: movies/pos_weight_tuned: not searched yet" in out  # as it is declared, with 30 trials


@pytest.mark.long
def test_results_by_rule_have_every_rule_and_the_floors(searched: Project) -> None:
    out, _ = searched.do("results", "movies", "--by", "rule")
    for title in ("macro-F1 by threshold rule", "micro-F1 by threshold rule", "subset accuracy by threshold rule"):
        assert title in out
    assert "floor: prior" in out
    assert "(a bound)" in out


@pytest.mark.long
def test_a_hopeless_trial_is_pruned_and_recorded_so_and_one_that_diverges_fails(project: Project) -> None:
    """Learning rates from far too small to far too large; the first trials are never pruned."""
    declared = (EXPERIMENTS / "movies" / "pos_weight_tuned.yaml").read_text("utf-8")
    head = declared.split("tuning:")[0].replace("extends: _base.yaml", "extends: _base.yaml\nseeds: [0]")
    (project.folder / "experiments" / "movies" / "rates.yaml").write_text(
        head + "training: {epochs: 3}\n"
        "tuning:\n"
        "  kind: parameters\n"
        "  space: {training.learning_rate: {choices: [0.003, 0.01, 1.0e-7, 1.0e+38]}}\n"
        "  metric: validation/ranking/macro_average_precision\n"
        "  direction: maximize\n"
        "  n_trials: 8\n"
        "  seeds: [0, 1]\n"
        "  sampler: {kind: random, seed: 3}\n"
        "  pruner: {kind: median, n_startup_trials: 1, n_warmup_epochs: 0}\n"
    )
    _, err = project.do("run", "movies/rates")
    trials = {trial.number: trial for trial in optuna_trials(project)}
    assert len(trials) == 8
    states = {run.data.tags["state"]: run for run in project.runs("tried", "movies/tuning")}
    assert set(states) == {"complete", "pruned", "failed"}
    assert states["pruned"].info.status == "KILLED"
    assert states["pruned"].data.tags["reason"].startswith("pruned after epoch ")
    assert trials[int(states["pruned"].data.tags["number"])].state.name == "PRUNED"
    assert states["failed"].info.status == "FAILED"
    assert "NotFiniteError: epoch 1" in states["failed"].data.tags["reason"]
    assert trials[int(states["failed"].data.tags["number"])].user_attrs["reason"].startswith("NotFiniteError")
    runs = {int(run.data.tags["number"]): run for run in project.runs("tried", "movies/tuning")}
    complete = [t for number, t in sorted(trials.items()) if t.state.name == "COMPLETE"]
    first = {t.params["training.learning_rate"]: t for t in reversed(complete)}
    again = [t for t in complete if t is not first[t.params["training.learning_rate"]]]
    assert again  # eight draws of four rates
    for trial in complete:
        curves = {f"curve/seed_{seed}_val_loss" for seed in (0, 1)} & runs[trial.number].data.metrics.keys()
        assert len(curves) == (0 if trial in again else 2)  # what was trained before is not trained again
        assert trial.value == first[trial.params["training.learning_rate"]].value
        assert set(trial.intermediate_values) == (set() if trial in again else {0, 1, 2})  # of the first seed
    (search,) = search_runs(project)
    assert search.info.status == "FINISHED"
    assert search.data.metrics["search/fail"] + search.data.metrics["search/complete"] < 8
    assert "FAILED" not in err


@pytest.mark.long
def test_after_kill_nine_a_search_goes_on_to_the_same_total(project: Project) -> None:
    command = ["run", TUNED, "--seeds", "0", "--set", "training.epochs=4", "--set", "tuning.seeds=[0]"]
    command += ["--set", "tuning.n_trials=6", "--workers", "2"]
    process = project.start(*command)
    wait_for(lambda: sum(t.state.is_finished() for t in optuna_trials(project)) >= 2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=300)
    wait_for(lambda: not project.processes())
    before = optuna_trials(project)
    kept = [trial for trial in before if trial.state.is_finished()]
    assert len(before) - len(kept) <= 2  # the trials in flight
    _, err = project.do(*command)
    assert f"search of {TUNED}: {6 - len(kept)} of 6 trials to do, {len(kept)} done before" in err
    after = {trial.number: trial for trial in optuna_trials(project)}
    for trial in kept:
        assert after[trial.number].values == trial.values
    counted = [trial for trial in after.values() if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(counted) == 6
    assert len({tuple(trial.params.values()) for trial in counted}) == 6
    lost = [trial for trial in after.values() if trial.state.name == "FAIL"]
    assert len(lost) == len(before) - len(kept)
    statuses = [run.info.status for run in project.runs("tried", "movies/tuning")]
    assert "RUNNING" not in statuses
    assert project.runs()[-1].info.status == "FINISHED"


@pytest.fixture(scope="module")
def thresholds(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A search of thresholds on one training, which the plain trial then shares."""
    project = Project(tmp_path_factory.mktemp("thresholds"), plain=True, genres=5)
    names = ["movies/samples_f1_tuned", "movies/thresholds_tuned", "movies/bce_platt"]
    short = ["--seeds", "0", "--set", "training.epochs=2", "--set", "tuning.n_trials=25", "--workers", "1"]
    project.out, project.err = project.do("run", *names, *short)
    return project


@pytest.mark.long
def test_thresholds_are_searched_on_the_scores_of_one_shared_training(thresholds: Project) -> None:
    assert "search of movies/samples_f1_tuned seed 0: 25 of 25 trials to do" in thresholds.err
    assert "3 runs to do (0 trainings:" in thresholds.err  # the search of the first has trained them all
    by_trial = {run.data.tags["trial"]: run for run in thresholds.runs()}
    trainings = {run.data.tags["training"] for run in by_trial.values()}
    assert len(trainings) == 1
    assert len({run.data.tags["fingerprint"] for run in by_trial.values()}) == 3
    client = connection.connect(thresholds.record)
    raw = [reading.raw_scores(client, run.info.run_id)[2].scores for run in by_trial.values()]
    np.testing.assert_array_equal(raw[0], raw[2])
    calibrated = reading.scores(client, by_trial["movies/bce_platt"].info.run_id, "test").scores
    assert np.abs(calibrated - raw[0]).max() > 0.001
    metrics = by_trial["movies/bce_platt"].data.metrics
    assert metrics["test/ranking/macro_ece"] < metrics["test/uncalibrated/macro_ece"]


@pytest.mark.long
def test_what_a_search_of_thresholds_reaches_is_what_its_rules_reach(thresholds: Project) -> None:
    client = connection.connect(thresholds.record)
    for search in search_runs(thresholds):
        metric = "samples_f1" if "samples" in search.data.tags["trial"] else "macro_f1"
        _, validation, _ = reading.raw_scores(client, search.info.run_id)
        found = reading.rules(client, search.info.run_id)
        facts = search.data.metrics
        for rule, name in (("searched", "best"), ("ascent", "ascent")):
            reached = decision_metrics(validation.y, found[rule].assign(validation.scores))[metric]
            assert reached == pytest.approx(facts[f"search/{name}"], abs=1e-12)
        assert facts["search/best"] >= facts["search/start"]
        assert facts["search/ascent"] >= facts["search/start"]
        history = client.get_metric_history(search.info.run_id, "search/value")
        assert sorted(point.step for point in history) == list(range(25))
        assert max(point.value for point in history) == pytest.approx(facts["search/best"])
        if metric == "macro_f1":
            assert facts["search/per_label"] >= facts["search/best"]
            assert facts["search/per_label"] == pytest.approx(facts["search/ascent"], abs=1e-9)
        run = next(run for run in thresholds.runs() if run.data.tags["search"] == search.info.run_id)
        assert {f"test/{rule}/{metric}" for rule in ("searched", "ascent", "per_label")} <= run.data.metrics.keys()


# Without processes


def tuned(name: str, changes: dict[str, object]) -> selection.Named:
    return selection.Named(declarations.load_trial(EXPERIMENTS / f"{name}.yaml", changes), "")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"tuning.metric": "validation/half/macro_f"},
            "no validation metric .*; did you mean 'validation/half/macro_f1",
        ),
        ({"tuning.direction": "minimize"}, "macro_f1 is better when higher; use maximize"),
        ({"tuning.metric": "validation/ranking/brier"}, "brier is better when lower; use minimize"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_before_anything_is_recorded(
    changes: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"^{TUNED}: tuning.*{message}"):
        tuning_search.search([tuned(TUNED, changes)], None, connection.uri(), None, None)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_weight_for_each_of_many_labels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_search, "MOST_WEIGHTS", 16)
    with pytest.raises(UserError, match="a weight for each of 17 labels is too many for a search; allowed up to 16"):
        tuning_search._identities([tuned("movies/pos_weight_free_tuned", {})], None)


def test_thresholds_for_too_many_labels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_search, "MOST_THRESHOLDS", 16)
    with pytest.raises(UserError, match="17 thresholds are too many for a search; allowed up to 16 labels"):
        tuning_search._identities([tuned("movies/samples_f1_tuned", {})], None)


def test_free_weights_are_a_parameter_for_each_label_and_one_value_of_the_trial() -> None:
    (identity,), labels = tuning_search._identities([tuned("movies/pos_weight_free_tuned", {})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    space = parameters.distributions(one)
    assert len(space) == 17
    assert "weighting.weights.Sci-Fi" in space
    params = {name: 1.0 + place for place, name in enumerate(space)}
    values = parameters.values_of(one, params)
    trial = variants.with_values(one.trial, values)
    assert trial.weighting.weights["Drama"] == 1.0  # type: ignore[union-attr]
    assert trial.weighting.weights["Western"] == 17.0  # type: ignore[union-attr]
    assert parameters.declared_values(one) == dict.fromkeys(space, 1.0)  # plain binary cross-entropy comes first
    assert as_yaml.flat(trial)["weighting.weights"].startswith('{"Drama": 1.0, ')  # type: ignore[union-attr]


def test_a_search_begins_with_the_declaration_where_the_space_holds_it() -> None:
    space = {"training.batch_size": {"choices": (128, 256)}, "weighting.scale": {"low": 2.0, "high": 4.0}}
    (identity,), labels = tuning_search._identities([tuned(TUNED, {"tuning.space": space})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    assert parameters.distributions(one)["training.batch_size"].choices == (128, 256)  # type: ignore[attr-defined]
    assert parameters.declared_values(one) == {"weighting.strength": 1.0}  # no batch of 512, no scale of 1


def in_memory() -> optuna.Study:
    return optuna.create_study(storage=optuna.storages.InMemoryStorage())


def test_the_first_trial_is_the_declaration_once_whoever_asks_and_again_after_it_was_cut_off() -> None:
    space = {name: optuna.distributions.FloatDistribution(0, 1) for name in ("x", "y")}
    storage, begin = optuna.storages.InMemoryStorage(), {"x": 0.25, "y": 0.5}

    def process() -> optuna.Study:
        sampler = samplers.SeededByNumber(RandomSampler(kind="random", seed=1), 0, begin)
        return optuna.create_study(storage=storage, study_name="x", sampler=sampler, load_if_exists=True)

    first = process().ask()  # has no parameters yet: the two have begun in one moment
    second = process().ask(space)
    assert [first.suggest_float(name, 0, 1) for name in space] == [0.25, 0.5]
    assert second.params != begin
    for trial in (first, second):  # cut off: without a reason
        process().tell(trial.number, state=optuna.trial.TrialState.FAIL)
    assert process().ask(space).params == begin
    assert process().ask(space).params != begin


def test_a_trial_of_a_machine_that_is_silent_is_cut_off_and_one_of_a_living_process_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = in_memory()
    running = [asked.ask() for _ in range(4)]
    counted_trials.beat(running[0], time.time)
    for trial, owner, alive in ((running[1], "elsewhere 1 1", 0.0), (running[2], "elsewhere 1 1", time.time())):
        trial.set_user_attr("owner", owner)
        trial.set_user_attr("alive", alive)
    assert [counted_trials.is_cut_off(trial, time.time) for trial in asked.trials] == [
        False,
        True,
        False,
        False,
    ]  # the last just began
    monkeypatch.setattr(
        counted_trials, "UNOWNED_SECONDS", 0.2
    )  # it is waited for, whatever the clock of its machine says
    counted_trials.fail_cut_off(asked, time.time)
    assert [trial.state.name for trial in asked.trials] == ["RUNNING", "FAIL", "RUNNING", "FAIL"]
    assert len(counted_trials.taken(asked)) == 2


def test_a_trial_that_a_living_process_gives_up_is_cut_off_at_once_and_one_that_was_told_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else others would wait for it until it has been silent for long: the living process may never end."""
    asked = in_memory()
    (identity,), labels = tuning_search._identities([tuned(TUNED, {})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    monkeypatch.setattr(parameters, "load", lambda *_: asked)

    def went_away(_client: object, _one: object, _of: object, trial: optuna.Trial, _say: object) -> None:
        counted_trials.beat(trial, time.time)
        if trial.number:
            asked.tell(trial, 0.5)
        raise StorageInternalError("the database went away")

    monkeypatch.setattr(parameters, "_attempt", went_away)
    for _ in range(2):
        with pytest.raises(StorageInternalError):
            parameters.attempt(None, one, print)  # type: ignore[arg-type]
    assert [trial.state.name for trial in asked.trials] == ["FAIL", "COMPLETE"]
    assert [trial.number for trial in counted_trials.taken(asked)] == [1]
    counted_trials.wait_for_others(asked, time.time)  # for nobody


class Deaf(optuna.storages.InMemoryStorage):
    """A storage that does what it is told to a trial's state, and then goes away before it says so, once."""

    heard = False

    def set_trial_state_values(self, *told: object, **named: object) -> bool:
        done = super().set_trial_state_values(*told, **named)
        if not self.heard:
            self.heard = True
            raise StorageInternalError("the database went away")
        return done


def test_what_was_told_stays_though_the_answer_is_lost() -> None:
    asked = optuna.create_study(storage=Deaf())
    trial = asked.ask()
    tuning_storage.tell(asked, trial, 0.5)
    (told,) = asked.trials
    assert (told.state.name, told.value) == ("COMPLETE", 0.5)


def test_two_processes_may_give_up_the_same_trial_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = in_memory()
    trial = asked.ask()
    trial.set_user_attr("owner", "elsewhere 1 1")
    trial.set_user_attr("alive", 0.0)
    tell = asked._storage.set_trial_state_values

    def second(number: int, state: optuna.trial.TrialState, values: object) -> bool:
        tell(number, state)  # the first
        return tell(number, state)

    monkeypatch.setattr(asked._storage, "set_trial_state_values", second)
    counted_trials.fail_cut_off(asked, time.time)
    assert [trial.state.name for trial in asked.trials] == ["FAIL"]


def test_a_search_makes_up_for_a_trial_that_another_process_gave_up_in_the_meantime(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was in flight when the command counted what is left to do."""
    asked = in_memory()
    (identity,), labels = tuning_search._identities([tuned(TUNED, {"tuning.n_trials": 2})], None)
    one = searches.Search(identity, "", "", "", labels[identity.fingerprint])
    monkeypatch.setattr(tuning_search, "load", lambda *_: asked)
    asked.tell(asked.ask(), 0.5)
    other = asked.ask()
    counted_trials.beat(other, time.time)
    assert tuning_search._left(one) == 0

    def ends(of: optuna.Study, _: counted_trials.Now) -> None:
        of.tell(other, state=optuna.trial.TrialState.FAIL)

    monkeypatch.setattr(tuning_search, "wait_for_others", ends)
    assert tuning_search._given_up([one]) == [one]


def test_a_search_is_the_same_whatever_its_number_of_trials_and_another_for_another_space() -> None:
    def mark(changes: dict[str, object]) -> str:
        (identity,), _ = tuning_search._identities([tuned(TUNED, changes)], None)
        return identity.fingerprint

    assert mark({"tuning.n_trials": 99}) == mark({})
    assert mark({"tuning.seeds": (0,)}) != mark({})
    assert mark({"training.epochs": 3}) != mark({})
    assert mark({"tuning.metric": "crossfit/per_label/macro_f1"}) != mark({})


def test_trials_are_drawn_by_their_number_whoever_asks() -> None:
    """Two searchers that begin at once, and one that goes on, draw what one alone would have drawn."""
    spec = TpeSampler(kind="tpe", n_startup_trials=5, n_ei_candidates=24, multivariate=True, constant_liar=True, seed=1)
    space = {"x": optuna.distributions.FloatDistribution(0, 1)}

    def drawn(split: int) -> list[float]:
        storage = optuna.storages.InMemoryStorage()
        values = []
        for count in (split, 12 - split):
            sampler = samplers.SeededByNumber(spec, 0)
            asked = optuna.create_study(storage=storage, study_name="x", sampler=sampler, load_if_exists=True)
            for _ in range(count):
                trial = asked.ask(space)
                values.append(trial.params["x"])
                asked.tell(trial, (trial.params["x"] - 0.3) ** 2)
        return values

    assert drawn(3) == drawn(7)
    assert len(set(drawn(3))) == 12


def test_a_storage_that_does_not_answer_is_one_line_without_its_password(project: Project) -> None:
    project.environment["OPTUNA_STORAGE"] = "postgresql://me:s3cret@127.0.0.1:1/none"
    _, err = project.do("run", TUNED, *SHORT, code=2)
    (line,) = err.splitlines()
    assert line.startswith("rarelabels: OPTUNA_STORAGE 'postgresql://me:***@127.0.0.1:1/none' does not answer")
    assert "s3cret" not in err


def test_half_a_line_that_a_killed_process_left_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    journal = tmp_path / "x.journal"

    def opened() -> optuna.Study:
        return optuna.create_study(
            storage=tuning_storage.open_storage(str(journal)), study_name="x", load_if_exists=True
        )

    asked = opened()
    for value in (1.0, 2.0):
        asked.tell(asked.ask(), value)
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"')
    asked = opened()
    asked.tell(asked.ask(), 3.0)
    assert [trial.value for trial in opened().trials] == [1.0, 2.0, 3.0]


def spoil(lines: list[bytes], how: str) -> list[bytes]:
    middle = len(lines) // 2
    match how:
        case "garbage":
            return [*lines[:middle], b"\0\0garbage\n", *lines[middle + 1 :]]
        case "missing":
            return [*lines[:middle], *lines[middle + 1 :]]
        case "twice":
            return [*lines[:middle], lines[middle], *lines[middle:]]
        case "other":
            return [*lines[:middle], b'{"a": 1}\n', *lines[middle + 1 :]]
        case _:
            return [*lines[:-1], lines[-1][: len(lines[-1]) // 2] + b"\n"]


@pytest.mark.parametrize("how", ["garbage", "missing", "twice", "other", "last"])
def test_a_line_of_a_journal_that_is_damaged_or_missing_is_said_with_a_way_on(tmp_path: Path, how: str) -> None:
    """Optuna counts trials by lines: without one, the values of a trial would be another's."""
    journal = tmp_path / "x.journal"

    def opened() -> optuna.Study:
        return optuna.create_study(
            storage=tuning_storage.open_storage(str(journal)), study_name="x", load_if_exists=True
        )

    def tell() -> list[float | None]:
        asked = opened()
        asked.tell(asked.ask(), float(len(asked.trials)))
        return [trial.value for trial in opened().trials]

    for _ in range(4):
        told = tell()
    assert told == [1.0, 2.0, 3.0, 4.0]
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(spoil(lines, how)))
    damaged = journal.read_bytes()
    with pytest.raises(
        UserError, match=r"x\.journal: line \d+ of the search's journal .*; put back a copy of the file, or"
    ):
        tell()
    assert journal.read_bytes() == damaged
    with pytest.raises(UserError, match="of the search's journal"):
        opened()
    journal.rename(tmp_path / "away")
    assert tell() == [1.0]


def test_a_journal_of_an_earlier_version_is_read_and_goes_on_with_numbers(tmp_path: Path) -> None:
    journal = tmp_path / "x.journal"
    old = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    asked = optuna.create_study(storage=old, study_name="x")
    asked.tell(asked.ask(), 1.0)
    before = len(journal.read_bytes().splitlines())
    asked = optuna.load_study(storage=tuning_storage.open_storage(str(journal)), study_name="x")
    asked.tell(asked.ask(), 2.0)
    assert [trial.value for trial in asked.trials] == [1.0, 2.0]
    numbers = [json.loads(line).get("line") for line in journal.read_bytes().splitlines()]
    assert numbers == [None] * before + list(range(before, len(numbers)))


# A real server


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with Postgres() as started:
        yield started.url(driver="postgresql")


@pytest.mark.long
def test_two_searchers_share_a_search_on_postgresql(project: Project, postgres: str) -> None:
    """Each has a worker of its own; together they do as many trials as declared, none twice."""
    project.environment["OPTUNA_STORAGE"] = postgres
    project.do("run", "movies/floor_zeros", "--seeds", "0")  # makes the record
    command = ["run", TUNED, *SHORT, "--set", "tuning.n_trials=8", "--workers", "1"]
    both = [project.start(*command) for _ in range(2)]
    ends = [process.communicate(timeout=1800) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    trials = [trial for trial in optuna_trials(project, postgres) if trial.state.name != "FAIL"]
    assert len(trials) == 8
    assert len({tuple(trial.params.values()) for trial in trials}) == 8
    owners = {trial.user_attrs["owner"] for trial in trials}
    assert len(owners) == 2
    assert not (project.folder / "runs" / "optuna").exists()
    search, *late = sorted(search_runs(project), key=lambda run: run.info.status)
    assert (search.info.status, search.data.tags["trials"]) == ("FINISHED", "8")
    # Where both began in the same moment, the run of the slower one says so and is left.
    reasons = [run.data.tags["reason"] for run in late if run.info.status == "KILLED"]
    assert len(late) == len(reasons) <= 1
    assert set(reasons) <= {f"the same search as {search.info.run_id}"}


@pytest.mark.long
def test_a_search_of_many_trials_takes_few_connections(postgres: str) -> None:
    """A database has a hundred, and whoever gets none waits as if it were away."""
    for _ in range(20):
        opened = tuning_storage.open_storage(postgres, 1)
        opened.get_all_studies()
    with opened.engine.connect() as open_:
        counted = sqlalchemy.text("select count(*) from pg_stat_activity where datname = current_database()")
        assert open_.execute(counted).scalar() < 10


@pytest.mark.long
def test_no_connection_waits_for_ever_and_what_the_address_says_goes_first(postgres: str) -> None:
    with sqlalchemy.create_engine(f"{postgres}?connect_timeout=7").connect() as open_:
        said = open_.connection.driver_connection.info.get_parameters()
        idle = open_.execute(sqlalchemy.text("show idle_in_transaction_session_timeout")).scalar()
    bounds = {key: str(value) for key, value in connection_bounds.CONNECTION.items()} | {"connect_timeout": "7"}
    assert bounds.items() <= said.items()
    assert idle == "1min"


@pytest.mark.long
def test_a_process_that_is_frozen_holds_nothing_for_long(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nobody could ask for a trial as long as it is."""
    monkeypatch.setattr(connection_bounds, "IDLE_SECONDS", 1)
    engine, locked = sqlalchemy.create_engine(postgres), sqlalchemy.text("select * from held for update")
    with engine.begin() as first:
        first.execute(sqlalchemy.text("create table held as select 1 as number"))
    with engine.connect() as frozen, engine.begin() as other:
        frozen.execute(locked)
        other.execute(sqlalchemy.text("set local lock_timeout = '100s'"))
        assert other.execute(locked).scalar() == 1
        frozen.invalidate()
