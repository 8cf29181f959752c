"""A table of one's own: every format gives the same, and every mistake is one line that names file and row.

How a table is loaded, split and kept: test_datasets.py. How its path is found: test_config.py.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processes import printed
from rarelabels.data.sources import movies
from rarelabels.data.table import label_readers, parsing, table_files
from rarelabels.data.table.batch import BATCH_ROWS
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import MoviesSpec, TableSpec
from rarelabels.errors import UserError

NAMES = {"column": "tags", "separator": "|"}
TEXT = ("plot",)

# Ten rows. Labels: c 6, a 4, b 4, d 1; row 4 has none.
TAGS = ["a|c", "b", "c|b", "", "a", "c", "c|a|d", " b | c ", "c|c", "a|b"]
PLOTS = ["The End, again", "L'Été!", "", "x_1 x", "A\nB", 'say "no"', "日本 8½", "one", "two", "three"]
PRICES = [1.5, -2, 0, 1e-3, 4, 5, 6, 7, 8, 1e6]
NAMES_OF = ["p1", "p2", "p1", "p3", "p4", "p4", "p5", "p6", "", ""]


def spec(path: Path, **values: Any) -> TableSpec:
    values = {"labels": NAMES, "text": TEXT} | values
    return TableSpec.model_validate({"kind": "table", "path": str(path), **values})


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the format that the name of the file says, text formats by Python, Parquet by pandas."""
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


def rows_of(**columns: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def same(one: Table, two: Table) -> bool:
    texts = [{name: tokens.to_lists() for name, tokens in each.text.items()} for each in (one, two)]
    arrays = ("ids", "y", "strata", "numeric", "groups", "parts")
    return (
        texts[0] == texts[1]
        and (one.labels, one.numeric_names) == (two.labels, two.numeric_names)
        and all(np.array_equal(getattr(one, name), getattr(two, name)) for name in arrays)
    )


def small(path: Path, text: str | bytes) -> TableSpec:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return spec(path)


def refused(declared: TableSpec) -> str:
    """Return the one line that refuses a table, without its folder."""
    with pytest.raises(UserError) as caught:
        parsing.parse(declared)
    line = str(caught.value)
    assert "\n" not in line
    folder = f"{Path(declared.path).parent}/"
    assert line.startswith(folder)
    return line.removeprefix(folder)


def ten(first: str = "plot,tags", *, row: str = "x,a|b", rows: dict[int, str] | None = None) -> str:
    """Return a CSV of ten rows, all alike but those given by number."""
    return "\n".join([first, *((rows or {}).get(i, row) for i in range(1, 11))]) + "\n"


# What a good table becomes


def test_a_table_by_hand(tmp_path: Path) -> None:
    rows = rows_of(who=NAMES_OF, plot=PLOTS, cast=["Ann; Bo", "", *["Cy"] * 8], price=PRICES, tags=TAGS)
    declared = spec(
        write(tmp_path / "a.csv", rows),
        lists=({"column": "cast", "separator": ";"},),
        numeric=("price",),
        group="who",
    )
    read = parsing.parse(declared)
    assert read.ids.tolist() == [str(i) for i in range(1, 11)]
    assert read.labels == ("c", "a", "b", "d")
    assert read.y.dtype == np.uint8
    assert read.y.tolist() == [
        *([1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]),
        *([1, 0, 0, 0], [1, 1, 0, 1], [1, 0, 1, 0], [1, 0, 0, 0], [0, 1, 1, 0]),
    ]
    assert (read.strata == read.y).all()
    assert list(read.text) == ["plot", "cast"]
    assert read.text["plot"].to_lists() == [
        *(["the", "end", "again"], ["l", "été"], [], ["x_1", "x"], ["a", "b"], ["say", "no"]),
        *(["日本", "8½"], ["one"], ["two"], ["three"]),
    ]
    assert read.text["cast"].to_lists() == [["Ann", "Bo"], [], *[["Cy"]] * 8]
    assert read.numeric.dtype == np.float64
    assert read.numeric.tolist() == [[price] for price in PRICES]
    assert read.numeric_names == ("price",)
    assert read.groups is not None
    assert read.groups.tolist() == [0, 1, 0, 2, 3, 3, 4, 5, 6, 7]  # rows without a name are alone
    assert read.parts is None


def test_every_format_gives_the_same_table(tmp_path: Path) -> None:
    split = ["Train"] * 6 + ["validation", " TEST ", "test", "train"]
    cast = ["Ann|Bo", "", *["Cy"] * 8]
    common = {"id": [f"r{i}" for i in range(10)], "plot": PLOTS, "price": PRICES, "split": split}
    joined = rows_of(**common, cast=cast, tags=TAGS)
    native = rows_of(
        **common,
        cast=[cell.split("|") if cell else None for cell in cast],
        tags=[[tag.strip() for tag in cell.split("|")] for cell in TAGS],
    )
    roles = {"numeric": ("price",), "id": "id", "split": "split"}
    with_separator = roles | {"lists": ({"column": "cast", "separator": "|"},)}
    without = roles | {"lists": ({"column": "cast"},), "labels": {"column": "tags"}}
    first = parsing.parse(spec(write(tmp_path / "a.csv", joined), **with_separator))
    assert first.ids.tolist() == common["id"]
    assert first.parts is not None
    assert first.parts.tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 2, 0]
    for name in ("a.tsv", "a.jsonl", "a.parquet"):
        assert same(parsing.parse(spec(write(tmp_path / name, joined), **with_separator)), first)
    for name in ("b.jsonl", "b.parquet"):
        assert same(parsing.parse(spec(write(tmp_path / name, native), **without)), first)
    for name in ("a.csv", "a.tsv", "a.jsonl"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        assert same(parsing.parse(spec(tmp_path / f"{name}.gz", **with_separator)), first)


@pytest.mark.parametrize("labels", [{"columns": ("is_b", "is_a")}, {"prefix": "is_"}])
def test_one_column_for_each_label_in_every_format(labels: dict[str, Any], tmp_path: Path) -> None:
    rows = rows_of(is_a=[1, 0] * 5, plot=PLOTS, is_b=[1, 1, 0, 0, 0] * 2)
    read = [
        parsing.parse(spec(write(tmp_path / f"a.{suffix}", rows), labels=labels))
        for suffix in ("csv", "tsv", "jsonl", "parquet")
    ]
    assert all(same(one, read[0]) for one in read)
    order = [1, 0] if "columns" in labels else [0, 1]
    assert read[0].labels == (("is_b", "is_a") if "columns" in labels else ("a", "b"))
    assert read[0].y.tolist() == [[(1 - i % 2, int(i % 5 < 2))[place] for place in order] for i in range(10)]


@pytest.mark.parametrize("values", [(True, False), (1.0, 0.0), ("1.0", " 0 "), ("TRUE", "false")])
def test_what_counts_as_one_and_as_zero(values: tuple[Any, Any], tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS, a=[values[0], values[1]] * 5, b=[values[1]] * 9 + [values[0]])
    for suffix in ("csv", "jsonl", "parquet"):
        read = parsing.parse(spec(write(tmp_path / f"a.{suffix}", rows), labels={"columns": ("a", "b")}))
        assert read.y[:, 0].tolist() == [1, 0] * 5
        assert read.y[:, 1].tolist() == [0] * 9 + [1]


def test_rare_names_are_no_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS))
    read = parsing.parse(spec(path, labels=NAMES | {"min_rows": 4}))
    assert read.labels == ("c", "a", "b")
    assert read.y[6].tolist() == [1, 1, 0]
    assert read.strata.shape == (10, 3)


