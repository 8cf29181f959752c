"""Verdicts from estimates made by hand: where the interval lies, at which level, and when there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from pydantic import ValidationError

from made_up_estimates import ROWS, estimate, rows
from rarelabels.compare import verdicts as compare_verdicts
from rarelabels.compare.measured_trials import MeasuredTrial
from rarelabels.compare.verdicts import Finding
from rarelabels.declare.first_seen import FirstSeen
from rarelabels.declare.study import Hypothesis
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.judging.statistics.inference import holm
from rarelabels.show.tables import of_study

METRIC = "test/half/macro_f1"


def claim(name: str = "claim", **declared: object) -> Hypothesis:
    known = {"claim": "A claim of one sentence.", "source": "here", "trial": "a", "against": "b", "metric": METRIC}
    return Hypothesis.model_validate(known | {"name": name, "direction": "greater", "margin": 0.0} | declared)


def trial(mean: float, influence: object = 0.0, **changed: object) -> MeasuredTrial:
    found = {METRIC: estimate(mean, influence)}
    known = {"seeds": (0, 1), "missing": (), "test_part": "rows", "means": {METRIC: mean}, "estimates": found}
    return MeasuredTrial(**(known | changed))


def decided(hypothesis: Hypothesis, difference: float, deviation: float) -> Finding:
    (finding,) = compare_verdicts.decide(
        [hypothesis], {"a": trial(0.5 + difference, deviation * ROWS), "b": trial(0.5)}
    )
    return finding


@pytest.mark.parametrize(
    ("direction", "margin", "difference", "verdict"),
    [
        ("greater", 0.02, 0.045, "upheld"),  # 0.025 to 0.065
        ("greater", 0.02, 0.039, "undecided"),  # 0.019 to 0.059
        ("greater", 0.02, -0.01, "refuted"),
        ("greater", 0.02, 0.001, "undecided"),  # up to 0.021
        ("greater", 0.02, -0.001, "refuted"),  # up to 0.019
        ("less", 0.02, -0.045, "upheld"),
        ("less", 0.02, -0.039, "undecided"),
        ("less", 0.02, 0.001, "refuted"),
        ("equal", 0.02, 0.0, "upheld"),  # −0.0196 to 0.0196
        ("equal", 0.02, 0.001, "undecided"),
        ("equal", 0.02, 0.04, "refuted"),
        ("equal", 0.02, -0.04, "refuted"),
        ("equal", 0.01, 0.0, "undecided"),  # the interval is wider than the margin
    ],
)
def test_a_verdict_is_where_the_interval_lies(direction: str, margin: float, difference: float, verdict: str) -> None:
    found = decided(claim(direction=direction, margin=margin), difference, 0.01)
    assert found.verdict == verdict
    assert found.value == pytest.approx(difference)
    assert found.level == 0.95
    assert (found.low, found.high) == pytest.approx((difference - 0.0196, difference + 0.0196), abs=1e-4)
    assert not found.identical


def test_what_is_undecided_says_what_would_decide_and_what_would_have_been_seen() -> None:
    found = decided(claim(margin=0.02), 0.03, 0.01)
    told = "4 × the test rows would decide, if the difference stayed; a difference of 0.028 is seen in four of five"
    assert found.notes() == [f"{told} such studies"]
    assert decided(claim(margin=0.02), 0.045, 0.01).notes() == []
    assert decided(claim(), 0.03, 0.01).share_of_seeds == 0


def test_intervals_that_cannot_be_relied_on_are_marked() -> None:
    rare = "3 of 20 labels have fewer than 10 positives on test"
    measured = {"a": trial(0.6, 0.01 * ROWS, rare_labels=rare), "b": trial(0.5)}
    assert compare_verdicts.decide([claim()], measured)[0].notes() == [f"interval not reliable: {rare}"]
    micro = {"test/half/micro_f1": estimate(0.6, 0.01 * ROWS)}
    measured = {"a": trial(0.6, estimates=micro, rare_labels=rare), "b": trial(0.5, estimates=micro)}
    assert compare_verdicts.decide([claim(metric="test/half/micro_f1")], measured)[0].unreliable == ""
    seeds = {METRIC: Estimate(np.array([0.6, 0.9]), 0.01 * ROWS)}
    (found,) = compare_verdicts.decide([claim()], {"a": trial(0.75, estimates=seeds), "b": trial(0.5)})
    assert found.unreliable == "its variance is mostly that of seeds, of which 2 say little"


@pytest.mark.parametrize(("direction", "verdict"), [("greater", "refuted"), ("less", "refuted"), ("equal", "upheld")])
def test_identical_sides_are_equal_whatever_the_margin(direction: str, verdict: str) -> None:
    same = {"a": trial(0.5, 0.1 * ROWS), "b": trial(0.5, 0.1 * ROWS)}
    (found,) = compare_verdicts.decide([claim(direction=direction)], same)
    assert (found.verdict, found.identical, found.value, found.low, found.high) == (verdict, True, 0, 0, 0)


def test_two_rules_of_one_trial() -> None:
    found = {METRIC: estimate(0.3, 0.01 * ROWS), "test/per_label/macro_f1": estimate(0.4, 0.01 * ROWS)}
    both = trial(0.3, estimates=found)
    hypothesis = claim(against="a", metric="test/per_label/macro_f1", against_metric=METRIC, margin=0.05)
    (found,) = compare_verdicts.decide([hypothesis], {"a": both})
    assert found.verdict == "upheld"
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_levels_step_down_as_holm_does_until_one_is_undecided() -> None:
    """Of m = 5, one is not run; z = 3.5, 2.6, 2.2 and 2.1 standard errors: 0.0005, 0.009, 0.028 and 0.036."""
    z = {"third": 2.2, "first": 3.5, "fourth": 2.1, "second": 2.6}
    declared = [claim(name, trial=name) for name in z] + [claim("unknown", trial="unknown")]
    measured = {name: trial(0.5 + 0.01 * times, 0.01 * ROWS) for name, times in z.items()} | {"b": trial(0.5)}
    found = {one.hypothesis.name: one for one in compare_verdicts.decide(declared, measured)}
    assert list(found) == [*z, "unknown"]  # in the declared order
    assert {name: one.verdict for name, one in found.items() if one.verdict != "undecided"} == {
        "first": "upheld",
        "second": "upheld",
    }
    levels = [found[name].level for name in ("first", "second", "third", "fourth")]
    assert levels == pytest.approx([1 - 0.05 / 5, 1 - 0.05 / 4, 1 - 0.05 / 3, 1 - 0.05 / 3])
    p_values = [estimate(0.01 * times, 0.01 * ROWS).p_value() for times in z.values()]
    assert [p <= 0.05 for p in holm([*p_values, 1.0])[:4]] == [one.verdict == "upheld" for one in found.values()][:4]


def test_holm_agrees_on_random_studies() -> None:
    rng = np.random.default_rng(0)
    verdicts = set()
    for _ in range(200):
        z = rng.normal(0.5, 3, size=rng.integers(1, 30))
        declared = [claim(f"h{i}", trial=f"t{i}") for i in range(len(z))]
        measured = {f"t{i}": trial(0.5 + 0.01 * z[i], 0.01 * rows(i)) for i in range(len(z))} | {"b": trial(0.5)}
        found = compare_verdicts.decide(declared, measured)
        adjusted = holm([estimate(0.01 * z[i], 0.01 * rows(i)).p_value() for i in range(len(z))])
        assert [one.verdict != "undecided" for one in found] == (adjusted < 0.05).tolist()
        verdicts |= {one.verdict for one in found}
    assert verdicts == {"upheld", "refuted", "undecided"}


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ({}, "not run: a, b"),
        ({"b": trial(0.5)}, "not run: a"),
        (
            {"a": trial(0.5, seeds=(0,), missing=(1, 2)), "b": trial(0.5, missing=(2,))},
            "not run: a seeds 1, 2; b seed 2",
        ),
        ({"a": trial(0.5, seeds=(0,)), "b": trial(0.5)}, "other seeds: a 0; b 0, 1"),
        ({"a": trial(0.5, test_part="others"), "b": trial(0.5)}, "other test rows"),
        ({"a": trial(0.5, estimates={}), "b": trial(0.5)}, f"a has no {METRIC} with an interval"),
    ],
)
def test_undecided_where_there_is_nothing_to_decide_by(measured: dict[str, MeasuredTrial], reason: str) -> None:
    (found,) = compare_verdicts.decide([claim()], measured)
    assert (found.verdict, found.reason) == ("undecided", reason)
    assert np.isnan([found.value, found.low, found.high, found.level]).all()


def test_with_the_same_seeds_missing_a_verdict_is_provisional() -> None:
    measured = {"a": trial(0.6, 0.01 * ROWS, missing=(2, 3, 4)), "b": trial(0.5, missing=(2, 3, 4))}
    (found,) = compare_verdicts.decide([claim()], measured)
    assert (found.verdict, found.provisional, found.reason) == ("upheld", True, "")
    assert found.notes() == ["provisional"]
    (whole,) = compare_verdicts.decide([claim()], {"a": trial(0.6, 0.01 * ROWS), "b": trial(0.5)})
    assert (whole.low, whole.high) == (found.low, found.high)
    assert not whole.provisional


ADVICE = {
    "about": "threshold",
    "higher": "It is higher.",
    "lower": "It is lower.",
    "equal": "It is as high.",
    "undecided": "Nobody knows.",
}


@pytest.mark.parametrize(
    ("direction", "difference", "deviation", "sentence"),
    [
        ("greater", 0.05, 0.01, "It is higher."),
        ("greater", -0.05, 0.01, "It is lower."),
        ("greater", -0.005, 0.002, "It is as high."),  # −0.009 to −0.001, within the margin
        ("greater", -0.015, 0.01, "It is as high."),  # −0.035 to 0.005: refuted, and not shown to be lower
        ("greater", 0.02, 0.01, "Nobody knows."),
        ("less", -0.05, 0.01, "It is lower."),
        ("less", 0.05, 0.01, "It is higher."),
        ("less", 0.005, 0.002, "It is as high."),
        ("equal", 0.0, 0.01, "It is as high."),
        ("equal", 0.05, 0.01, "It is higher."),
        ("equal", -0.05, 0.01, "It is lower."),
        ("equal", 0.02, 0.01, "Nobody knows."),
    ],
)
def test_each_direction_has_its_own_sentence(
    direction: str, difference: float, deviation: float, sentence: str
) -> None:
    found = decided(claim(direction=direction, margin=0.02, advice=ADVICE), difference, deviation)
    assert found.advice() == sentence


def test_advice_of_0_4_2_is_still_given_and_asks_the_reader_nothing() -> None:
    old = {
        "about": "threshold",
        "upheld": "Take either.",
        "refuted": "They differ; look at the sign of the difference.",
    }
    equal = claim(direction="equal", margin=0.02, advice=old)
    assert decided(equal, 0.0, 0.001).advice() == "Take either."
    assert decided(equal, 0.1, 0.001).advice() == "They differ; a is higher."
    assert decided(equal, -0.1, 0.001).advice() == "They differ; a is lower."
    assert decided(equal, 0.02, 0.01).advice() == "Not decided here: A claim of one sentence."


def test_what_has_no_sentence_is_told_by_its_claim() -> None:
    only = claim(margin=0.02, advice={"about": "threshold", "higher": "It is higher."})
    assert decided(only, -0.05, 0.01).advice() == "Does not hold here: A claim of one sentence."
    assert decided(only, 0.02, 0.01).advice() == "Not decided here: A claim of one sentence."
    assert decided(claim(), 0.05, 0.01).advice() == ""
    with pytest.raises(
        ValidationError, match="needs a sentence for at least one of higher, lower, equal and undecided"
    ):
        claim(advice={"about": "loss"})


def test_late_is_what_was_known_after_a_look_whether_it_is_measured_or_not() -> None:
    """See ``test_lateness.py`` for what is late; without times nothing is, but what says so itself."""
    first = datetime(2026, 11, 30, tzinfo=UTC)
    looked_at = FirstSeen(hypotheses={}, trials={"a": first})
    both = {"a": trial(0.6), "b": trial(0.5)}
    for measured in (both, {"b": trial(0.5)}, {}):
        assert compare_verdicts.decide([claim()], measured, seen=looked_at)[0].late
        assert not compare_verdicts.decide([claim()], measured)[0].late
        assert compare_verdicts.decide([claim(after_a_look=True)], measured)[0].late
    (found,) = compare_verdicts.decide([claim()], both, seen=looked_at)
    assert found.notes()[0] == "late"


def test_a_word_in_brackets_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    found = decided(claim(claim="Declare `baselines: [linear]`."), 0.05, 0.01)
    of_study.print_findings("a study", [found], [])
    assert "[linear]" in capsys.readouterr().out


def test_long_has_a_row_for_each() -> None:
    found = compare_verdicts.decide([claim("one"), claim("two", trial="c")], {"a": trial(0.6, ROWS), "b": trial(0.5)})
    rows = compare_verdicts.long({"films": found, "others": found[:1]})
    assert rows["study"].tolist() == ["films", "films", "others"]
    assert rows["name"].tolist() == ["one", "two", "one"]
    assert rows["reason"].tolist() == ["", "not run: c", ""]
    assert {"claim", "source", "trial", "against", "metric", "margin", "verdict", "value", "low", "high"} < set(rows)
    assert compare_verdicts.long({}).empty
