from __future__ import annotations

import io

import numpy as np
import pytest
from scipy.io import arff as scipy_arff

from rarelabels.data.sources import source
from rarelabels.data.sources.arff_files import ArffFile
from rarelabels.errors import MissingDataError, UserError

HEADER = "@relation r\n\n@attribute a numeric\n@attribute b {0,1}\n@attribute c real\n@data\n"  # rows from line 7


def read(text: str) -> list[list[float]]:
    return [row.values.tolist() for row in ArffFile(text, "x.arff").rows()]


def refused(text: str) -> str:
    with pytest.raises(UserError) as error:
        read(text)
    message = str(error.value)
    assert message.startswith("x.arff: ")
    assert "\n" not in message
    assert len(message) < 300
    return message


def test_dense_rows() -> None:
    assert read(HEADER + "1.5,0,-2\n\n% a comment\n1e3 , 1, .25\n-0,'1',\"7\"\n") == [
        [1.5, 0, -2],
        [1000, 1, 0.25],
        [0, 1, 7],
    ]


def test_sparse_rows() -> None:
    assert read(HEADER + "{0 1.5, 2 -2}\n{}\n % a comment\n{ 1  1 }\n{2 4,1 '1'}\n") == [
        [1.5, 0, -2],
        [0, 0, 0],
        [0, 1, 0],
        [0, 1, 4],
    ]


def test_what_a_sparse_row_leaves_out_of_a_nominal_attribute_is_its_first_value() -> None:
    text = "@relation r\n@attribute a {1,0}\n@attribute b { 0 , 1 }\n@attribute c {'0',\"1\"}\n@data\n"
    assert read(text + "{}\n{0 0, 1 1}\n") == [[1, 0, 0], [0, 1, 0]]
    assert read(text + "1,1,0\n") == [[1, 1, 0]]


def test_names_and_key_words() -> None:
    text = (
        "% what it is\n@RELATION 'a b'\n% more\n@Attribute 'two words' NUMERIC\n@attribute \"x,y {z}\" Real\n"
        "@attribute '50%off' {0,1}\n@attribute TAG_m\\'usica numeric\n@ATTRIBUTE été numeric\n@DATA\n{1 2}\n"
    )
    file = ArffFile(text, "x.arff")
    assert file.attributes == ("two words", "x,y {z}", "50%off", "TAG_m\\'usica", "été")
    assert [row.values.tolist() for row in file.rows()] == [[0, 2, 0, 0, 0]]


def test_a_row_says_where_it_is() -> None:
    rows = list(ArffFile(HEADER + "% first\n\n1,0,1\n2,0,2\n", "x.arff").rows())
    assert [row.where for row in rows] == ["x.arff: row 1 (line 9)", "x.arff: row 2 (line 10)"]
    assert rows[0].values.dtype == np.float64


def test_no_rows_are_no_rows() -> None:
    assert read(HEADER) == read(HEADER.rstrip()) == read(HEADER + "% nothing\n\n") == []


@pytest.mark.parametrize("seed", range(5))
def test_random_rows_dense_and_sparse_are_what_scipy_reads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    flags = rng.integers(0, 2, 12).astype(bool)
    values = rng.normal(size=(40, 12)) * (rng.random((40, 12)) < 0.3)
    values[:, flags] = values[:, flags] != 0
    header = "".join(f"@attribute a{i} {'{0,1}' if flag else 'numeric'}\n" for i, flag in enumerate(flags))
    start = f"@relation r\n{header}@data\n"

    def shown(row: int, column: int) -> str:
        return str(int(values[row, column])) if flags[column] else repr(float(values[row, column]))

    dense = "".join(",".join(shown(row, i) for i in range(12)) + "\n" for row in range(40))
    sparse = "".join(
        f"{{{', '.join(f'{i} {shown(row, i)}' for i in rng.permutation(12) if values[row, i])}}}\n" for row in range(40)
    )
    theirs, _ = scipy_arff.loadarff(io.StringIO(start + dense))
    expected = np.array([[float(value) for value in row] for row in theirs.tolist()])
    assert np.array_equal(read(start + dense), expected)
    assert np.array_equal(read(start + sparse), expected)


