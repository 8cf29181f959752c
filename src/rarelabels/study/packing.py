"""Tables as they are published: without what can be worked out from the rest, so that they are small."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rarelabels.record.reading import KEYS, KNOWN, LABEL, OF_RULE

RUN = [*KEYS, "run_id"]
WORKED_OUT = ["prevalence", "fn", "tn", "precision", "recall", "f1"]  # from positives, rows, tp and fp


def pack_runs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of runs as declared, with a row for each run and metric; metrics that a run lacks are left out.

    The index of ``frame`` counts its rows.
    """
    long = frame.drop(columns="overrides").melt(RUN, var_name="metric", value_name="value", ignore_index=False)
    return long.sort_index(kind="stable").dropna(subset="value").reset_index(drop=True)


def unpack_runs(packed: pd.DataFrame) -> pd.DataFrame:
    """Return the table that :func:`pack_runs` was given.

    >>> runs = pd.DataFrame({"trial": ["a", "b"], "variant": "", "seed": 0, "overrides": "", "run_id": ["x", "y"]})
    >>> packed = pack_runs(runs.assign(f1=[0.5, 0.25]))
    >>> unpack_runs(packed)[["trial", "run_id", "f1"]]
      trial run_id    f1
    0     a      x  0.50
    1     b      y  0.25
    """
    heads = packed[RUN].drop_duplicates("run_id").reset_index(drop=True)
    values = packed.pivot_table(index="run_id", columns="metric", values="value", sort=True)
    values = values.reindex(heads["run_id"]).reset_index(drop=True).rename_axis(columns=None)
    heads.insert(len(KEYS), "overrides", "")
    return pd.concat([heads, values], axis=1)


def pack_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of labels with the number of test rows in place of what follows from it and the other counts."""
    rows = frame[["tp", "fp", "fn", "tn"]].sum(axis=1)
    counts = {column: frame[column].astype("int32") for column in ("positives", "tp", "fp")}
    return frame.drop(columns=WORKED_OUT).assign(**counts, rows=rows.astype("int32"))


def unpack_labels(packed: pd.DataFrame) -> pd.DataFrame:
    """Return the table that :func:`pack_labels` was given."""
    whole = packed.astype(dict.fromkeys(["positives", "tp", "fp", "rows"], "int64"))
    tp, assigned = whole["tp"].to_numpy(), (whole["tp"] + whole["fp"]).to_numpy()
    positives, rows = whole["positives"].to_numpy(), whole["rows"].to_numpy()
    whole = whole.assign(
        prevalence=_ratio(positives, rows),
        fn=positives - tp,
        tn=rows - positives - whole["fp"],
        precision=_ratio(tp, assigned),
        recall=_ratio(tp, positives),
        f1=_ratio(2 * tp, positives + assigned),
    )
    known = [KNOWN] if KNOWN in whole else []
    return whole[[*KEYS, *LABEL, *known, "rule", *OF_RULE]]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return a ratio, 0 where the whole is 0."""
    ratio: np.ndarray = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return ratio
