"""Columns that most tables have, written in every format."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

N = 60
COLOURS = ("red", "blue", "green")
WORDS = ["a", "house", "by", "the", "river", "where", "old", "trees", "grow", "and", "nobody", "comes"]


def prose(row: int) -> str:
    return " ".join(random.Random(row).choices(WORDS, k=8))


def cells(make: Callable[[int], Any]) -> list[Any]:
    return [make(row) for row in range(N)]


USUAL: dict[str, list[Any]] = {
    "plot": cells(prose),
    "tags": cells(lambda i: "|".join(random.Random(i).sample(COLOURS, 2))),
    "is_a": cells(lambda i: i % 2),
    "is_b": cells(lambda i: int(i % 3 == 0)),
}


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    match path.suffix:
        case ".parquet":
            pd.DataFrame(columns).to_parquet(path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        case _:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(columns), delimiter="\t" if path.suffix == ".tsv" else ",")
                writer.writeheader()
                writer.writerows(rows)
    return path
