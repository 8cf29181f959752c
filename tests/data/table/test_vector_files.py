"""Vectors in a file beside a table: read in step with its rows, and never as pickles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarelabels.data import loading
from rarelabels.data.table import parsing, vector_files
from rarelabels.data.table.batch import BATCH_ROWS
from rarelabels.declare.table import VectorColumn
from rarelabels.errors import UserError
from small_tables import TAGS, refused, rows_of, spec, write

VECTORS = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


def declared(folder: Path, vectors: np.ndarray = VECTORS, name: str = "embeddings.npy"):
    table = write(folder / "a.csv", rows_of(tags=TAGS, plot=["x"] * 10, price=list(range(10))))
    np.save(folder / name, vectors, allow_pickle=True)
    files = [{"column": "embedding", "file": str(folder / name)}]
    return spec(table, text=(), numeric=("price",), vectors=files)


def test_vectors_come_after_the_numbers(tmp_path: Path) -> None:
    table = parsing.parse(declared(tmp_path))
    assert table.numeric_names == ("price", "embedding[0]", "embedding[1]", "embedding[2]")
    np.testing.assert_array_equal(table.numeric, np.hstack([np.arange(10.0)[:, None], VECTORS]))


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv"])
def test_a_column_of_lists_and_a_file_give_the_same_table(tmp_path: Path, name: str) -> None:
    in_file = parsing.parse(declared(tmp_path))
    rows = rows_of(tags=TAGS, price=list(range(10)), embedding=VECTORS.astype(float).tolist())
    in_table = parsing.parse(
        spec(write(tmp_path / name, rows), text=(), numeric=("price",), vectors=[{"column": "embedding"}])
    )
    np.testing.assert_array_equal(in_table.numeric, in_file.numeric)
    assert in_table.numeric_names == in_file.numeric_names


@pytest.mark.parametrize("rows", [3, BATCH_ROWS + 3])
def test_rows_of_file_and_table_go_together_at_any_size(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text("n\n" + "".join(f"{row}\n" for row in range(rows)))
    np.save(tmp_path / "v.npy", np.arange(rows, dtype=np.int32)[:, None])
    files = [VectorColumn(column="v", file=str(tmp_path / "v.npy"))]
    read = [
        (int(n), int(v[0]))
        for one in vector_files.batches(path, ["n"], files)
        for n, v in zip(*one.cells.values(), strict=True)
    ]
    assert read == [(row, row) for row in range(rows)]
    for wrong in (rows - 1, rows + 1):
        np.save(tmp_path / "v.npy", np.zeros((wrong, 1)))
        with pytest.raises(UserError, match=rf"v\.npy: has {wrong:,} vectors, but .*a\.csv has {rows:,} rows"):
            list(vector_files.batches(path, ["n"], files))


@pytest.mark.parametrize(
    ("vectors", "says"),
    [
        (VECTORS[0], "must hold a matrix of numbers, (rows, length of a vector); given 3 of type float32"),
        (VECTORS[:, :0], "embeddings.npy: "),
        (np.array([["a"]] * 10), "given 10 x 1 of type <U1"),
        (np.array([[{}]] * 10), "save numbers, as in numpy.save(file, array.astype('float32'))"),
        (
            np.where(np.arange(30).reshape(10, 3) == 13, np.nan, 1.0),
            "row 5 (line 6), column 'embedding': entry 2 of the vector is nan, and not a finite number",
        ),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, vectors: np.ndarray, says: str) -> None:
    assert says in refused(declared(tmp_path, vectors))


def test_a_file_that_is_something_else_is_one_line(tmp_path: Path) -> None:
    table = declared(tmp_path)
    (tmp_path / "embeddings.npy").write_bytes(b"\x80\x04]\x94.")  # a pickle
    assert "cannot be read, or is damaged" in refused(table)
    np.savez(tmp_path / "b.npz", VECTORS)
    (tmp_path / "b.npz").rename(tmp_path / "embeddings.npy")
    assert "cannot be read, or is damaged" in refused(table)
    (tmp_path / "embeddings.npy").unlink()
    assert "there is no such file" in refused(table)
    other = table.model_copy(update={"vectors": (VectorColumn(column="e", file=str(tmp_path / "a.csv")),)})
    assert "must be a .npy file" in refused(other)


def test_a_header_that_no_array_can_have_is_one_line(tmp_path: Path) -> None:
    table = declared(tmp_path)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (10, 99999999999999999999), }".ljust(117) + b"\n"
    (tmp_path / "embeddings.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + header + b"\0" * 40)
    assert "embeddings.npy: cannot be read, or is damaged: " in refused(table)


def test_a_name_that_the_table_has_is_refused(tmp_path: Path) -> None:
    table = declared(tmp_path)
    twice = (VectorColumn(column="plot", file=table.vectors[0].file),)
    assert "has a column 'plot', which is also the name of the vectors of" in refused(
        table.model_copy(update={"vectors": twice})
    )


def test_the_digest_is_that_of_the_content_wherever_the_file_lies(tmp_path: Path) -> None:
    table = declared(tmp_path)
    before = loading.digest(table)
    np.save(tmp_path / "other.npy", VECTORS)
    moved = table.model_copy(update={"vectors": (VectorColumn(column="embedding", file=str(tmp_path / "other.npy")),)})
    assert loading.digest(moved) == before
    np.save(tmp_path / "other.npy", VECTORS + 1)
    assert loading.digest(moved) != before
