"""The winner trained anew on training and validation rows, with the thresholds that its run has chosen before.

Nothing judges that model: its numbers are those of the run, which has not seen the validation rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rarelabels import config, cross_validation, datasets, fitting, tracking, weighting
from rarelabels.evaluation import CALIBRATION
from rarelabels.ranking import Ranked
from rarelabels.schema import Trial, UserError
from rarelabels.tracking import Client, Run

THRESHOLDS = "thresholds.json"
KEPT, CHOSEN_C = "training/kept_epoch", "training/c"


def refit(client: Client, runs: Sequence[Run], one: Ranked, say: Callable[[str], None]) -> Run:
    """Return a run with a trial's model of all rows outside the test part, trained now or before.

    A network trains for as many epochs as the run of the first seed kept: no rows are left to stop by.

    Args:
        client: of the record.
        runs: all runs of the study.
        one: a trial, and its runs.
        say: is told before a training begins.

    Raises:
        UserError: the trial trains on all these rows already, or on purpose on fewer.
    """
    source, trial = one.runs[0], one.trial
    if trial.dataset.validation == "cross_validated":
        raise UserError(f"--refit: {one.name} is cross-validated: its model is trained on all these rows already")
    if trial.dataset.train_fraction < 1:
        raise UserError(f"--refit: {one.name} trains on a fraction of the rows on purpose (dataset.train_fraction)")
    before = tracking.refits(client, runs, source)
    if before:
        return client.run(before[0].info.run_id)
    say(f"training {one.name} anew on training and validation rows")
    return _refit(client, source, trial)


def _refit(client: Client, source: Run, trial: Trial) -> Run:
    seed, record = int(source.data.tags["seed"]), tracking.start_refit(client, source)
    try:
        with record.alive():
            kept = source.data.metrics.get(KEPT)
            whole = trial if kept is None else cross_validation.for_epochs(trial, kept)
            data = _all_rows(trial, seed)
            weights = weighting.weights(trial.weighting, data.train.y, data.labels)
            fitting.prepare(whole)
            data = fitting.with_features(trial.dataset, data)
            fitted, _ = fitting.fit(whole, seed, data, weights, (), lambda *_: None)
            record.params(config.flat(whole) | {"seed": seed})
            record.metrics({"training/rows": float(len(data.train.y))})
            calibrated = CALIBRATION in tracking.file_names(client, source.info.run_id)
            with record.folder() as folder:
                fitted.save(folder / "model")
                (folder / "data.json").write_text(json.dumps(data.summary, ensure_ascii=False), encoding="utf-8")
                files = [THRESHOLDS, *([CALIBRATION] if calibrated else [])]
                tracking.fetch(client, source.info.run_id, files, folder)
            record.finish()
    except Exception as error:
        record.fail(f"{type(error).__name__}: {error}")
        raise
    return client.run(record.run_id)


def _all_rows(trial: Trial, seed: int) -> datasets.Dataset:
    """Return the data of a trial with all rows outside the test part as the training part."""
    spec = trial.dataset.model_copy(update={"validation": "cross_validated"})
    data = datasets.load(spec, seed)
    assert data.folds is not None
    # There are no rows left to validate on: what is said of these goes nowhere.
    return replace(data, validation=data.train.take(np.flatnonzero(data.folds == 0)), folds=None)
