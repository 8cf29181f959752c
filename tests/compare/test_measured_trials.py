"""What verdicts need of a record: the trials that count, their seeds, and what their trainings suffer from."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pytest

from made_up_estimates import estimate
from rarelabels.compare import measured_trials, symptoms
from rarelabels.compare.measured_trials import NETWORKS, MeasuredTrial
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.record import estimates, reading
from rarelabels.record.entities import Run, RunData, RunInfo

METRIC = "test/half/macro_f1"
KEY = ("films/net", "", "definition", "")


def test_networks_are_what_tensorflow_trains() -> None:
    assert {"text_bag", "text_lstm", "text_cnn", "mlp", "last_block"} <= NETWORKS
    assert not {"linear", "floor", "known_probabilities"} & NETWORKS


def run(kind: str, name: str = "net", **tags: str) -> Run:
    known = {"kind": kind, "trial": f"films/{name}", "variant": "", "definition": "definition", "overrides": ""}
    info = RunInfo(f"{name} {kind}", "0", name, "FINISHED", 0, 1, "")
    return Run(info, RunData({}, {"model.kind": "text_bag"}, known | tags))


def parent(name: str = "net", **tags: str) -> Run:
    return run("trial", name, **{"summed_up": "yes", "seeds": "0 2", "test_part": "rows"} | tags)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The metrics whose estimates were read; the record has two metrics of every trial."""
    wanted: list[set[str]] = []

    def of_trial(_: object, _parent: Run, _children: list[Run], metrics: Iterable[str]) -> dict[str, Estimate]:
        wanted.append(set(metrics))
        return {METRIC: estimate(0.5)}

    summary = pd.DataFrame({"metric": [METRIC, "test/ranking/lrap"], "mean": [0.5, 0.7]})
    monkeypatch.setattr(reading, "summary", lambda _, parent: summary)
    monkeypatch.setattr(estimates, "of_trial", of_trial)
    return wanted


def read(*runs: Run, seeds: tuple[int, ...] | None = (0, 1, 2)) -> dict[str, MeasuredTrial]:
    declared = {} if seeds is None else {"net": seeds}
    return measured_trials.read(None, runs, {KEY: "net"}, declared, [METRIC])  # type: ignore[arg-type]


def test_a_trial_has_its_means_its_seeds_and_those_that_are_missing(asked: list[set[str]]) -> None:
    found = read(parent())["net"]
    assert (found.seeds, found.missing, found.test_part) == ((0, 2), (1,), "rows")
    assert found.means == {METRIC: 0.5, "test/ranking/lrap": 0.7}
    assert found.estimates[METRIC].value == 0.5
    assert asked == [{METRIC}]
    assert (found.model, found.is_network, found.symptoms) == ("text_bag", True, ())
    assert read(parent(), seeds=None)["net"].missing == ()


@pytest.mark.usefixtures("asked")
def test_what_is_not_summed_up_or_is_declared_no_more_is_left_out() -> None:
    begun = run("trial", seeds="0", test_part="rows")
    assert read(begun, parent("gone"), run("run", seed="0", fingerprint="one")) == {}


@pytest.mark.usefixtures("asked")
def test_what_its_trainings_suffer_from_is_read() -> None:
    found = read(parent(**{symptoms.TAG: "undertrained: so\ndiverging: so"}))["net"]
    assert found.symptoms == ("undertrained: so", "diverging: so")
