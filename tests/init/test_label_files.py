"""Labels of ARFF and of sparse text, which no option has to name column by column."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.init import columns
from rarelabels.init.column import Wish
from rarelabels.init.label_files import with_labels_of_format

ROWS = "".join(f"{i % 2},{i % 3 // 2},{i * i % 17},{'red' if i % 5 else 'blue'}\n" for i in range(60))
ARFF = (
    "@relation '%s'\n@attribute 'a, b' {0,1}\n@attribute c {0,1}\n@attribute height numeric\n"
    "@attribute colour {red,blue}\n@data\n"
)


def arff(folder: Path, relation: str = "r") -> Path:
    (folder / "a.arff").write_text(ARFF % relation + ROWS)
    return folder / "a.arff"


@pytest.mark.parametrize(("relation", "labels"), [("r", "2"), ("r", "xml"), ("r: -C 2", None), ("r", '"a, b",c')])
def test_labels_of_arff(tmp_path: Path, relation: str, labels: str | None) -> None:
    path = arff(tmp_path, relation)
    if labels == "xml":
        labels = str(tmp_path / "a.xml")
        Path(labels).write_text('<labels><label name="a, b"/><label name="c"/></labels>')
    spec = columns.find(path, Wish(labels=labels)).spec
    assert spec.labels.columns == ("a, b", "c")
    assert spec.numeric == ("height",)
    assert spec.categories == ("colour",)


def test_0_1_attributes_are_guessed_as_in_every_table(tmp_path: Path) -> None:
    assert columns.find(arff(tmp_path), Wish()).spec.labels.columns == ("a, b", "c")


def test_sparse_text_needs_no_option(tmp_path: Path) -> None:
    (tmp_path / "a.svm").write_text("".join(f"{i % 3},{3 + i % 2} {i % 7}:0.5 9:{i}\n" for i in range(60)))
    spec = columns.find(tmp_path / "a.svm", Wish()).spec
    assert spec.labels.column == "labels"
    assert [one.column for one in spec.lists] == ["features"]


def test_other_formats_are_left_as_they_are() -> None:
    wish = Wish(labels="3")
    assert with_labels_of_format(Path("a.csv"), wish) is wish