def test_whole_numbers_may_be_names_and_nothing_is_none(tmp_path: Path) -> None:
    # pandas turns whole numbers with a gap into floats, and None into NaN.
    rows = rows_of(plot=[None, *PLOTS[1:]], tags=[[1, 3], [3], None, [], *[[3]] * 6], who=[7.0, None, *[8.0] * 8])
    for suffix in ("jsonl", "parquet"):
        read = parsing.parse(spec(write(tmp_path / f"a.{suffix}", rows), labels={"column": "tags"}, group="who"))
        assert read.labels == ("3", "1")
        assert read.y[:4].tolist() == [[1, 1], [1, 0], [0, 0], [0, 0]]
        assert read.text["plot"].to_lists()[0] == []
        assert read.groups is not None
        assert read.groups.tolist() == [0, 1, *[2] * 8]


def test_a_key_that_a_line_lacks_is_an_empty_cell(tmp_path: Path) -> None:
    lines = [{"plot": "x", "tags": ["a", "b"]}] * 9 + [{"other": 1}]
    read = parsing.parse(spec(write(tmp_path / "a.jsonl", lines), labels={"column": "tags"}))
    assert read.y[-1].tolist() == [0, 0]
    assert read.text["plot"].to_lists()[-1] == []


def test_a_column_of_single_names_needs_no_separator(tmp_path: Path) -> None:
    read = parsing.parse(
        spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=["x"] * 6 + ["y, z"] * 4)), labels={"column": "tags"})
    )
    assert read.labels == ("x", "y, z")


