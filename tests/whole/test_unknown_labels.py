"""A table some of whose labels nobody annotated, from ``init`` to ``predict``, each command in a process of its own."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from project import Project

LABELS = ("river", "market", "night")
WORDS = ["house", "old", "way", "tree", "there", "go", "ever", "light"]


def table(n: int) -> list[list[str]]:
    """A word tells each label; a quarter of the cells are empty, and some are -1."""
    draw, rows = random.Random(0), []
    for number in range(n):
        has = [draw.random() < share for share in (0.4, 0.3, 0.2)]
        words = draw.choices(WORDS, k=9) + [name for name, one in zip(LABELS, has, strict=True) if one]
        cells = [draw.choices(["", "-1", str(int(one))], [4, 1, 15])[0] for one in has]
        rows.append([f"r{number}", " ".join(words), *cells])
    return rows


@pytest.mark.long
def test_from_init_to_predict(tmp_path: Path) -> None:
    project, rows = Project(tmp_path, declared=False), table(400)
    with (tmp_path / "my.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text", *LABELS], *rows])
    said, err = project.call("init", "my.csv", "--labels", ",".join(LABELS), "--quick")
    assert err == ""
    known = [sum(row[place] in "01" and row[place] != "" for row in rows) for place in (2, 3, 4)]
    assert f"{sum(known) / 1200:.1%} of all entries are known: an empty cell, '-1' mean that nobody" in said
    for name, count in zip(LABELS, known, strict=True):
        assert any(name in line and f"of the {count} rows in which it is known" in line for line in said.splitlines())
    assert 'unknown: ["", "-1"]' in (tmp_path / "conf/datasets/my.yaml").read_text()
    _, err = project.call("run", "my/bce", "--seeds", "0", "--set", "model.head=softmax", code=2)
    assert "with dataset.labels.unknown" in err
    project.call("run", "my/linear", "my/bce", "my/floor_prior", "--seeds", "0", "--workers", "1")
    given = {row[0]: row[2:] for row in rows}
    stored = sorted(tmp_path.glob("runs/**/scores/test.parquet"))
    assert len(stored) == 3
    for path in stored:
        frame = pd.read_parquet(path)
        for place, name in enumerate(LABELS):
            truth = ["" if pd.isna(cell) else str(int(cell)) for cell in frame[f"true/{name}"]]
            assert truth == [given[row][place].replace("-1", "") for row in frame["id"]]
        per_label = pd.read_csv(path.parents[1] / "per_label.csv").set_index("label")
        np.testing.assert_allclose(per_label.loc[list(LABELS), "average_precision"], average_precision(frame))
    project.call("best", "my")
    lines = list(csv.reader(io.StringIO(project.call("predict", "my", "my.csv")[0])))[1:]
    right = [("river" in line[1]) == ("river" in row[1]) for line, row in zip(lines, rows, strict=True)]
    assert np.mean(right) > 0.95


def average_precision(frame: pd.DataFrame) -> list[float]:
    """Scikit-learn's average precision of each label on its known rows, from stored scores."""
    found = []
    for name in LABELS:
        known = frame[f"true/{name}"].notna()
        truth = frame.loc[known, f"true/{name}"].astype(int)
        found.append(float(average_precision_score(truth, frame.loc[known, f"score/{name}"])))
    return found
