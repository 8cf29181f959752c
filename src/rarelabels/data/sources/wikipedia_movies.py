"""The films of ``wikipedia-movie-data``: genres as labels; cast, title, year and the article's extract as text fields.

Kept are the films with a cast, a genre and an extract: 33,704 of 36,273 at the pinned commit, with 41 genres. A film
without any of the declared genres stays, as a row without labels.

- ``actors``: one token per name of the cast.
- ``title``: the lower-cased words, ``\\w+``.
- ``year``: ``decade=1990`` and ``year=1994``.
- ``plot``: the lower-cased words of the extract, ``\\w+``; with ``mask_label_words`` without those of ``GENRE_WORDS``.

An extract gives the labels away: 88 % of a film's genres are named in it, and none after masking. The genres look as if
searched for in the extracts: nearly every "period" film is Historical, every "heist" film Action. And of the 1,630
films of War, 878 have no form of the word, but 750 of these have the three letters inside another word; in 602 that is
Edward or Howard. So War is a label with many false positives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy as sp

from rarelabels.data.sources import source
from rarelabels.data.tokens import Tokens
from rarelabels.data.unsplit import Table, multi_hot
from rarelabels.declare.data import WikipediaMoviesSpec
from rarelabels.errors import UserError

VERSION = 1
"""To be increased whenever the same files give another table."""

NAME = "wikipedia_movies"
_MEND = source.fetch_again(NAME)
STEMS = tuple(f"movies-{decade}s" for decade in range(1900, 2030, 10))

GENRE_WORDS = {
    "Action": "action, actions, actioner, actioners",
    "Adventure": "adventure, adventures, adventurous, swashbuckler, swashbucklers, swashbuckling",
    "Animated": "animated, animation, animations, cartoon, cartoons, anime, computer animated, "
    "computer animation, stop motion",
    "Biography": "biography, biographies, biographical, biographic, biographically, biopic, biopics, autobiography, "
    "autobiographical, autobiographic",
    "Comedy": "comedy, comedies, comedic, comedically, dramedy, tragicomedy, tragicomic, slapstick, screwball, farce, "
    "farces, farcical, romcom, rom com",
    "Crime": "crime, crimes",
    "Dance": "dance, dances, danced, dancing",
    "Disaster": "disaster, disasters, disastrous",
    "Documentary": "documentary, documentaries, mockumentary, docudrama, docufiction, semidocumentary",
    "Drama": "drama, dramas, dramatic, dramatically, dramatised, dramatized, dramatises, dramatizes, "
    "dramatising, dramatizing, dramatisation, dramatization, dramedy, melodrama, melodramas, melodramatic, "
    "docudrama, psychodrama, psychological drama, psychological dramas",
    "Erotic": "erotic, erotica, eroticism, erotically, sexploitation, sex comedy, sex comedies, sex film, sex films, "
    "adult film, adult films, adult animated, pornographic film, pornographic films",
    "Family": "family, families, children s film, children s films",
    "Fantasy": "fantasy, fantasies, fantastical, high fantasy, science fantasy",
    "Found Footage": "found footage",
    "Historical": "historical, historically, history, historic, period",
    "Horror": "horror, horrors, psychological horror",
    "Independent": "independent, independently, indie",
    "Legal": "legal, legally",
    "Live Action": "live action",
    "Martial Arts": "martial arts, martial art, martial artist, martial artists",
    "Musical": "musical, musicals, musically, musical number, musical numbers, jukebox musical",
    "Mystery": "mystery, mysteries, mysterious, mysteriously, whodunit, whodunnit",
    "Noir": "noir, noirs, noirish, neo noir, neo noirs",
    "Performance": "performance, performances, concert film, concert films, concert documentary",
    "Political": "political, politically, politics",
    "Romance": "romance, romances, romantic, romantically, romcom, rom com",
    "Satire": "satire, satires, satirical, satirically, satiric, satirise, satirises, satirised, satirising, satirize, "
    "satirizes, satirized, satirizing, parody, parodies, parodying, spoof, spoofs, spoofing, mockumentary",
    "Science Fiction": "science fiction, sci fi, scifi, space opera",
    "Short": "short, shorts, short subject, short subjects",
    "Silent": "silent, silents",
    "Slasher": "slasher, slashers",
    "Sport": "sport, sporting",
    "Sports": "sports",
    "Spy": "spy, spies, spying, spy fi",
    "Superhero": "superhero, superheroes, superheroine, superheroines, super hero, super heroes",
    "Supernatural": "supernatural, supernaturally",
    "Suspense": "suspense, suspenseful",
    "Teen": "teen, teens, teenage, teenaged, teenager, teenagers",
    "Thriller": "thriller, thrillers, thrilling, psychological thriller, psychological thrillers",
    "War": "war, wars, wartime, warfare, antiwar, prewar, postwar, anti war, pre war, post war, world war i, "
    "world war ii, world war one, world war two, wwi, wwii, ww2",
    "Western": "western, westerns, spaghetti western, spaghetti westerns, revisionist western",
}

"""Genre -> the words that name it: the forms of its own word, and other words for that kind of film.

