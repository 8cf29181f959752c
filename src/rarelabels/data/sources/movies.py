"""The films of bokeh_sampledata: genres as labels; cast, title, features and reviews as four text fields.

Kept are the films with a genre, a cast and a director: 15,362 of 17,472 in bokeh_sampledata 2026.1. A film
without any of the declared genres stays, as a row without labels, unless ``rows`` asks for one or more. Of Drama,
Comedy and Action 2,746 films have none, 9,243 one, 3,279 two and 94 all three. There is no plot in these data, so
``title`` is the only prose.

Numbers become tokens in *fixed* bins: nothing here is fitted, so nothing of the test part can leak. A missing value
gives no token.

- ``actors``: one token per name of the cast.
- ``title``: the lower-cased words, ``\\w+``.
- ``features``: ``director=…``, ``writer=…``, ``country=…``, ``language=…`` and ``production=…``, each per name;
  ``decade=1990``; ``runtime=90`` (90 to below 105 minutes).
- ``reviews``: ``score=6.5`` (the critics' mean rating, to the nearest half); ``meter=60`` (share of good reviews, 60 to
  below 70 %); ``reviews=2^5`` (32 to 63 reviews); ``box_office=10^7.5`` (10^7.5 to below 10^8 dollars).
"""

from __future__ import annotations

import hashlib
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.data.table.cell_values import cell_text, given, number
from rarelabels.data.tokens import Tokens
from rarelabels.data.unsplit import Table, multi_hot, no_numbers
from rarelabels.declare.data import MoviesSpec
from rarelabels.errors import UserError, nearest
from rarelabels.extras import need

VERSION = 1
"""To be increased whenever the same file gives another table."""

COLUMNS = {
    "omdb": (
        *("ID", "imdbID", "Title", "Year", "Runtime", "Genre"),
        *("Director", "Writer", "Cast", "Language", "Country"),
    ),
    "tomatoes": ("ID", "Rating", "Meter", "Reviews", "BoxOffice", "Production"),
}
INPUTS = (
    *("Title", "Year", "Runtime", "Director", "Writer", "Cast", "Language", "Country"),
    *("Rating", "Meter", "Reviews", "BoxOffice", "Production"),
)
NUMBERS = ("Year", "Runtime", "Rating", "Meter", "Reviews", "BoxOffice")

_NAME_END = re.compile(r", (?!(?:Jr|Sr)\.)")  # "Robert Downey, Jr." is one name
_WORD = re.compile(r"\w+")


def source() -> Path:
    """Return the SQLite file with the films."""
    need("bokeh_sampledata", "dataset.kind 'movies'")
    from bokeh_sampledata.movies_data import movie_path  # to predict, the package is not needed

    return Path(movie_path)


def content(spec: MoviesSpec) -> str:
    """Return the SHA-256 of the source, in hexadecimal.

    Raises:
        UserError: the source cannot be read.
    """
    path = source()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: the source of dataset.kind {spec.kind!r} cannot be read: {error.strerror}") from error


def parse(spec: MoviesSpec) -> Table:
    """Read the films of the source; rows are ordered by film id.

    The labels are the ``spec.labels`` most frequent genres of all films, by falling frequency and ties by name, or the
    named genres, in the declared order. The strata are all genres of the rows. Two cuts of one film (the same
    ``imdbID``) form a group.

    Raises:
        UserError: the file is missing, is no SQLite database, lacks a table or a column, holds text where numbers
            belong, has fewer genres than ``spec.labels``, or lacks a declared genre; or ``spec.rows`` leaves no film.
    """
    path = source()
    films = _read(path)
    ordered, strata = multi_hot([_names(text) for text in films["Genre"]])
    columns = _columns(path, spec.labels, ordered)
    kept = _kept_rows(spec.rows, strata[:, columns])
    if not len(kept):
        raise UserError(f"{path}: dataset.rows: no film remains with {spec.rows!r}")
    films, strata = films.iloc[kept], strata[kept]
    return Table(
        ids=films["ID"].astype(str).to_numpy(dtype=np.str_),
        labels=tuple(ordered[column] for column in columns),
        y=strata[:, columns],
        strata=strata,
        groups=pd.factorize(films["imdbID"].fillna(films["ID"].astype(str)))[0].astype(np.int64),
        text=_text(films),
    )


def raw_columns(_spec: MoviesSpec) -> tuple[RawColumn, ...]:
    """Return the columns of the source that the inputs are read from."""
    return tuple(RawColumn(name, "number" if name in NUMBERS else "text") for name in INPUTS)


def raw_inputs(_spec: MoviesSpec, batch: Batch) -> tuple[dict[str, Tokens], npt.NDArray[np.float64]]:
    """Return text and (no) numbers of some films, from columns as the source has them; an empty cell gives no token.

    Raises:
        UserError: a cell that should be a number, or text, is something else.
    """
    columns: dict[str, list[object]] = {}
    for name in INPUTS:
        read = _raw_number if name in NUMBERS else cell_text
        columns[name] = [read(batch, row, name) for row in range(batch.rows)]
    films = pd.DataFrame(columns, dtype=object)
    return _text(films.astype(dict.fromkeys(NUMBERS, np.float64))), no_numbers()


def raw_rows(_spec: MoviesSpec, n: int) -> dict[str, list[object]]:
    """Return the first films of the source as :func:`raw_inputs` takes them; a missing value is None."""
    films = _read(source())[list(INPUTS)].head(n)
    return {name: [None if pd.isna(cell) else cell for cell in films[name].tolist()] for name in INPUTS}