def test_more_rows_than_a_batch(tmp_path: Path) -> None:
    n = 2 * BATCH_ROWS + 3
    rows = rows_of(plot=[f"w{i}" for i in range(n)], tags=["a|b" if i % 3 else "a" for i in range(n)], x=list(range(n)))
    read = [parsing.parse(spec(write(tmp_path / f"a.{s}", rows), numeric=("x",))) for s in ("csv", "jsonl", "parquet")]
    assert all(same(one, read[0]) for one in read)
    assert read[0].numeric[:, 0].tolist() == list(range(n))
    assert read[0].text["plot"].to_lists()[-1] == [f"w{n - 1}"]
    assert read[0].y[:, 1].tolist() == [int(i % 3 > 0) for i in range(n)]


@pytest.mark.long
def test_two_million_rows_take_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w") as file:
        file.write("plot,price,tags\n")
        for i in range(2_000):
            file.writelines(
                f"word{j} of film {i} and the end,{i}.{j},label{j % 20}|label{i % 20}\n" for j in range(1_000)
            )
    declared = spec(tmp_path / "a.csv", numeric=("price",)).model_dump_json()
    code = f"""
from pathlib import Path
from rarelabels.data.table import parsing
from rarelabels.declare.data import TableSpec
read = parsing.parse(TableSpec.model_validate_json({declared!r}))
status = Path("/proc/self/status").read_text()  # ru_maxrss is at least that of the process that started this one
print(*read.y.shape, status.split("VmHWM:")[1].split()[0])
"""
    rows, labels, kilobytes = map(int, printed(code).split())
    assert (rows, labels) == (2_000_000, 20)
    assert kilobytes < 1_500_000


# Against pandas as another reader

NASTY = [
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    ";",
    "\t",
    " ",
    "é",
    "日",
    "👍🏽",
    "a",
    "B",
    "7",
    "'",
    "\\",
    "\u2028",
    "\x85",
    "NA",
]


@pytest.mark.parametrize("seed", range(6))
def test_pandas_reads_the_same_cells(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    delimiter, suffix = (",", "csv") if seed % 2 else ("\t", "tsv")
    cells = lambda n: ["".join(rng.choice(NASTY, rng.integers(0, 7))) for _ in range(n)]  # noqa: E731
    frame = pd.DataFrame({"a, b": cells(200), "plot": cells(200), 'the "x"': rng.normal(size=200), "tags": "u|v"})
    terminator = ["\n", "\r\n", "\r"][seed % 3]
    # Between lines that end in a bare \r, pandas leaves a \n in a cell unquoted unless it is told to quote all.
    quoting = csv.QUOTE_ALL if terminator == "\r" else csv.QUOTE_MINIMAL
    text = frame.to_csv(index=False, sep=delimiter, lineterminator=terminator, quoting=quoting)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes((b"\xef\xbb\xbf" if seed > 2 else b"") + text.encode())
    reference = pd.read_csv(path, sep=delimiter, keep_default_na=False, dtype=str, encoding="utf-8-sig")
    assert table_files.column_names(path) == tuple(reference.columns)
    (batch,) = table_files.batches(path, list(reference.columns))
    assert batch.cells == {name: reference[name].tolist() for name in reference}
    read = parsing.parse(spec(path, text=("plot", "a, b"), numeric=('the "x"',)))
    assert (read.numeric[:, 0] == frame['the "x"']).all()
    words = [re.findall(r"\w+", cell.lower()) for cell in reference["a, b"]]
    assert read.text["a, b"].to_lists() == words


def test_the_films_of_bokeh_as_a_table_of_ones_own(tmp_path: Path) -> None:
    """Genres, names and titles written to a CSV and read back are those that the films' own reader finds."""
    films = movies.parse(MoviesSpec(kind="movies", labels=17))
    source = movies._read(movies.source())
    path = tmp_path / "films.csv"
    frame = pd.DataFrame(
        {
            "id": films.ids,
            "imdb": source["imdbID"],
            "genres": [" | ".join(movies._names(text)) for text in source["Genre"]],
            "cast": ["|".join(names) for names in films.text["actors"].to_lists()],
            "title": source["Title"],
            "year": source["Year"],
        }
    )
    frame[source["Year"].notna()].to_csv(path, index=False)
    kept = np.flatnonzero(source["Year"].notna())
    counts = Counter(genre for text in source["Genre"].iloc[kept] for genre in set(movies._names(text)))
    labels = {"column": "genres", "separator": "|", "min_rows": counts["Western"]}
    lists = ({"column": "cast", "separator": "|"},)
    read = parsing.parse(
        spec(path, labels=labels, text=("title",), lists=lists, numeric=("year",), id="id", group="imdb")
    )
    assert set(read.labels) == set(films.labels)
    assert (read.y == films.y[kept][:, [films.labels.index(name) for name in read.labels]]).all()
    assert [counts[name] for name in read.labels] == read.y.sum(axis=0, dtype=int).tolist()
    assert read.ids.tolist() == films.ids[kept].tolist()
    assert read.text["title"].to_lists() == films.text["title"].take(kept).to_lists()
    assert read.text["cast"].to_lists() == films.text["actors"].take(kept).to_lists()
    assert (read.numeric[:, 0] == source["Year"].iloc[kept]).all()
    assert read.groups is not None
    assert films.groups is not None
    assert len(set(zip(read.groups.tolist(), films.groups[kept].tolist(), strict=True))) == read.groups.max() + 1


# The file


def test_a_missing_file_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text(ten())
    assert refused(spec(tmp_path / "film.csv")).startswith("film.csv: there is no such file; did you mean 'films.csv'?")
    for use in (parsing.content, parsing.parse):
        with pytest.raises(UserError, match="there is no such file; a path is relative to the YAML file"):
            use(spec(tmp_path / "nowhere" / "x.csv"))


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    for use in (parsing.content, parsing.parse):
        with pytest.raises(UserError, match=r"a\.csv: cannot be read, or is damaged: Is a directory"):
            use(spec(tmp_path / "a.csv"))


@pytest.mark.parametrize("name", ["a.xlsx", "a.txt", "a.json", "a", "a.parquet.gz", "a.gz"])
def test_an_unknown_ending(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(ten())
    line = refused(spec(tmp_path / name))
    assert line == (
        f"{name}: unknown kind of table; allowed a name that ends in "
        ".csv, .csv.gz, .tsv, .tsv.gz, .jsonl, .jsonl.gz, .parquet"
    )


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"plot": ["x"] * 10, "tags": ["a|b"] * 10}), sink)
    return sink.getvalue()


