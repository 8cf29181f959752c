"""Trials in the order of honest validation scores; who is not ranked, and why."""

import numpy as np
import pytest

from made_up_runs import House, order
from rarelabels import packages
from rarelabels.compare.ranking import chosen_by
from rarelabels.declare import declarations, study_files
from rarelabels.errors import UserError
from rarelabels.judging.metrics.own import OwnMetric


@pytest.fixture(scope="module")
def trial():
    return declarations.load_trial(study_files.EXPERIMENTS / "movies" / "bce_accuracy.yaml")


@pytest.fixture
def house(trial, monkeypatch):
    return House(trial, monkeypatch)


@pytest.mark.parametrize(
    ("given", "recorded", "rule"),
    [
        ("per_label/macro_f1", "crossfit/per_label/macro_f1", "per_label"),
        ("crossfit/global/micro_f1", "crossfit/global/micro_f1", "global"),
        ("half/macro_f1", "validation/half/macro_f1", "half"),
        ("validation/half/macro_f1", "validation/half/macro_f1", "half"),
        ("ranking/brier", "validation/ranking/brier", "per_label"),
        ("most_likely_set/subset_accuracy", "validation/most_likely_set/subset_accuracy", "most_likely_set"),
    ],
)
def test_a_metric_is_cross_fitted_where_thresholds_are_chosen(given, recorded, rule):
    chosen = chosen_by(given)
    assert (chosen.recorded, chosen.deployed_rule) == (recorded, rule)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("test/half/macro_f1", "is a test metric"),
        ("validation/per_label/macro_f1", "use crossfit/per_label/macro_f1"),
        ("crossfit/half/macro_f1", "use validation/half/macro_f1"),
        ("oracle/macro_f1", "must be <rule>/<metric>"),
        ("argmax/macro_f1", "must be <rule>/<metric>"),
        ("macro_f1", "must be <rule>/<metric>"),
        ("half", "must be <rule>/<metric>"),
    ],
)
def test_no_other_metric_chooses(given, told):
    with pytest.raises(UserError, match=f"^--metric: .*{told}"):
        chosen_by(given)


def test_an_unknown_metric_is_told_with_the_nearest(house):
    house.add("a", (0.1, 0.2))
    with pytest.raises(UserError, match=r"no validation metric 'per_label/macro_f' is recorded; did you mean '.*_f1'"):
        house.rank("per_label/macro_f")


def test_validation_orders_by_the_mean_over_seeds_and_test_does_not(house):
    house.add("low", (0.1, 0.3), test=0.9)
    house.add("high", (0.6, 0.2), test=0.1)
    house.add("equal", (0.4, 0.4), test=0.1)
    ranked = house.rank()
    assert order(ranked) == ["equal", "high", "low"]  # equals by name
    assert [one.value for one in ranked.ranked] == pytest.approx([0.4, 0.4, 0.2])
    assert [one.test for one in ranked.ranked] == [0.1, 0.1, 0.9]
    assert (ranked.seeds, ranked.lacking) == ((0, 1), ())


def test_what_is_better_when_lower_has_the_least_first(house):
    house.add("rough", (0.3, 0.3), metric="validation/ranking/brier")
    house.add("fine", (0.1, 0.1), metric="validation/ranking/brier")
    assert order(house.rank("ranking/brier")) == ["fine", "rough"]


def test_a_metric_of_another_package_says_itself_what_is_better(house, monkeypatch):
    cost = OwnMetric(name="cost", words="cost", lower_is_better=True, highest=None, of=lambda *_: 0.0)
    brought = {"rarelabels.metrics": ("cost",), "rarelabels.rules": ("mine",)}
    monkeypatch.setattr(packages, "names", brought.get)
    monkeypatch.setattr(packages, "record", lambda *_: (cost, packages.Package("theirs", "1.0")))
    house.add("dear", (3.0, 3.0), metric="crossfit/mine/cost")
    house.add("cheap", (1.0, 1.0), metric="crossfit/mine/cost")
    ranked = house.rank("mine/cost")
    assert order(ranked) == ["cheap", "dear"]
    assert (ranked.chosen.recorded, ranked.chosen.deployed_rule) == ("crossfit/mine/cost", "mine")


def test_tied_is_what_cannot_be_told_from_the_first_on_test_be_it_better_or_worse(house):
    house.add("first", (0.9, 0.9), test=0.50)
    house.add("near", (0.8, 0.8), test=0.505)
    house.add("worse", (0.7, 0.7), test=0.30)
    house.add("better", (0.6, 0.6), test=0.70)
    ranked = house.rank()
    assert {one.name: one.tied for one in ranked.ranked} == {
        "first": True,
        "near": True,
        "worse": False,
        "better": False,
    }
    assert (ranked.ranked[0].low, ranked.ranked[0].high) == (0.4, 0.6)