Words for what a film is about are not masked, however telling they are: a cowboy, a heist, a zombie, a concert, Marvel
Comics. Nor are people and deeds (comedian, criminal, performed). Where a single word does not name the genre, the
phrase is listed (live action, sex comedy). A fixed expression is listed as a whole, so that no rest of it is left
(computer animated, neo noir, world war ii).
"""

_WORD = re.compile(r"\w+")

Film = dict[str, Any]


def content(_spec: WikipediaMoviesSpec) -> str:
    """Return the SHA-256 of the source's plain content, as hexadecimal text; gzipped or not makes no difference.

    Raises:
        MissingDataError: a file is missing.
        UserError: a file cannot be read.
    """
    return source.digest(NAME, _files())


def parse(spec: WikipediaMoviesSpec) -> Table:
    """Read the films: decade after decade, in the order of each decade's file.

    A row's id is the file's stem and the film's position in it from 0: ``movies-1990s:17``. The labels are the
    ``spec.labels`` most frequent genres, by falling frequency and ties by name; the strata are all genres. Films with
    the same article (a serial's parts, an entry given twice) or the same extract (two links to one article, a list of
    shorts) form a group: 174 groups of two or more, 396 rows, at the pinned commit.

    Raises:
        MissingDataError: a file is missing.
        UserError: a file cannot be read, is not JSON or not a list of films, or there are fewer genres than
            ``spec.labels``.
    """
    ids, films = _kept()
    genres = [film["genres"] for film in films]
    ordered, strata = multi_hot(genres)
    if len(ordered) < spec.labels:
        raise UserError(
            f"{source.folder(NAME)}: dataset.labels: asks for {spec.labels} genres, but there are {len(ordered)}"
        )
    plots = [_words(film["extract"]) for film in films]
    return Table(
        ids=np.array(ids, dtype=np.str_),
        labels=tuple(ordered[: spec.labels]),
        y=strata[:, : spec.labels],
        strata=strata,
        groups=_groups([film.get("href") for film in films], plots),
        text={
            "actors": Tokens.from_lists([film["cast"] for film in films]),
            "title": Tokens.from_lists([_words(film["title"]) for film in films]),
            "year": Tokens.from_lists(
                [[f"decade={film['year'] // 10 * 10}", f"year={film['year']}"] for film in films]
            ),
            "plot": Tokens.from_lists(_masked(plots, ordered) if spec.mask_label_words else plots),
        },
    )


def _files() -> list[Path]:
    """Return the files of all decades."""
    return source.files(NAME, [f"{stem}.json" for stem in STEMS])


def _kept() -> tuple[list[str], list[Film]]:
    """Return ids and films of the rows."""
    ids, films = [], []
    for path, stem in zip(_files(), STEMS, strict=True):
        for index, film in enumerate(_films(path)):
            if film["cast"] and film["genres"] and film.get("extract"):
                ids.append(f"{stem}:{index}")
                films.append(film)
    return ids, films


def _films(path: Path) -> list[Film]:
    """Return all films of one file, checked."""
    try:
        films = json.loads(source.read(NAME, path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}; {_MEND}") from error
    if not isinstance(films, list):
        raise UserError(f"{path}: must hold a list of films, but holds {_shown(films)}; {_MEND}")
    for index, film in enumerate(films):
        if not isinstance(film, dict):
            raise UserError(f"{path}: film {index} (from 0): must be an object, but is {_shown(film)}; {_MEND}")
        for key, (allowed, holds) in FIELDS.items():
            if not holds(film.get(key)):
                given = f"is {_shown(film[key])}" if key in film else "is missing"
                raise UserError(f"{path}: film {index} (from 0): {key!r} must be {allowed}, but {given}; {_MEND}")
    return films


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value)


FIELDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "title": ("text", lambda value: isinstance(value, str)),
    "year": ("a whole number", lambda value: type(value) is int),  # JSON's true is an int to isinstance
    "cast": ("a list of names", _is_names),
    "genres": ("a list of names", _is_names),
    "extract": ("text or left out", lambda value: value is None or isinstance(value, str)),
    "href": ("text or left out", lambda value: value is None or isinstance(value, str)),
}


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _masked(plots: list[list[str]], genres: Iterable[str]) -> list[list[str]]:
    """Return the plots without the words that name a genre; a genre missing in GENRE_WORDS is masked by its name."""
    names = {name for forms in GENRE_WORDS.values() for name in forms.split(", ")}
    names |= {" ".join(_words(genre)) for genre in genres if genre not in GENRE_WORDS}
    # The longest first: "musical number" is not to match inside "musical numbers" or to leave its end.
    phrases = sorted((name for name in names if " " in name), key=len, reverse=True)
    pattern = re.compile(rf"\b(?:{'|'.join(phrases)})\b")

    def masked(words: list[str]) -> list[str]:
        return [word for word in pattern.sub(" ", " ".join(words)).split() if word not in names]

    # Twice, because a masked word may have stood inside a phrase: of "adult western film" first "adult film" is left.
    return [masked(masked(words)) for words in plots]


def _groups(articles: list[str | None], plots: list[list[str]]) -> npt.NDArray[np.int64]:
    """Return the group of each row, (n,): the same for rows that an article or an extract's words link, in a chain."""
    rows = np.arange(len(plots))
    article = pd.factorize(np.array([name or f"row {row}" for row, name in enumerate(articles)], dtype=object))[0]
    text = pd.factorize(np.array([" ".join(words) for words in plots], dtype=object))[0]
    # A graph whose first nodes are the rows and whose others are the articles, then the texts.
    ends = np.concatenate([len(rows) + article, 2 * len(rows) + text])
    links = sp.sparse.coo_array((np.ones(len(ends)), (np.tile(rows, 2), ends)), shape=(3 * len(rows), 3 * len(rows)))
    return sp.sparse.csgraph.connected_components(links, directed=False)[1][: len(rows)].astype(np.int64)