def zip_bytes() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("xl/workbook.xml", "<x/>")
    return sink.getvalue()


JSON_LINES = '{"plot": "x", "tags": "a|b"}\n' * 10


@pytest.mark.parametrize(
    ("name", "content", "holds"),
    [
        ("a.csv", parquet_bytes(), "a Parquet file"),
        ("a.jsonl", parquet_bytes(), "a Parquet file"),
        ("a.csv", gzip.compress(ten().encode(), mtime=0), "gzip-compressed data"),
        ("a.parquet", gzip.compress(ten().encode(), mtime=0), "gzip-compressed data"),
        ("a.tsv", zip_bytes(), "an Excel workbook or another zip archive"),
        ("a.parquet", zip_bytes(), "an Excel workbook or another zip archive"),
        ("a.parquet", ten().encode(), "text"),
        ("a.parquet", JSON_LINES.encode(), "JSON"),
        ("a.csv", JSON_LINES.encode(), "JSON"),
        ("a.csv", b'[{"plot": "x"}]', "one JSON array"),
        ("a.jsonl", b'\xef\xbb\xbf [\n {"plot": "x"}]', "one JSON array"),
        ("a.jsonl", b"<!DOCTYPE html><p>404", "a web page or XML"),
        ("a.csv", ten().encode("utf-16"), "UTF-16 text"),
        ("a.csv", b"plot,tags\n\0\1\2", "binary data"),
        ("a.csv.gz", gzip.compress(parquet_bytes(), mtime=0), "a Parquet file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(name: str, content: bytes, holds: str, tmp_path: Path) -> None:
    line = refused(small(tmp_path / name, content))
    assert line.startswith(f"{name}: holds {holds}, but its name says ")
    assert "rename it, or save the table as" in line


def test_a_name_that_promises_gzip(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.csv.gz", ten()))
    assert line == "a.csv.gz: holds text and is not gzipped, as its name says; rename it"


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz"])
def test_a_gzip_file_cut_short(name: str, tmp_path: Path) -> None:
    words = " ".join(map(str, np.random.default_rng(0).integers(0, 10**9, 5000)))
    content = ten(row=f"{words},a|b") if "csv" in name else json.dumps({"plot": words, "tags": "a|b"})
    line = refused(small(tmp_path / name, gzip.compress(content.encode())[:-2000]))
    assert line.startswith(f"{name}: cannot be read, or is damaged: Compressed file ended")


def test_a_parquet_file_cut_short(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.parquet", parquet_bytes()[:-20]))
    assert line.startswith("a.parquet: cannot be read, or is damaged: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\n\n"),
        ("a.jsonl", b""),
        ("a.jsonl", b"\n \n"),
        ("a.parquet", b""),
        ("a.csv.gz", b""),
    ],
)
def test_an_empty_file(name: str, content: bytes, tmp_path: Path) -> None:
    assert refused(small(tmp_path / name, content)) == f"{name}: is empty; a table needs columns and rows"


@pytest.mark.parametrize(("rows", "says"), [(0, "no rows"), (1, "1 row"), (9, "9 rows")])
def test_too_few_rows(rows: int, says: str, tmp_path: Path) -> None:
    expected = f"{says} of data; a split into three parts needs 10"
    assert refused(small(tmp_path / "a.csv", "plot,tags\n" + "x,a|b\n" * rows)) == f"a.csv: has {expected}"
    frame = pd.DataFrame({"plot": ["x"] * rows, "tags": ["a|b"] * rows}, dtype="str")
    frame.to_parquet(tmp_path / "a.parquet")
    assert refused(spec(tmp_path / "a.parquet")) == f"a.parquet: has {expected}"


def test_ten_rows_are_enough(tmp_path: Path) -> None:
    assert len(parsing.parse(small(tmp_path / "a.csv", ten())).y) == 10


# Columns


def test_a_missing_column_with_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plott,tags,year", row="x,a|b,1"))
    assert refused(spec(path, numeric=("age",))) == (
        "a.csv: has no column 'plot' (dataset.text; did you mean 'plott'?), 'age' (dataset.numeric); "
        "the columns are 'plott', 'tags', 'year'"
    )
    for key, values in {
        "dataset.lists[0]": {"lists": ({"column": "tag"},)},
        "dataset.id": {"id": "tag"},
        "dataset.group": {"group": "tag"},
        "dataset.split": {"split": "tag"},
        "dataset.labels.column": {"labels": {"column": "tag", "separator": "|"}},
        "dataset.labels.columns": {"labels": {"columns": ("tag", "year")}},
    }.items():
        assert f"'tag' ({key}; did you mean 'tags'?)" in refused(spec(path, **({"text": ("plott",)} | values)))


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_missing_column_of_other_formats(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a.{suffix}", rows_of(plto=["x"] * 10, tags=["a|b"] * 10))
    assert "has no column 'plot' (dataset.text; did you mean 'plto'?)" in refused(spec(path))


@pytest.mark.parametrize(("name", "other"), [("a.csv", ";"), ("a.csv", "\t"), ("a.tsv", ",")])
def test_a_table_with_another_separator_between_its_cells(name: str, other: str, tmp_path: Path) -> None:
    line = refused(small(tmp_path / name, ten(f"plot{other}tags", row=f"x{other}a|b")))
    assert f"has one column only, {f'plot{other}tags'!r}; it looks separated by {other!r}; save it as" in line


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    expected = "two columns are called 'plot'; rename one of them"
    assert refused(small(tmp_path / "a.csv", ten("plot,tags,plot", row="x,a|b,y"))) == f"a.csv: {expected}"
    columns = [pa.array(["x"] * 10), pa.array(["a|b"] * 10), pa.array(["y"] * 10)]
    pq.write_table(pa.Table.from_arrays(columns, names=["plot", "tags", "plot"]), tmp_path / "a.parquet")
    assert refused(spec(tmp_path / "a.parquet")) == f"a.parquet: {expected}"
    assert len(parsing.parse(small(tmp_path / "b.csv", ten("plot,tags,,", row="x,a|b,,"))).y) == 10


def test_a_prefix_that_too_few_columns_have(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,is_a,tags", row="x,1,a|b"))
    assert refused(spec(path, labels={"prefix": "is_"})) == (
        "a.csv: dataset.labels.prefix: at least two columns must begin with 'is_'; given 'is_a'; "
        "the columns are 'plot', 'is_a', 'tags'"
    )
    assert "given none; did you mean 'is_a'?" in refused(spec(path, labels={"prefix": "iss_"}))


def test_a_prefix_that_takes_an_input_for_a_label(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,p_a,p_b,p_", row="x,1,0,1"))
    assert "column 'plot' begins with dataset.labels.prefix 'p', so it is a label, and dataset.text names it too" in (
        refused(spec(path, labels={"prefix": "p"}))
    )
    assert "column 'p_' is the prefix and has no name left" in refused(spec(path, labels={"prefix": "p_"}))


# Rows


@pytest.mark.parametrize(("row", "has"), [("x", 1), ("x,a,b", 3)])
def test_a_row_with_too_few_or_too_many_cells(row: str, has: int, tmp_path: Path) -> None:
    text = ten(rows={1: '"x\ny",a', 3: "\nx,a", 7: row})  # a line break in a cell, and a blank line
    assert refused(small(tmp_path / "a.csv", text)) == (
        f"a.csv: row 7 (line 10): has {has} cells, but the header has 2; put quotes around a cell that holds ',' "
        "or a line break"
    )


def test_a_row_beyond_the_first_batch_is_named(tmp_path: Path) -> None:
    n = BATCH_ROWS
    text = "plot,tags\n" + "x,a|b\n" * n + "x\n"
    assert refused(small(tmp_path / "a.csv", text)).startswith(f"a.csv: row {n + 1} (line {n + 2}): has 1 cells")


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.csv", ten(rows={4: 'x,"a|b'})))
    assert line.startswith("a.csv: row 4 (line 5): a quote that opens a cell is never closed")
    line = refused(small(tmp_path / "a.csv", ten('"plot,tags')))
    assert line.startswith("a.csv: the header (line 1): a quote that opens a cell is never closed")


def test_text_after_a_quote(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.csv", ten(rows={4: '"say "no"",a'})))
    assert line.startswith("a.csv: row 4 (line 5): text follows the closing quote of a cell")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("plot,a|b", "must be one JSON object; given 'plot,a|b"),
        ('{"plot": "x", "tags"}', "must be one JSON object; given"),
        ('["x", "a|b"]', "must be one JSON object, {column: value, ...}; given ['x', 'a|b']"),
        ("null", "must be one JSON object, {column: value, ...}; given None"),
        ('{"plot": "x", "plot": "y"}', "(a key is given twice)"),
        ("[" * 100_000, "must be one JSON object; given"),
    ],
)
def test_a_line_that_is_no_json_object(text: str, says: str, tmp_path: Path) -> None:
    lines = JSON_LINES.splitlines()
    line = refused(small(tmp_path / "a.jsonl", "\n".join([*lines[:2], "", text, *lines])))
    assert line.startswith("a.jsonl: row 3 (line 4): ")
    assert says in line


# Cells


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    text = ten(rows={2: "Été,a|b"}).encode("latin-1")
    line = refused(small(tmp_path / "a.csv", text))
    assert line.startswith("a.csv: row 2 (line 3), column 'plot': is not UTF-8 text; given ")
    assert line.endswith("save the file as UTF-8")
    assert line.isprintable()
    line = refused(small(tmp_path / "a.csv", ten("plot,tags,é", row="x,a|b,1").encode("latin-1")))
    assert "the name of column '\\udce9' is not UTF-8 text" in line
    line = refused(small(tmp_path / "a.jsonl", JSON_LINES.encode() + b'{"plot": "\xe9"}'))
    assert line.startswith("a.jsonl: row 11 (line 11): is not UTF-8 text (byte 11 of the line)")
    line = refused(small(tmp_path / "a.jsonl", JSON_LINES + '{"plot": "\\ud800", "tags": ""}'))
    assert line.startswith("a.jsonl: row 11 (line 11), column 'plot': is not UTF-8 text")
    words = pa.array(["x"] * 6 + [b"\xff".decode("latin-1")] + ["x"] * 3).cast(pa.binary()).to_pylist()
    words[6] = b"\xff"
    broken = pa.Array.from_buffers(pa.string(), 10, pa.array(words, pa.binary()).buffers())
    pq.write_table(pa.table({"plot": broken, "tags": ["a|b"] * 10}), tmp_path / "a.parquet")
    line = refused(spec(tmp_path / "a.parquet"))
    assert line == "a.parquet: row 7, column 'plot': is not UTF-8 text; write the column as UTF-8"


@pytest.mark.parametrize(("value", "given"), [(3.5, "3.5"), (["a", "b"], "['a', 'b']"), (True, "True")])
def test_text_that_is_not_text(value: object, given: str, tmp_path: Path) -> None:
    expected = f"column 'plot': must be text; given {given}; write it as text, or declare the column under "
    lines = [{"plot": "x", "tags": "a|b"}] * 6 + [{"plot": value, "tags": "a"}] + [{"plot": "x", "tags": "a|b"}] * 3
    assert refused(spec(write(tmp_path / "a.jsonl", lines))).startswith(f"a.jsonl: row 7 (line 7), {expected}")
    path = write(tmp_path / "a.parquet", rows_of(plot=[None] * 6 + [value] * 4, tags=["a|b"] * 10))
    if value is not True and not isinstance(value, float):  # pandas makes NaN of None beside numbers
        assert refused(spec(path)).startswith(f"a.parquet: row 7, {expected}")
    else:
        assert "column 'plot': must be text" in refused(spec(path))


@pytest.mark.parametrize(
    ("cell", "given"),
    [("", "an empty cell"), (" ", "an empty cell"), ("nan", "'nan'"), ("-inf", "'-inf'"), ("1e999", "'1e999'")]
    + [(text, repr(text)) for text in ("cheap", "1_000", "3 EUR", "0x1F")],
)
def test_a_number_that_is_none(cell: str, given: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,x,y,tags", row="x, 1 ,2,a|b", rows={3: f"x,1,{cell},a", 5: f"x,{cell},{cell},a"}))
    assert refused(spec(path, numeric=("x", "y"))) == (
        f"a.csv: row 3 (line 4), column 'y': {given} is not a finite number; in all 2 in 'y', 1 in 'x'; "
        "fill such cells in, leave these rows out, or take the column out of dataset.numeric"
    )


@pytest.mark.parametrize(
    ("value", "given"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (None, "an empty cell"), ("x", "'x'"), ([1], "[1]")],
)
def test_a_number_that_is_none_in_other_formats(value: object, given: str, tmp_path: Path) -> None:
    rows = [{"plot": "x", "tags": "a|b", "x": 2}] * 4 + [{"plot": "x", "tags": "a", "x": value}] * 6
    line = refused(spec(write(tmp_path / "a.jsonl", rows), numeric=("x",)))
    assert line.startswith(f"a.jsonl: row 5 (line 5), column 'x': {given} is not a finite number; in all 6 in 'x'")
    if isinstance(value, float):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")  # pandas would write NaN as null
        line = refused(spec(tmp_path / "a.parquet", numeric=("x",)))
        assert line.startswith(f"a.parquet: row 5, column 'x': {given} is not a finite number; in all 6 in 'x'")


@pytest.mark.parametrize(
    ("cell", "given"), [("2", "'2'"), ("yes", "'yes'"), ("", "an empty cell"), ("0.5", "'0.5'"), ("-1", "'-1'")]
)
def test_labels_that_are_not_zero_or_one(cell: str, given: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,is_a,is_b", row="x,1,0", rows={7: f"x,1,{cell}"}))
    for labels in ({"columns": ("is_a", "is_b")}, {"prefix": "is_"}):
        line = refused(spec(path, labels=labels))
        assert line.startswith(f"a.csv: row 7 (line 8), column 'is_b': must be 0 or 1, for a label; given {given}; ")
    rows = [{"plot": "x", "is_a": 1, "is_b": 0}] * 9 + [{"plot": "x", "is_a": [1], "is_b": 0}]
    line = refused(spec(write(tmp_path / "a.jsonl", rows), labels={"prefix": "is_"}))
    assert line.startswith("a.jsonl: row 10 (line 10), column 'is_a': must be 0 or 1, for a label; given [1]")


@pytest.mark.parametrize(
    ("declared", "likely"), [(";", "|"), ("|", ";"), ("|", ","), ("|", "\t"), (" / ", ";"), (None, "|")]
)
def test_a_separator_that_no_cell_has(declared: str | None, likely: str, tmp_path: Path) -> None:
    cells = ["a", "", f"a{likely}b", *[f"b{likely}c"] * 7]
    declared_labels = {"column": "tags"} | ({"separator": declared} if declared else {})
    line = refused(spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=cells)), labels=declared_labels))
    what = f"separator {declared!r} is in none of its" if declared else "has no declared separator; of its"
    # PLOTS has a cell with a line break in row 5, after the first such text in row 3.
    assert line == (
        f"a.csv: column 'tags': {what} 9 texts, {likely!r} is in 8, first in {tmp_path}/a.csv: row 3 (line 4): "
        f"{f'a{likely}b'!r}; set dataset.labels.separator to {likely!r}, or to 'none' "
        "if each text is one name"
    )


def test_a_separator_that_few_cells_have_is_missed_too(tmp_path: Path) -> None:
    tags = ["a", "b", "c", "a;b", "b;c", "a;c", "a", "b", "c", "a;b;c"]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=tags))
    for declared in ({}, {"separator": "|"}):
        assert "set dataset.labels.separator to ';'" in refused(spec(path, labels={"column": "tags"} | declared))
    one = parsing.parse(spec(path, labels={"column": "tags", "separator": "none"}))
    assert one.labels == ("a", "b", "c", "a;b", "a;b;c", "a;c", "b;c")


def test_columns_without_a_one_can_be_left_out(tmp_path: Path) -> None:
    flags = {"is_a": [1, 1, 0] * 3 + [0], "is_b": [0, 1, 1] * 3 + [0], "is_c": [0] * 10, "is_d": [1] + [0] * 9}
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, **flags))
    assert refused(spec(path, labels={"prefix": "is_"})) == (
        "a.csv: no row has a 1 in 'is_c'; to leave such labels out, say dataset.labels.min_rows: 2"
    )
    read = parsing.parse(spec(path, labels={"prefix": "is_", "min_rows": 2}))
    assert read.labels == ("a", "b")
    assert read.y.sum(axis=0).tolist() == [6, 6]
    assert "at least two labels that 7 rows have" in refused(spec(path, labels={"prefix": "is_", "min_rows": 7}))


