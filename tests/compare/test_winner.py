"""What is said of the winner: its number, what cannot be told from it, and its thresholds."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rarelabels.compare import ranking, winner
from rarelabels.compare.ranking import Ranked, Ranking
from rarelabels.compare.winner import Gain
from rarelabels.declare import declarations, study_files


@pytest.fixture(scope="module")
def network():
    return declarations.load_trial(study_files.EXPERIMENTS / "movies" / "bce_accuracy.yaml")


@pytest.fixture(scope="module")
def linear():
    return declarations.load_trial(study_files.EXPERIMENTS / "movies" / "linear_bce.yaml")


def ranked(name, trial, test=0.4, seconds=1, low=0.38, high=0.42, tied=True):
    info = SimpleNamespace(run_id=name, start_time=0, end_time=1000 * seconds)
    run = SimpleNamespace(info=info, data=SimpleNamespace(tags={}))
    return Ranked(name, trial, (run,), 0.45, test, low, high, tied)


def of(*trials, metric="per_label/macro_f1"):
    return Ranking(ranking.chosen_by(metric), (0,), (), trials, (), ())


def test_the_winner_is_named_with_its_rule_and_interval(network, linear):
    first = ranked("asymmetric", network)
    assert winner.chosen(of(first), first) == (
        "Use asymmetric with a threshold for each label: macro-F1 0.400 (0.380 to 0.420) on test. It is first on "
        "validation: crossfit/per_label/macro_f1 0.450."
    )
    tuned = declarations.load_trial(study_files.EXPERIMENTS / "movies" / "pos_weight_tuned.yaml")
    first = ranked("tuned", tuned)
    assert winner.chosen(of(first), first).endswith("macro_f1 0.450 (it was searched on these rows).")
    first = ranked("linear", linear, low=np.nan, high=np.nan)
    assert ": macro-F1 0.400 on test. " in winner.chosen(of(first), first)


def test_with_fewer_seeds_the_winner_is_provisional(network):
    first = ranked("asymmetric", network)
    few = replace(of(first), lacking=(1, 2))
    assert winner.chosen(few, first).endswith("macro_f1 0.450. Provisional: seeds 1, 2 not run.")


def test_equals_are_listed_the_cheapest_first_and_baselines_before_networks(network, linear):
    slow, fast = ranked("slow", network, seconds=9), ranked("fast", network, 0.39, seconds=2)
    dear, probe = ranked("linear", linear, 0.38, seconds=99), ranked("probe", network, 0.37, seconds=100)
    tied = winner.cheapest_first([slow, dear, fast, probe], ["probe"], [])
    assert [one.name for one in tied] == ["linear", "probe", "fast", "slow"]
    first = ranked("first", network)
    assert winner.told_apart(of(first, *tied), tied) == [
        "It cannot be told from these on test, the cheapest first: "
        "linear (0.380), probe (0.370), fast (0.390), slow (0.400)."
    ]


def test_a_copied_training_costs_what_it_took_where_it_was_made(network):
    copied, other = ranked("copied", network, seconds=1), ranked("other", network, seconds=5)
    copied.runs[0].data.tags["trained_by"] = "made"
    made = SimpleNamespace(info=SimpleNamespace(run_id="made", start_time=0, end_time=9000))
    assert [one.name for one in winner.cheapest_first([copied, other], [], [made])] == ["other", "copied"]


def test_without_equals_that_is_said(network):
    first, last = ranked("first", network), ranked("last", network, tied=False)
    assert winner.told_apart(of(first, last), []) == ["All other trials can be told from it on test."]
    assert winner.told_apart(of(first), []) == ["No other trial is ranked."]
    unknown = ranked("first", network, low=np.nan)
    assert winner.told_apart(of(unknown, last), []) == [
        "What cannot be told from it is not known: it was summed up over other seeds."
    ]


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.01, 0.05, "is better than one for all: macro-F1 +0.030 (+0.010 to +0.050) on test."),
        (-0.01, 0.07, "cannot be told from one for all: macro-F1 +0.030 (−0.010 to +0.070) on test."),
    ],
)
def test_thresholds_of_the_winner(low, high, told):
    first, second = winner.about_thresholds(Gain(0.03, low, high, 20))
    assert first == f"For it a threshold for each label {told}"
    assert second == "Labels with 20 positives on validation, or more, gain by a threshold of their own."


def test_thresholds_that_harm_the_winner():
    first, second = winner.about_thresholds(Gain(-0.03, -0.05, -0.01, None))
    assert first == (
        "For it a threshold for each label is worse than one for all: macro-F1 −0.030 (−0.050 to −0.010) on test; use "
        "one for all."
    )
    assert second == "Labels do not gain by a threshold of their own, however many positives they have on validation."


@pytest.mark.parametrize(
    ("positives", "gained", "least"),
    [
        ([3, 12, 15, 40], [0.1, -0.2, 0.1, 0.1], 20),  # bins 1: 0.1, 10: −0.05, 20: 0.1
        ([3, 12, 15, 40], [0.1, -0.1, 0.2, 0.1], 1),
        ([3, 12, 15, 40], [0.1, -0.1, 0.2, -0.1], None),  # the labels with most positives lose
        ([0, 7, 60], [-0.9, 0.0, 0.1], 50),  # without a positive nothing was chosen; no gain is none
        ([99_999], [0.1], 10_000),
    ],
)
def test_from_how_many_positives_on_labels_gain(positives, gained, least):
    assert winner.gains_from(np.array(positives), np.array(gained)) == least


def test_nothing_is_said_where_nothing_is_ranked():
    assert winner.lines(None, [], of(), []) == []
