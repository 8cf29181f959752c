"""What a study's own run carries: the comparison of all its trials as a table, and the figures across trials."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels import datasets, metrics, plots, results, study_figures, theory, tracking, weighting
from rarelabels.comparison import FLOORS, Comparison, Row, by_rule
from rarelabels.report import pictures
from rarelabels.schema import LABEL_WEIGHTINGS, DatasetSpec, NetworkSpec, Trial
from rarelabels.tracking import Client, Identity, Run
from rarelabels.weighting import Weights


def record_comparison(
    client: Client,
    experiment: str,
    study: str,
    compared: Sequence[Comparison],
    runs: Sequence[Run],
    identities: Sequence[Identity],
) -> list[str]:
    """Put the comparisons of a study, one for each set of test rows, on the study's own run.

    The figures are those across trials, and those of the report.

    Args:
        client: of the record.
        experiment: MLflow's id.
        study: its name.
        compared: with at least one trial each.
        runs: all runs of the study.
        identities: the runs of the trials as they are declared now.

    Returns:
        A line for each figure that cannot be drawn.
    """
    failures: list[str] = []
    record = tracking.open_study(client, experiment, study)
    of_files: dict[str, str] = {}
    with record.folder(of_files) as folder:
        pd.concat([one.long() for one in compared]).to_csv(folder / "comparison.csv", index=False)
        for number, one in enumerate(compared):
            suffix = f"_{number + 1}" if number else ""
            title = f"{study} on {one.data}"
            with plots.or_told(failures, f"{study}: comparison{suffix}.png"):
                figure = plots.comparison(
                    one.long(), one.best_floors(), f"{title}: mean and 95 % interval over seeds and test rows"
                )
                plots.save(figure, folder / f"comparison{suffix}.png")
            with plots.or_told(failures, f"{study}: loss_by_threshold{suffix}.png"):
                floors = [f"floor: {name}" for name in FLOORS]
                plots.save(plots.rule_table(by_rule(one), floors, title), folder / f"loss_by_threshold{suffix}.png")
            with plots.or_told(failures, f"{study}: half_by_theory{suffix}.png"):
                told = half_by_theory(client, one, runs, identities)
                if len(told):
                    plots.save(plots.half_by_theory(told, title), folder / f"half_by_theory{suffix}.png")
            with plots.or_told(failures, f"{study}: figures of the report"):
                labels = pictures.labels_of(client, one)
                pictures.save(pictures.draw(client, one, labels, failures), number, folder)
        for file, figure in study_figures.figures(client, study, compared, runs, identities, failures):
            with plots.or_told(failures, f"{study}: {file}.png"):
                plots.save(figure, folder / f"{file}.png")
        shown = "" if failures else " ".join(map(pictures.stamp, compared))
        of_files |= {"drawn": "" if failures else "yes", pictures.TAG: shown}
    record.finish()
    return failures


def half_by_theory(
    client: Client, comparison: Comparison, runs: Sequence[Run], identities: Sequence[Identity]
) -> pd.DataFrame:
    """Return what theory says of decisions at 0.5, beside what was measured.

    A loss whose minimiser is a known map of the true probability crosses 0.5 at a known true probability. Plain binary
    cross-entropy estimates that probability, so its scores, decided there, predict the trial's macro-F1 at 0.5.

    Returns:
        Columns ``trial, threshold`` (mean over labels and seeds), ``predicted, measured, low, high, plain`` (binary
        cross-entropy at 0.5); a row for each network that has a map and a twin trained with plain binary cross-entropy.
    """
    counted = results.earliest_finished(list(runs)).values()
    finished = {run.data.tags["fingerprint"]: run for run in reversed(list(counted))}
    plain = [one for one in identities if _is_plain(one.trial)]
    rows = []
    for row in comparison.rows:
        own = [one for one in identities if _name(one) == row.name and str(one.seed) in row.seeds.split()]
        if not own or not _has_a_map(own[0].trial):
            continue
        same = _but_for_the_loss(own[0].trial)
        twins = {
            one.seed: finished[one.fingerprint]
            for one in plain
            if _but_for_the_loss(one.trial) == same and one.fingerprint in finished
        }
        pairs = [(one, twin) for one in own if (twin := twins.get(one.seed))]
        if len(pairs) == len(own):
            rows.append(_told(client, row, pairs))
    columns = ["trial", "threshold", "predicted", "measured", "low", "high", "plain"]
    return pd.DataFrame(rows, columns=columns)


def _name(identity: Identity) -> str:
    return " ".join(filter(None, [identity.trial.short_name, identity.variant]))


def _told(client: Client, row: Row, pairs: Sequence[tuple[Identity, Run]]) -> tuple[object, ...]:
    predicted, plain, cuts = [], [], []
    for identity, twin in pairs:
        labels, y_train = _training_labels(identity.trial.dataset, identity.seed)
        weights = weighting.weights(identity.trial.weighting, y_train, labels)
        cut = np.broadcast_to(_true_probability_of_half(identity.trial, weights), weights.prevalence.shape)
        part = results.scores(client, twin.info.run_id, "test")
        predicted.append(metrics.decision_metrics(part.y, part.scores >= cut)["macro_f1"])
        plain.append(client.run(twin.info.run_id).data.metrics["test/half/macro_f1"])
        cuts.append(float(cut.mean()))
    measured = row.values.loc["test/half/macro_f1", ["mean", "low", "high"]]
    return (row.name, fmean(cuts), fmean(predicted), *measured, fmean(plain))


@functools.lru_cache(maxsize=16)  # trials with the same data and seeds follow one another
def _training_labels(spec: DatasetSpec, seed: int) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
    data = datasets.load(spec, seed)
    return data.labels, data.train.y


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
