"""What rl.judge takes and what it refuses. The numbers: test_judgement_numbers.py; the tables and pages: beside it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import rarelabels as rl
from judged_arrays import LABELS, S_VAL, Y_VAL, S, Y
from rarelabels.errors import ArgumentError, UserError


class Tensor:
    """As PyTorch's on the CPU: NumPy may read it once it is detached."""

    def __init__(self, values, *, attached=True):
        self.values, self.attached = values, attached

    def detach(self):
        return Tensor(self.values, attached=False)

    def __array__(self, dtype=None, copy=None):
        if self.attached:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return np.asarray(self.values, dtype=dtype)


class OnTheGpu(Tensor):
    """As PyTorch's elsewhere: NumPy cannot read it."""

    def detach(self):
        return self

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")


def frame(values, order=(0, 1, 2), **options) -> pd.DataFrame:
    return pd.DataFrame(values, columns=LABELS, **options).iloc[:, list(order)]


def same(one, other) -> bool:
    return one.long().equals(other.long())


@pytest.mark.parametrize(
    ("truth", "scores"),
    [
        (lambda values: values.astype(bool), np.asarray),
        (lambda values: values.astype(float).tolist(), lambda values: values.tolist()),
        (sparse.csr_matrix, np.asarray),
        (sparse.coo_array, Tensor),
        (Tensor, Tensor),
    ],
)
def test_everything_that_numpy_reads_gives_the_same_judgement(judged, truth, scores):
    again = rl.judge(truth(Y), scores(S), validation=(truth(Y_VAL), scores(S_VAL)), labels=LABELS)
    assert again.evaluation.labels == tuple(LABELS)
    assert same(again, judged)


