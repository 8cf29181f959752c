"""The identity of a run: its trial, variant, seed and fingerprints. Equal fingerprints mean equal numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from rarelabels import __version__
from rarelabels.declare.models import ScoresSpec
from rarelabels.declare.training import THREADS
from rarelabels.declare.trial import Trial
from rarelabels.record import score_digests
from rarelabels.record.entities import Run

EVALUATION = 4  # raise it when rules or metrics are added: then runs are judged anew from their scores, untrained

ParentKey = tuple[str, str, str, str]  # trial, variant, definition, overrides


@dataclass(frozen=True)
class Identity:
    """The identity of a run. Two runs with the same fingerprint have the same numbers.

    Attributes:
        trial: as it runs, with overrides and tuned values.
        variant: of a trial with ``vary``, else empty.
        seed: of the split and the net.
        definition: fingerprint without the seed; the runs below one parent run share it.
        fingerprint: of the run, see :class:`Fingerprints`.
        training: fingerprint of the training, see :class:`Fingerprints`.
        overrides: how the trial differs from its declaration, as text; empty if it does not differ.
        search: id of the run of the search that tuned the trial; empty for a trial without a search.
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
        """The key of the parent run to which the run belongs."""
        return self.trial.name, self.variant, self.definition, self.overrides


def parent_key(run: Run) -> ParentKey:
    """Return the key of the parent run that a recorded run is, or to which it belongs."""
    tags = run.data.tags
    return tags["trial"], tags["variant"], tags["definition"], tags["overrides"]


@dataclass(frozen=True)
class Fingerprints:
    """Hashes that tell the runs of a trial apart, on given data.

    Attributes:
        definition: hash of everything but the seed; the runs below one parent run share it.
        runs: by seed, the hash of everything that can change the numbers: definition, data, seed, library versions,
            thread count, results version.
        trainings: by seed, the hash of everything that can change the scores. Runs that differ only in their rules
            share a training.
    """

    definition: str
    runs: dict[int, str]
    trainings: dict[int, str]


def fingerprints(trial: Trial, seeds: Sequence[int], digest: str) -> Fingerprints:
    """Return the fingerprints of a trial's runs on data with the given digest."""
    definition = trial.definition() | {"evaluation": EVALUATION}
    return Fingerprints(
        _hash(trial, definition, None, digest, trial.packages),
        {seed: _hash(trial, definition, seed, digest, trial.packages) for seed in seeds},
        {seed: training_fingerprint(trial, seed, digest) for seed in seeds},
    )


def training_fingerprint(trial: Trial, seed: int, digest: str) -> str:
    """Return the fingerprint of one training; see :class:`Fingerprints`."""
    return _hash(trial, trial.training_definition(), seed, digest, trial.training_packages)


def search_fingerprint(trial: Trial, seed: int | None, digest: str) -> str:
    """Return the hash of everything that can change a search.

    For a search of settings, the number of trials is left out: if it is raised, the same search goes on. Such a search
    has no seed, because it trains with several.
    """
    assert trial.tuning is not None
    tuning = trial.tuning.defined()
    if not trial.searches_thresholds:
        del tuning["n_trials"]
    also = {"tuning": tuning, "evaluation": EVALUATION, "optuna": version("optuna")}
    definition = trial.without_own_measures().definition() | also
    return _hash(trial, definition, seed, digest, trial.training_packages)


def _hash(
    trial: Trial, definition: Mapping[str, Any], seed: int | None, digest: str, packages: Mapping[str, str]
) -> str:
    identity: dict[str, object] = {
        "definition": definition,
        "data": digest,
        "seed": seed,
        "versions": library_versions(trial.needs_tensorflow),
        "results": __version__.rsplit(".", 1)[0],
    }
    identity |= _scores(trial, seed) | ({"packages": dict(packages)} if packages else {})
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _scores(trial: Trial, seed: int | None) -> dict[str, list[str]]:
    """Return the digests of a trial's score files; empty if it has none.

    Those of all declared seeds are among them, because the runs below one parent run have one definition.

    Raises:
        MissingDataError: a file is not there.
    """
    if not isinstance(trial.model, ScoresSpec):
        return {}
    seeds = trial.seeds if seed is None else (*trial.seeds, seed)
    paths = dict.fromkeys(path for one in seeds for path in trial.model.files(one))
    return {"scores": [score_digests.of_file(path) for path in paths]}


@lru_cache(maxsize=2)
def library_versions(with_tensorflow: bool) -> dict[str, str]:
    """Return the versions of the libraries on which the numbers depend, and the thread count."""
    names = ["scikit-learn", "numpy"] + (["tensorflow", "keras"] if with_tensorflow else [])
    return {name: version(name) for name in names} | {"threads": str(THREADS)}
