"""A world that changes is told, with what to do."""

import math

import numpy as np
import pytest

from halves import halves, halves_that_fail
from rarelabels.learn.tensorflow_setup import keras
from rarelabels.probes import all_probes
from rarelabels.probes import probe as probes_probe
from rarelabels.probes.probe import Observation, Probe, error_of, observe_all, versions


def test_what_drew_random_numbers_before_does_not_matter() -> None:
    probe = next(probe for probe in all_probes.PROBES if probe.name == "pair_by_shuffled_rows")
    for seed in (5, 6):
        keras.utils.set_random_seed(seed)
        assert probes_probe.observe(probe).is_as_pinned


def test_a_changed_number_is_told_with_what_to_do() -> None:
    observation = probes_probe.observe(halves(0.6))
    assert not observation.is_as_pinned
    assert observation.complaint().startswith(
        f"probe halves: the libraries have changed: half: pinned 0.5, observed 0.6, with keras {keras.__version__}, "
    )
    assert observation.complaint().endswith("update its text, its pinned numbers and what is built on them")
    assert observation.text == "CHANGED: half: pinned 0.5, observed 0.6"
    assert probes_probe.observe(halves()).text == "A half is 0.50 and raises TypeError."


@pytest.mark.parametrize(("number", "same"), [(0.50001, True), (0.5001, False), (math.nan, False), ("nothing", False)])
def test_what_is_the_same(number: float, same: bool) -> None:
    assert probes_probe.observe(halves(number)).is_as_pinned is same


def test_a_number_that_is_new_or_gone_is_a_change() -> None:
    probe = halves()
    assert Observation(probe, {"half": 0.5}).changed == {"raised": ("TypeError", None)}
    assert Observation(probe, {**probe.expected, "third": 0.3}).changed == {"third": (None, 0.3)}
    assert (
        "third: pinned nothing, observed 0.3, with" in Observation(probe, {**probe.expected, "third": 0.3}).complaint()
    )


def test_a_probe_that_cannot_be_run_is_a_change() -> None:
    observation = probes_probe.observe(halves_that_fail())
    assert observation.text == "CHANGED: it cannot be run any more, ValueError: no halves"


def test_what_is_pinned_as_0_may_be_off_by_the_rounding_of_float32() -> None:
    zero = Probe("zero", "three_classes", "it is", "it is", dict, "{zero:.1f}", {"zero": 0.0})
    assert Observation(zero, {"zero": 9e-8}).is_as_pinned
    assert not Observation(zero, {"zero": 2e-7}).is_as_pinned


def test_probes_are_observed_in_their_order() -> None:
    found = observe_all([halves(0.6), halves(), halves_that_fail()])
    assert [one.is_as_pinned for one in found] == [False, True, False]


def fail() -> None:
    raise AssertionError


def test_an_exception_is_told_by_its_name_and_none_is_nothing() -> None:
    assert error_of(lambda: int("half")) == "ValueError"
    assert error_of(lambda: {}["half"]) == "KeyError"
    assert error_of(lambda: 0.5) == "nothing"
    with pytest.raises(AssertionError):  # a fault of the probe is no observation
        error_of(fail)


def test_versions_are_those_that_are_installed() -> None:
    assert versions()["keras"] == keras.__version__
    assert versions()["numpy"] == np.__version__
