"""Tables of ten rows in every format, and the line that refuses one."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rarelabels.data.table import parsing
from rarelabels.data.unsplit import Table
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError

NAMES = {"column": "tags", "separator": "|"}
TEXT = ("plot",)

# Ten rows. Labels: c 6, a 4, b 4, d 1; row 4 has none.
TAGS = ["a|c", "b", "c|b", "", "a", "c", "c|a|d", " b | c ", "c|c", "a|b"]
PLOTS = ["The End, again", "L'Été!", "", "x_1 x", "A\nB", 'say "no"', "日本 8½", "one", "two", "three"]
PRICES = [1.5, -2, 0, 1e-3, 4, 5, 6, 7, 8, 1e6]
NAMES_OF = ["p1", "p2", "p1", "p3", "p4", "p4", "p5", "p6", "", ""]


def spec(path: Path, **values: Any) -> TableSpec:
    values = {"labels": NAMES, "text": TEXT} | values
    return TableSpec.model_validate({"kind": "table", "path": str(path), **values})


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the format that the name of the file says, text formats by Python, Parquet by pandas."""
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


def rows_of(**columns: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def same(one: Table, two: Table) -> bool:
    texts = [{name: tokens.to_lists() for name, tokens in each.text.items()} for each in (one, two)]
    arrays = ("ids", "y", "strata", "numeric", "groups", "parts")
    return (
        texts[0] == texts[1]
        and (one.labels, one.numeric_names) == (two.labels, two.numeric_names)
        and all(np.array_equal(getattr(one, name), getattr(two, name)) for name in arrays)
    )


def small(path: Path, text: str | bytes) -> TableSpec:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return spec(path)


def refused(declared: TableSpec) -> str:
    """Return the one line that refuses a table, without its folder."""
    with pytest.raises(UserError) as caught:
        parsing.parse(declared)
    line = str(caught.value)
    assert "\n" not in line
    folder = f"{Path(declared.path).parent}/"
    assert line.startswith(folder)
    return line.removeprefix(folder)


def ten(first: str = "plot,tags", *, row: str = "x,a|b", rows: dict[int, str] | None = None) -> str:
    """Return a CSV of ten rows, all alike but those given by number."""
    return "\n".join([first, *((rows or {}).get(i, row) for i in range(1, 11))]) + "\n"
