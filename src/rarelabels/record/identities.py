"""Which run is which: its trial, variant and seed, and fingerprints: equal ones mean equal numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from rarelabels import __version__
from rarelabels.declare.training import THREADS
from rarelabels.declare.trial import Trial
from rarelabels.record.entities import Run

EVALUATION = 4  # raised when rules or metrics are added: runs are judged anew from their scores, without training

ParentKey = tuple[str, str, str, str]  # trial, variant, definition, overrides


@dataclass(frozen=True)
class Identity:
    """Which run this is. Two runs with the same fingerprint have the same numbers.

    Attributes:
        trial: as it runs, overrides included.
        variant: of a trial with ``vary``, else empty.
        seed: of the split and the net.
        definition: fingerprint without the seed; what the runs below one parent share.
        fingerprint: see :class:`Fingerprints`, like ``training``.
        training: of what it shares with runs that differ only in their rules.
        overrides: how the trial differs from its declaration, as text; empty if it does not.
        search: id of the run of the search that tuned it; empty for a trial without one.
    """

    trial: Trial
    variant: str
    seed: int
    definition: str
    fingerprint: str
    training: str
    overrides: str
    search: str = ""

    @property
    def parent_key(self) -> ParentKey:
        """Which parent run it belongs to."""
        return self.trial.name, self.variant, self.definition, self.overrides


def parent_key(run: Run) -> ParentKey:
    """Return which parent a recorded run is, or belongs to."""
    tags = run.data.tags
    return tags["trial"], tags["variant"], tags["definition"], tags["overrides"]


@dataclass(frozen=True)
class Fingerprints:
    """Hashes by which runs of a trial on some data differ.

    Attributes:
        definition: of what the runs below one parent share.
        runs: by seed, of what can change the numbers: definition, data, seed, library versions, thread count, results
            version.
        trainings: by seed, of what can change the scores: runs that differ only in their rules share a training.
    """

    definition: str
    runs: dict[int, str]
    trainings: dict[int, str]


def fingerprints(trial: Trial, seeds: Sequence[int], digest: str) -> Fingerprints:
    """Return the fingerprints of a trial's runs on data with that digest."""
    definition, training = trial.definition() | {"evaluation": EVALUATION}, trial.training_definition()
    return Fingerprints(
        _hash(trial, definition, None, digest),
        {seed: _hash(trial, definition, seed, digest) for seed in seeds},
        {seed: _hash(trial, training, seed, digest) for seed in seeds},
    )


def training_fingerprint(trial: Trial, seed: int, digest: str) -> str:
    """Return the fingerprint of one training; see :class:`Fingerprints`."""
    return _hash(trial, trial.training_definition(), seed, digest)


def search_fingerprint(trial: Trial, seed: int | None, digest: str) -> str:
    """Hash what can change a search. The number of trials is left out for parameters: with more, the search goes on.

    A search of parameters has no seed: it uses several.
    """
    assert trial.tuning is not None
    tuning = trial.tuning.defined()
    if not trial.searches_thresholds:
        del tuning["n_trials"]
    also = {"tuning": tuning, "evaluation": EVALUATION, "optuna": version("optuna")}
    return _hash(trial, trial.definition() | also, seed, digest)


def _hash(trial: Trial, definition: Mapping[str, Any], seed: int | None, digest: str) -> str:
    identity = {
        "definition": definition,
        "data": digest,
        "seed": seed,
        "versions": library_versions(trial.needs_tensorflow),
        "results": __version__.rsplit(".", 1)[0],
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=2)
def library_versions(with_tensorflow: bool) -> dict[str, str]:
    """Return the versions of the libraries that numbers depend on, and the thread count."""
    names = ["scikit-learn", "numpy"] + (["tensorflow", "keras"] if with_tensorflow else [])
    return {name: version(name) for name in names} | {"threads": str(THREADS)}
