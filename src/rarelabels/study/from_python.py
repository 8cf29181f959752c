"""``rl.run``, ``rl.tune`` and ``rl.load_model``: the commands as functions, for any folder of the project."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rarelabels.study import project, run_trials
from rarelabels.study.run_trials import Outcome

if TYPE_CHECKING:
    from rarelabels.serve.model import Model


def run(
    names: str | Sequence[str],
    *,
    seeds: Sequence[int] | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
) -> Outcome:
    """Run trials, record them in MLflow, and compare the trials of their studies, as ``rarelabels run`` does.

    The project is the nearest folder with ``experiments/``, from the current folder upwards. Progress goes to stderr. A
    finished run is not run again. A run that fails does not stop the others: ``outcome.failures`` says why it failed. A
    trial that declares a search is tuned first if it is named; the name of a study starts no search, unless its
    ``study.yaml`` says ``protocol: each_tuned``.

    >>> import rarelabels as rl
    >>> outcome = rl.run("movies/focal_auc", seeds=[0, 1])  # doctest: +SKIP
    >>> outcome.comparison()  # doctest: +SKIP

    Args:
        names: a trial (``movies/focal_auc``), a study (``movies``) or the path of a YAML file, or several of them.
        seeds: used instead of the declared seeds.
        overrides: values by dotted key, ``{"training.epochs": 2}``; these runs are recorded apart from the runs without
            overrides.
        workers: processes to start on this machine; as many as cores by default.
        scheduler: address of a Dask scheduler (``tcp://host:8786``), whose workers are used instead.
        force: also repeat finished runs.

    Raises:
        UserError: a declaration or an argument has a mistake, or the record or the scheduler does not answer.
    """
    listed = _names(names)
    with project.entered():
        return run_trials.run(
            listed, seeds=seeds, overrides=overrides, workers=workers, scheduler=scheduler, force=force
        )


def tune(
    names: str | Sequence[str],
    *,
    seeds: Sequence[int] | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Do the searches that trials declare, with Optuna, and return their results; ``rl.run`` then runs the trials.

    The project is the nearest folder with ``experiments/``, from the current folder upwards. Progress goes to stderr. A
    search that was cut off goes on where it stopped; a finished search is not repeated.

    >>> import rarelabels as rl
    >>> rl.tune("movies/focal_tuned")[["trial", "value", "loss.gamma"]]  # doctest: +SKIP

    Args:
        names: a trial that declares a search (``movies/focal_tuned``), a study or the path of a YAML file, or several.
        seeds: used instead of the declared seeds by searches of thresholds, which search once for each seed.
        overrides: values by dotted key, ``{"tuning.n_trials": 20}``.
        workers: processes to start on this machine; as many as cores by default.
        scheduler: address of a Dask scheduler (``tcp://host:8786``), whose workers are used instead.

    Returns:
        A row for each search. Columns: ``trial``, ``variant``, ``seed`` (missing for a search of settings), ``trials``
        (how many the search has), ``value`` (the best on validation), ``found`` (the result in words), then the best
        values by dotted key.

    Raises:
        UserError: a trial declares no search, or a search failed; :func:`run` names the other reasons.
    """
    listed = _names(names)
    with project.entered():
        return run_trials.tune(listed, seeds=seeds, overrides=overrides, workers=workers, scheduler=scheduler)


def load_model(study: str, where: str | None = None) -> Model:
    """Return the model that ``rarelabels best`` registered for a study.

    >>> import rarelabels as rl
    >>> rl.load_model("movies").predict(frame)[["id", "labels"]]  # doctest: +SKIP

    Args:
        study: its name.
        where: MLflow's tracking URI; by default ``MLFLOW_TRACKING_URI``, else the nearest ``runs/mlflow.db``, from the
            current folder upwards.

    Raises:
        UserError: no model is registered, its files have changed since, or the record does not answer.
    """
    from rarelabels.serve import deployment
    from rarelabels.serve.model import Model

    def warn(line: str) -> None:
        warnings.warn(line, stacklevel=4)  # points to the line that calls load_model

    return Model(deployment.load_best(study, where or project.tracking_uri(), warn))


def _names(names: str | Sequence[str]) -> list[str]:
    """Return names as a list. Paths of files become absolute, because they are relative to the caller's folder."""
    listed = [names] if isinstance(names, str) else list(names)
    return [str(Path(name).resolve()) if name.endswith((".yaml", ".yml")) else name for name in listed]