def test_a_separator_that_no_cell_of_a_list_column_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, cast=["Ann;Bo"] * 10, tags=TAGS))
    lists = ({"column": "plot", "separator": "|"}, {"column": "cast", "separator": ","})
    assert "set dataset.lists[1].separator to ';'" in refused(spec(path, text=(), lists=lists))


def test_a_comma_inside_a_name_is_no_separator(tmp_path: Path) -> None:
    cities = [f"{name}, France" for name in ("Paris", "Lyon", "Nice", "Brest", "Lille", "Nantes", "Metz", "Reims")]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, city=[*cities, "Rome, Italy", "Oslo, Norway"], tags=TAGS))
    read = parsing.parse(spec(path, text=(), lists=({"column": "city"},)))
    assert read.text["city"].to_lists()[0] == ["Paris, France"]


def test_a_separator_that_some_cells_have_is_right(tmp_path: Path) -> None:
    tags = ["a;b", *["c, d"] * 9]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=tags))
    assert parsing.parse(spec(path, labels={"column": "tags", "separator": ";"})).labels == ("c, d", "a", "b")


def test_a_separator_of_what_is_a_list_already(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(plot=PLOTS, tags=[None, *[["a", "b"]] * 9]))
    assert refused(spec(path)) == (
        "a.jsonl: row 2 (line 2), column 'tags': is a list already; leave dataset.labels.separator out"
    )


