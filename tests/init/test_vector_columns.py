"""Which columns are vectors, in each format, and how they are declared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.declare import find as declared
from rarelabels.errors import UserError
from rarelabels.init import new_study
from rarelabels.init.column import Wish
from rarelabels.init.columns import TableColumns
from rarelabels.init.vector_columns import given_vectors
from usual_columns import USUAL, N, cells, write

EMBEDDING = cells(lambda i: np.random.default_rng(i).normal(size=5).tolist())


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_lists_of_numbers_are_vectors(find: Callable[..., TableColumns], suffix: str) -> None:
    spec = find(USUAL | {"embedding": EMBEDDING}, suffix, labels="tags").spec
    assert [one.column for one in spec.vectors] == ["embedding"]
    assert spec.text == ("plot",)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda i: None if i == 3 else [0.5, i / 2], "holds vectors, but 1 cell is empty"),
        (
            lambda i: [0.5, float("nan") if i == 3 else 1],
            "holds vectors, but an entry is nan, and not a finite number from -1e+150 to 1e+150",
        ),
        (lambda i: [0.5] * (1 + i % 2), "holds lists whose entries are no names: [0.5]"),
    ],
)
def test_what_is_no_vector(find: Callable[..., TableColumns], make: Callable[[int], Any], reason: str) -> None:
    found = find(USUAL | {"x": cells(make)}, ".jsonl", labels="tags")
    assert found.unused["x"] == reason
    assert not found.spec.vectors


def test_lists_of_whole_numbers_are_names_unless_the_user_says_vectors(find: Callable[..., TableColumns]) -> None:
    codes = USUAL | {"x": cells(lambda i: [i % 3, i % 5])}
    assert [one.column for one in find(codes, ".jsonl", labels="tags").spec.lists] == ["x"]
    asked = find(codes, ".jsonl", labels="tags", vectors=given_vectors(["x"])).spec
    assert [one.column for one in asked.vectors] == ["x"]


def test_a_study_with_a_file_of_vectors_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/my.csv", {"tags": USUAL["tags"], "no": cells(lambda i: i * i % 17)})
    np.save(tmp_path / "data/e.npy", np.random.default_rng(0).normal(size=(N, 4)))
    wish = Wish(labels="tags", vectors=given_vectors(["embedding=data/e.npy"]))
    new_study.write_study(Path("data/my.csv"), wish, None, each_tuned=False)
    trials = {trial.short_name: trial for trial in declared.load_many(["my"])}
    assert {one.column: one.file for one in trials["linear"].dataset.vectors} == {
        "embedding": str(tmp_path / "data/e.npy")
    }
    assert trials["bce"].model.kind == "mlp"


@pytest.mark.parametrize(
    ("vectors", "wish", "said"),
    [
        (["v=a.npy", "v=b.npy"], {}, "--vectors: column 'v' is given twice; name it once"),
        (["plot=a.npy"], {"text": ("plot",)}, "has a column 'plot', which is also the name of the vectors of a.npy"),
        (["v=\udcff.npy"], {}, r"--vectors: must be UTF-8 text; given 'v=\udcff.npy'"),
    ],
)
def test_a_mistake_about_vectors_is_one_line(
    find: Callable[..., TableColumns], vectors: list[str], wish: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as caught:
        find(USUAL, labels="tags", vectors=given_vectors(vectors), **wish)
    assert said in str(caught.value)
