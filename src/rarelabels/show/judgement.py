"""Judge scores from any framework: all metrics with intervals and floors, and what each threshold finds and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rarelabels import whole_files
from rarelabels.errors import ArgumentError, failure
from rarelabels.judging import evaluation, score_arrays, scores
from rarelabels.judging.evaluation import TUNED, Evaluation
from rarelabels.judging.score_files import Parts
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.judging.statistics import bootstrap, inference

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDY = "judged"  # the name of its experiment in the record
SPEC = ThresholdSpec()
# Scores times draws that take about ten seconds; with many scores intervals are narrow, and fewer draws will do.
SCORES_DRAWN = 1_000_000_000
FEWEST_DRAWS, MOST_DRAWS = 100, bootstrap.N_DRAWS


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was measured. In a notebook it shows itself: the table, the figure and the prices.

    Attributes:
        evaluation: as of a run. Beside its names: ``test/<rule>/more_found``, ``more_false``.
        intervals: 95 %, by recorded name: all of the test part but counts and ``oracle``.
        draws: of the bootstrap over test rows.
    """

    evaluation: Evaluation
    intervals: dict[str, tuple[float, float]]
    draws: int

    def table(self) -> pd.DataFrame:
        """Return the metrics of the test part beside those of the floors, a row for each.

        Columns: the floors ``zeros``, ``ones`` and ``prior``; for each rule that is shown (``half``, ``global``,
        ``per_label`` and the bound ``oracle``; without a validation part ``half`` and ``oracle``) its value and, but
        for ``oracle``, the 95 % interval, ``<rule>/low`` and ``<rule>/high``; ``scores`` likewise for the metrics that
        need no rule. NaN where a metric has no such value.
        """
        from rarelabels.show.tables.judgement_frame import table

        return table(self)

    def per_label(self) -> pd.DataFrame:
        """Return a row for each label: positives, ranking metrics, and each rule's threshold and confusion matrix."""
        return self.evaluation.per_label.copy()

    def prices(self) -> pd.DataFrame:
        """Return what each threshold finds and costs, a row for each label; see :func:`threshold_gains`."""
        return threshold_gains(self.evaluation.per_label)

    def long(self) -> pd.DataFrame:
        """Return every number: columns ``metric, label, value, low, high``; ``label`` is empty for the whole part."""
        rows = [
            (name, "", value, *self.intervals.get(name, (np.nan, np.nan)))
            for name, value in self.evaluation.metrics.items()
        ]
        whole = pd.DataFrame(rows, columns=["metric", "label", "value", "low", "high"])
        wide = self.evaluation.per_label.merge(self.prices().drop(columns="positives"), on="label")
        return pd.concat([whole, wide.melt("label", var_name="metric")[["metric", "label", "value"]]])

    def plot(self) -> Figure:
        """Draw how the scores rank, whether they mean what they say, and what a label's own threshold does for it."""
        from rarelabels.show.figures.of_judgement import judgement

        return judgement(self.evaluation)

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write one page that needs no other file: all tables, and the figure.

        Raises:
            ArgumentError: the file cannot be written there.
        """
        from rarelabels.show.judgement_html import page

        target = Path(path)
        content = page(self).encode("utf-8")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(target, content)
        except OSError as error:
            raise ArgumentError(f"{target}: cannot be written: {error.strerror}; name another file") from error

    def log(self, name: str, params: Mapping[str, object] | None = None) -> None:
        """Record it as the MLflow run ``name`` of the experiment ``rarelabels/judged``.

        It goes to the record that ``MLFLOW_TRACKING_URI`` names, and without one to ``runs/mlflow.db``;
        ``rarelabels ui`` shows it.

        Args:
            name: of the run.
            params: recorded as its parameters, such as which files were judged.

        Raises:
            UserError: the run has no name, or the record does not answer.
        """
        if not name.strip():
            raise ArgumentError("log: the run needs a name")
        from rarelabels.record import connection, opening  # MLflow takes seconds: only who records waits for it

        client = connection.connect(connection.uri())
        run = opening.start_judgement(client, opening.open_experiment(client, STUDY), name)
        judged = self.evaluation
        try:
            run.params({**(params or {}), "labels": len(judged.labels), "draws": self.draws})
            run.metrics(judged.metrics)
            limits = {key: dict(zip(("low", "high"), ends, strict=True)) for key, ends in self.intervals.items()}
            run.metrics({f"interval/{key}_{end}": v for key, ends in limits.items() for end, v in ends.items()})
            with run.folder() as folder:
                scores.save_scores(folder / "scores", judged.labels, judged.validation, judged.test)
                judged.save(folder)
        except BaseException as error:
            run.fail(failure(error))
            raise
        run.finish()

    def __repr__(self) -> str:
        rows, labels = self.evaluation.test.y.shape
        known = self.evaluation.validation
        chosen = "without a validation part" if known is None else f"thresholds from {len(known.y):,} rows"
        return f"<Judgement of {rows:,} rows × {labels:,} labels, {chosen}; table(), per_label(), prices(), plot()>"

    def _repr_html_(self) -> str:
        from rarelabels.show.judgement_html import fragment

        return fragment(self)


def judge(
    y_test: Any, s_test: Any, *, validation: tuple[Any, Any] | None = None, labels: Sequence[str] | None = None
) -> Judgement:
    """Measure scores on rows that nothing was chosen on, beside what a predictor that learns nothing would reach.

    Arguments are what NumPy can read: arrays, SciPy's sparse matrices, PyTorch's tensors on the CPU, and frames, whose
    columns are the labels and are put into the same order.

    Args:
        y_test: 0/1, (rows, labels).
        s_test: probabilities, (rows, labels).
        validation: the same two of other rows. Thresholds and base rates come from them; without them every decision is
            at 0.5, and base rates are those of the test labels themselves.
        labels: names of the columns; of frames, those to judge, in this order.

    Raises:
        ArgumentError: a ``ValueError``: shapes or labels differ, a truth is not 0 or 1, a score is no probability, or
            rows of the validation part are those of the test part.

    >>> import rarelabels as rl
    >>> y_val = [[1, 1], [1, 0], [0, 0], [0, 0]] * 5
    >>> s_val = [[0.9, 0.8], [0.3, 0.6], [0.2, 0.4], [0.1, 0.1]] * 5
    >>> y_test, s_test = [[1, 1], [1, 0], [0, 0], [0, 1]], [[0.9, 0.7], [0.4, 0.6], [0.3, 0.2], [0.6, 0.1]]
    >>> judged = rl.judge(y_test, s_test, validation=(y_val, s_val), labels=["Drama", "Western"])
    >>> judged
    <Judgement of 4 rows × 2 labels, thresholds from 20 rows; table(), per_label(), prices(), plot()>
    >>> judged.table().loc["macro_f1", ["prior", "half", "per_label"]].round(3).tolist()
    [0.333, 0.5, 0.667]
    >>> judged.prices()[["label", "half/found", "per_label/more_found", "per_label/more_false"]]
         label  half/found  per_label/more_found  per_label/more_false
    0    Drama           1                     1                     1
    1  Western           1                     0                    -1
    """
    return judge_parts(score_arrays.parts_of(y_test, s_test, validation, labels))


def judge_parts(parts: Parts) -> Judgement:
    """Measure scores: base rates and thresholds come from the validation part.

    Without one the rule is ``half`` (and ``oracle`` as a bound), and base rates come from the test labels themselves.
    """
    known = parts.test if parts.validation is None else parts.validation
    floors = evaluation.floors(known.y.mean(axis=0, dtype=np.float64))
    measured = evaluation.evaluate(parts.labels, parts.validation, parts.test, floors, SPEC)
    if parts.validation is not None:
        totals = threshold_gains(measured.per_label).filter(regex="/more_").sum()
        measured.metrics.update({f"test/{name}": float(total) for name, total in totals.items()})
    draws = n_draws(parts.test.y.size)
    return Judgement(measured, _intervals(measured, draws), draws)


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


def _intervals(measured: Evaluation, draws: int) -> dict[str, tuple[float, float]]:
    rules = {name: rule for name, rule in measured.rules.items() if name != "oracle"}
    test = measured.test
    resamples = bootstrap.make_draws(len(test.y), 1, draws)
    drawn = bootstrap.replicates(test.y, [test.scores], [rules], resamples)
    return {
        f"test/{name}": inference.interval_around(measured.metrics[f"test/{name}"], values, name)
        for name, values in drawn.items()
    }