def test_arrays_give_what_the_command_gives_for_files(judged, tmp_path):
    paths = [tmp_path / name for name in ("validation.parquet", "test.parquet")]
    for path, y, s in zip(paths, (Y_VAL, Y), (S_VAL, S), strict=True):
        frame(y).add_prefix("true/").join(frame(s).add_prefix("score/")).to_parquet(path, index=False)
    done = subprocess.run(
        [sys.executable, "-m", "rarelabels", "judge", *map(str, paths), "--format", "csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == judged.long().to_csv(index=False)


def test_single_precision_is_widened_and_not_rounded():
    narrow, narrow_val = S.astype(np.float32), S_VAL.astype(np.float32)
    wide = rl.judge(Y, narrow.astype(np.float64), validation=(Y_VAL, narrow_val.astype(np.float64)))
    assert same(rl.judge(Y, narrow, validation=(Y_VAL, narrow_val)), wide)


def test_columns_of_frames_are_the_labels_in_whatever_order(judged):
    again = rl.judge(frame(Y), frame(S, (2, 0, 1)), validation=(frame(Y_VAL, (1, 0, 2)), frame(S_VAL)))
    assert same(again, judged)
    mixed = rl.judge(frame(Y), S, validation=(Y_VAL, frame(S_VAL, (2, 1, 0))))
    assert same(mixed, judged)
    nullable = rl.judge(frame(Y).astype("Int8"), frame(S), validation=(frame(Y_VAL).astype("boolean"), S_VAL))
    assert same(nullable, judged)
    # Only the validation part has names.
    assert same(rl.judge(Y, S, validation=(frame(Y_VAL), S_VAL)), judged)


def test_labels_pick_columns_of_frames_in_their_order(judged):
    picked = rl.judge(frame(Y), frame(S), validation=(frame(Y_VAL), frame(S_VAL)), labels=["Western", "Drama"])
    assert picked.evaluation.labels == ("Western", "Drama")
    both = picked.evaluation.per_label.set_index("label"), judged.evaluation.per_label.set_index("label")
    assert both[0].loc["Drama", "average_precision"] == both[1].loc["Drama", "average_precision"]


def test_without_names_labels_are_counted():
    assert rl.judge(Y, S).evaluation.labels == ("label 0", "label 1", "label 2")


def test_rows_of_frames_are_matched_by_their_index(judged):
    rows = list("abcde")
    y, s = frame(Y, index=rows), frame(S, index=rows)
    again = rl.judge(y, s.iloc[[3, 0, 4, 1, 2]], validation=(Y_VAL, S_VAL))
    assert same(again, judged)
    assert again.evaluation.test.ids.tolist() == rows
    # An index that only counts names no row: scores that a model gave in the order of the truth.
    assert same(rl.judge(y, frame(S), validation=(Y_VAL, S_VAL)), judged)


def with_value(values, value, row=1, column=2):
    changed = np.array(values, dtype=float)
    changed[row, column] = value
    return changed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((Y[:, 0], S), r"y_test: must have shape \(rows, labels\) and not be empty; given \(5,\); for a single label"),
        ((Y[:0], S[:0]), r"y_test: must have shape \(rows, labels\) and not be empty; given \(0, 3\)"),
        ((Y, S[:4]), r"s_test: must have a row for each of y_test; given shapes \(4, 3\) and \(5, 3\)"),
        ((Y, S[:, :2]), r"s_test: must have 3 columns, as many as y_test; given shape \(5, 2\)"),
        ((Y[:, :1], S[:, :1]), "y_test: multi-label scores need at least 2 labels; given 'label 0'"),
        ((with_value(Y, 2), S), r"y_test\[1, 2\] \(label 2\): must be 0 or 1; given 2"),
        ((with_value(Y, -1), S), r"y_test\[1, 2\] \(label 2\): must be 0 or 1; given -1; if .* say unknown=-1"),
        ((Y, with_value(S, 3.5)), r"s_test\[1, 2\] \(label 2\): must be a probability, .*3\.5; are these logits\? .*"),
        ((Y, with_value(S, np.inf)), r"s_test\[1, 2\] \(label 2\): must be a probability, from 0 to 1; given inf"),
        ((Y, [["a", "b", "c"]] * 5), "s_test: must be numbers of shape .*; given a list: could not convert string"),
        ((Y, OnTheGpu(S)), r"s_test: .*; given a OnTheGpu: can't convert cuda:0 .* Tensor\.cpu\(\) first"),
        ((frame(Y), frame(S).rename(columns={"Drama": "Dramas"})), "s_test: must have the labels of y_test as columns"
         r"; it lacks 'Drama' and has besides 'Dramas'; did you mean 'Dramas'\?"),
        ((frame(Y, index=list("abcde")), frame(S, index=list("abcdx"))), "s_test: its index names other rows"),
        ((pd.DataFrame(Y, columns=["a", "a", "b"]), S), "y_test: labels must differ; given more than once: 'a'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(arguments, told):
    with pytest.raises(ValueError, match=told) as caught:
        rl.judge(*arguments)
    assert isinstance(caught.value, UserError)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"labels": ["Drama", "Western"]}, r"y_test: must have 2 columns, the names in labels; given shape \(5, 3\)"),
        ({"labels": ["Drama", "Drama", "Western"]}, "labels: labels must differ; given more than once: 'Drama'"),
        ({"labels": "Drama"}, "labels: must be a list of names; given 'Drama'"),
        ({"validation": Y_VAL}, r"validation: must be a pair \(y_val, s_val\); given ndarray"),
        ({"validation": (Y_VAL, S_VAL[:, :2])}, r"validation\[1\]: must have 3 columns, as many as y_test"),
        ({"validation": (Y_VAL, S_VAL * 10)}, r"validation\[1\]\[0, 0\] \(label 0\): must be a probability"),
        ({"validation": (Y, S)}, "validation: has the same rows as the test part, but thresholds that are chosen and"),
    ],
)
def test_what_is_wrong_with_the_options_is_said_in_one_line(options, told):
    with pytest.raises(ArgumentError, match=told) as caught:
        rl.judge(Y, S, **options)
    assert len(str(caught.value).splitlines()) == 1


def test_no_named_row_may_choose_and_be_measured():
    y, y_val = frame(Y, index=list("abcde")), frame(Y_VAL, index=["a", *map(str, range(19))])
    with pytest.raises(ArgumentError, match=r"validation: 1 row of its index is in the index of y_test, too \(a\)"):
        rl.judge(y, S, validation=(y_val, S_VAL))


def test_labels_that_are_not_in_a_frame_are_named():
    with pytest.raises(ArgumentError, match="y_test: must have the names in labels as columns; it lacks 'Westen'; did"):
        rl.judge(frame(Y), S, labels=["Drama", "Westen"])


def test_a_page_that_cannot_be_written_says_so(tmp_path, judged):
    with pytest.raises(ArgumentError, match="cannot be written: Is a directory; name another file"):
        judged.to_html(tmp_path)


def test_a_run_needs_a_name(judged):
    with pytest.raises(ArgumentError, match="log: the run needs a name"):
        judged.log(" ")


def test_judging_imports_neither_tensorflow_nor_mlflow():
    program = """
import sys
import rarelabels as rl
judged = rl.judge([[1, 0], [0, 1]], [[0.9, 0.2], [0.3, 0.6]], validation=([[1, 0], [1, 1]], [[0.7, 0.3], [0.6, 0.5]]))
judged.table(), judged.prices()
heavy = "tensorflow", "keras", "mlflow", "dask", "optuna", "matplotlib.pyplot"
print([name for name in (*heavy, "matplotlib") if name in sys.modules])
judged._repr_html_()
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]
