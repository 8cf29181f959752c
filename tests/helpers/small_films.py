"""Small databases of films, with the tables of bokeh_sampledata."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from rarelabels.data.sources import movies

FILM: dict[str, Any] = {
    "ID": 1,
    "imdbID": "tt1",
    "Title": "L'Été: 8½",
    "Year": 1999,
    "Runtime": 104.0,
    "Genre": "War, Drama",
    "Director": "Ann Lee, Bo Ek",
    "Writer": "Cy Fox, Jr., Di Gao",
    "Cast": "Robert Downey, Jr., Eva Hu",
    "Language": "French, Thai",
    "Country": "France",
    "Production": "Studio A, Studio B",
    "Rating": 6.3,
    "Meter": 69,
    "Reviews": 63,
    "BoxOffice": 5e7,
}
MISSING = dict.fromkeys(
    ("Year", "Runtime", "Writer", "Language", "Country", "Production", "Rating", "Meter", "Reviews", "BoxOffice")
)


def database(path: Path, films: list[dict[str, Any]], left_out: str = "") -> Path:
    """Write films as the two tables of bokeh_sampledata."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        for table, columns in movies.COLUMNS.items():
            kept = [column for column in columns if column != left_out]
            connection.execute(f"CREATE TABLE {table} ({', '.join(kept)})")
            rows = [[film[column] for column in kept] for film in films]
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(kept))})", rows)
    connection.close()
    return path


def film(number: int, genre: str, **values: Any) -> dict[str, Any]:
    return FILM | {"ID": number, "imdbID": f"tt{number}", "Genre": genre} | values
