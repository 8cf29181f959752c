"""The symptoms of a trial's trainings, such as overfitting, found when a trial is summed up and kept in a tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from rarelabels.record.entities import Run

TAG = "symptoms"
# The gap is macro average precision on training minus that on test. In the film and attribute studies, it is 0.47 to
# 0.54 for networks within 0.02 of logistic regression, and 0.555 to 0.587 for networks 0.1 behind it (an LSTM, a CNN, a
# hidden layer). A gap alone says little: well regularised logistic regression has 0.69 on your_table. So validation
# loss must have risen too.
WIDEST_GAP, LEAST_RISE = 0.55, 1.2
MOST_RISE = 3.0  # last validation loss over its least: 1.0 to 2.5 in those studies, 3.4 to 3.8 for a diverging loss
GAP = "training/gap_macro_average_precision"
KEPT, PICKED, EVALUATIONS = "training/kept_epoch", "picked/epoch", "training/epochs"


def of(
    metrics: Sequence[Mapping[str, float]], params: Mapping[str, str], curves: pd.DataFrame, edge: str = ""
) -> list[str]:
    """Return a sentence for each symptom that more than half of a trial's trainings have.

    - undertrained: the epoch with the best validation ranking was the last one;
    - overfitted: macro average precision on training lies more than 0.55 above that on test, and validation loss ended
      more than 20 % above its least value;
    - diverging: validation loss ended at more than three times its least value;
    - on the edge: the search of the trial ended on the edge of a range.

    The first three apply only to networks. If a trial picks its epoch afterwards, the picked epoch counts for
    "undertrained". Its gap is unknown, so it is never "overfitted".

    Args:
        metrics: of each run.
        params: of the trial, by dotted key.
        curves: of the runs, columns ``run_id, curve, epoch, value``.
        edge: the keys whose best values lie on the edge of their range; empty if there are none.
    """
    found = []
    trained = [of_run for of_run in metrics if KEPT in of_run]
    epochs = params.get("training.epochs", "None")
    declared = np.inf if epochs == "None" else float(epochs)  # for runs that did not record their number of epochs
    if params.get("training.keep") != "last" and _most(
        [round(of_run.get(PICKED, of_run[KEPT])) >= of_run.get(EVALUATIONS, declared) for of_run in trained]
    ):
        found.append("undertrained: the best epoch was the last one")
    gaps = [of_run[GAP] for of_run in trained if GAP in of_run and PICKED not in of_run]
    rises = _rises(curves)
    if _most([gap > WIDEST_GAP for gap in gaps]) and _most([rise > LEAST_RISE for rise in rises]):
        gap = sum(gaps) / len(gaps)
        found.append(f"overfitted: macro average precision on training is {gap:.2f} higher than on test")
    if trained and _most([rise > MOST_RISE for rise in rises]):
        found.append(f"diverging: validation loss ended at {sum(rises) / len(rises):.1f} times its least value")
    if edge:
        found.append(f"on the edge of its search: {edge}")
    return found


def recorded(parent: Run) -> tuple[str, ...]:
    """Return the symptoms that were found when a trial was summed up. Version 0.4.2 did not look for symptoms."""
    return tuple(filter(None, parent.data.tags.get(TAG, "").split("\n")))


def _rises(curves: pd.DataFrame) -> list[float]:
    """Return the last validation loss of each run divided by its least validation loss."""
    losses = curves[curves["curve"] == "curve/val_loss"].sort_values("epoch").groupby("run_id")["value"]
    return [float(of_run.iloc[-1] / of_run.min()) for _, of_run in losses if of_run.min() > 0]


def _most(is_so: Sequence[bool]) -> bool:
    return sum(is_so) > len(is_so) / 2
