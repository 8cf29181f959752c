"""What a study is called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rarelabels.errors import UserError
from rarelabels.init import naming

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my.csv", "my"),
        ("My Data (2).csv.gz", "My_Data_2"),
        ("_x.jsonl", "x"),
        (".hidden.tsv", "hidden"),
        ("a.b.parquet", "a_b"),
        ("été.csv", "été"),
        ("test.csv", "test_table"),
    ],
)
def test_a_study_is_called_like_its_file(folder: Path, file: str, name: str) -> None:
    (folder / "Makefile").write_text("test: ready\n\trarelabels\n")
    assert naming.study_name(Path(file), None, folder) == name
    assert naming.has_makefile(folder)


@pytest.mark.parametrize("name", ["", "_x", "a/b", "..", "a b", "-x", "x" * 101, "test"])
def test_a_name_that_can_be_no_study_is_refused(folder: Path, name: str) -> None:
    (folder / "Makefile").write_text("test: ready\n")
    with pytest.raises(UserError, match="--name"):
        naming.study_name(Path("my.csv"), name, folder)


def test_a_file_without_a_name_asks_for_one(folder: Path) -> None:
    with pytest.raises(UserError, match="give one with --name"):
        naming.study_name(Path("___.csv"), None, folder)


def test_no_study_hides_a_target_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert "test" in targets
    for target in targets:
        assert naming.study_name(Path(f"{target}.csv"), None, REPOSITORY) == f"{target}_table"


def test_a_name_is_no_longer_than_the_name_of_a_file_may_be(folder: Path) -> None:
    name = naming.study_name(Path("\U00020000" * 60 + ".csv"), None, folder)
    assert name == "\U00020000" * 50
    with pytest.raises(UserError, match="200 bytes"):
        naming.study_name(Path("my.csv"), "猫" * 67, folder)
    assert naming.study_name(Path("my.csv"), "猫" * 66, folder) == "猫" * 66
