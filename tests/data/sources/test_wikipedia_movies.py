from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.data.sources import wikipedia_movies
from rarelabels.data.sources.wikipedia_movies import GENRE_WORDS, STEMS
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import WikipediaMoviesSpec
from rarelabels.errors import MissingDataError, UserError

SPEC = WikipediaMoviesSpec(kind="wikipedia_movies", labels=2)
UNMASKED = WikipediaMoviesSpec(kind="wikipedia_movies", labels=2, mask_label_words=False)
MEND = "run `rarelabels fetch wikipedia_movies`"


def film(title: str, genres: list[str], **values: Any) -> dict[str, Any]:
    extract = f"{title} is a film."
    return {"title": title, "year": 1994, "cast": ["Ann Lee"], "genres": genres, "extract": extract} | values


DECADES: dict[str, list[dict[str, Any]]] = {
    "movies-1900s": [
        film("No Cast", ["Drama"], cast=[]),
        film(
            "L'Été: 8½", ["War", "Drama"], year=1909, cast=["Ann Lee", "Bo Ek, Jr."], extract="A WAR-time drama, 1909."
        ),
        film("No Genre", []),
        film("No Extract", ["Drama"], extract=None),
    ],
    "movies-1990s": [
        film("Heist", ["Drama", "Crime"], href="Heist", extract="Heist is a 1994 crime film."),
        film("Empty Extract", ["Drama"], extract=""),
        film("Heist 2", ["Western"], href="Heist", extract="It was edited since."),
    ],
    "movies-2020s": [film("Again", ["War"], year=2020, cast=["Ann Lee"], extract="Heist is a 1994 CRIME film!")],
}


