"""Download a data set from its own source, at a pinned version. A file counts only if its checksum is right."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rarelabels import whole_files
from rarelabels.data.sources import source
from rarelabels.errors import UserError, first_line

GITHUB = "https://raw.githubusercontent.com"
TIMEOUT_SECONDS = 30  # without a byte, not for a whole file


@dataclass(frozen=True)
class Source:
    """Where the files of a data set come from.

    Attributes:
        licence: printed before anything is downloaded, in one line.
        url: a folder at a pinned commit, without a slash at its end.
        checksums: path of a file, below ``url`` and below the data set's own folder -> SHA-256 of its content.
    """

    licence: str
    url: str
    checksums: Mapping[str, str]


SOURCES = {
    "wikipedia_movies": Source(
        "wikipedia-movie-data is under the MIT licence; the extracts are text of Wikipedia, CC BY-SA",
        f"{GITHUB}/prust/wikipedia-movie-data/91ae721d3672e8ef4f15b213c763a634250ef61a",
        {
            "LICENSE": "98d911614d48889de6d54b666ac95e4ce41ef8ad7264393991b8891c15fe94ed",
            "movies-1900s.json": "5a42dfc3ff83ab30e3982f93f1164114b41e99e73c632c2321a87772959793e5",
            "movies-1910s.json": "4672fe20aeddfe1c52464efc804ee3091f9e4b5fd385401ff0ce48cf8d367573",
            "movies-1920s.json": "cb892518d2ffda4f2f11a0bd56f28b102fd0d47e5ae1ba2b2e4cb4e964f8127a",
            "movies-1930s.json": "b2ffc5608cbeff231408433ad43f873d422b914bebdf408ebe18427c09a9dcb2",
            "movies-1940s.json": "b4d96fc8b7c36f406e489b6fc017de03dd6a10f4c89a84d2a2a46af74e8b49a3",
            "movies-1950s.json": "8f566bfec734e93f19f688598e82239556401bde63c226510d71190b30855298",
            "movies-1960s.json": "a2450179f0744c07960a7840b9a86b5e0d733f7c0136a4ebcb804a63de9dc0a1",
            "movies-1970s.json": "f9abef01840fc70afd148906c7985fa5548ab1f473520dfa6623a3a397bc4ce3",
            "movies-1980s.json": "21d0f3c203f77169bb6508225aad4740816a3d7efd9e3bac82e3b812d0569672",
            "movies-1990s.json": "facf24e3297937022285d064cc069e8bbe02581c3248a87f0b377c045b4fb61d",
            "movies-2000s.json": "66140e41fe6c79cbb325b6566f156e27fe032a42175f224dfff1b71aa9630207",
            "movies-2010s.json": "e218edfdd8453cdd938fcb8b07b6b177474b3b18361e3422fdd6480d7e3bf9f9",
            "movies-2020s.json": "505f0f56ecdca7a2643fb3a811399b885f837e2cbfa9ee95a24b9018073e3eb3",
        },
    ),
    "xed": Source(
        "XED is under CC BY 4.0: name its authors, Öhman, Pàmies, Kajava and Tiedemann (COLING 2020)",
        f"{GITHUB}/Helsinki-NLP/XED/76666d251f147cf518071bef4f8415dab6b96115/AnnotatedData",
        {"en-annotated.tsv": "26ac0254fbdb8b09cf2b00d44041d9084ece31bd200ae7c0e0662fbd8b037d98"},
    ),
    "mulan": Source(
        "mulan: no licence is stated for these data, so do not pass them on; the papers to cite are named on the "
        "pages of github.com/tsoumakas/mulan, data/multi-label",
        f"{GITHUB}/tsoumakas/mulan/43f6389095ad71984264db4387a8074b22bc7d4a/data/multi-label",
        {
            "emotions/emotions.arff": "6f2f790047073d1293ac0872c0d55f2dc98b6177802fc96c6b66b309dfee1e4b",
            "emotions/emotions.xml": "dbce8e6ccbbb2fcbfd9e9edbb230d7ed12692c6e13f59fdbc0161fa9b6cf2dc0",
            "medical/medical.arff": "ad0630a9a409ed0023c3bb56a0be7610b635c1ca185c6035e3b198b01167aac4",
            "medical/medical.xml": "51fa9d5c09e48caff3f0a0c75db1c9aa85944f8e35451f3ad8bd56fc422286ce",
            "corel5k/Corel5k-sparse.arff": "12c06161d2367f919f6da912089a6c9180c115cfcefa37afacfdeb903930eb7e",
            "corel5k/Corel5k.xml": "54ef6a6ccb7ca9b77524052b34b306d5d501661a5609b9d1cc7085b2b597679d",
            "delicious/delicious.arff": "b944de0bca910050c11d97eed57d17b073110ea3646a587f3d15d127cf581aab",
            "delicious/delicious.xml": "4e0c0f93c7d86a39b9fca4aaefaa00e9428f2c80277732dfbf03ca48e2c14da2",
        },
    ),
}
"""What can be fetched: a data set's name -> where it comes from."""


def fetch(name: str, say: Callable[[str], None], sources: Mapping[str, Source] = SOURCES) -> None:
    """Download the files of a data set that are not there yet, into the folder :func:`source.folder` names.

    A file whose content is already there and right, plain or gzipped, is left alone; a wrong one is replaced. Each file
    appears complete and checked or not at all. So after a call that was broken off, the next one goes on from there.

    Args:
        name: one of ``sources``.
        say: called with one line at a time: the licence, then what happens to each file.
        sources: what can be fetched.

    Raises:
        UserError: the data set is not among the sources, a file cannot be downloaded or is not the pinned one, or the
            folder cannot be written.
    """
    if name not in sources:
        raise UserError(f"fetch: {name!r} is not among the data sets to fetch; allowed: {', '.join(sources)}")
    pinned, folder = sources[name], source.folder(name)
    say(pinned.licence)
    missing = [path for path, checksum in pinned.checksums.items() if not _is_there(name, folder / path, checksum)]
    for path in missing:
        say(f"{folder / path}: downloading")
        url = f"{pinned.url}/{path}"
        content = _download(url, folder)
        _check(url, content, pinned.checksums[path])
        _write(folder / path, content)
    say(f"{folder}: complete, {len(missing)} of {len(pinned.checksums)} files downloaded")


def _is_there(name: str, path: Path, checksum: str) -> bool:
    try:
        found = source.find(path)
        return found is not None and _sha256(source.read(name, found)) == checksum
    except UserError:
        return False  # a file that cannot be read is replaced; if that fails, the user is told why


def _download(url: str, folder: Path) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read()
        return content
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise UserError(
            f"{url}: cannot be downloaded: {first_line(reason)}; try again where there is internet, "
            f"or copy the files of a machine that has them to {folder}"
        ) from error


def _check(url: str, content: bytes, checksum: str) -> None:
    if (given := _sha256(content)) != checksum:
        raise UserError(
            f"{url}: is not the pinned file and was not kept: its SHA-256 must be {checksum}, but is {given} "
            f"({len(content):,} bytes); try again, and look for a proxy that answers in the source's place"
        )


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write(path, content)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written: {error.strerror or error}; set {source.VARIABLE} to a folder that can be "
            "written"
        ) from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
