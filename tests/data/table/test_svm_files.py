"""Sparse text of libsvm and of the repositories of extreme classification."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from rarelabels.data.table import parsing
from rarelabels.data.table.batch import BATCH_ROWS
from rarelabels.data.table.svm_files import svm_rows
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError

ROWS = "3,17 1:0.5 8:2\n 8:-1e-3\n17 2:1 # why\n3\n"


def read(folder: Path, text: str) -> list[tuple[list[str], dict[str, float]]]:
    (folder / "a.svm").write_text(text)
    return [(row.labels, row.features) for row in svm_rows(folder / "a.svm")]


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, text)
    line = str(caught.value)
    assert "\n" not in line
    return line.replace(f"{folder}/", "")


def test_rows_with_and_without_the_first_line_and_zipped(tmp_path: Path) -> None:
    rows = [(["3", "17"], {"1": 0.5, "8": 2.0}), ([], {"8": -1e-3}), (["17"], {"2": 1.0}), (["3"], {})]
    assert read(tmp_path, ROWS) == rows
    assert read(tmp_path, "4 9 20\n" + ROWS) == rows
    assert read(tmp_path, ROWS.replace("\n", "\r\n").rstrip()) == rows
    (tmp_path / "a.svm.gz").write_bytes(gzip.compress(ROWS.encode()))
    assert [row.labels for row in svm_rows(tmp_path / "a.svm.gz")] == [labels for labels, _ in rows]


def test_a_blank_line_between_rows_is_a_row_and_at_the_end_only_if_rows_are_counted(tmp_path: Path) -> None:
    assert read(tmp_path, "1 2:1\n\n1 3:1\n\n\n") == [(["1"], {"2": 1.0}), ([], {}), (["1"], {"3": 1.0})]
    assert read(tmp_path, "3 9 9\n1 2:1\n1 3:1\n\n")[2] == ([], {})
    assert read(tmp_path, "2:1 3:4\n") == [([], {"2": 1.0, "3": 4.0})]  # without labels, and without a blank


@pytest.mark.parametrize("seed", range(3))
def test_it_reads_what_scikit_learn_writes(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 12)) * (rng.random((60, 12)) < 0.3)
    labels = [tuple(np.flatnonzero(rng.random(5) < 0.4).tolist()) for _ in range(60)]
    flags = np.array([[label in row for label in range(5)] for row in labels], dtype=int)
    dump_svmlight_file(x, flags, str(tmp_path / "a.svm"), multilabel=True)
    rows = list(svm_rows(tmp_path / "a.svm"))
    assert [[int(label) for label in row.labels] for row in rows] == [list(row) for row in labels]
    theirs, _ = load_svmlight_file(io.BytesIO((tmp_path / "a.svm").read_bytes()), multilabel=True, n_features=12)
    for row, expected in zip(rows, theirs.toarray(), strict=True):
        assert {int(name): value for name, value in row.features.items()} == {
            place: expected[place] for place in np.flatnonzero(expected)
        }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1 2:1 x", "row 2 (line 2): must be labels with commas between them, then index:value"),
        ("1 2:1:3 4", "row 2 (line 2): must be labels"),
        ("1 2:one", "row 2 (line 2): must be labels"),
        ("1 -2:1", "row 2 (line 2): must be labels"),
        ("1 2: 3", ""),
        ("1 2:nan", "row 2 (line 2): a value must be a finite number; given nan"),
        ("1 2:1e999", "row 2 (line 2): a value must be a finite number; given 1e999"),
        ("1 2:1e200", "row 2 (line 2): a value must be a finite number from -1e+150 to 1e+150; given 1e200"),
        ("1 2:1_0", "row 2 (line 2): must be labels"),
        ("1 2:1 2:3", "row 2 (line 2): gives feature 2 twice; leave one"),
        ("1 2:1 02:3", "row 2 (line 2): gives feature 2 twice; leave one"),
    ],
)
def test_a_wrong_row_is_named(line: str, says: str, tmp_path: Path) -> None:
    text = f"1 2:1\n{line}\n1 2:1\n"
    if not says:
        assert len(read(tmp_path, text)) == 3
    else:
        assert f"a.svm: {says}" in refused(tmp_path, text)


def test_tabs_are_blanks_and_other_encodings_are_refused(tmp_path: Path) -> None:
    """Otherwise two names that differ in such a letter would be one label."""
    assert read(tmp_path, "a,b\t1:2\t3:4\n\t1:1\n") == [(["a", "b"], {"1": 2.0, "3": 4.0}), ([], {"1": 1.0})]
    (tmp_path / "a.svm").write_bytes("a 1:2\né 1:2\nè 1:2\n".encode("cp1252"))
    with pytest.raises(UserError, match=r"a\.svm: line 2: is not UTF-8 text; save the file as UTF-8"):
        list(svm_rows(tmp_path / "a.svm"))


def test_a_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path, "9 9 9\n1 2:1\n") == ("a.svm: its first line says 9 rows, but it has 1; is it cut off?")


@pytest.mark.parametrize("rows", [20, BATCH_ROWS + 20])
def test_the_table_has_values_at_any_size(rows: int, tmp_path: Path) -> None:
    lines = [f"{i % 3},{3 + i % 2} {i % 5}:{1 + i} 7:-2\n" for i in range(rows)]
    (tmp_path / "a.svm").write_text("".join(lines))
    spec = TableSpec.model_validate(
        {
            "kind": "table",
            "path": str(tmp_path / "a.svm"),
            "labels": {"column": "labels"},
            "lists": [{"column": "features"}],
        }
    )
    table = parsing.parse(spec)
    tokens = table.text["features"]
    assert tokens.values is not None
    assert len(tokens) == rows
    last = slice(tokens.indptr[-2], tokens.indptr[-1])
    assert dict(zip(tokens.vocabulary[tokens.ids[last]], tokens.values[last], strict=True)) == {
        str((rows - 1) % 5): float(rows),
        "7": -2.0,
    }
    assert tokens.vocabulary[tokens.ids[last]][0] == str((rows - 1) % 5)  # the largest comes first
    assert sorted(table.labels) == ["0", "1", "2", "3", "4"]
