"""A table of one's own: every format gives the same, as pandas reads it. How it is split and kept: test_loading.py."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from processes import printed
from rarelabels.data.sources import movies
from rarelabels.data.table import parsing, table_files
from rarelabels.data.table.batch import BATCH_ROWS
from rarelabels.declare.data import MoviesSpec
from small_tables import NAMES_OF, PLOTS, PRICES, TAGS, refused, rows_of, same, small, spec, ten, write


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


def test_a_key_that_a_line_lacks_is_an_empty_cell(tmp_path: Path) -> None:
    lines = [{"plot": "x", "tags": ["a", "b"]}] * 9 + [{"other": 1}]
    read = parsing.parse(spec(write(tmp_path / "a.jsonl", lines), labels={"column": "tags"}))
    assert read.y[-1].tolist() == [0, 0]
    assert read.text["plot"].to_lists()[-1] == []


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
from rarelabels.declare.table import TableSpec
read = parsing.parse(TableSpec.model_validate_json({declared!r}))
status = Path("/proc/self/status").read_text()  # ru_maxrss is at least that of the process that started this one
print(*read.y.shape, status.split("VmHWM:")[1].split()[0])
"""
    rows, labels, kilobytes = map(int, printed(code).split())
    assert (rows, labels) == (2_000_000, 20)
    assert kilobytes < 1_500_000


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


@pytest.mark.parametrize(("rows", "says"), [(0, "no rows"), (1, "1 row"), (9, "9 rows")])
def test_too_few_rows(rows: int, says: str, tmp_path: Path) -> None:
    expected = f"{says} of data; a split into three parts needs 10"
    assert refused(small(tmp_path / "a.csv", "plot,tags\n" + "x,a|b\n" * rows)) == f"a.csv: has {expected}"
    frame = pd.DataFrame({"plot": ["x"] * rows, "tags": ["a|b"] * rows}, dtype="str")
    frame.to_parquet(tmp_path / "a.parquet")
    assert refused(spec(tmp_path / "a.parquet")) == f"a.parquet: has {expected}"


def test_ten_rows_are_enough(tmp_path: Path) -> None:
    assert len(parsing.parse(small(tmp_path / "a.csv", ten())).y) == 10
