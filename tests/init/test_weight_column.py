"""The column of row weights is found by its name only; others have to be named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rarelabels.declare import find as declared
from rarelabels.init import new_study
from rarelabels.init.column import Wish
from rarelabels.init.columns import TableColumns
from usual_columns import USUAL, cells, write

WEIGHTS = cells(lambda i: 1 + i % 4 / 2)


def test_a_plain_weight_is_an_input_unless_it_is_named(find: Callable[..., TableColumns]) -> None:
    assert find(USUAL | {"weight": WEIGHTS}, labels="tags").spec.numeric[-1] == "weight"
    spec = find(USUAL | {"weight": WEIGHTS}, labels="tags", weight="weight").spec
    assert spec.weight == "weight"
    assert "weight" not in spec.numeric


@pytest.mark.parametrize(("name", "weights", "is_found"), [
    ("sample_weight", WEIGHTS, True),
    ("Row_Weight", WEIGHTS, True),
    ("sample_weight", cells(lambda i: i % 4), False),
    ("sample_weight", cells(lambda i: "" if i == 5 else 1 + i % 4), False),
])  # fmt: skip
def test_names_and_numbers(find: Callable[..., TableColumns], name: str, weights: list[object], is_found: bool) -> None:
    assert (find(USUAL | {name: weights}, labels="tags").spec.weight == name) is is_found


def test_the_study_declares_it_and_init_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "my.csv", USUAL | {"sample_weight": WEIGHTS})
    new_study.write_study(Path("my.csv"), Wish(labels="tags"), None, each_tuned=False)
    assert "sample_weight says how much a row counts in training; nothing is judged by it" in capsys.readouterr().out
    assert {trial.dataset.weight for trial in declared.load_many(["my"])} == {"sample_weight"}