def _raw_number(batch: Batch, row: int, column: str) -> float:
    cell = batch.cells[column][row]
    if cell is None or str(cell).strip().lower() in ("", "nan"):
        return math.nan
    value = number(cell)
    if not math.isfinite(value):
        raise UserError(f"{batch.at(row, column)}: must be a number, or empty; given {given(cell)}")
    return value


def _text(films: pd.DataFrame) -> dict[str, Tokens]:
    return {
        "actors": Tokens.from_lists([_names(text) for text in films["Cast"]]),
        "title": Tokens.from_lists([_WORD.findall(str(text).lower()) for text in films["Title"].fillna("")]),
        "features": Tokens.from_lists(_joined(_feature_columns(films))),
        "reviews": Tokens.from_lists(_joined(_review_columns(films))),
    }


def _columns(path: Path, labels: int | tuple[str, ...], ordered: Sequence[str]) -> list[int]:
    """Return the places of the declared genres among all, which are ordered by falling frequency."""
    if isinstance(labels, int):
        if len(ordered) < labels:
            raise UserError(f"{path}: dataset.labels: asks for {labels} genres, but the file has {len(ordered)}")
        return list(range(labels))
    place = {genre: column for column, genre in enumerate(ordered)}
    if unknown := [genre for genre in labels if genre not in place]:
        named = "; ".join(f"no film has the genre {genre!r}{nearest(genre, ordered)}" for genre in unknown)
        raise UserError(f"{path}: dataset.labels: {named}; allowed: {', '.join(ordered)}")
    return [place[genre] for genre in labels]


def _kept_rows(rows: Literal["all", "any_label", "one_label"], y: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    labels_of_row = y.sum(axis=1, dtype=np.int64)
    match rows:
        case "all":
            return np.arange(len(y))
        case "any_label":
            return np.flatnonzero(labels_of_row > 0)
        case "one_label":
            return np.flatnonzero(labels_of_row == 1)


def _read(path: Path) -> pd.DataFrame:
    """Return the kept films, one row each, numbers as float64 with NaN for missing."""
    if not path.is_file():
        raise UserError(f"{path}: the films' database is missing; reinstall bokeh_sampledata")
    columns = [f"{table}.{column}" for table, names in COLUMNS.items() for column in names]
    columns.remove("tomatoes.ID")  # the same number as omdb.ID
    query = f"SELECT {', '.join(columns)} FROM omdb JOIN tomatoes ON omdb.ID = tomatoes.ID ORDER BY omdb.ID"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            _check_columns(path, connection)
            films = pd.read_sql_query(query, connection)
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        raise UserError(f"{path}: cannot be read as an SQLite database: {error}") from error
    for column in NUMBERS:
        films[column] = _as_numbers(path, films[column])
    present = [films[column].fillna("").str.strip() != "" for column in ("Genre", "Cast", "Director")]
    return films[np.logical_and.reduce(present)].reset_index(drop=True)


def _check_columns(path: Path, connection: sqlite3.Connection) -> None:
    for table, wanted in COLUMNS.items():
        found = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if not found:
            raise UserError(f"{path}: no table '{table}'")
        missing = [column for column in wanted if column not in found]
        if missing:
            raise UserError(f"{path}: table '{table}' lacks the column {', '.join(missing)}")


def _as_numbers(path: Path, column: pd.Series[Any]) -> pd.Series[float]:
    try:
        return pd.to_numeric(column).astype("float64")
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: column '{column.name}' must hold numbers: {error}") from error


def _names(text: object) -> list[str]:
    """Split a list of names; a missing text has none."""
    if not isinstance(text, str):
        return []
    return [name for part in _NAME_END.split(text) if (name := part.strip())]


def _feature_columns(films: pd.DataFrame) -> list[list[list[str]]]:
    """Return the tokens of ``features``: one entry per column, each with a list of tokens per film."""
    named = ("Director", "Writer", "Country", "Language", "Production")
    return [
        *([[f"{column.lower()}={name}" for name in _names(text)] for text in films[column]] for column in named),
        _binned(films["Year"], lambda year: f"decade={year // 10 * 10:.0f}"),
        _binned(films["Runtime"], lambda minutes: f"runtime={minutes // 15 * 15:.0f}"),
    ]


def _review_columns(films: pd.DataFrame) -> list[list[list[str]]]:
    """Return the tokens of ``reviews`` in the same form. A film with 0 reviews, or 0 dollars, has no token for them."""
    reviews, dollars = films["Reviews"].where(films["Reviews"] > 0), films["BoxOffice"].where(films["BoxOffice"] > 0)
    return [
        _binned(films["Rating"], lambda score: f"score={round(2 * score) / 2:.1f}"),
        _binned(films["Meter"], lambda share: f"meter={share // 10 * 10:.0f}"),
        _binned(np.log2(reviews), lambda power: f"reviews=2^{math.floor(power)}"),
        _binned(np.log10(dollars), lambda power: f"box_office=10^{math.floor(2 * power) / 2:.1f}"),
    ]


def _binned(values: pd.Series[float], token: Callable[[float], str]) -> list[list[str]]:
    return [[] if math.isnan(value) else [token(value)] for value in values.tolist()]


def _joined(columns: Iterable[list[list[str]]]) -> list[list[str]]:
    """Put the tokens of several columns one after another, film by film."""
    return [[token for tokens in row for token in tokens] for row in zip(*columns, strict=True)]
