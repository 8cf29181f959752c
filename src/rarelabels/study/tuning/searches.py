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
    """One search, of a trial or a variant of a trial. A search of thresholds also has a seed.

    Attributes:
        identity: of the trial before it is tuned, with the fingerprint of the search.
        experiment: MLflow's id of the study's experiment for searches.
        record: MLflow's id of the search's run.
        storage: the journal's path, or a URL.
        labels: of the data.
        watch: the metrics that a training follows; see ``plan.watched``.
        source: for thresholds, id of a finished run of the same training, whose scores are used; if empty, train.
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
        """The name for people: the trial, its variant, and the seed of a search of thresholds."""
        seed = f"seed {self.identity.seed}" if self.trial.searches_thresholds else ""
        return " ".join(filter(None, [self.trial.name, self.identity.variant, seed]))

    @property
    def name(self) -> str:
        """The name of the study in Optuna's storage."""
        return f"rarelabels/{self.title} {self.identity.fingerprint[:12]}"

    def now(self) -> float:
        """Return the time in seconds by the clock of the storage: that of this machine, or of the database."""
        return reader(self.storage).now() if is_url(self.storage) else time.time()


def load(one: Search, begin: Mapping[str, Any] | None = None) -> optuna.Study:
    """Return Optuna's study of a search with the declared sampler and pruner. It is created if it does not exist.

    Args:
        one: the search.
        begin: parameters for the first trial; see ``SeededByNumber``.
    """
    tuning = one.trial.tuning
    assert tuning is not None
    storage = open_storage(one.storage, AWAY_SECONDS)  # the storage has answered before, so waiting makes sense
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