@pytest.mark.parametrize("entry", [1.5, True, {"name": "a"}, ["a"]])
def test_an_entry_that_is_no_name(entry: object, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(plot=PLOTS, tags=[["a", "b"]] * 9 + [["a", entry]]))
    line = refused(spec(path, labels={"column": "tags"}))
    assert line.startswith("a.jsonl: row 10 (line 10), column 'tags': must be text or a whole number; given ")


@pytest.mark.parametrize(
    ("tags", "min_rows", "says"),
    [
        (["a"] * 10, 1, "needs at least two labels; given 'a'"),
        ([""] * 10, 1, "needs at least two labels; given none"),
        (["a|b"] * 2 + ["a"] * 8, 3, "needs at least two labels that 3 rows have (dataset.labels.min_rows); given 'a'"),
    ],
)
def test_fewer_than_two_labels(tags: list[str], min_rows: int, says: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=tags))
    assert refused(spec(path, labels=NAMES | {"min_rows": min_rows})) == f"a.csv: column 'tags': {says}"


def test_more_labels_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_readers, "MAX_LABEL_CELLS", 39)
    assert "4 labels of 10 rows need 0 GB" in refused(spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS))))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_id_given_twice(suffix: str, tmp_path: Path) -> None:
    ids = ["u", "v", "w", "v", "x", "y", "z", "w", "v", "t"]
    path = write(tmp_path / f"a.{suffix}", rows_of(plot=PLOTS, tags=TAGS, key=ids))
    assert refused(spec(path, id="key")) == (
        f"a.{suffix}: column 'key': row 4 has the id 'v' of row 2 (3 rows repeat an id); make ids unique, "
        "or leave dataset.id out"
    )


