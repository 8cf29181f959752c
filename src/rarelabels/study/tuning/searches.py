"""One search: where Optuna keeps it, how trials are drawn, and which of them count."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import ParameterSearch
from rarelabels.record.client import reader
from rarelabels.record.connection import is_url
from rarelabels.record.identities import Identity
from rarelabels.study.tuning.samplers import SeededByNumber, pruner
from rarelabels.study.tuning.storage import AWAY_SECONDS, once_more, open_storage


@dataclass(frozen=True)
class Search:
    """One search: of a trial, or a variant of it, and of a seed where thresholds are searched.

    Attributes:
        identity: of the trial before it is tuned, with the fingerprint of the search.
        experiment: MLflow's id of the study's experiment for searches.
        record: MLflow's id of the search's run.
        storage: the journal's path, or a URL.
        labels: of the data.
        watch: what a training follows; see ``study``.
        source: a finished run of the same training, whose scores are searched; "" trains.
    """

    identity: Identity
    experiment: str
    record: str
    storage: str
    labels: tuple[str, ...]
    watch: tuple[str, ...] = ()
    source: str = ""

    @property
    def trial(self) -> Trial:
        """The trial before it is tuned."""
        return self.identity.trial

    @property
    def title(self) -> str:
        """What people call it."""
        seed = f"seed {self.identity.seed}" if self.trial.searches_thresholds else ""
        return " ".join(filter(None, [self.trial.name, self.identity.variant, seed]))

    @property
    def name(self) -> str:
        """What Optuna calls it."""
        return f"rarelabels/{self.title} {self.identity.fingerprint[:12]}"

    def now(self) -> float:
        """Return the time by the clock of the storage: of a file's machine, or of a database's."""
        return reader(self.storage).now() if is_url(self.storage) else time.time()


def load(one: Search, begin: Mapping[str, Any] | None = None) -> optuna.Study:
    """Return Optuna's study of a search, begun if need be, with the declared sampler and pruner.

    Args:
        one: the search.
        begin: parameters that its first trial is to have; see ``SeededByNumber``.
    """
    tuning = one.trial.tuning
    assert tuning is not None
    storage = open_storage(one.storage, AWAY_SECONDS)  # it has answered before
    return once_more(
        lambda: optuna.create_study(
            storage=storage,
            study_name=one.name,
            direction=tuning.direction if isinstance(tuning, ParameterSearch) else "maximize",
            sampler=SeededByNumber(tuning.sampler, one.identity.seed, begin),
            pruner=pruner(tuning.pruner) if isinstance(tuning, ParameterSearch) else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
    )
