"""Metrics and rules of other packages that a trial declares: the package in ``examples/own_metric_and_rule``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from declared_trials import HEAD, HERE, problem_of, trial_of, write
from plain_trial import TRIAL, refusal
from project import REPOSITORY
from rarelabels import packages
from rarelabels.declare import declarations, own_measures
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError
from rarelabels.judging.own import NOTHING_OWN
from rarelabels.record import identities

EXAMPLE = REPOSITORY / "examples" / "own_metric_and_rule"
METRICS = {"error_cost": "own_metrics:ERROR_COST", "one_error": "own_metrics:ONE_ERROR"}
RULES = {"match_prevalence": "own_rule:MATCH_PREVALENCE"}


def install(folder: Path, version: str = "0.1.0", **groups: dict[str, str]) -> None:
    """Install the example, or other entry points, in a folder, and look for packages anew."""
    metadata = folder / "own_metric_and_rule.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: own_metric_and_rule\nVersion: {version}\n")
    points = {"metrics": METRICS, "rules": RULES} | groups
    lines = [
        line
        for group, named in points.items()
        for line in [f"[rarelabels.{group}]", *(f"{name} = {value}" for name, value in named.items())]
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    packages._points.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path)
    yield tmp_path
    packages._points.cache_clear()
    for module in ("own_metrics", "own_rule"):
        sys.modules.pop(module, None)


def trial(metrics: tuple[str, ...] = (), rules: tuple[str, ...] = (), **changes: Any) -> Trial:
    return Trial.model_validate({**TRIAL, "own_metrics": metrics, "thresholds": {"own_rules": rules}, **changes})


ALL = trial(("error_cost", "one_error"), ("match_prevalence",))


def test_records_come_with_the_package_that_brings_them(folder: Path) -> None:
    own = own_measures.of(ALL)
    assert [one.name for one in own.metrics] == ["error_cost", "one_error"]
    assert [one.name for one in own.rules] == ["match_prevalence"]
    assert {one.package for one in (*own.metrics, *own.rules)} == {"own_metric_and_rule 0.1.0"}
    assert list(own_measures.problems(ALL)) == []


def test_an_installed_package_changes_nothing_by_itself(folder: Path) -> None:
    assert own_measures.of(trial()) is NOTHING_OWN
    assert "own_metrics" not in sys.modules
    assert trial().packages == {}


def test_they_are_in_the_definition_only_where_they_are_declared() -> None:
    plain = Trial.model_validate(TRIAL)
    assert "own_metrics" not in plain.definition()
    assert "own_rules" not in plain.definition()["thresholds"]
    assert ALL.definition()["own_metrics"] == ["error_cost", "one_error"]
    assert ALL.definition()["thresholds"]["own_rules"] == ["match_prevalence"]


def test_their_version_makes_other_runs_of_the_same_training(folder: Path) -> None:
    prints = {}
    for version in ("0.1.0", "0.2.0"):
        install(folder, version)
        assert ALL.packages == {"own_metric_and_rule": version}
        prints[version] = identities.fingerprints(ALL, [0], "x")
    one, two = prints.values()
    plain = identities.fingerprints(Trial.model_validate(TRIAL), [0], "x")
    assert len({one.runs[0], two.runs[0], plain.runs[0]}) == 3
    assert one.definition != two.definition
    assert one.trainings == two.trainings == plain.trainings


def test_a_search_is_the_same_with_them(folder: Path) -> None:
    tuning = {
        "kind": "parameters",
        "n_trials": 2,
        "seeds": (0,),
        "metric": "crossfit/per_label/macro_f1",
        "direction": "maximize",
        "space": {"training.learning_rate": {"low": 0.001, "high": 0.01}},
        "sampler": {"kind": "random", "seed": 0},
        "pruner": {"kind": "none"},
    }
    with_own = trial(("error_cost",), ("match_prevalence",), tuning=tuning)
    found = [identities.search_fingerprint(one, None, "x") for one in (with_own, trial(tuning=tuning))]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("metrics", "rules", "problem"),
    [
        (("error_costs",), (), ("own_metrics", "no installed package brings 'error_costs' (rarelabels.metrics); did")),
        (("mine",), (), ("own_metrics", "installed packages bring 'error_cost', 'one_error'")),
        (("macro_f1",), (), ("own_metrics", "'macro_f1' is a metric of Rarelabels, which is always measured")),
        ((), ("match",), ("thresholds.own_rules", "no installed package brings 'match' (rarelabels.rules)")),
        ((), ("per_label",), ("thresholds.own_rules", "'per_label' is a name of Rarelabels; a rule needs another one")),
        ((), ("ranking",), ("thresholds.own_rules", "'ranking' is a name of Rarelabels")),
        ((), ("error_cost",), ("thresholds.own_rules", "no installed package brings 'error_cost' (rarelabels.rules)")),
    ],
)
def test_only_what_is_installed_can_be_named(
    folder: Path, metrics: tuple[str, ...], rules: tuple[str, ...], problem: tuple[str, str]
) -> None:
    ((key, text),) = own_measures.problems(trial(metrics, rules))
    assert key == problem[0]
    assert problem[1] in text


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (
            {"error_cost": "no_such_module:X"},
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            {"error_cost": "own_metrics:MISSED"},
            "must name an object of the class rarelabels.judging.metrics.own.OwnMetric",
        ),
        ({"error_cost": "own_rule:MATCH_PREVALENCE"}, "must name an object of the class"),
        ({"error_cost": "own_metrics:ONE_ERROR"}, "names own_metrics:ONE_ERROR, whose name is 'one_error'; the entry"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_names_the_package(
    folder: Path, metrics: dict[str, str], reason: str
) -> None:
    install(folder, metrics=metrics)
    ((_, text),) = own_measures.problems(trial(("error_cost",)))
    assert text.startswith("own_metric_and_rule 0.1.0: its entry point error_cost (rarelabels.metrics) ")
    assert reason in text
    assert "\n" not in text
    with pytest.raises(UserError, match=r"own_metric_and_rule 0\.1\.0"):
        own_measures.of(trial(("error_cost",)))


def test_two_packages_cannot_bring_one_metric(folder: Path) -> None:
    other = folder / "other.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 3\n")
    (other / "entry_points.txt").write_text("[rarelabels.metrics]\nerror_cost = own_metrics:ERROR_COST\n")
    packages._points.cache_clear()
    ((_, text),) = own_measures.problems(trial(("error_cost",)))
    assert text.startswith("more than one package brings 'error_cost' (rarelabels.metrics): ")
    assert "other 3" in text


@pytest.mark.parametrize(
    ("of", "metric", "reason"),
    [
        (ALL, "test/half/error_cost", ""),
        (ALL, "test/match_prevalence/macro_f1", ""),
        (ALL, "test/match_prevalence/error_cost", ""),
        (ALL, "test/ranking/macro_average_precision", ""),
        (trial(), "test/half/macro_f1", ""),
        (trial(), "test/half/error_cost", "bce has no metric 'error_cost'; name it in its own_metrics"),
        (trial(), "test/match_prevalence/macro_f1", "bce has no rule 'match_prevalence'; name it in its thresholds."),
        (ALL, "test/ranking/error_cost", "'error_cost' is a metric of decisions; use test/<rule>/error_cost"),
        (ALL, "test/half/one_error", "'one_error' is a metric of scores; use test/ranking/one_error"),
        (
            ALL,
            "test/ranking/one_error",
            "'one_error' has no interval, for own_metric_and_rule 0.1.0 gives no influences",
        ),
    ],
)
def test_a_hypothesis_needs_a_metric_that_its_trial_has_with_an_interval(
    folder: Path, of: Trial, metric: str, reason: str
) -> None:
    found = own_measures.unmeasured(of, metric)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_where_a_package_is_not_installed_its_metrics_are_left_out(folder: Path) -> None:
    assert [one.name for one in own_measures.installed_metrics(["one_error", "of_somebody"])] == ["one_error"]
    with pytest.raises(UserError, match="no installed package brings 'of_somebody'"):
        own_measures.metric("of_somebody")


def test_a_file_with_what_is_not_installed_is_refused_with_its_key(house: Path, folder: Path) -> None:
    own = "own_metrics: [error_cost]\nthresholds: {own_rules: [match_prevalence]}\n"
    assert trial_of(HEAD + own).own_metrics == ("error_cost",)
    assert problem_of(HEAD + own.replace("match", "meet")) == (
        f"{HERE}thresholds.own_rules: no installed package brings 'meet_prevalence' (rarelabels.rules); "
        "did you mean 'match_prevalence'?"
    )
    varied = HEAD + "vary: {thresholds.own_rules: [[], [match_prevalence], [nobodys]]}"
    assert "'nobodys' (rarelabels.rules)" in problem_of(varied)


def test_a_study_with_a_hypothesis_that_no_interval_decides_is_refused(house: Path, folder: Path) -> None:
    write(HEAD + "own_metrics: [one_error]\n", "first")
    write(HEAD, "second")
    hypothesis = (
        "{name: better, claim: The first is better, source: here, trial: first, against: second, "
        "metric: test/ranking/one_error, direction: less, margin: 0}"
    )
    path = write(f"title: T\nquestion: Which is better?\nthread: here\nhypotheses: [{hypothesis}]\n", "study")
    with pytest.raises(UserError) as caught:
        declarations.load_study(path.parent)
    where = "experiments/movies/study.yaml: hypotheses.better.metric: "
    assert str(caught.value).split("\n") == [
        f"{where}'one_error' has no interval, for own_metric_and_rule 0.1.0 gives no influences; a hypothesis is "
        "decided by an interval",
        f"{where}second has no metric 'one_error'; name it in its own_metrics",
    ]


def test_names_are_plain_and_different() -> None:
    assert "own_metrics" in refusal(own_metrics=("My metric",))
    assert "listed twice" in refusal(own_metrics=("mine", "mine"))
