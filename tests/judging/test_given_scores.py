"""Scores of another program: read, joined to rows by id, and held against the truth of the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rarelabels.errors import UserError
from rarelabels.judging import given_scores
from written_scores import write

LABELS = ("Drama", "Sci-Fi, Fantasy")
IDS = np.array(["0010", "a b", "x"])
Y = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.uint8)
SCORES = np.array([[0.9, 0.1], [0.25, 1.0], [0.0, 0.5]])


def frame(**more: list[object]) -> pd.DataFrame:
    columns = {f"score/{label}": SCORES[:, place] for place, label in enumerate(LABELS)}
    return pd.DataFrame({"id": IDS} | columns | more)


def refused(path: Path) -> str:
    with pytest.raises(UserError) as error:
        given_scores.read(path, LABELS).of_rows("test", IDS, Y)
    message = str(error.value)
    assert "\n" not in message
    return message.removeprefix(f"{path.parent}/")


@pytest.mark.parametrize("name", ["s.parquet", "s.csv", "s.csv.gz"])
def test_scores_are_joined_by_id_and_labels_by_name(name: str, tmp_path: Path) -> None:
    """Neither order matters; other rows, labels and columns are left alone."""
    shuffled = pd.concat([frame(), frame().assign(id=["y", "z", "10"])]).sample(frac=1, random_state=0)
    other = shuffled[["score/Sci-Fi, Fantasy", "id", "score/Drama"]].assign(**{"score/Western": 0.5, "note": "?"})
    given = given_scores.read(write(tmp_path / name, other), LABELS)
    assert (given.of_rows("test", IDS, Y) == SCORES).all()
    assert (given.of_rows("test", IDS[[2, 0]], Y[[2, 0]]) == SCORES[[2, 0]]).all()


def test_a_truth_that_the_file_states_must_be_that_of_the_data(tmp_path: Path) -> None:
    right = frame(**{"true/Drama": [1, 0, 1]})
    assert (given_scores.read(write(tmp_path / "a.csv", right), LABELS).of_rows("test", IDS, Y) == SCORES).all()
    assert refused(write(tmp_path / "b.csv", frame(**{"true/Drama": [1, 1, 0]}))) == (
        "b.csv: true/Drama, id a b: is 1, but 0 in the data (2 cells differ); are the rows mixed up? give each row "
        "its own id, or leave the columns true/… out"
    )


def test_what_the_data_do_not_know_is_not_compared_and_ids_are_in_one_form(tmp_path: Path) -> None:
    stated = frame(**{"true/Drama": [1, 1, None]}).assign(id=[7, 1000, 12])
    known = np.array([[True, True], [False, True], [True, True]])
    read = given_scores.read(write(tmp_path / "a.parquet", stated), LABELS)
    ids = np.array(["7.0", " 1000.0", "12.0"])
    assert (read.of_rows("test", ids, Y, known) == SCORES).all()
    with pytest.raises(UserError, match="id 1000: is 1, but 0 in the data"):
        read.of_rows("test", ids, Y)


def test_ids_and_scores_are_read_as_judge_reads_them(tmp_path: Path) -> None:
    """Whole numbers that a gap made floats, blanks around ids, and rounding errors of a sigmoid."""
    scores = [[1.0000000000000002, -1e-18], [0.5, 0.25]]
    columns = {f"score/{label}": [row[place] for row in scores] for place, label in enumerate(LABELS)}
    path = write(tmp_path / "a.parquet", pd.DataFrame({"id": [1000.0, 7.0]} | columns))
    found = given_scores.read(path, LABELS).of_rows("test", np.array([" 7", "1000"]), Y[:2])
    assert found.tolist() == [[0.5, 0.25], [1.0, 0.0]]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    one = refused(write(tmp_path / "rows.parquet", frame().iloc[[1]]))
    assert one.startswith("rows.parquet: has no scores for 2 of the 3 test rows: id 0010, x; `rarelabels export-split`")
    two = refused(write(tmp_path / "label.csv", frame().rename(columns={"score/Drama": "score/Dramma"})))
    assert two == ("label.csv: has no column score/<label> for 'Drama', labels of the data; did you mean 'Dramma'?")
    assert refused(write(tmp_path / "no.csv", frame().iloc[:0])) == "no.csv: has no rows, only column names"
    assert refused(write(tmp_path / "id.csv", frame().drop(columns="id"))).startswith("id.csv: has no column id, which")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ["x", "x", "y"]}, "s.csv: id, row 2: x is the id of row 1 too"),
        ({"score/Drama": [0.1, 7.5, 0.2]}, "s.csv: score/Drama, row 2 (id a b): must be a probability"),
        ({"score/Drama": [0.1, None, 0.2]}, "s.csv: score/Drama, row 2 (id a b): must be a probability"),
        ({"score/Drama": [0.1, "high", 0.2]}, "s.csv: score/Drama, row 2 (id a b): must be a number"),
        ({"true/Drama": [0, 2, 0]}, "s.csv: true/Drama, row 2 (id a b): must be 0 or 1"),
    ],
)
def test_a_wrong_cell_is_named(changes: dict[str, list[object]], message: str, tmp_path: Path) -> None:
    assert refused(write(tmp_path / "s.csv", frame().assign(**changes))).startswith(message)
