from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.data import dataset, loading, splits
from rarelabels.data.dataset import Dataset
from rarelabels.data.sources import movies
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import MoviesSpec, TableSpec
from rarelabels.errors import UserError

FILMS = MoviesSpec(kind="movies", labels=17)
TWO = MoviesSpec(kind="movies", labels=2)

Parsed = Callable[[list[dict[str, Any]]], Table]

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


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty small films in place of the real ones, and an empty cache."""
    genres = ["Drama", "Drama, War", "Drama, Comedy", "Comedy", "Western"]
    path = database(tmp_path / "own.db", [film(i, genres[i % 5]) for i in range(40)])
    monkeypatch.setattr(movies, "source", lambda: path)
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))
    return path


# The real films


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


def test_every_film_is_in_one_part_with_its_own_text(films: Dataset) -> None:
    ids = np.concatenate([films.train.ids, films.validation.ids, films.test.ids])
    assert len(set(ids.tolist())) == len(ids) == 15_362
    for part in (films.train, films.validation, films.test):
        assert set(part.text) == {"actors", "title", "features", "reviews"}
        assert {len(tokens) for tokens in part.text.values()} == {len(part.y)} == {len(part.ids)}
        assert part.text["actors"].lengths.min() > 0
    part = next(part for part in (films.train, films.validation, films.test) if "27343" in part.ids)
    row = part.ids.tolist().index("27343")
    assert part.text["title"].take([row]).to_lists() == [["warm", "bodies"]]
    assert "John Malkovich" in part.text["actors"].take([row]).to_lists()[0]
    assert {films.labels[i] for i in np.flatnonzero(part.y[row])} == {"Horror", "Romance", "Comedy"}


def test_every_genre_keeps_its_prevalence_in_every_part(films: Dataset) -> None:
    positives = whole(films).sum(axis=0, dtype=int)
    for part, share in ((films.train, 0.7), (films.validation, 0.1), (films.test, 0.2)):
        assert abs(len(part.y) / (15_362 * share) - 1) < 0.03
        assert np.abs(part.y.sum(axis=0, dtype=int) - share * positives).max() <= 2


def test_the_test_films_are_the_same_for_every_seed_and_every_number_of_labels(films: Dataset) -> None:
    other_seed = loading.load(FILMS, 1)
    fewer_labels = loading.load(MoviesSpec(kind="movies", labels=5), 0)
    assert (other_seed.test.ids == films.test.ids).all()
    assert (fewer_labels.test.ids == films.test.ids).all()
    assert (fewer_labels.validation.ids == films.validation.ids).all()
    assert (fewer_labels.test.y == films.test.y[:, :5]).all()
    assert set(other_seed.validation.ids.tolist()) != set(films.validation.ids.tolist())
    assert other_seed.digest == films.digest != fewer_labels.digest


def test_two_cuts_of_one_film_stay_together(films: Dataset) -> None:
    cuts = {"182692", "3620669"}  # Apocalypse Now, and Redux
    held = [cuts & set(part.ids.tolist()) for part in (films.train, films.validation, films.test)]
    assert cuts in held


# The tokens, on small databases


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


# Named genres and the rows that have them

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
    with pytest.raises(UserError, match=r"own\.db: dataset\.rows: no film is left by 'one_label'"):
        loading.load(spec_of(2, "one_label"), 0)


# Loading


def test_the_second_load_neither_parses_nor_splits(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = loading.load(TWO, 0)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("done again although the cache holds it")

    monkeypatch.setattr(movies, "parse", never)
    with monkeypatch.context() as patch:
        patch.setattr(splits, "split", never)
        second = loading.load(TWO, 0)
    for part in ("train", "validation", "test"):
        one, two = getattr(first, part), getattr(second, part)
        assert one.ids.tolist() == two.ids.tolist()
        assert (one.y == two.y).all()
        assert {f: t.to_lists() for f, t in one.text.items()} == {f: t.to_lists() for f, t in two.text.items()}
    assert (first.labels, first.digest, first.summary) == (second.labels, second.digest, second.summary)
    assert loading.load(TWO, 1).test.ids.tolist() == first.test.ids.tolist()


def test_changed_data_are_read_again(own: Path) -> None:
    assert loading.load(TWO, 0).labels == ("Drama", "Comedy")
    database(own, [film(i, "War" if i % 2 else "War, Sport") for i in range(30)])
    data = loading.load(TWO, 0)
    assert data.labels == ("War", "Sport")
    assert sum(data.summary["rows"].values()) == 30


def test_the_digest_follows_whatever_decides_the_data(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = loading.digest(TWO)
    assert len(digest) == 64
    assert loading.digest(MoviesSpec(kind="movies", labels=3)) != digest
    for module in (movies, splits):
        with monkeypatch.context() as patch:
            patch.setattr(module, "VERSION", module.VERSION + 1)
            assert loading.digest(TWO) != digest
    moved = own.with_name("moved.db")
    shutil.copy(own, moved)
    os.utime(moved, (0, 0))
    monkeypatch.setattr(movies, "source", lambda: moved)
    assert loading.digest(TWO) == digest
    with sqlite3.connect(moved) as connection:
        connection.execute("UPDATE omdb SET Title = 'Other' WHERE ID = 7")
    connection.close()
    assert loading.digest(TWO) != digest


def test_the_summary_counts_each_part(own: Path) -> None:
    data = loading.load(TWO, 0)  # Drama 24, Comedy 16, 8 of 40 with neither
    summary = json.loads(json.dumps(data.summary))
    assert sum(summary["rows"].values()) == 40
    assert sum(summary["rows_without_labels"].values()) == 8
    for name in ("train", "validation", "test"):
        rows, prevalence = summary["rows"][name], summary["prevalence"][name]
        part = getattr(data, name)
        assert rows == len(part.ids)
        assert rows * prevalence["Drama"] == pytest.approx(sum(row[0] for row in part.y.tolist()))
        assert sum(prevalence.values()) == pytest.approx(summary["label_cardinality"][name])
    assert sum(rows * summary["prevalence"][name]["Comedy"] for name, rows in summary["rows"].items()) == pytest.approx(
        16
    )
    assert set(map(tuple, summary["labels_without_positives"].values())) == {()}


def test_a_part_without_positives_of_a_label_is_recorded(own: Path) -> None:
    database(own, [film(i, "Drama, War" if i < 2 else "Drama") for i in range(40)])
    data = loading.load(TWO, 0)
    lacking = {name for name, labels in data.summary["labels_without_positives"].items() if labels == ["War"]}
    assert lacking == {n for n in ("train", "validation", "test") if not getattr(data, n).y[:, 1].any()} != set()


def test_the_validation_films_may_be_the_last_ones(own: Path) -> None:
    spec = MoviesSpec(kind="movies", labels=2, validation="last_rows")
    first, second = loading.load(spec, 0), loading.load(spec, 1)
    rest = sorted(int(i) for part in (first.train, first.validation) for i in part.ids)
    assert first.validation.ids.astype(int).tolist() == rest[-4:]  # an eighth of 32
    assert second.validation.ids.tolist() == first.validation.ids.tolist()
    assert first.test.ids.tolist() == loading.load(TWO, 0).test.ids.tolist()
    assert first.digest != loading.digest(TWO)


# Folds and fractions


def movies_spec(**declared: Any) -> MoviesSpec:
    return MoviesSpec(kind="movies", labels=2, **declared)


def test_a_cross_validated_part_is_the_training_part_with_a_fold_for_each_row(own: Path) -> None:
    stratified = loading.load(TWO, 0)
    for _ in range(2):  # the second from the cache
        data = loading.load(movies_spec(validation="cross_validated"), 0)
        assert data.test.digest() == stratified.test.digest()
        assert data.train.digest() == data.validation.digest()
        assert sorted(data.train.ids) == sorted([*stratified.train.ids, *stratified.validation.ids])
        assert data.folds is not None
        assert data.folds.shape == (len(data.train.ids),)
        assert np.ptp(np.bincount(data.folds, minlength=5)) <= 2
    assert data.summary["rows"] == {"train": 32, "validation": 32, "test": 8}
    assert stratified.folds is None


def test_two_cuts_of_one_film_are_in_one_fold() -> None:
    data = loading.load(MoviesSpec(kind="movies", labels=17, validation="cross_validated"), 0)
    assert data.folds is not None
    fold = dict(zip(data.train.ids.tolist(), data.folds.tolist(), strict=True))
    assert fold.get("182692") == fold.get("3620669")  # Apocalypse Now, and Redux
    shares = np.array([data.train.y[data.folds == k].sum(axis=0, dtype=int) for k in range(5)])
    assert np.abs(shares - data.train.y.sum(axis=0, dtype=int) / 5).max() <= 2


@pytest.mark.parametrize("seed", [0, 1])
def test_a_fraction_takes_training_rows_and_nothing_else(own: Path, seed: int) -> None:
    whole = loading.load(TWO, seed)
    assert len(whole.train.ids) == 28
    kept = {}
    for share in (0.1, 0.5, 1.0):
        data = loading.load(movies_spec(train_fraction=share), seed)
        assert data.validation.digest() == whole.validation.digest()
        assert data.test.digest() == whole.test.digest()
        kept[share] = data.train.ids.tolist()
        rows = [whole.train.ids.tolist().index(i) for i in kept[share]]
        assert rows == sorted(rows)
        assert (data.train.y == whole.train.y[rows]).all()
        assert data.train.text["title"].to_lists() == whole.train.text["title"].take(rows).to_lists()
        assert data.summary["rows"]["train"] == len(rows)
        assert data.train.digest() == loading.load(movies_spec(train_fraction=share), seed).train.digest()
    assert [len(ids) for ids in kept.values()] == [3, 14, 28]
    assert set(kept[0.1]) < set(kept[0.5]) < set(kept[1.0])


def test_the_last_rows_validate_whatever_the_fraction(own: Path) -> None:
    whole, half = (loading.load(movies_spec(validation="last_rows", train_fraction=f), 0) for f in (1.0, 0.5))
    assert half.validation.digest() == whole.validation.digest()
    assert len(half.train.ids) == 14


def test_all_fractions_share_one_table_and_one_split(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = loading.load(TWO, 0)
    files = {path.name for path in (own.parent / "cache").iterdir()}
    assert len(files) == 2

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("done again although the cache holds it")

    monkeypatch.setattr(movies, "parse", never)
    monkeypatch.setattr(splits, "split", never)
    half = loading.load(movies_spec(train_fraction=0.5), 0)
    assert {path.name for path in (own.parent / "cache").iterdir()} == files
    assert half.digest == loading.digest(movies_spec(train_fraction=0.5)) != whole.digest


def test_a_fraction_first_leaves_a_whole_training_part_in_the_cache(own: Path) -> None:
    assert len(loading.load(movies_spec(train_fraction=0.25), 0).train.ids) == 7
    assert len(loading.load(TWO, 0).train.ids) == 28


def test_last_rows_of_a_source_that_declares_its_parts_are_refused(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = movies.parse
    declared = np.repeat(np.array([0, 1, 2], dtype=np.uint8), [28, 4, 8])
    monkeypatch.setattr(movies, "parse", lambda spec: dataclasses.replace(parse(spec), parts=declared))
    assert loading.load(TWO, 5).summary["rows"] == {"train": 28, "validation": 4, "test": 8}
    with pytest.raises(UserError, match=r"dataset\.validation: last_rows has no effect on dataset\.kind 'movies'"):
        loading.load(movies_spec(validation="last_rows"), 0)


# A table of one's own: what test_table.py does not see


def own_table(path: Path, rows: int = 40) -> TableSpec:
    lines = [f"word{i % 7} film,{i},{'|'.join(['a', 'b'][i % 2 :])}" for i in range(rows)]
    path.write_text("\n".join(["plot,price,tags", *lines]))
    labels = {"column": "tags", "separator": "|"}
    return TableSpec(kind="table", path=str(path), labels=labels, text=("plot",), numeric=("price",))


def test_a_table_is_loaded_with_its_numbers(own: Path, tmp_path: Path) -> None:
    spec = own_table(tmp_path / "own.csv")
    for data in (loading.load(spec, 0), loading.load(spec, 0)):  # the second from the cache
        assert data.numeric == ("price",)
        assert data.labels == ("b", "a")
        for part in (data.train, data.validation, data.test):
            rows = part.ids.astype(int) - 1
            assert part.numeric.dtype == np.float64
            assert part.numeric[:, 0].tolist() == rows.tolist()
            assert part.text["plot"].to_lists() == [[f"word{row % 7}", "film"] for row in rows]
            assert part.y.tolist() == [[1, 1 - row % 2] for row in rows]


def test_the_same_table_elsewhere_is_the_same_data(own: Path, tmp_path: Path) -> None:
    spec = own_table(tmp_path / "own.csv")
    (tmp_path / "elsewhere").mkdir()
    moved = own_table(tmp_path / "elsewhere" / "moved.csv")
    assert loading.digest(moved) == loading.digest(spec)
    assert loading.digest(own_table(tmp_path / "own.tsv")) != loading.digest(spec)
    assert loading.digest(own_table(tmp_path / "more.csv", 41)) != loading.digest(spec)
    assert loading.digest(spec.model_copy(update={"numeric": ()})) != loading.digest(spec)


def test_parts_without_numbers_have_no_numeric_columns(own: Path) -> None:
    data = loading.load(TWO, 0)
    assert data.numeric == ()
    assert data.train.numeric.shape == (len(data.train.y), 0)
    assert dataset.Part(data.test.ids, data.test.y, {}).numeric.shape == (len(data.test.y), 0)


def test_a_table_with_a_label_that_no_row_has_is_refused(own: Path, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("plot,a,b\n" + "x,1,0\n" * 20)
    spec = TableSpec(kind="table", path=str(tmp_path / "own.csv"), labels={"columns": ("a", "b")}, text=("plot",))
    with pytest.raises(UserError, match="no row has a 1 in 'b'; to leave such labels out"):
        loading.load(spec, 0)


# A user's mistakes


def test_a_label_that_no_row_has_is_named(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = movies.parse

    def without_comedy(spec: MoviesSpec) -> Table:
        table = parse(spec)
        return dataclasses.replace(table, y=table.y * np.array([1, 0], dtype=np.uint8))

    monkeypatch.setattr(movies, "parse", without_comedy)
    with pytest.raises(UserError, match="no row has the label 'Comedy'"):
        loading.load(TWO, 0)


def test_too_few_rows(own: Path) -> None:
    database(own, [film(i, "Drama, War") for i in range(9)])
    with pytest.raises(UserError, match="at least 10 groups of rows, but there are 9"):
        loading.load(TWO, 0)


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
