"""Which true probability a score of 0.5 stands for under each loss of a study, and the macro-F1 that follows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels.compare.comparison import Comparison, Row
from rarelabels.data import loading
from rarelabels.declare.data import DatasetSpec
from rarelabels.declare.models import NetworkSpec
from rarelabels.declare.trial import Trial
from rarelabels.declare.weighting import LABEL_WEIGHTINGS
from rarelabels.judging import metrics
from rarelabels.learn import theory, weighting
from rarelabels.learn.weighting import Weights
from rarelabels.record import reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity


def half_by_theory(
    client: Client, comparison: Comparison, runs: Sequence[Run], identities: Sequence[Identity]
) -> pd.DataFrame:
    """Predict macro-F1 at 0.5 by theory, and return it beside the measured macro-F1.

    For some losses, the score that minimises the loss is a known function of the true probability. Under such a loss, a
    score of 0.5 stands for a known true probability. Plain binary cross-entropy estimates true probabilities. So its
    scores, with that probability as the threshold, predict the macro-F1 that the other loss has at 0.5.

    Returns:
        A row for each network whose loss has such a function and that has a twin: the same trial, trained with plain
        binary cross-entropy. Columns: ``trial``, ``threshold`` (the true probability, mean over labels and seeds),
        ``predicted``, ``measured``, ``low``, ``high``, ``plain`` (macro-F1 of plain binary cross-entropy at 0.5).
    """
    counted = reading.earliest_finished(list(runs)).values()
    finished = {run.data.tags["fingerprint"]: run for run in reversed(list(counted))}
    plain = [one for one in identities if _is_plain(one.trial)]
    rows = []
    for row in comparison.rows:
        of_row = [one for one in identities if _name(one) == row.name and str(one.seed) in row.seeds.split()]
        if not of_row or not _has_a_map(of_row[0].trial):
            continue
        same = _but_for_the_loss(of_row[0].trial)
        twins = {
            one.seed: finished[one.fingerprint]
            for one in plain
            if _but_for_the_loss(one.trial) == same and one.fingerprint in finished
        }
        pairs = [(one, twin) for one in of_row if (twin := twins.get(one.seed))]
        if len(pairs) == len(of_row):
            rows.append(_predicted(client, row, pairs))
    columns = ["trial", "threshold", "predicted", "measured", "low", "high", "plain"]
    return pd.DataFrame(rows, columns=columns)


def _name(identity: Identity) -> str:
    return " ".join(filter(None, [identity.trial.short_name, identity.variant]))


def _predicted(client: Client, row: Row, pairs: Sequence[tuple[Identity, Run]]) -> tuple[object, ...]:
    predicted, plain, cuts = [], [], []
    for identity, twin in pairs:
        labels, y_train, known = _training_labels(identity.trial.dataset, identity.seed)
        weights = weighting.weights(identity.trial.weighting, y_train, labels, known)
        cut = np.broadcast_to(_true_probability_of_half(identity.trial, weights), weights.prevalence.shape)
        part = reading.scores(client, twin.info.run_id, "test")
        predicted.append(metrics.measure_decisions(part.truth, part.scores >= cut, known=part.known)["macro_f1"])
        plain.append(client.run(twin.info.run_id).data.metrics["test/half/macro_f1"])
        cuts.append(float(cut.mean()))
    measured = row.values.loc["test/half/macro_f1", ["mean", "low", "high"]]
    return (row.name, fmean(cuts), fmean(predicted), *measured, fmean(plain))


@functools.lru_cache(maxsize=16)  # trials with the same data and seeds follow one another
def _training_labels(
    spec: DatasetSpec, seed: int
) -> tuple[tuple[str, ...], npt.NDArray[np.uint8], npt.NDArray[np.bool_] | None]:
    data = loading.load(spec, seed)
    return data.labels, data.train.y, data.train.known


def _true_probability_of_half(trial: Trial, weights: Weights) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(
        theory.threshold_of_half(
            trial.loss,
            pos_weight=1.0 if weights.positive is None else weights.positive,
            negative_weight=1.0 if weights.negative is None else weights.negative,
            prevalence=weights.prevalence,
        )
    )


def _has_a_map(trial: Trial) -> bool:
    sigmoid = isinstance(trial.model, NetworkSpec) and trial.model.head == "sigmoid"
    weighed = trial.weighting.kind in ("none", *LABEL_WEIGHTINGS) and trial.thresholds.calibration == "none"
    return sigmoid and weighed and theory.has_true_probability(trial.loss) and trial.loss.kind != "bce"


def _is_plain(trial: Trial) -> bool:
    plain = (trial.loss.kind, trial.weighting.kind, trial.thresholds.calibration) == ("bce", "none", "none")
    return plain and trial.is_network and not trial.tuning


def _but_for_the_loss(trial: Trial) -> dict[str, object]:
    return {key: value for key, value in trial.training_definition().items() if key not in ("loss", "weighting")}
