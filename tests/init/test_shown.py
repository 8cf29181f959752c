"""What is printed of a look at a table, and of what comes next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rarelabels.init import shown
from rarelabels.init.ahead import Ahead
from rarelabels.init.look import Look


def test_every_line_begins_with_what_it_is_about(films: Look, capsys: pytest.CaptureFixture[str]) -> None:
    shown.print_look(films, Path("films.csv"))
    out = capsys.readouterr().out
    assert out.startswith(f"films.csv: {films.rows:,} rows, ")
    heads = [line[: shown.HEAD].strip() for line in out.splitlines()[2:] if line[: shown.HEAD].strip()]
    assert heads == ["labels", "inputs", "rows", "duplicates", "leaks"]
    for name, rows in films.positives.items():
        assert any(name in line and f"{rows:,}" in line for line in out.splitlines())


def test_of_many_labels_both_ends_are_listed(films: Look, capsys: pytest.CaptureFixture[str]) -> None:
    many = {f"label {number}": 1_000 - number for number in range(100)}
    shown.print_look(replace(films, positives=many), Path("films.csv"))
    out = capsys.readouterr().out
    assert f"... {100 - 2 * shown.ENDS} more ..." in out
    assert "label 0 " in out
    assert "label 99 " in out
    assert "label 50 " not in out


@pytest.mark.parametrize(("has_makefile", "first"), [(True, "make my"), (False, "rarelabels run my")])
def test_the_next_commands(has_makefile: bool, first: str, capsys: pytest.CaptureFixture[str]) -> None:
    written = [Path("conf/base.yaml"), Path("experiments/my/study.yaml"), Path("experiments/my/bce.yaml")]
    shown.print_written(written, "my", Ahead(3, 12), has_makefile)
    out = capsys.readouterr().out
    assert "Written: conf/base.yaml and 2 files in experiments/my/" in out
    assert f"  {first} " in out
    assert "about 12 minutes on two cores" in out
    assert f"`{first}` first tries 3 settings (not 6, which would take long) for each network" in out
    shown.print_written(written, "my", Ahead(0, 12), has_makefile)
    assert "settings" not in capsys.readouterr().out


def test_gaps_and_values_are_counted(films: Look, capsys: pytest.CaptureFixture[str]) -> None:
    spec = films.spec.model_copy(update={"categories": ("studio",)})
    columns = replace(films.columns, empty={"year": 1_234})
    shown.print_look(replace(films, spec=spec, columns=columns, values={"studio": 7}), Path("films.csv"))
    out = capsys.readouterr().out
    assert "numeric     year (1,234 of 1,500 cells are empty), runtime: all cells are numbers\n" in out
    assert "category    studio (7 values), a 0/1 input for each value\n" in out


def test_how_much_of_each_label_is_known_is_said(films: Look, capsys: pytest.CaptureFixture[str]) -> None:
    labels = films.spec.labels.model_copy(update={"unknown": ("", "-1")})
    known = dict.fromkeys(films.positives, 750)
    spec = films.spec.model_copy(update={"labels": labels})
    shown.print_look(replace(films, spec=spec, known=known), Path("films.csv"))
    out = " ".join(capsys.readouterr().out.split())
    assert "50.0% of all entries are known: an empty cell, '-1' mean that nobody annotated the label" in out
    name, positives = next(iter(films.positives.items()))
    assert f"{name} {positives:,} {positives / 750:.2%} of the 750 rows in which it is known (50.0%)" in out
    assert "of all known entries are ones" in out


def test_how_the_file_is_read_and_why_each_column_is_what_it_is(
    films: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = films.spec.model_copy(update={"delimiter": ";", "decimal": ",", "index": True})
    why = {"year": "as --numeric says", "runtime": "all cells are numbers", "title": "3.1 words in a cell on average"}
    columns = replace(films.columns, why=why, word_of_one="yes", hint="; 'x' looks like data")
    found = replace(films, spec=spec, columns=columns, far_out=("year: 1e+09 in row 42",))
    shown.print_look(found, Path("films.csv"))
    out = capsys.readouterr().out
    assert "file        ';' between cells (--delimiter); each row begins with its number" in out
    assert "            'x' looks like data\n" in out
    for line in ("numeric     year: as --numeric says", "numeric     runtime: all cells are numbers"):
        assert f"            {line}\n" in out or f"inputs      {line}\n" in out
    assert "words): 3.1 words in a cell on average\n" in out
    assert "far out: year: 1e+09 in row 42, so that the other rows hardly differ" in out
    assert (
        'a guess is overruled by --text, --list "COLUMN:SEPARATOR", --numeric, --categories, --vectors, --images or '
        "--ignore" in " ".join(out.split())
    )


def test_many_columns_fit_on_one_screen(films: Look, capsys: pytest.CaptureFixture[str]) -> None:
    names = tuple(f"text {number}" for number in range(40))
    spec = films.spec.model_copy(update={"text": names, "numeric": tuple(f"number {number}" for number in range(400))})
    found = replace(films, spec=spec, lengths=dict.fromkeys(names, 7))
    shown.print_look(found, Path("films.csv"))
    out = capsys.readouterr().out
    assert f"and {40 - shown.NAMES} more columns" in out
    assert f"and {400 - shown.NAMES} more" in out
    assert len(out.splitlines()) < 70
