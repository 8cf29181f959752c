"""What is loaded: parts of every row once, kept and read again where something changed; folds, fractions, mistakes."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.data import dataset, loading, splits
from rarelabels.data.dataset import Dataset
from rarelabels.data.sources import movies
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import MoviesSpec
from rarelabels.declare.data_spec import HiddenPositives
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError
from small_films import database, film

FILMS = MoviesSpec(kind="movies", labels=17)
TWO = MoviesSpec(kind="movies", labels=2)


def whole(data: Dataset) -> np.ndarray:
    return np.concatenate([data.train.y, data.validation.y, data.test.y])


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


def test_repeated_test_parts_are_of_each_seed_and_refused_where_the_source_declares_its_parts(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = movies_spec(test="repeated")
    one, two = (loading.load(spec, seed) for seed in (0, 1))
    assert one.digest == two.digest != loading.digest(TWO)
    assert set(one.test.ids) != set(two.test.ids)
    assert set(one.test.ids) & set(two.train.ids)
    parse, declared = movies.parse, np.repeat(np.array([0, 1, 2], dtype=np.uint8), [28, 4, 8])
    monkeypatch.setattr(movies, "parse", lambda spec: dataclasses.replace(parse(spec), parts=declared))
    monkeypatch.setattr(movies, "VERSION", movies.VERSION + 1)
    with pytest.raises(UserError, match=r"dataset\.test: repeated has no effect on dataset\.kind 'movies'"):
        loading.load(spec, 0)


def test_positives_are_hidden_from_training_and_validation_alone_and_the_parts_stay(films: Dataset) -> None:
    some = loading.load(FILMS.model_copy(update={"hide": HiddenPositives(keep="one", taken_as="unknown")}), 0)
    assert some.digest != films.digest
    assert some.test.digest() == films.test.digest()
    assert some.test.known is None
    for name in ("train", "validation"):
        one, other = getattr(some, name), getattr(films, name)
        assert one.ids.tolist() == other.ids.tolist()
        assert one.y.sum(axis=1).max() == 1
        assert (one.known == (one.y == other.y)).all()
    assert "known" not in films.summary
    assert some.summary["known"]["train"]["Drama"] == pytest.approx(some.train.known[:, 0].mean())
    shares = some.train.y.sum(axis=0) / some.train.known.sum(axis=0)
    assert list(some.summary["prevalence"]["train"].values()) == pytest.approx(shares.tolist())
    assert some.summary["prevalence"]["test"] == films.summary["prevalence"]["test"]
    assert some.notes[0].startswith("Not all labels are known: ")
    negative = loading.load(FILMS.model_copy(update={"hide": HiddenPositives(keep="one", taken_as="negative")}), 0)
    assert (negative.train.y == some.train.y).all()
    assert negative.train.known is None
    assert negative.notes == ()


def test_rows_are_stratified_over_known_positives(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cells = rng.choice(["0", "1", "", "-1"], (400, 3), p=[0.5, 0.1, 0.3, 0.1])
    lines = ["plot,a,b,c", *(f"word{row[0]},{','.join(row)}" for row in cells.tolist())]
    path = tmp_path / "some.csv"
    path.write_text("\n".join(lines) + "\n")
    labels = {"columns": ("a", "b", "c"), "unknown": ("", -1)}
    spec = TableSpec.model_validate({"kind": "table", "path": str(path), "labels": labels, "text": ("plot",)})
    data = loading.load(spec, 3)
    again = loading.load(spec, 3)
    positives = (cells == "1").sum(axis=0)
    for part, share in ((data.train, 0.7), (data.validation, 0.1), (data.test, 0.2)):
        assert part.known is not None
        assert (np.abs(part.y.sum(axis=0) - share * positives) <= 1.5).all()
    known = sum(part.known.sum(axis=0) for part in (data.train, data.validation, data.test))
    assert known.tolist() == np.isin(cells, ["0", "1"]).sum(axis=0).tolist()
    assert (data.test.known == again.test.known).all()


def test_weights_stay_with_their_rows_and_are_told(own: Path, tmp_path: Path) -> None:
    lines = [f"word{i},{'a' if i % 2 else 'b'},{1 + i % 5}" for i in range(200)]
    (tmp_path / "a.csv").write_text("\n".join(["plot,tag,w", *lines]))
    values = {"kind": "table", "path": str(tmp_path / "a.csv"), "labels": {"column": "tag"}, "text": ["plot"]}
    plain = loading.load(TableSpec.model_validate(values), 0)
    data = loading.load(TableSpec.model_validate(values | {"weight": "w"}), 0)
    for name in ("train", "validation", "test"):
        part, before = getattr(data, name), getattr(plain, name)
        assert part.weights is not None
        assert part.weights.tolist() == [1 + (int(name) - 1) % 5 for name in part.ids]
        assert part.digest() == before.digest()
    assert plain.notes == ()
    (note,) = data.notes
    assert note.startswith("Training weighs rows by the column 'w', scaled to a mean of 1: from 0.3")
    assert f"of {len(data.train.y)} rows. Thresholds, metrics and intervals count every row as one." in note
