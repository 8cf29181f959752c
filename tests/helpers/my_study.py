"""A small study of one's own table, run once for all tests that need a trained and recorded model."""

import csv
import random
from pathlib import Path

from project import Project

STUDY = "my"
LABELS = ("cat, tabby", "dog", "Ünï|code", "rare")
COLUMNS = ("ref", "what: it says", "tags[]", "n° 1", "weight", "labels", "unused")
BASE = """
extends: ../../conf/base.yaml
dataset:
  kind: table
  path: ../../my.csv
  labels: {column: labels, separator: ";"}
  text: ["what: it says"]
  lists: [{column: "tags[]", separator: "|"}]
  numeric: ["n° 1", weight]
  id: ref
model: {kind: text_bag, pooling: tfidf, width: 8, wide: true}
training: {epochs: 2, batch_size: 32, learning_rate: 1.0e-2}
seeds: [0, 1]
"""
TRIALS = {
    "linear": "model: {kind: linear}",
    "bce": "watch: []",
    "platt": "thresholds: {calibration: platt}",
    "floor": "model: {kind: floor, predicts: prior}",
}


def rows(n: int, seed: int = 0) -> list[dict[str, str]]:
    """Rows whose words, tags and numbers tell something of their labels."""
    draw = random.Random(seed)
    made = []
    for number in range(n):
        labels = [label for label in LABELS if draw.random() < (0.08 if label == "rare" else 0.4)]
        words = [f"{label[:3]}word{draw.randrange(3)}" for label in labels if draw.random() < 0.8]
        words += [f"filler{draw.randrange(30)}" for _ in range(draw.randrange(6))]
        tags = [f"Tag {LABELS.index(label)}" for label in labels if draw.random() < 0.6] + [f"t{draw.randrange(9)}"]
        made.append(
            {
                "ref": f"r{number:05}",
                "what: it says": " ".join(words),
                "tags[]": "|".join(tags),
                "n° 1": str(len(labels) + draw.randrange(3)),
                "weight": f"{draw.gauss(2 * ('dog' in labels), 1):.3f}",
                "labels": ";".join(labels),
                "unused": "x",
            }
        )
    return made


def write(path: Path, made: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(made)
    return path


def declare(folder: Path) -> None:
    """Write the study and its table to a project."""
    write(folder / "my.csv", rows(600))
    study = folder / "experiments" / STUDY
    study.mkdir()
    (study / "_base.yaml").write_text(BASE, encoding="utf-8")
    (study / "study.yaml").write_text("title: Mine\nquestion: Which is best?\nthread: beyond the threads\n")
    for name, block in TRIALS.items():
        head = f"extends: _base.yaml\nquestion: How far does {name} get here?\nthread: beyond the threads\n"
        (study / f"{name}.yaml").write_text(f"{head}{block}\n")


def run(folder: Path) -> Project:
    """Run the study in a new project."""
    project = Project(folder)
    declare(folder)
    project.do("run", STUDY, "--workers", "1")
    return project