@pytest.mark.parametrize(("cell", "given"), [(" ", "an empty cell"), ("x" * 201, "one of 201 characters")])
def test_an_id_that_is_empty_or_endless(cell: str, given: str, tmp_path: Path) -> None:
    ids = [*"abcdefgh", cell, "j"]
    path = write(tmp_path / "a.tsv", rows_of(key=ids, plot=["x"] * 10, tags=TAGS))
    line = refused(spec(path, id="key"))
    assert line.startswith(f"a.tsv: row 9 (line 10), column 'key': an id must have 1 to 200 characters; given {given}")


PARTS = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2


def test_a_group_in_two_declared_parts(tmp_path: Path) -> None:
    who = ["p1", "p2", "p3", "p3", "", "p4", "p2", "", "p3", ""]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, part=PARTS, who=who))
    assert refused(spec(path, split="part", group="who")) == (
        "a.csv: column 'who': group 'p2' is in two declared parts, train (row 2) and validation (row 7); "
        "2 of 4 groups are; keep the rows of a group in one part"
    )
    write(path, rows_of(plot=PLOTS, tags=TAGS, part=PARTS, who=[*"aabbcc", "", "", "d", "d"]))
    assert parsing.parse(spec(path, split="part", group="who")).parts is not None


@pytest.mark.parametrize(
    ("word", "near"),
    [("val", "validation"), ("valid", "validation"), ("training", "train"), ("tset", "test"), ("", "")],
)
def test_a_part_of_another_name(word: str, near: str, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        rows_of(key=list(range(10)), plot=["x"] * 10, tags=TAGS, part=[*PARTS[:6], word, *PARTS[7:]]),
    )
    hint = f"; did you mean {near!r}?" if near else ""
    given = repr(word) if word else "an empty cell"
    assert refused(spec(path, split="part")) == (
        f"a.csv: row 7 (line 8), column 'part': allowed train, validation, test; given {given}{hint}"
    )


def test_a_part_without_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, part=["train"] * 7 + ["TEST"] * 3))
    assert refused(spec(path, split="part")) == (
        "a.csv: column 'part': no row is declared validation; each of train, validation, test needs rows; "
        "given 7 train, 3 test"
    )
