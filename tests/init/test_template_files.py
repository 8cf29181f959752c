"""What is filled into the files of a study stays what it was."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from proposed_study import FILMS, REPOSITORY, loaded, with_spec, write
from rarelabels.declare import declarations
from rarelabels.init.look import Look
from rarelabels.init.template_files import text


def test_the_base_is_that_of_the_declared_studies() -> None:
    assert (REPOSITORY / "conf" / "base.yaml").read_text(encoding="utf-8") == text("base")


def test_a_name_without_a_value_is_no_text() -> None:
    with pytest.raises(KeyError, match="linear_model"):
        text("trials/linear")


def test_a_table_called_like_a_word_that_is_filled_in_keeps_its_name(films: Look, folder: Path) -> None:
    write(with_spec(films, path=str(folder / "$seeds.csv")), "my", folder)
    study = declarations.load_study(folder / "experiments" / "my")
    assert study
    assert study.title == "The table $seeds.csv"


@pytest.mark.parametrize("seed", range(30))
def test_any_name_of_a_column_survives(films: Look, folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    signs = string.printable + "äß日本🎬\x7f\u2028\ufeff\x85"

    def name() -> str:
        return "".join(rng.choices(signs, k=rng.randint(1, 30)))

    names = [name() for _ in range(40)]
    given = with_spec(
        films,
        labels={"columns": names[:20], "min_rows": 20},
        text=names[20:25],
        lists=[{"column": names[25], "separator": ";"}, {"column": names[26], "separator": "\t"}],
        numeric=names[27:37],
        id=names[37],
        group=names[38],
        split=names[39],
    )
    write(given, "my", folder)
    assert loaded(folder, "my").dataset == given.spec.model_copy(update={"path": str(FILMS)})
    assert max(len(line) for line in (folder / "conf/datasets/my.yaml").read_text().splitlines()) < 400


@pytest.mark.parametrize(
    "name", ["null", "true", "no", "1e3", "~", "- a", "a: b", "a #b", "'", '"', "[", "{", "*a", "&a", "!a"]
)
def test_words_that_yaml_reads_as_something_else_are_text(films: Look, folder: Path, name: str) -> None:
    given = with_spec(films, labels={"prefix": name}, text=[name], lists=[], numeric=[])
    write(given, "my", folder)
    assert loaded(folder, "my").dataset.text == (name,)
    assert loaded(folder, "my").dataset.labels.prefix == name
