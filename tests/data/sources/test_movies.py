"""The films: their tokens by hand, the genres that are asked for, and files that are not as they should be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.data import loading
from rarelabels.data.dataset import Dataset
from rarelabels.data.sources import movies
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import MoviesSpec
from rarelabels.errors import UserError
from small_films import FILM, MISSING, database, film

FILMS = MoviesSpec(kind="movies", labels=17)
TWO = MoviesSpec(kind="movies", labels=2)
Parsed = Callable[[list[dict[str, Any]]], Table]


def words(table: Table, row: int) -> dict[str, list[str]]:
    return {field: tokens.take([row]).to_lists()[0] for field, tokens in table.text.items()}


@pytest.fixture
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parsed:
    """What the reader makes of a few films, with two labels."""

    def parse(films: list[dict[str, Any]]) -> Table:
        path = database(tmp_path / "x.db", films)
        monkeypatch.setattr(movies, "source", lambda: path)
        return movies.parse(TWO)

    return parse


def whole(data: Dataset) -> np.ndarray:
    return np.concatenate([data.train.y, data.validation.y, data.test.y])


def test_the_films_are_those_of_the_thread(films: Dataset) -> None:
    y = whole(films)
    assert y.shape == (15_362, 17)
    assert y.dtype == np.uint8
    assert films.labels[0] == "Drama"
    assert films.labels[-1] == "Western"
    assert y[:, 0].sum() == 8_565
    assert y[:, -1].sum() == 305
    assert (np.diff(y.sum(axis=0, dtype=int)) < 0).all()
    assert (~y.any(axis=1)).sum() == 19
    assert round(100 * y.mean(), 1) == 12.2


def test_tokens_of_a_film_by_hand(parsed: Parsed) -> None:
    assert words(parsed([FILM]), 0) == {
        "actors": ["Robert Downey, Jr.", "Eva Hu"],
        "title": ["l", "été", "8½"],
        "features": [
            *("director=Ann Lee", "director=Bo Ek", "writer=Cy Fox, Jr.", "writer=Di Gao", "country=France"),
            *("language=French", "language=Thai", "production=Studio A", "production=Studio B"),
            *("decade=1990", "runtime=90"),
        ],
        "reviews": ["score=6.5", "meter=60", "reviews=2^5", "box_office=10^7.5"],
    }


@pytest.mark.parametrize(
    ("values", "field", "tokens"),
    [
        ({"Rating": 6.2, "Meter": 70, "Reviews": 64}, "reviews", ["score=6.0", "meter=70", "reviews=2^6"]),
        ({"Meter": 100, "Reviews": 1}, "reviews", ["meter=100", "reviews=2^0"]),
        ({"Meter": 0, "Reviews": 0, "BoxOffice": 0}, "reviews", ["meter=0"]),
        ({"BoxOffice": 1000}, "reviews", ["box_office=10^3.0"]),
        ({"BoxOffice": 3162}, "reviews", ["box_office=10^3.0"]),
        ({"BoxOffice": 3163}, "reviews", ["box_office=10^3.5"]),
        ({"Year": 2000, "Runtime": 105}, "features", ["decade=2000", "runtime=105"]),
        ({}, "reviews", []),
    ],
)
def test_bins_and_missing_values(values: dict[str, Any], field: str, tokens: list[str], parsed: Parsed) -> None:
    found = words(parsed([FILM | MISSING | {"Director": "A"} | values]), 0)[field]
    assert [token for token in found if not token.startswith("director=")] == tokens


def test_films_without_genre_cast_or_director_are_left_out(parsed: Parsed) -> None:
    films = [
        FILM,
        *(film(i, "War", Cast="") for i in (2, 3)),
        film(4, ""),
        film(5, "War", Director=None),
        film(0, "War"),
    ]
    table = parsed(films)
    assert table.ids.tolist() == ["0", "1"]
    assert table.y.tolist() == [[1, 0], [1, 1]]
    assert table.labels == ("War", "Drama")


def test_the_most_frequent_genres_are_labels_and_ties_go_by_name(parsed: Parsed) -> None:
    films = [film(1, "Sport, Comedy"), film(2, "Comedy, Action"), film(3, "Western")]
    table = parsed(films)
    assert table.labels == ("Comedy", "Action")
    assert table.y.tolist() == [[1, 0], [1, 1], [0, 0]]
    assert table.strata.shape == (3, 4)


THREE = ("Drama", "Comedy", "Action")


def test_three_genres_in_the_asked_order_and_how_many_films_have_which(films: Dataset) -> None:
    data = loading.load(MoviesSpec(kind="movies", labels=THREE), 0)
    assert data.labels == THREE
    assert (set(data.train.text), data.prose) == ({"actors", "title", "features", "reviews"}, ("title",))
    assert data.test.ids.tolist() == films.test.ids.tolist()
    y = whole(data)
    assert (y == whole(films)[:, [films.labels.index(genre) for genre in THREE]]).all()
    sets, films_of_set = np.unique(y, axis=0, return_counts=True)
    assert dict(zip(map(tuple, sets.tolist()), films_of_set.tolist(), strict=True)) == {
        (0, 0, 0): 2746,
        (1, 0, 0): 5630,
        (0, 1, 0): 2583,
        (0, 0, 1): 1030,
        (1, 1, 0): 2117,
        (1, 0, 1): 724,
        (0, 1, 1): 438,
        (1, 1, 1): 94,
    }


@pytest.mark.parametrize(("rows", "n", "most"), [("any_label", 15_362 - 2746, 3), ("one_label", 5630 + 2583 + 1030, 1)])
def test_films_with_one_or_more_of_three_genres(rows: Any, n: int, most: int) -> None:
    data = loading.load(MoviesSpec(kind="movies", labels=THREE, rows=rows), 0)
    y = whole(data)
    assert y.shape == (n, 3)
    assert set(y.sum(axis=1).tolist()) == set(range(1, most + 1))
    assert len({i for part in (data.train, data.validation, data.test) for i in part.ids}) == n
    for part, share in ((data.train, 0.7), (data.validation, 0.1), (data.test, 0.2)):
        assert abs(len(part.y) / (n * share) - 1) < 0.03
        assert np.abs(part.y.sum(axis=0, dtype=int) - share * y.sum(axis=0, dtype=int)).max() <= 2
        assert {len(tokens) for tokens in part.text.values()} == {len(part.y)}


def spec_of(labels: Any, rows: Any = "all") -> MoviesSpec:
    return MoviesSpec(kind="movies", labels=labels, rows=rows)


def test_kept_rows_keep_their_text_their_group_and_all_their_genres(own: Path) -> None:
    films = [
        film(1, "War, Drama", Title="a"),
        film(2, "Western", Title="b"),
        film(3, "Comedy, Western", Title="c", imdbID="tt1"),
        film(4, "Comedy, War", Title="d"),
    ]
    database(own, films)
    found = movies.parse(spec_of(("War", "Comedy"), "any_label"))
    assert found.labels == ("War", "Comedy")
    assert found.ids.tolist() == ["1", "3", "4"]
    assert found.y.tolist() == [[1, 0], [0, 1], [1, 1]]
    assert found.text["title"].to_lists() == [["a"], ["c"], ["d"]]
    assert found.groups is not None
    assert found.groups[0] == found.groups[1] != found.groups[2]
    # Comedy, War and Western two films each, Drama one: all genres are strata, whatever the labels are.
    assert found.strata.tolist() == [[0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]]
    one = movies.parse(spec_of(("War", "Comedy"), "one_label"))
    assert one.ids.tolist() == ["1", "3"]
    assert one.strata.tolist() == found.strata.tolist()[:2]
    assert movies.parse(spec_of(2, "one_label")).labels == ("Comedy", "War")  # the most frequent of all four films


def test_rows_and_names_decide_the_digest(own: Path) -> None:
    specs = [spec_of(2), spec_of(("Drama", "Comedy")), spec_of(("Comedy", "Drama")), spec_of(2, "any_label")]
    assert len({loading.digest(spec) for spec in specs}) == 4


def test_an_unknown_genre_is_refused_with_the_nearest_and_all(own: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"own\.db: dataset\.labels: no film has the genre 'drame'; did you mean 'Drama'\?; no film has the genre "
        r"'Noir'; allowed: Drama, Comedy, War, Western$",
    ):
        loading.load(spec_of(("drame", "War", "Noir")), 0)


def test_rows_that_leave_no_film_are_refused(own: Path) -> None:
    database(own, [film(i, "Drama, War") for i in range(20)])
    with pytest.raises(UserError, match=r"own\.db: dataset\.rows: no film remains with 'one_label'"):
        loading.load(spec_of(2, "one_label"), 0)


def test_more_labels_than_genres(own: Path) -> None:
    with pytest.raises(UserError, match=r"own\.db: dataset\.labels: asks for 17 genres, but the file has 4"):
        loading.load(FILMS, 0)


def test_a_missing_file_is_named(own: Path) -> None:
    own.unlink()
    for use in (loading.digest, lambda spec: loading.load(spec, 0), movies.parse):
        with pytest.raises(UserError, match=r"own\.db"):
            use(TWO)
    assert not own.exists()


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to look at " * 50, b"SQLite format 3\0" * 200]
)
def test_a_file_that_is_no_database_is_named(own: Path, content: bytes) -> None:
    own.write_bytes(content)
    with pytest.raises(UserError, match=r"own\.db: cannot be read as an SQLite database"):
        loading.load(TWO, 0)


def test_a_missing_table_or_column_is_named(own: Path) -> None:
    with sqlite3.connect(own) as connection:
        connection.execute("DROP TABLE tomatoes")
    connection.close()
    with pytest.raises(UserError, match=r"own\.db: no table 'tomatoes'"):
        loading.load(TWO, 0)
    for table, column in (("omdb", "Director"), ("tomatoes", "Meter")):
        database(own, [FILM], left_out=column)
        with pytest.raises(UserError, match=rf"own\.db: table '{table}' lacks the column {column}"):
            loading.load(TWO, 0)


def test_text_where_numbers_belong_is_named(own: Path) -> None:
    database(own, [film(1, "War, Drama"), film(2, "War", Runtime="long")])
    with pytest.raises(UserError, match=r"own\.db: column 'Runtime' must hold numbers"):
        loading.load(TWO, 0)
