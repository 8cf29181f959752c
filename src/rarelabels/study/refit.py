"""Train the winner again, on training and validation rows, with the thresholds that its run has chosen.

The new model is not measured. The numbers shown beside it are those of the run, which trained without validation rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rarelabels import json_files
from rarelabels.compare.ranking import Ranked
from rarelabels.data import dataset, loading
from rarelabels.declare import as_yaml
from rarelabels.declare.models import LinearSpec
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError, failure
from rarelabels.judging.evaluation import CALIBRATION
from rarelabels.learn import cross_validation, fitting, weighting
from rarelabels.learn.baselines import baseline, boosting
from rarelabels.learn.fitted_model import Fitted
from rarelabels.record import opening, queries, run_files
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.serve import predictor

KEPT, CHOSEN_C = "training/kept_epoch", "training/c"


def refit(client: Client, runs: Sequence[Run], one: Ranked, say: Callable[[str], None]) -> Run:
    """Return a run with a trial's model trained on all rows outside the test part; train it if no run has it yet.

    No rows are left for early stopping or for a choice. So the values that the run of the first seed chose on
    validation are kept: the epochs of a network, the C of a linear model, or the number of trees for each label.

    Args:
        client: of the record.
        runs: all runs of the study.
        one: a trial, and its runs.
        say: called with a line before a training begins.

    Raises:
        UserError: the trial already trains on all these rows, or it declares that it trains on a fraction of them.
    """
    source, trial = one.runs[0], one.trial
    if trial.dataset.validation == "cross_validated":
        raise UserError(f"--refit: {one.name} is cross-validated: its model is trained on all these rows already")
    if trial.dataset.train_fraction < 1:
        raise UserError(f"--refit: {one.name} trains on a fraction of the rows on purpose (dataset.train_fraction)")
    before = queries.refits(client, runs, source)
    if before:
        return client.run(before[0].info.run_id)
    say(f"training {one.name} anew on training and validation rows")
    return _refit(client, source, trial)


def _refit(client: Client, source: Run, trial: Trial) -> Run:
    seed, record = int(source.data.tags["seed"]), opening.start_refit(client, source)
    try:
        with record.alive():
            fitting.prepare(trial)
            kept, data = _as_kept(trial, source), fitting.with_features(trial.dataset, _all_rows(trial, seed))
            fitted: Fitted
            if trial.is_network:
                weights = weighting.of_training(trial.weighting, data)
                fitted, _ = fitting.fit(kept, seed, data, weights, (), lambda *_: None)
            else:
                fitted = baseline.fit(kept, data, seed, _trees(client, source))
            record.params(as_yaml.flat(kept) | {"seed": seed})
            record.metrics({"training/rows": float(len(data.train.y))})
            calibrated = CALIBRATION in run_files.file_names(client, source.info.run_id)
            with record.folder() as folder:
                fitted.save(folder / predictor.MODEL)
                json_files.write(folder / "data.json", data.summary)
                files = [predictor.THRESHOLDS, *([CALIBRATION] if calibrated else [])]
                run_files.fetch(client, source.info.run_id, files, folder)
            record.finish()
    except Exception as error:
        record.fail(failure(error))
        raise
    return client.run(record.run_id)


def _as_kept(trial: Trial, source: Run) -> Trial:
    """Return a trial with the values that its run chose on validation: epochs, or a C from a grid."""
    measured, model = source.data.metrics, trial.model
    if isinstance(model, LinearSpec) and isinstance(model.c, tuple):
        return trial.model_copy(update={"model": model.model_copy(update={"c": measured[CHOSEN_C]})})
    return cross_validation.for_epochs(trial, measured[KEPT]) if KEPT in measured else trial


def _trees(client: Client, source: Run) -> npt.NDArray[np.int64] | None:
    """Return how many trees each label has in the model of a run, shape (n_labels,); None if it is no boosting."""
    with tempfile.TemporaryDirectory() as folder:
        run_files.fetch(client, source.info.run_id, [predictor.MODEL], Path(folder))
        kept = baseline.load_saved(Path(folder, predictor.MODEL))
    return kept.iterations.clip(1) if isinstance(kept, boosting.Boosted) else None


def _all_rows(trial: Trial, seed: int) -> dataset.Dataset:
    """Return the data of a trial with all rows outside the test part as the training part."""
    spec = trial.dataset.model_copy(update={"validation": "cross_validated"})
    data = loading.load(spec, seed)
    assert data.folds is not None
    # No rows are left to validate on. A dataset needs some, so it gets the first fold; its numbers are not used.
    return replace(data, validation=data.train.take(np.flatnonzero(data.folds == 0)), folds=None)
