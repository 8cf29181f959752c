"""What was packed comes back as it was: counts exactly, ratios as scikit-learn works them out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from rarelabels.record.reading import KEYS, KNOWN, LABEL, OF_RULE
from rarelabels.study import packing


def table(rng: np.random.Generator, *, known: bool) -> pd.DataFrame:
    """Random labels: some without positives, some assigned to no row or to all."""
    rows = []
    for number, share in enumerate([0.0, 0.1, 0.5, 1.0] * 5):
        y, assigned = rng.random(40) < share, rng.random(40) < rng.choice([0.0, 0.3, 1.0])
        (tn, fp), (fn, tp) = confusion_matrix(y, assigned, labels=[False, True])
        precision, recall, f1, _ = precision_recall_fscore_support(
            y, assigned, labels=[True], average="binary", zero_division=0, pos_label=True
        )
        counts = {"tp": tp, "fp": fp, "fn": fn, "tn": tn, "precision": precision, "recall": recall, "f1": f1}
        of = {"trial": "bce", "variant": "", "seed": 0, "label": f"l{number}", "positives": y.sum()}
        of |= {"prevalence": y.mean(), "average_precision": np.nan if not share else 0.5, "roc_auc": 0.5}
        rows.append(of | ({KNOWN: 40} if known else {}) | {"rule": "half", "threshold": 0.5} | counts)
    return pd.DataFrame(rows)[[*KEYS, *LABEL, *([KNOWN] if known else []), "rule", *OF_RULE]]


@pytest.mark.parametrize("known", [False, True])
def test_labels_come_back(known: bool) -> None:
    frame = table(np.random.default_rng(0), known=known)
    packed = packing.pack_labels(frame)
    assert not set(packing.WORKED_OUT) & set(packed.columns)
    pd.testing.assert_frame_equal(packing.unpack_labels(packed), frame, check_dtype=False)


def test_runs_come_back_in_their_order_with_what_they_lack() -> None:
    frame = pd.DataFrame(
        {
            "trial": ["b", "a", "a"],
            "variant": ["x=1", "", ""],
            "seed": [0, 0, 1],
            "overrides": "",
            "run_id": ["r2", "r9", "r1"],
            "a/f1": [0.1, np.nan, 0.3],
            "b/f1": [1.0, 2.0, 3.0],
        }
    )
    pd.testing.assert_frame_equal(packing.unpack_runs(packing.pack_runs(frame)), frame, check_dtype=False)
