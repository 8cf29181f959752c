"""Download a data set from its own source, at a pinned version, and believe nothing but its checksum."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from rarelabels.datasets import cache, wikipedia_movies
from rarelabels.schema import UserError

COMMIT = "91ae721d3672e8ef4f15b213c763a634250ef61a"
BASE_URL = f"https://raw.githubusercontent.com/prust/wikipedia-movie-data/{COMMIT}"
CHECKSUMS = {
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
}
"""Name of a file at the source -> SHA-256 of its content."""

LICENCE = "wikipedia-movie-data is under the MIT licence; the extracts are text of Wikipedia, CC BY-SA"

TIMEOUT_SECONDS = 30  # without a byte, not for a whole file


def fetch_wikipedia_movies(
    folder: Path,
    say: Callable[[str], None],
    *,
    base_url: str = BASE_URL,
    checksums: Mapping[str, str] = CHECKSUMS,
) -> None:
    """Download the films of ``wikipedia-movie-data`` that are not there yet.

    A file whose content is already there and right, plain or gzipped, is left alone; a wrong one is replaced. Each file
    appears complete and checked or not at all, so a call that was broken off goes on where it stopped.

    Args:
        folder: where the files themselves go, :func:`rarelabels.datasets.wikipedia_movies.source`; created if needed.
        say: told one line at a time: the licence, then what happens to each file.
        base_url: what the names of the files are appended to.
        checksums: the files, and the SHA-256 of each as hexadecimal text.

    Raises:
        UserError: a file cannot be downloaded or is not the pinned one, or the folder cannot be written.
    """
    say(LICENCE)
    missing = [name for name, checksum in checksums.items() if not _is_there(folder / name, checksum)]
    for name in missing:
        say(f"{folder / name}: downloading")
        url = f"{base_url}/{name}"
        content = _download(url, folder)
        _check(url, content, checksums[name])
        _write(folder / name, content)
    say(f"{folder}: complete, {len(missing)} of {len(checksums)} files downloaded")


def _is_there(path: Path, checksum: str) -> bool:
    try:
        found = wikipedia_movies.find(path.parent, path.stem) if path.suffix == ".json" else path
        return found is not None and _sha256(wikipedia_movies.read(found)) == checksum
    except UserError:
        return False  # what cannot be read is replaced, or that fails with its own message


def _download(url: str, folder: Path) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read()
        return content
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise UserError(
            f"{url}: cannot be downloaded: {str(reason) or type(error).__name__}; try again where there is internet, "
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
        cache.write_whole(path, content)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written: {error.strerror or error}; "
            f"set {wikipedia_movies.VARIABLE} to a folder that can be"
        ) from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
