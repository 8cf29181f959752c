"""Judge scores from any framework: all metrics with intervals and floors, and what each threshold finds and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rarelabels.judging import evaluation, scores
from rarelabels.judging.evaluation import TUNED, Evaluation
from rarelabels.judging.score_files import Parts
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.judging.statistics import bootstrap, inference

STUDY = "judged"  # the name of its experiment in the record
SPEC = ThresholdSpec()
# Scores times draws that take about ten seconds; with many scores intervals are narrow, and fewer draws will do.
SCORES_DRAWN = 1_000_000_000
FEWEST_DRAWS, MOST_DRAWS = 100, bootstrap.N_DRAWS


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was measured.

    Attributes:
        evaluation: as of a run. Beside its names: ``test/<rule>/more_found``, ``more_false``.
        intervals: 95 %, by recorded name: all of the test part but counts and ``oracle``.
        draws: of the bootstrap over test rows.
        gains: per label, what each rule finds and costs; see :func:`threshold_gains`.
    """

    evaluation: Evaluation
    intervals: dict[str, tuple[float, float]]
    draws: int
    gains: pd.DataFrame

    def long(self) -> pd.DataFrame:
        """Return every number: columns ``metric, label, value, low, high``; ``label`` is empty for the whole part."""
        rows = [
            (name, "", value, *self.intervals.get(name, (np.nan, np.nan)))
            for name, value in self.evaluation.metrics.items()
        ]
        whole = pd.DataFrame(rows, columns=["metric", "label", "value", "low", "high"])
        wide = self.evaluation.per_label.merge(self.gains.drop(columns="positives"), on="label")
        return pd.concat([whole, wide.melt("label", var_name="metric")[["metric", "label", "value"]]])


def judge(parts: Parts) -> Judgement:
    """Measure scores: base rates and thresholds come from the validation part.

    Without one the rule is ``half`` (and ``oracle`` as a bound), and base rates come from the test labels themselves.
    """
    known = parts.test if parts.validation is None else parts.validation
    floors = evaluation.floors(known.y.mean(axis=0, dtype=np.float64))
    measured = evaluation.evaluate(parts.labels, parts.validation, parts.test, floors, SPEC)
    gains = threshold_gains(measured.per_label)
    if parts.validation is not None:
        totals = gains.filter(regex="/more_").sum()
        measured.metrics.update({f"test/{name}": float(total) for name, total in totals.items()})
    draws = n_draws(parts.test.y.size)
    return Judgement(measured, _intervals(measured, draws), draws, gains)


def n_draws(n_scores: int) -> int:
    """Return how many bootstrap draws are taken: 2,000 for half a million scores, 500 for two million, at least 100."""
    return int(np.clip(SCORES_DRAWN // n_scores, FEWEST_DRAWS, MOST_DRAWS))


def threshold_gains(per_label: pd.DataFrame) -> pd.DataFrame:
    """Return how many positives each rule finds, and how many false alarms it costs, beside ``half``.

    Args:
        per_label: of ``label_table.per_label``.

    Returns:
        Columns ``label``, ``positives``, ``half/found``, ``half/false``, then for ``global`` and ``per_label``, where
        they are, ``<rule>/more_found`` and ``<rule>/more_false``: fewer are negative.
    """
    table = per_label[["label", "positives"]].assign(
        **{"half/found": per_label["half/tp"], "half/false": per_label["half/fp"]}
    )
    for rule in TUNED:
        if f"{rule}/tp" in per_label:
            table[f"{rule}/more_found"] = per_label[f"{rule}/tp"] - per_label["half/tp"]
            table[f"{rule}/more_false"] = per_label[f"{rule}/fp"] - per_label["half/fp"]
    return table


def record(judgement: Judgement, where: str, name: str, asked: Mapping[str, object]) -> None:
    """Record a judgement as the MLflow run ``name`` of the experiment ``rarelabels/judged``.

    Args:
        judgement: what to record.
        where: the tracking URI.
        name: of the run.
        asked: parameters: which files were judged.
    """
    from rarelabels.record import connection, opening  # MLflow takes seconds: only who records waits for it

    client = connection.connect(where)
    run = opening.start_judgement(client, opening.open_experiment(client, STUDY), name)
    try:
        run.params({**asked, "labels": len(judgement.evaluation.labels), "draws": judgement.draws})
        run.metrics(judgement.evaluation.metrics)
        limits = {name: dict(zip(("low", "high"), ends, strict=True)) for name, ends in judgement.intervals.items()}
        run.metrics({f"interval/{name}_{end}": v for name, ends in limits.items() for end, v in ends.items()})
        with run.folder() as folder:
            scored = judgement.evaluation
            scores.save_scores(folder / "scores", scored.labels, scored.validation, scored.test)
            scored.save(folder)
    except BaseException as error:
        run.fail(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}")
        raise
    run.finish()


def _intervals(measured: Evaluation, draws: int) -> dict[str, tuple[float, float]]:
    rules = {name: rule for name, rule in measured.rules.items() if name != "oracle"}
    test = measured.test
    resamples = bootstrap.make_draws(len(test.y), 1, draws)
    drawn = bootstrap.replicates(test.y, [test.scores], [rules], resamples)
    return {
        f"test/{name}": inference.interval_around(measured.metrics[f"test/{name}"], values, name)
        for name, values in drawn.items()
    }