def test_floors_stand_beside(house, trial):
    floor = declarations.load_trial(study_files.EXPERIMENTS / "movies" / "floor_prior.yaml").model
    house.add("floor", (0.9, 0.9), model=floor)
    house.add("net", (0.2, 0.2))
    ranked = house.rank()
    assert (order(ranked), [one.name for one in ranked.beside]) == (["net"], ["floor"])
    assert ranked.ranked[0].tied


def test_a_missing_seed_or_an_older_fingerprint_is_told(house):
    house.add("whole", (0.2, 0.2))
    house.add("half", (0.9, None))
    house.add("old", (None, None))
    house.add("never", (None, None))
    stale = next(one for one in house.identities if one.trial.short_name == "old")
    house.record(stale, {"crossfit/per_label/macro_f1": 0.9}, {"kind": "run", "seed": "0", "fingerprint": "other"})
    ranked = house.rank(skipped=["b: its data are not here"])
    assert order(ranked) == ["whole"]
    assert ranked.left_out == (
        "half: seed 1 not run",
        "old: recorded with other settings, data or versions, or not finished; run it again",
        "never: not run",
        "b: its data are not here",
    )


def test_where_no_trial_has_all_its_seeds_those_that_most_have_are_taken_and_it_is_said(house):
    house.add("a", (0.2, None, None), seeds=(0, 1, 2))
    house.add("b", (0.3, None, None), seeds=(0, 1, 2))
    house.add("c", (0.1, 0.9, None), seeds=(0, 1, 2))
    house.add("d", (None, 0.9, None), seeds=(0, 1, 2))
    ranked = house.rank()
    assert (order(ranked), ranked.seeds, ranked.lacking) == (["b", "a", "c"], (0,), (1, 2))
    assert ranked.left_out == ("d: seed 0 not run",)
    assert np.isnan(ranked.ranked[2].low)  # summed up over other seeds


def test_other_rows_do_not_compare(house, trial):
    house.add("a", (0.2, 0.2))
    house.add("b", (0.1, 0.1))
    house.add("else", (0.9, 0.9), tags={"test_part": "other rows"})
    house.add("last", (0.9, 0.9), dataset=trial.dataset.model_copy(update={"validation": "last_rows"}))
    ranked = house.rank()
    assert order(ranked) == ["a", "b"]
    assert ranked.left_out == ("else, last: validated or tested on other rows",)


def test_a_calibration_fitted_on_the_rows_that_score_it_does_not_rank(house, trial):
    platt = trial.thresholds.model_copy(update={"calibration": "platt"})
    house.add("platt", (0.9, 0.9), metric="validation/half/macro_f1", thresholds=platt)
    house.add("plain", (0.1, 0.1), metric="validation/half/macro_f1")
    ranked = house.rank("half/macro_f1")
    assert order(ranked) == ["plain"]
    assert "its platt calibration was fitted on the rows that would score it" in ranked.left_out[0]


def test_an_undefined_value_is_told(house):
    house.add("a", (0.2, 0.2))
    house.add("b", (0.3, 0.3))
    del house.runs[-2].data.metrics["crossfit/per_label/macro_f1"]
    assert house.rank().left_out == ("b: crossfit/per_label/macro_f1 is undefined in seed 1",)


def test_nothing_finished_is_one_line(house):
    house.add("a", (None, None))
    with pytest.raises(UserError, match="no trial of the study as it stands has a finished run"):
        house.rank()


def test_overridden_runs_that_would_be_first_are_told(house, trial):
    house.add("best", (0.3, 0.3))
    house.add("changed", (0.2, 0.2))

    def change(text, values):
        for seed, value in enumerate(values):
            known = {"kind": "run", "seed": str(seed), "overrides": text, "fingerprint": f"{text} {seed}"}
            house.record(house.identities[-1], {"crossfit/per_label/macro_f1": value}, known)
            house.runs[-1].data.params["dataset.validation"] = trial.dataset.validation

    change("training.epochs=9", (0.4, 0.5))
    change("training.epochs=8", (0.2, 0.3))  # would not
    change("training.epochs=7", (0.9,))  # has not all seeds
    ranked = house.rank()
    assert order(ranked) == ["best", "changed"]
    assert ranked.overridden == ("changed (training.epochs=9): overridden; it has 0.4500, best 0.3000",)


def test_what_was_searched_on_the_rows_that_rank_it_is_marked(house):
    house.add("plain", (0.2, 0.2))
    house.add(
        "tuned",
        (0.3, 0.3),
        tuning=declarations.load_trial(study_files.EXPERIMENTS / "movies" / "focal_tuned.yaml").tuning,
    )
    assert [(one.name, one.is_searched) for one in house.rank().ranked] == [("tuned", True), ("plain", False)]
