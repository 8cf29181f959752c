"""Each kind of input from a stranger's file to predicted rows: `init`, `run`, `best` and `predict` in processes."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from project import Project

ROWS, NEW = 240, 40


@dataclass(frozen=True)
class Given:
    """What to write after `init` and `predict`, what `init` says and declares, and trials to run beside `linear`."""

    init: tuple[str, ...]
    predict: tuple[str, ...]
    says: str
    declares: str
    trials: tuple[str, ...] = ()


def labels_of(x: np.ndarray) -> list[list[str]]:
    """Two labels that the numbers decide, and one that they do not."""
    noise = np.random.default_rng(9).random(len(x)) < 0.3
    return [
        [name for name, has in zip("abc", (row[0] > 0, row[1] > 0.3, odd), strict=True) if has]
        for row, odd in zip(x, noise, strict=True)
    ]


def numbers(rows: int, columns: int = 6) -> np.ndarray:
    return np.random.default_rng(rows).normal(size=(rows, columns)).round(3)


def vectors_in_a_table(folder: Path) -> Given:
    for name, n in (("mine", ROWS), ("new", NEW)):
        x = numbers(n)
        rows = zip(x.tolist(), labels_of(x), strict=True)
        lines = [json.dumps({"embedding": vector, "tags": tags}) + "\n" for vector, tags in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    return Given(
        ("mine.jsonl", "--labels", "tags"),
        ("new.jsonl",),
        "vectors     embedding, 6 numbers each",
        "vectors: [{column: embedding}]",
        ("mine/bce",),
    )


def vectors_in_a_file(folder: Path) -> Given:
    for name, n in (("mine", ROWS), ("new", NEW)):
        x = numbers(n)
        np.save(folder / f"{name}.npy", x.astype(np.float32))
        lines = [f"r{row},{'|'.join(tags)}\n" for row, tags in enumerate(labels_of(x))]
        (folder / f"{name}.csv").write_text("".join(["id,tags\n", *lines]))
    return Given(
        ("mine.csv", "--labels", "tags", "--vectors", "embedding=mine.npy"),
        ("new.csv", "--vectors", "embedding=new.npy"),
        "vectors     embedding, 6 numbers each",
        'vectors: [{column: embedding, file: "../../mine.npy"}]',
    )


def weighed_text_without_blanks(folder: Path) -> Given:
    draw = random.Random(0)
    for name, n in (("mine", ROWS), ("new", NEW)):
        x = numbers(n)
        lines = []
        for row, tags in zip(x, labels_of(x), strict=True):
            words = ["河川"] * bool(row[0] > 0) + ["市場"] * bool(row[1] > 0.3)
            words += draw.choices(["日昔", "男家", "古夜", "中見"], k=4)
            draw.shuffle(words)
            lines.append(f"{''.join(words)},{'|'.join(tags)},{draw.choice((0.5, 1, 2))}\n")
        (folder / f"{name}.csv").write_text("".join(["text,tags,sample_weight\n", *lines]))
    return Given(
        ("mine.csv", "--labels", "tags"),
        ("new.csv",),
        "sample_weight says how much a row counts in training",
        "tokens: [{column: text, of: characters, ngrams: [2, 4]}]\n  weight: sample_weight\n",
        ("mine/bce",),
    )


def sparse_text(folder: Path) -> Given:
    for name, n in (("mine", ROWS), ("new", NEW)):
        x = numbers(n)
        lines = [f"{n} 30 3\n"]
        for row, tags in zip(x, labels_of(x), strict=True):
            features = {0 if row[0] > 0 else 1: abs(row[0]), 2: row[1], 3 + int(row[2] > 0): 0.5}
            lines.append(f"{','.join(tags)} {' '.join(f'{i}:{value:.3f}' for i, value in features.items())}\n")
        (folder / f"{name}.svm").write_text("".join(lines))
    declares = "labels: {column: labels}\n  lists: [{column: features}]\n"
    return Given(("mine.svm",), ("new.svm",), "list        features, names with values", declares, ("mine/bce",))


def arff(folder: Path) -> Given:
    for name, n in (("mine", ROWS), ("new", NEW)):
        x = numbers(n)
        lines = [f"@attribute {label} {{0,1}}\n" for label in "abc"]
        lines += [f"@attribute 'n {i}' numeric\n" for i in range(3)] + ["@attribute side {left,right}\n@data\n"]
        for row, tags in zip(x, labels_of(x), strict=True):
            cells = [str(int(label in tags)) for label in "abc"] + [f"{value:.3f}" for value in row[:3]]
            lines.append(",".join([*cells, "left" if row[3] > 0 else "?"]) + "\n")
        (folder / f"{name}.arff").write_text("".join(["@relation 'mine: -C 3'\n", *lines]))
    declares = 'labels:\n    columns: [a, b, c]\n  numeric: ["n 0", "n 1", "n 2"]\n  categories: [side]\n'
    return Given(("mine.arff",), ("new.arff",), "numeric     n 0, n 1, n 2", declares)


def images(folder: Path) -> Given:
    """A dozen pictures: dark or bright for a, striped or plain for b, each with another tint."""
    for part in ("raw", "later"):
        (folder / part).mkdir()
        for dark, striped, tint in itertools.product((0, 1), (0, 1), range(3)):
            picture = Image.new("RGB", (24, 24), (20 + tint, 10, 30) if dark else (250, 240 - tint, 230))
            for x in range(0, 24 * striped, 4):
                ImageDraw.Draw(picture).line((x, 0, x, 24), fill=(200, 60, 60), width=2)
            picture.save(folder / part / f"{dark}{striped}{tint}.png")
    for name, n in (("mine", ROWS), ("new", NEW)):
        x = numbers(n)
        lines = ["photo,n,tags\n"]
        for row, (one, tags) in enumerate(zip(x, labels_of(x), strict=True)):
            file = f"{int(one[0] > 0)}{int(one[1] > 0.3)}{row % 3}.png"
            lines.append(f"{file},{one[2] if row % 9 else ''},{'|'.join(tags)}\n")
        (folder / f"{name}.csv").write_text("".join(lines))
    return Given(
        ("mine.csv", "--labels", "tags", "--images", "photo:raw"),
        ("new.csv", "--images", "later"),
        "images      photo, files below raw, each 1,280 numbers",
        'images: {column: photo, folder: "../../raw"}\n  backbone: {kind: efficientnet_lite0}\n',
        ("mine/bce",),
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "write", [vectors_in_a_table, vectors_in_a_file, weighed_text_without_blanks, sparse_text, arff, images]
)
def test_from_init_to_predict(tmp_path: Path, write: Callable[[Path], Given]) -> None:
    given, project = write(tmp_path), Project(tmp_path, declared=False)
    out, _ = project.call("init", *given.init, "--quick")
    assert given.says in out
    assert given.declares in (tmp_path / "conf/datasets/mine.yaml").read_text()
    project.call("run", "mine/linear", *given.trials, "--seeds", "0", "--workers", "1")
    project.call("best", "mine")
    out, _ = project.call("predict", "mine", *given.predict)
    predicted = list(csv.DictReader(io.StringIO(out)))
    assert len(predicted) == NEW
    x = numbers(NEW)
    right = [("a" in one["labels"]) == (row[0] > 0) for one, row in zip(predicted, x, strict=True)]
    assert np.mean(right) > 0.8
