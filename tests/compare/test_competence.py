"""Networks beside baselines: what is said of those that lag behind, and which advice is kept back for it."""

from __future__ import annotations

import pytest

from made_up_estimates import ROWS, estimate
from rarelabels.compare import competence, verdicts
from rarelabels.compare.competence import RANKS, VALIDATED
from rarelabels.compare.measured_trials import MeasuredTrial
from rarelabels.declare.study import Hypothesis

F1 = "test/per_label/macro_f1"


def trial(
    ranks: float, model: str = "text_bag", deviation: float = 0.01, f1: float = 0.5, **changed: object
) -> MeasuredTrial:
    found = {RANKS: estimate(ranks, deviation * ROWS), F1: estimate(f1)}
    means = {RANKS: ranks, VALIDATED: ranks, F1: f1}
    known = {"seeds": (0, 1), "missing": (), "test_part": "rows", "means": means, "estimates": found, "model": model}
    return MeasuredTrial(**(known | changed))


def linear(ranks: float = 0.5, **changed: object) -> MeasuredTrial:
    return trial(ranks, "linear", 0.0, **changed)


def test_a_network_beside_a_baseline_is_the_paired_difference() -> None:
    found = competence.judge("net", {"net": trial(0.38), "linear": linear()}, ["linear"], 0.01)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((-0.12, -0.1396, -0.1004), abs=1e-4)
    assert found.is_lacking
    assert found.behind == "net is worse than logistic regression by 0.12 (0.10 to 0.14) of macro average precision"


@pytest.mark.parametrize(
    ("ranks", "deviation", "begins"),
    [
        (0.38, 0.01, "The networks here are worse than logistic regression by 0.12 (0.10 to 0.14) of macro average"),
        (0.48, 0.015, "The networks here may be worse than logistic regression by 0.02 (−0.01 to 0.05) of macro"),
    ],
)
def test_the_box_begins_with_networks_that_lag_behind(ranks: float, deviation: float, begins: str) -> None:
    (told,) = competence.warnings({"net": trial(ranks, deviation=deviation), "linear": linear()}, ["linear"], 0.01)
    assert told.startswith(begins)
    assert "precision: what follows about losses is about badly trained nets. The best of them is net" in told
    assert "What to do: train longer, tune the learning rate and L2, declare `protocol: each_tuned`" in told


@pytest.mark.parametrize("ranks", [0.495, 0.5, 0.7])
def test_nothing_is_said_of_networks_within_the_margin(ranks: float) -> None:
    assert competence.warnings({"net": trial(ranks), "linear": linear()}, ["linear"], 0.01) == []
    assert len(competence.warnings({"net": trial(0.495), "linear": linear()}, ["linear"], 0.001)) == 1


def test_the_best_baseline_on_test_and_the_best_network_on_validation_are_compared() -> None:
    seen = {RANKS: 0.3, VALIDATED: 0.9, F1: 0.5}
    measured = {
        "low": trial(0.4),
        "chosen": trial(0.3, means=seen),
        "linear": linear(0.31),
        "boosted": trial(0.35, "gradient_boosting"),
    }
    (told,) = competence.warnings(measured, ["linear", "boosted"], 0.01)
    assert "worse than gradient boosting by 0.05" in told
    assert "The best of them is chosen, the baseline boosted." in told


def test_a_network_is_held_against_the_baseline_that_knew_the_same_labels() -> None:
    """Of whom positives were hidden ranks worse, network or not: that says nothing about its training."""
    measured = {
        "linear": linear(0.45),
        "hidden_linear keep=0.4": linear(0.35, hidden="dataset.hide.keep=0.4"),
        "net keep=0.4": trial(0.345, hidden="dataset.hide.keep=0.4"),
        "net keep=0.2": trial(0.2, hidden="dataset.hide.keep=0.2"),
    }
    judged = competence.judge("net keep=0.4", measured, ["linear", "hidden_linear"], 0.01)
    assert judged is not None
    assert (judged.baseline, judged.is_lacking) == ("hidden_linear keep=0.4", False)
    assert judged.value == pytest.approx(-0.005)
    assert competence.judge("net keep=0.2", measured, ["linear", "hidden_linear"], 0.01) is None
    del measured["net keep=0.4"]
    (told,) = competence.warnings(measured, ["linear", "hidden_linear"], 0.01)
    assert told.endswith("was run with the same test rows, seeds and hidden labels.")


