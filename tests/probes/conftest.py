"""Probes are observed once in a whole run of the tests; and a record for those that record."""

from __future__ import annotations

import fcntl
import functools
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from rarelabels.probes import all_probes, probe
from rarelabels.probes.probe import Observation


@pytest.fixture(scope="session")
def observed(whole_run: Path) -> Callable[[str], Observation]:
    """What a probe observes, by its name; a process that needs it while another observes it waits for it."""
    by_name = {one.name: one for one in all_probes.PROBES}
    folder = whole_run / "probes"
    folder.mkdir(exist_ok=True)

    @functools.cache
    def of(name: str) -> Observation:
        kept = folder / name
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_bytes(pickle.dumps(probe.observe(by_name[name]).numbers))
        return Observation(by_name[name], pickle.loads(kept.read_bytes()))

    return of


@pytest.fixture(scope="session")
def numbers(observed: Callable[[str], Observation]) -> Callable[[str], dict]:
    return lambda name: dict(observed(name).numbers)


@pytest.fixture(scope="session")
def has_observed(numbers: Callable[[str], dict]) -> Callable[[str, dict], None]:
    """Assert that a probe has observed numbers that were worked out by hand."""

    def check(name: str, by_hand: dict) -> None:
        found = {number: numbers(name)[number] for number in by_hand}
        assert found == pytest.approx(by_hand, rel=2e-4, abs=1e-6)

    return check


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri
