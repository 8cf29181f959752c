"""Judge scores from any framework: all metrics with intervals and floors, and the gains and costs of thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rarelabels import whole_files
from rarelabels.errors import ArgumentError, counted, failure
from rarelabels.judging import evaluation, score_arrays, scores
from rarelabels.judging.evaluation import TUNED, Evaluation
from rarelabels.judging.score_files import Parts
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.judging.statistics import estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDY = "judged"  # the experiment of judgements in the record
SPEC = ThresholdSpec()


@dataclass(frozen=True, eq=False)
class Judgement:
    """The result of judging scores. A notebook shows it as tables, a figure and prices.

    Attributes:
        evaluation: all metrics, named as those of a run, and also ``test/<rule>/more_found`` and
            ``test/<rule>/more_false``.
        intervals: 95 % intervals by recorded name, of all test metrics except counts and those of ``oracle``.
    """

    evaluation: Evaluation
    intervals: dict[str, tuple[float, float]]

    def table(self) -> pd.DataFrame:
        """Return the metrics of the test part beside those of the floors: a row for each metric.

        The columns are:

        - the floors ``zeros``, ``ones`` and ``prior``;
        - each rule that is shown, ``half``, ``global``, ``per_label`` and the bound ``oracle`` (without a validation
          part only ``half`` and ``oracle``), with its 95 % interval ``<rule>/low`` and ``<rule>/high``, except for
          ``oracle``;
        - ``scores``, with ``scores/low`` and ``scores/high``, for the metrics that need no rule.

        A cell is NaN if the metric has no such value.
        """
        from rarelabels.show.tables.judgement_frame import table

        return table(self)

    def per_label(self) -> pd.DataFrame:
        """Return a row for each label: positives, ranking metrics, and each rule's threshold and confusion matrix.

        If labels are not known in all rows, the column ``known`` has the number of rows in which they are.
        """
        return self.evaluation.per_label.copy()

    def prices(self) -> pd.DataFrame:
        """Return positives and false alarms of each threshold, a row for each label; see :func:`threshold_gains`."""
        return threshold_gains(self.evaluation.per_label)

    def long(self) -> pd.DataFrame:
        """Return every number, in columns ``metric, label, value, low, high``.

        ``label`` is empty for a metric of the whole part.
        """
        rows = [
            (name, "", value, *self.intervals.get(name, (np.nan, np.nan)))
            for name, value in self.evaluation.metrics.items()
        ]
        whole = pd.DataFrame(rows, columns=["metric", "label", "value", "low", "high"])
        wide = self.evaluation.per_label.merge(self.prices().drop(columns="positives"), on="label")
        return pd.concat([whole, wide.melt("label", var_name="metric")[["metric", "label", "value"]]])

    def plot(self) -> Figure:
        """Draw ranking, calibration, and the F1 of each label under each rule."""
        from rarelabels.show.figures.of_judgement import judgement

        return judgement(self.evaluation)

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write all tables and the figure as one HTML page, which needs no other file.

        Raises:
            ArgumentError: the file cannot be written.
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
        """Record the judgement as the MLflow run ``name`` of the experiment ``rarelabels/judged``.

        The record is the one that ``MLFLOW_TRACKING_URI`` names, else ``runs/mlflow.db``. ``rarelabels ui`` shows it.

        Args:
            name: of the run.
            params: parameters of the run, such as the names of the judged files.

        Raises:
            UserError: the run has no name, or the record does not answer.
        """
        if not name.strip():
            raise ArgumentError("log: the run needs a name")
        from rarelabels.record import connection, opening  # imports MLflow, which takes seconds

        client = connection.connect(connection.uri())
        run = opening.start_judgement(client, opening.open_experiment(client, STUDY), name)
        judged = self.evaluation
        try:
            run.params({**(params or {}), "labels": len(judged.labels)})
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
        (rows, labels), part = self.evaluation.test.y.shape, self.evaluation.test
        known = self.evaluation.validation
        chosen = "without a validation part" if known is None else f"thresholds from {counted(len(known.y), 'row')}"
        share = "" if part.known is None else f" ({100 * part.known_share:.3g} % known)"
        size = f"{counted(rows, 'row')} × {counted(labels, 'label')}{share}"
        return f"<Judgement of {size}, {chosen}; table(), per_label(), prices(), plot()>"

    def _repr_html_(self) -> str:
        from rarelabels.show.judgement_html import fragment

        return fragment(self)


def judge(
    y_test: Any,
    s_test: Any,
    *,
    validation: tuple[Any, Any] | None = None,
    labels: Sequence[str] | None = None,
    unknown: float | None = None,
) -> Judgement:
    """Measure scores on test rows, beside floors: the results of predictors that learn nothing.

    The test rows must not have been used for any choice. Arguments may be arrays, SciPy's sparse matrices, PyTorch's
    tensors on the CPU, and DataFrames. The columns of DataFrames are labels, and are brought into the same order.

    A label of a row that nobody annotated is neither 0 nor 1. Give NaN, or a masked or missing value: it counts
    nowhere. The numbers of a label are then those of the rows in which it is known, and a mean over rows counts each
    row by its known labels.

    Args:
        y_test: 0/1, (rows, labels); NaN where a label is not known.
        s_test: probabilities, (rows, labels). Scores outside [0, 1] by a rounding error (4.8e-7, a few steps of
            float32) are taken as 0 and 1.
        validation: labels and scores of other rows, from which thresholds and base rates come. Without it, every
            decision is at 0.5, and base rates are those of the test labels themselves.
        labels: names of the columns; for DataFrames, the columns to judge, in this order.
        unknown: a number that stands for a label that is not known, such as -1.

    Raises:
        ArgumentError: a ``ValueError``: shapes or labels differ, a label is not 0 or 1, a score is not a probability,
            or validation and test share rows.

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
    >>> rl.judge([[1, 1], [1, float("nan")], [0, 0], [0, 1]], s_test)
    <Judgement of 4 rows × 2 labels (87.5 % known), without a validation part; table(), per_label(), prices(), plot()>
    """
    return judge_parts(score_arrays.parts_of(y_test, s_test, validation, labels, unknown))


def judge_parts(parts: Parts) -> Judgement:
    """Measure scores, with base rates and thresholds from the validation part.

    Without a validation part, the only rules are ``half`` and the bound ``oracle``, and base rates come from the test
    labels themselves.
    """
    seen = parts.test if parts.validation is None else parts.validation
    floors = evaluation.floors(seen.prevalence)
    measured = evaluation.evaluate(parts.labels, parts.validation, parts.test, floors, SPEC)
    if parts.validation is not None:
        totals = threshold_gains(measured.per_label).filter(regex="/more_").sum()
        measured.metrics.update({f"test/{name}": float(total) for name, total in totals.items()})
    return Judgement(measured, _intervals(measured))


def threshold_gains(per_label: pd.DataFrame) -> pd.DataFrame:
    """Return how many more positives and false alarms than ``half`` each rule has, for each label.

    Args:
        per_label: from ``label_table.per_label``.

    Returns:
        Columns ``label``, ``positives``, ``half/found``, ``half/false``; then ``<rule>/more_found`` and
        ``<rule>/more_false`` for ``global`` and ``per_label``, if these were chosen. A negative number means fewer.
    """
    table = per_label[["label", "positives"]].assign(
        **{"half/found": per_label["half/tp"], "half/false": per_label["half/fp"]}
    )
    for rule in TUNED:
        if f"{rule}/tp" in per_label:
            table[f"{rule}/more_found"] = per_label[f"{rule}/tp"] - per_label["half/tp"]
            table[f"{rule}/more_false"] = per_label[f"{rule}/fp"] - per_label["half/fp"]
    return table


def _intervals(measured: Evaluation) -> dict[str, tuple[float, float]]:
    rules = {name: rule for name, rule in measured.rules.items() if name != "oracle"}
    values = {name.removeprefix("test/"): value for name, value in measured.metrics.items() if name.startswith("test/")}
    found = estimate.estimates([measured.test], [rules], [values])
    return {f"test/{name}": estimate.interval_of(name, one) for name, one in found.items()}