def test_a_baseline_may_be_a_network_or_a_variant() -> None:
    measured = {"net x=1": trial(0.4), "probe x=1": trial(0.5)}
    (told,) = competence.warnings(measured, ["probe"], 0.01)
    assert "worse than probe x=1 by 0.10" in told


@pytest.mark.parametrize(
    ("measured", "baselines", "reason"),
    [
        ({"net": trial(0.4)}, [], "study.yaml names no baselines (`baselines: [linear]`)"),
        ({"net": trial(0.4)}, ["linear"], "no baseline (linear) was run with the same test rows and seeds"),
        ({"net": trial(0.4), "linear": linear(test_part="others")}, ["linear"], "no baseline (linear) was run with"),
        ({"net": trial(0.4), "linear": linear(seeds=(0,))}, ["linear"], "no baseline (linear) was run with"),
    ],
)
def test_without_a_baseline_competence_is_unknown(
    measured: dict[str, MeasuredTrial], baselines: list[str], reason: str
) -> None:
    (told,) = competence.warnings(measured, baselines, 0.01)
    assert told.startswith(f"Whether net can keep up with a baseline is unknown: {reason}")


def test_a_study_without_networks_needs_no_baseline() -> None:
    assert competence.warnings({"linear": linear()}, [], 0.01) == []


def found(about: str | None, measured: dict[str, MeasuredTrial], *, against: str = "other") -> verdicts.Finding:
    advice = {"about": about, "higher": "Take the net.", "lower": "Take the other."} if about else None
    declared = Hypothesis.model_validate(
        {"name": "claim", "claim": "A claim of one sentence.", "source": "here", "trial": "net", "against": against}
        | {"metric": F1, "direction": "greater", "margin": 0.01, "advice": advice}
    )
    (decided,) = verdicts.decide([declared], measured, ["linear"], 0.01)
    return decided


BAD = {"net": trial(0.38, f1=0.6), "other": trial(0.3), "linear": linear()}
GOOD = {"net": trial(0.495, f1=0.6), "other": trial(0.3), "linear": linear()}


@pytest.mark.parametrize("about", ["loss", "weights"])
def test_a_bad_network_has_a_verdict_on_losses_and_no_advice_and_a_good_one_has_both(about: str) -> None:
    of_bad, of_good = found(about, BAD), found(about, GOOD)
    assert of_bad.verdict == of_good.verdict == "upheld"
    assert (of_bad.value, of_bad.low) == (of_good.value, of_good.low)
    assert of_bad.advice() == ""
    assert of_bad.notes() == [
        "no advice, for net is worse than logistic regression by 0.12 (0.10 to 0.14) of macro average precision"
    ]
    assert of_good.advice() == "Take the net."  # the better of its networks is within the margin
    assert of_good.notes() == []


@pytest.mark.parametrize("about", ["metric", "threshold"])
def test_advice_on_metrics_and_thresholds_does_not_hang_on_it(about: str) -> None:
    assert found(about, BAD).advice() == "Take the net."


def test_what_compares_a_network_with_a_baseline_keeps_its_advice() -> None:
    assert found("loss", BAD, against="linear").advice() == "Take the net."


def test_two_networks_without_advice_are_marked_too() -> None:
    assert found(None, BAD).behind_baseline
    assert not found(None, GOOD).behind_baseline


def test_where_competence_is_unknown_advice_is_given() -> None:
    alone = {name: one for name, one in BAD.items() if name != "linear"}
    assert found("loss", alone).advice() == "Take the net."


def test_the_table_of_findings_says_which_give_no_advice() -> None:
    table = verdicts.long({"bad": [found("loss", BAD)], "good": [found("loss", GOOD)]})
    assert table["gives_advice"].tolist() == [False, True]
    assert table["behind_baseline"].tolist() == [
        "net is worse than logistic regression by 0.12 (0.10 to 0.14) of macro average precision",
        "",
    ]
