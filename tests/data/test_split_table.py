"""Which part each row is in, as a table for other programs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from my_study import rows, write
from rarelabels.data import loading, split_table
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError
from small_texts import trial


@pytest.fixture
def table(tmp_path: Path) -> dict[str, object]:
    """Sixty rows whose ids look like numbers."""
    made = [row | {"ref": f"{number:04}"} for number, row in enumerate(rows(60))]
    path = write(tmp_path / "my.csv", made)
    labels = {"column": "labels", "separator": ";"}
    return {"kind": "table", "path": str(path), "labels": labels, "text": ("what: it says",), "id": "ref"}


def of(table: dict[str, object], seeds: tuple[int, ...] = (0, 1), **changes: object) -> Trial:
    return trial(table | changes, kind="floor", predicts="prior").model_copy(update={"seeds": seeds})


def test_every_row_is_in_the_part_in_which_the_suite_has_it(table: dict[str, object]) -> None:
    one = of(table)
    found = split_table.of_trials([one, of(table, (1, 2))])
    assert list(found.columns) == ["id", "part", "seed"]
    assert sorted(found["seed"].unique()) == [0, 1, 2]
    for seed, rows_of in found.groupby("seed"):
        data = loading.load(one.dataset, int(str(seed)))
        for name in ("train", "validation", "test"):
            assert rows_of.loc[rows_of["part"] == name, "id"].tolist() == getattr(data, name).ids.tolist()
        assert len(rows_of) == 60


def test_cross_validated_rows_have_folds_and_are_there_once(table: dict[str, object]) -> None:
    one = of(table, validation="cross_validated")
    found = split_table.of_trials([one], [3])
    data = loading.load(one.dataset, 3)
    assert data.folds is not None
    assert found["part"].unique().tolist() == ["train", "test"]
    assert found["fold"].dropna().tolist() == data.folds.tolist()
    assert found["id"].is_unique


def test_one_table_is_of_one_data_set(table: dict[str, object]) -> None:
    with pytest.raises(UserError, match="the trials declare 2 different blocks of data, for example those of movies/x"):
        split_table.of_trials([of(table), of(table, validation="last_rows")])


@pytest.mark.parametrize("name", ["parts.csv", "parts.parquet"])
def test_ids_come_back_as_they_are(name: str, table: dict[str, object], tmp_path: Path) -> None:
    found = split_table.of_trials([of(table, (0,))])
    split_table.write(found, tmp_path / name)
    path = tmp_path / name
    back = pd.read_csv(path, dtype={"id": str}) if path.suffix == ".csv" else pd.read_parquet(path)
    assert back["id"].tolist() == found["id"].tolist()
    assert "0007" in back["id"].tolist()
    assert back["seed"].dtype == "int64"


def test_other_files_are_refused(table: dict[str, object], tmp_path: Path) -> None:
    found = split_table.of_trials([of(table, (0,))])
    with pytest.raises(UserError, match=r"--output: allowed a file that ends in \.csv or \.parquet; given parts\.xlsx"):
        split_table.write(found, Path("parts.xlsx"))
    with pytest.raises(UserError, match="cannot be written: No such file"):
        split_table.write(found, tmp_path / "nowhere" / "parts.csv")