def write(folder: Path, decades: dict[str, Any], gzipped: Iterable[str] = ()) -> None:
    """Write a source in which decades that are not given have no films."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem in STEMS:
        content = json.dumps(decades.get(stem, [])).encode()
        if stem in gzipped:
            (folder / f"{stem}.json.gz").write_bytes(gzip.compress(content))
        else:
            (folder / f"{stem}.json").write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    write(tmp_path / "wikipedia_movies", DECADES, gzipped=["movies-1900s", "movies-1950s"])
    return tmp_path / "wikipedia_movies"


def words(table: Table, field: str) -> list[list[str]]:
    return table.text[field].to_lists()


def masked(text: str, genres: list[str] | None = None) -> str:
    return " ".join(wikipedia_movies._masked([wikipedia_movies._words(text)], genres or [])[0])


# The table


def test_the_table_worked_by_hand(folder: Path) -> None:
    table = wikipedia_movies.parse(SPEC)
    assert table.ids.tolist() == ["movies-1900s:1", "movies-1990s:0", "movies-1990s:2", "movies-2020s:0"]
    # Drama 2, War 2, Crime 1, Western 1: ties by name.
    assert table.labels == ("Drama", "War")
    assert table.y.tolist() == [[1, 1], [1, 0], [0, 0], [0, 1]]
    assert table.strata.tolist() == [[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]]
    assert table.y.dtype == table.strata.dtype == np.uint8
    assert words(table, "actors") == [["Ann Lee", "Bo Ek, Jr."], ["Ann Lee"], ["Ann Lee"], ["Ann Lee"]]
    assert words(table, "title") == [["l", "été", "8½"], ["heist"], ["heist", "2"], ["again"]]
    assert words(table, "year")[0] == ["decade=1900", "year=1909"]
    assert words(table, "year")[3] == ["decade=2020", "year=2020"]
    assert words(table, "plot") == [
        ["a", "time", "1909"],
        ["heist", "is", "a", "1994", "film"],
        ["it", "was", "edited", "since"],
        ["heist", "is", "a", "1994", "film"],
    ]


def test_films_linked_by_article_or_extract_are_one_group(folder: Path) -> None:
    groups = wikipedia_movies.parse(SPEC).groups
    assert groups is not None
    assert groups.dtype == np.int64
    assert groups[1] == groups[2] == groups[3] != groups[0]  # 1 and 2 by article, 1 and 3 by the words of the extract


def test_without_masking_the_plot_is_the_extract(folder: Path) -> None:
    plot = words(wikipedia_movies.parse(UNMASKED), "plot")
    assert plot[0] == ["a", "war", "time", "drama", "1909"]
    assert plot[1] == ["heist", "is", "a", "1994", "crime", "film"]


def test_gzipped_and_plain_give_the_same(folder: Path) -> None:
    before, content = wikipedia_movies.parse(SPEC), wikipedia_movies.content(SPEC)
    for path in folder.iterdir():
        path.unlink()
    write(folder, DECADES, gzipped=STEMS)
    assert wikipedia_movies.content(SPEC) == content
    assert wikipedia_movies.parse(SPEC).ids.tolist() == before.ids.tolist()
    write(folder, DECADES | {"movies-1990s": [film("Other", ["Drama", "War"])]})
    assert wikipedia_movies.parse(SPEC).ids.tolist() == ["movies-1900s:1", "movies-1990s:0", "movies-2020s:0"]  # plain
    assert wikipedia_movies.content(SPEC) != content


def test_content_says_which_film_is_in_which_file(folder: Path) -> None:
    content = wikipedia_movies.content(SPEC)
    write(folder, DECADES | {"movies-1980s": DECADES["movies-1990s"], "movies-1990s": []})
    assert wikipedia_movies.content(SPEC) != content


def test_the_same_film_list_gives_the_same_table_twice(folder: Path) -> None:
    one, two = (wikipedia_movies.parse(SPEC).to_arrays() for _ in range(2))
    assert one.keys() == two.keys()
    assert all((one[name] == two[name]).all() for name in one)


# Missing files


@pytest.mark.parametrize("read", [wikipedia_movies.content, wikipedia_movies.parse])
def test_missing_data(read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    with pytest.raises(MissingDataError) as error:
        read(SPEC)
    assert str(error.value) == (
        f"{tmp_path}/wikipedia_movies: movies-1900s.json (or .json.gz) and 12 more is missing; {MEND}, or set "
        "RARELABELS_DATA to the folder that holds wikipedia_movies/"
    )


def test_one_missing_file(folder: Path) -> None:
    (folder / "movies-1980s.json").unlink()
    with pytest.raises(MissingDataError, match=r"movies-1980s\.json \(or \.json\.gz\) is missing; run"):
        wikipedia_movies.parse(SPEC)


# Files that are not what their name says


def refused(folder: Path, content: bytes, name: str = "movies-1980s.json") -> str:
    (folder / "movies-1980s.json").unlink(missing_ok=True)
    (folder / name).write_bytes(content)
    with pytest.raises(UserError) as error:
        wikipedia_movies.parse(SPEC)
    message = str(error.value)
    assert not isinstance(error.value, MissingDataError)
    assert "\n" not in message
    assert message.startswith(f"{folder / name}: ")
    assert message.endswith(MEND)
    return message


PACKED = gzip.compress(b"[]" * 99, mtime=0)  # parameters name the tests, and two processes must name them alike


@pytest.mark.parametrize("content", [b"[]", PACKED[:-9], PACKED[:12] + b"\xff" * 20])
def test_damaged_gzip(folder: Path, content: bytes) -> None:
    assert "not an intact gzip file" in refused(folder, content, "movies-1980s.json.gz")


@pytest.mark.parametrize("content", [b"", b"[{]", b'["\xff"]', b"[" * 100_000])
def test_not_json(folder: Path, content: bytes) -> None:
    assert "not JSON" in refused(folder, content)


def test_not_a_list_of_films(folder: Path) -> None:
    assert 'must hold a list of films, but holds {"films": []}' in refused(folder, b'{"films": []}')
    assert "film 1 (from 0): must be an object, but is 3" in refused(folder, json.dumps([film("A", []), 3]).encode())


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("title", 3, "'title' must be text, but is 3"),
        ("year", "1994", "'year' must be a whole number, but is \"1994\""),
        ("year", True, "'year' must be a whole number, but is true"),
        ("cast", "Ann Lee", "'cast' must be a list of names, but is \"Ann Lee\""),
        ("cast", ["Ann Lee", None], "'cast' must be a list of names, but is [\"Ann Lee\", null]"),
        ("genres", [7], "'genres' must be a list of names, but is [7]"),
        ("genres", [" "], "'genres' must be a list of names, but is [\" \"]"),
        ("genres", None, "'genres' must be a list of names, but is null"),
        ("extract", ["a"], "'extract' must be text or left out, but is [\"a\"]"),
        ("href", 1, "'href' must be text or left out, but is 1"),
    ],
)
def test_a_film_of_another_shape(folder: Path, key: str, value: Any, expected: str) -> None:
    films = [film("A", ["Drama"]), film("B", ["Drama"]) | {key: value}]
    assert f"film 1 (from 0): {expected}; " in refused(folder, json.dumps(films).encode())


def test_a_film_that_lacks_something(folder: Path) -> None:
    lacking = {key: value for key, value in film("A", ["Drama"]).items() if key != "genres"}
    assert "film 0 (from 0): 'genres' must be a list of names, but is missing" in refused(
        folder, json.dumps([lacking]).encode()
    )


def test_a_long_value_is_shown_in_short(folder: Path) -> None:
    assert len(refused(folder, json.dumps("x" * 10_000).encode())) < 400


def test_more_labels_than_genres(folder: Path) -> None:
    with pytest.raises(UserError, match=r"wikipedia_movies: dataset\.labels: asks for 5 genres, but there are 4"):
        wikipedia_movies.parse(WikipediaMoviesSpec(kind="wikipedia_movies", labels=5))


# Masking


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A comedy-drama about a shop.", "a about a shop"),
        ("Two comedies, comedic and dramatic dramas: a melodrama", "two and a"),
        ("an American Western; the westerns", "an american the"),
        ("a romantic musical, and musicals of romance", "a and of"),
        ("documentary, documentaries, a mockumentary", "a"),
        ("a sci-fi film, or science-fiction, Science Fiction, scifi", "a film or"),
        ("a neo-noir, a film noir", "a a film"),
        ("a World War II film of wartime, post-war", "a film of"),
        ("a biopic with computer-animated and live-action parts", "a with and parts"),
        ("found-footage horror with martial arts", "with"),
        ("a sex comedy; adult western films", "a"),
    ],
)
def test_words_that_name_a_genre_go(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a live band plays while science and fact are found in the footage",
        "edward warner moves toward the award",
        "a cowboy at the ranch plans a heist on mars with a zombie",
        "the comedian performed for criminals and a dancer",
        "they have sex in the arts faculty of the computer company",
    ],
)
def test_what_a_film_is_about_stays(text: str) -> None:
    assert masked(text) == text


def test_all_genres_are_masked_not_only_the_labels() -> None:
    text = "superhero slasher spy teen legal sport"
    assert masked(text) == ""


def test_a_genre_without_a_list_of_words_is_masked_by_its_name() -> None:
    assert masked("a Road Movie on a road", ["Road Movie"]) == "a on a road"
    assert masked("a Road Movie on a road", ["Drama"]) == "a road movie on a road"


@pytest.mark.parametrize("genre", GENRE_WORDS)
def test_every_genre_is_masked_by_its_own_name(genre: str) -> None:
    assert genre.lower() in GENRE_WORDS[genre].split(", ") or genre in ("Sport", "Sports")
    assert masked(f"X is a {genre} film") == "x is a film"


def test_the_words_are_written_as_tokens() -> None:
    for forms in GENRE_WORDS.values():
        names = forms.split(", ")
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", name) for name in names), names


# The real films


@pytest.fixture(scope="module")
def real() -> Table:
    try:
        return wikipedia_movies.parse(WikipediaMoviesSpec(kind="wikipedia_movies", labels=41))
    except MissingDataError as error:
        pytest.skip(f"the real films are not on this machine: {error}")


def share_named(table: Table, plots: list[list[str]]) -> float:
    """Of all pairs of a film and its genre: the share whose genre is named in the film's words."""
    named = {genre: re.compile(rf"\b(?:{'|'.join(forms.split(', '))})\b") for genre, forms in GENRE_WORDS.items()}
    texts = [" ".join(plot) for plot in plots]
    hits = [named[table.labels[column]].search(texts[row]) is not None for row, column in np.argwhere(table.y)]
    return float(np.mean(hits))


def test_the_real_films(real: Table) -> None:
    assert real.y.shape == real.strata.shape == (33_704, 41)
    assert set(real.labels) == set(GENRE_WORDS)
    assert real.labels[:3] == ("Drama", "Comedy", "Silent")
    assert real.y.mean() == pytest.approx(0.0447, abs=5e-5)
    assert len(set(real.ids.tolist())) == 33_704
    assert min(tokens.lengths.min() for tokens in real.text.values()) > 0
    _, sizes = np.unique(real.groups, return_counts=True)
    assert (len(sizes), (sizes > 1).sum(), sizes[sizes > 1].sum(), sizes.max()) == (33_482, 174, 396, 48)


def test_the_real_extracts_name_their_genres_and_the_masked_ones_do_not(real: Table) -> None:
    extracts = wikipedia_movies.parse(UNMASKED)
    assert share_named(real, words(extracts, "plot")) == pytest.approx(0.876, abs=5e-4)
    assert share_named(real, words(real, "plot")) == 0
    assert real.text["plot"].lengths.sum() > 0.95 * extracts.text["plot"].lengths.sum()
