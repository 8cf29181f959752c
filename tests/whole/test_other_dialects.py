"""A table as a German spreadsheet saves it, from ``init`` to ``predict``, each command in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from project import Project

COLUMNS = ("nr", "text", "größe", "besetzung", "teil", "fluss", "markt")
WORDS = ["haus", "straße", "alt; neu", "am\nweg", "baum", "dort", "gehen", "immer", "nie", "licht"]


def rows(n: int) -> list[dict[str, Any]]:
    """Words and numbers tell two labels; a cast is an array of PostgreSQL."""
    draw, made = random.Random(0), []
    for number in range(n):
        river, market = draw.random() < 0.4, draw.random() < 0.3
        words = draw.choices(WORDS, k=14) + ["wasser"] * river + ["äpfel"] * market
        cast = [f"ä{draw.randrange(3)}"] + ["markt frau"] * market
        made.append(
            {
                "nr": f"r{number}",
                "text": " ".join(words),
                "größe": draw.gauss(1_500, 900) if number % 9 else None,
                "besetzung": cast,
                "teil": ("Training", "val", "Training", "Testing")[number % 4],
                "fluss": ("no", "yes")[river],
                "markt": ("no", "yes")[market],
            }
        )
    return made


def german(row: dict[str, Any]) -> list[str]:
    size = "" if row["größe"] is None else f"{row['größe']:,.2f}".translate(str.maketrans(",.", ".,"))
    cells = row | {"größe": size, "besetzung": "{" + ",".join(row["besetzung"]) + "}"}
    return [cells[name] for name in COLUMNS]


def written(path: Path, made: list[dict[str, Any]], delimiter: str, encoding: str) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=delimiter)
    writer.writerow(COLUMNS)
    writer.writerows(map(german, made))
    path.write_bytes(sink.getvalue().encode(encoding))


@pytest.mark.long
def test_from_init_to_predict(tmp_path: Path) -> None:
    project = Project(tmp_path, declared=False)
    made = rows(400)
    written(tmp_path / "my.csv", made, ";", "cp1252")
    arguments = ("init", "my.csv", "--labels", "fluss,markt", "--id", "nr", "--quick")
    _, err = project.call(*arguments, code=2)
    assert "--encoding cp1252" in err
    said, err = project.call(*arguments, "--encoding", "cp1252")
    assert err == ""
    for line in (
        "file        ';' between cells (--delimiter); encoding cp1252 (--encoding); ',' before the decimals of numbers",
        "labels      2, in 0/1 columns, yes is 1",
        "text        text ",
        "list        besetzung, a list in {}: its cells are lists in {}",
        "numeric     größe (45 of 400 cells are empty): all filled cells are numbers",
        "teil says which part a row belongs to: Testing is test, Training is train, val is validation",
    ):
        assert line in said
    project.call("run", "my/linear", "my/floor_prior", "--seeds", "0", "--workers", "1")
    project.call("best", "my")
    same, err = project.call("predict", "my", "my.csv")
    assert err == ""
    lines = list(csv.reader(io.StringIO(same)))
    assert [line[0] for line in lines[1:]] == [row["nr"] for row in made]
    right = sum(("fluss" in line[1]) == (row["fluss"] == "yes") for line, row in zip(lines[1:], made, strict=True))
    assert right > 0.95 * len(made)
    written(tmp_path / "other.csv", made, ",", "utf-8-sig")
    other, err = project.call("predict", "my", "other.csv")
    assert "other.csv: is read with ',' between its cells in utf-8, as it looks" in err
    assert other == same
    native = [row | {"größe": None if row["größe"] is None else round(row["größe"], 2)} for row in made]
    (tmp_path / "native.jsonl").write_text("".join(json.dumps(row) + "\n" for row in native), encoding="utf-8")
    _, err = project.call("predict", "my", "native.jsonl", code=2)
    assert "besetzung" in err
    written(tmp_path / "wrong.csv", made[:20], ";", "utf-16")
    assert project.call("predict", "my", "wrong.csv")[0].splitlines() == same.splitlines()[:21]
