"""Tables that are written as CSV come back as they were: names are text, and numbers are the same bit by bit."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rarelabels
from rarelabels import csv_tables

NAMES = [
    "1.0",
    "1",
    "0010",
    "7",
    "07",
    "NA",
    "null",
    "None",
    "nan",
    "true",
    "1e5",
    " x",
    "x ",
    "",
    "#N/A",
    "-",
    "\ufeffz",
]
NAMES += ["a,b", "a\nb", "a\rb", "a\r\nb", 'say "x"', "'", "é", "=1+1", "\t", "Infinity", "2026-01-01", "0x1F"]


def test_names_that_look_like_something_else_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"label": NAMES, "f1": rng.random(len(NAMES)), "tp": range(len(NAMES)), "threshold": np.nan})
    frame.loc[3, "f1"] = np.nan
    csv_tables.write(tmp_path / "t.csv", frame)
    found = csv_tables.read(tmp_path / "t.csv", names=("label", "metric"))
    assert found["label"].tolist() == NAMES
    pd.testing.assert_frame_equal(found, frame)  # exactly: no digit is lost


@pytest.mark.parametrize("names", [["1.0", "1", "07"], ["NA"], ["", "x"]])
def test_a_table_of_few_names_is_text_too(tmp_path: Path, names: list[str]) -> None:
    csv_tables.write(tmp_path / "t.csv", pd.DataFrame({"label": names}).assign(positives=1))
    assert csv_tables.read(tmp_path / "t.csv", ["label"])["label"].tolist() == names


def test_numbers_of_any_size_come_back_bit_by_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    numbers = np.concatenate([rng.random(2000), rng.normal(0, 1, 2000) * 10.0 ** rng.integers(-300, 300, 2000)])
    csv_tables.write(tmp_path / "t.csv", pd.DataFrame({"value": numbers}))
    np.testing.assert_array_equal(csv_tables.read(tmp_path / "t.csv", [])["value"], numbers)


def test_tables_are_written_and_read_in_one_place() -> None:
    source = Path(rarelabels.__file__).parent
    found = [
        f"{path.relative_to(source)}, line {node.lineno}"
        for path in sorted(source.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("to_csv", "read_csv") and path.name != "csv_tables.py"
        if "arrow_csv" not in ast.unparse(node)
    ]
    assert found == [], "write and read tables with csv_tables"
