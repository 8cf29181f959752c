"""ARFF files as tables: numbers, categories and texts, dense or sparse, and which attributes are labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarelabels.data.sources import mulan, source
from rarelabels.data.table import arff_tables, parsing, table_files
from rarelabels.declare.data import MulanSpec
from rarelabels.declare.table import TableSpec
from rarelabels.errors import MissingDataError, UserError

HEADER = (
    "@relation 'things: -C 2'\n@attribute sea {0,1}\n@attribute sky {0,1}\n@attribute height numeric\n"
    "@attribute year integer\n@attribute colour {red, 'dark grey', green}\n@attribute note string\n@data\n"
)
NAMES = ("sea", "sky", "height", "year", "colour", "note")


def cells(folder: Path, rows: str, header: str = HEADER) -> list[dict[str, object]]:
    (folder / "a.arff").write_text(header + rows)
    names = table_files.column_names(folder / "a.arff")
    (batch,) = table_files.batches(folder / "a.arff", names)
    return [dict(zip(names, row, strict=True)) for row in zip(*batch.cells.values(), strict=True)]


def refused(folder: Path, rows: str, header: str = HEADER) -> str:
    with pytest.raises(UserError) as caught:
        cells(folder, rows, header)
    line = str(caught.value)
    assert "\n" not in line
    return line.replace(f"{folder}/", "")


def test_dense_rows(tmp_path: Path) -> None:
    read = cells(tmp_path, "1,0,1.5,2001,'dark grey','a, \\'b\\''\n% what\n0,1,?,3.5,?,?\n")
    assert read[0] == dict(zip(NAMES, ("1", "0", 1.5, 2001.0, "dark grey", "a, 'b'"), strict=True))
    assert read[1] == dict(zip(NAMES, ("0", "1", None, 3.5, None, None), strict=True))


def test_sparse_rows_leave_out_zeros_and_first_values(tmp_path: Path) -> None:
    read = cells(tmp_path, "{0 1, 2 -2, 5 'a, b'}\n{}\n{2 ?, 4 green}\n")
    assert read[0] == dict(zip(NAMES, ("1", "0", -2.0, 0.0, "red", "a, b"), strict=True))
    assert read[1] == dict(zip(NAMES, ("0", "0", 0.0, 0.0, "red", ""), strict=True))
    assert read[2] == dict(zip(NAMES, ("0", "0", None, 0.0, "green", ""), strict=True))


def test_a_wrong_file_is_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "1,0,x,1,red,a\n") == "a.arff: line 9: a value is no number"
    assert "a.arff: line 9: a value is none of those" in refused(tmp_path, "1,2,1,1,red,a\n")
    assert "row 1 (line 9): gives an attribute twice" in refused(tmp_path, "{0 1, 0 1}\n")
    assert "line 2: an attribute must be numeric, real, integer, string or {a,b,'c d'}" in refused(
        tmp_path, "", "@relation r\n@attribute when date\n@data\n"
    )
    assert "line 2: an attribute must be numeric, real, integer, string or {a,b,'c d'}" in refused(
        tmp_path, "", "@relation r\n@attribute colour {}\n@data\n"
    )
    assert "there must be @relation" in refused(tmp_path, "1,2\n", "")
    (tmp_path / "b.arff").write_bytes(b"@relation r\n@attribute caf\xe9 numeric\n@data\n1\n")
    with pytest.raises(UserError, match=r"b\.arff: line 2: is not UTF-8 text"):
        table_files.column_names(tmp_path / "b.arff")


def test_many_values_are_read_and_badly_written_ones_do_not_take_for_ever(tmp_path: Path) -> None:
    many = ", ".join(f"'value {i}'" if i % 2 else f"v{i}" for i in range(2_000))
    header = "@relation r\n@attribute colour {%s}\n@attribute n numeric\n@data\n"
    assert cells(tmp_path, "'value 7',1\nv8,2\n", header % many)[0]["colour"] == "value 7"
    wrong = ",".join(f"a {i}" for i in range(60))  # blanks without quotes: liac-arff alone would take hours
    assert "line 2: the values of an attribute must be {a,b,'c d'}" in refused(tmp_path, "", header % wrong)


def test_labels_by_number(tmp_path: Path) -> None:
    (tmp_path / "a.arff").write_text(HEADER)
    assert arff_tables.labels_by_count(tmp_path / "a.arff", None) == ("sea", "sky")  # as MEKA says
    assert arff_tables.labels_by_count(tmp_path / "a.arff", 3) == ("sea", "sky", "height")
    assert arff_tables.labels_by_count(tmp_path / "a.arff", -2) == ("colour", "note")
    for count in (0, 1, 6, -6):
        with pytest.raises(UserError, match=rf"must be 2 to 5 .* or -2 to -5 .*; given {count}$"):
            arff_tables.labels_by_count(tmp_path / "a.arff", count)
    (tmp_path / "a.arff").write_text(HEADER.replace(": -C 2", ""))
    assert arff_tables.labels_by_count(tmp_path / "a.arff", None) == ()


def test_labels_by_xml(tmp_path: Path) -> None:
    (tmp_path / "a.arff").write_text(HEADER)
    (tmp_path / "a.xml").write_text('<labels><label name="sky"/><label name="sea"/></labels>')
    assert arff_tables.labels_by_xml(tmp_path / "a.arff", tmp_path / "a.xml") == ("sky", "sea")
    (tmp_path / "a.xml").write_text('<labels><label name="sun"/></labels>')
    with pytest.raises(UserError, match="has no attribute 'sun', which"):
        arff_tables.labels_by_xml(tmp_path / "a.arff", tmp_path / "a.xml")
    with pytest.raises(UserError, match="there is no such file"):
        arff_tables.labels_by_xml(tmp_path / "a.arff", tmp_path / "b.xml")


def test_a_set_of_mulan_is_the_same_as_a_table() -> None:
    try:
        arff, xml = source.files("mulan", ["emotions/emotions.arff", "emotions/emotions.xml"])
    except MissingDataError as error:
        pytest.skip(str(error))
    labels = arff_tables.labels_by_xml(arff, xml)
    numbers = [name for name in arff_tables.arff_names(arff) if name not in labels]
    values = {"kind": "table", "path": str(arff), "labels": {"columns": labels}, "numeric": numbers}
    table = parsing.parse(TableSpec.model_validate(values))
    theirs = mulan.parse(MulanSpec(kind="mulan", name="emotions"))
    assert table.labels == theirs.labels
    np.testing.assert_array_equal(table.y, theirs.y)
    np.testing.assert_array_equal(table.numeric, theirs.numeric)