# What is refused


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1,?,3", "row 2 (line 8), attribute 'b': the value is missing"),
        ("1,0,", "row 2 (line 8), attribute 'c': the value is missing"),
        ("nan,0,3", "row 2 (line 8), attribute 'a': must be finite, but is nan"),
        ("1,0,-inf", "row 2 (line 8), attribute 'c': must be finite, but is -inf"),
        ("1,0,1e999", "row 2 (line 8), attribute 'c': must be finite, but is inf"),
        ("1,2,3", "line 8: a value is none of those that its attribute declares"),
        ("1,0.0,3", "line 8: a value is none of those"),
        ("1,0,x", "line 8: a value is no number"),
        ("1,0", "line 8: the row has more or fewer values"),
        ("1,0,3,100%d", "line 8: the row has more or fewer values"),
        ("1,'0,3", "line 8: cannot be read"),
        ("{0 1}", "row 2 (line 8): rows must be all dense or all sparse"),
        ("1,0,'\\q'", "line 8: cannot be read"),
    ],
)
def test_a_damaged_dense_row(row: str, expected: str) -> None:
    assert expected in refused(f"{HEADER}1,0,3\n{row}\n1,0,3\n")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("{0 1, 1 ?}", "row 2 (line 8), attribute 'b': the value is missing"),
        ("{2 inf}", "row 2 (line 8), attribute 'c': must be finite"),
        ("{1 2}", "line 8: a value is none of those"),
        ("{0 x}", "line 8: a value is no number"),
        (
            "{3 1}",
            "line 8: the row has more or fewer values than there are attributes, or a number of",
        ),
        ("{-1 1}", "line 8: cannot be read"),
        ("{0 1 1}", "line 8: cannot be read"),
        ("{0}", "line 8: cannot be read"),
        ("{0 1,,1 1}", "line 8: cannot be read"),
        ("{0 1", "line 8: cannot be read"),
        ("1,0,3", "line 8: cannot be read; rows must be all dense or all sparse"),
        ("{0 1, 2 5, 0 2}", "row 2 (line 8): gives an attribute twice"),
        ("{0 1,}", "line 8: "),
    ],
)
def test_a_damaged_sparse_row(row: str, expected: str) -> None:
    assert expected in refused(f"{HEADER}{{0 1}}\n{row}\n{{0 1}}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 0: there must be @relation, @attribute and @data"),
        ("\0\1\2", "line 1: there must be @relation"),
        ("@relation r\n@attribute a numeric\n", "line 2: there must be"),
        ("@relation r\n@data\n1\n", "line 2: there must be"),
        ("@attribute a numeric\n@data\n1\n", "line 1: there must be"),
        ("@relation\n@attribute a numeric\n@data\n1\n", "line 1: cannot be read"),
        ("@relation a b\n@attribute a numeric\n@data\n1\n", "line 1: @relation needs one name"),
        ("@relation r\n@attribute a\n@data\n1\n", "line 2: an attribute needs a name"),
        ("@relation r\n@attribute a numeric\n@attribute 'a' real\n@data\n1,1\n", "line 3: an attribute of this name"),
        ("@relation r\n@attribute a date\n@data\n1\n", "line 2: an attribute must be numeric, real or {0,1}"),
        ("@relation r\n@attribute a {0,1\n@data\n1\n", "line 2: "),
        (
            "@relation r\n@attribute a string\n@data\n1\n",
            "attribute 'a': must be numeric, real or {0,1}, but is string",
        ),
        (
            "@relation r\n@attribute a integer\n@data\n1.5\n",
            "attribute 'a': must be numeric, real or {0,1}, but is int",
        ),
        ("@relation r\n@attribute a {x,y}\n@data\nx\n", "attribute 'a': must be numeric, real or {0,1}, but is {x,y}"),
        ("@relation r\n@attribute a {0,1,2}\n@data\n1\n", "but is {0,1,2}"),
        ("@relation r\n@attribute a {0}\n@data\n0\n", "but is {0}"),
        ("@relation r\n@attribute a {0,0}\n@data\n0\n", "but is {0,0}"),
        (f"@relation r\n@attribute a {{0,{'x' * 999}}}\n@data\n0\n", "but is {0,xxx"),
        # Neither of these may take for ever.
        (f"@relation r\n@attribute a {{{'0,' * 60}\n@data\n0\n", "line 2: an attribute must be numeric, real or {0,1}"),
        (f"@relation r\n@attribute a {{{'0,' * 60}0 0}}\n@data\n0\n", "line 2: an attribute must be numeric"),
    ],
)
def test_a_damaged_header(text: str, expected: str) -> None:
    assert expected in refused(text)


def test_the_real_dense_file_is_what_scipy_reads() -> None:
    try:
        path = source.files("mulan", ["emotions/emotions.arff"])[0]
    except MissingDataError as error:
        pytest.skip(f"the real sets are not on this machine: {error}")
    text = source.read_text("mulan", path)
    theirs, meta = scipy_arff.loadarff(io.StringIO(text))
    file = ArffFile(text, str(path))
    assert list(file.attributes) == meta.names()
    assert np.array_equal(
        [row.values for row in file.rows()], [[float(value) for value in row] for row in theirs.tolist()]
    )
