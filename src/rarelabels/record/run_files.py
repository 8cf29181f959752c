"""The files of runs: on this machine, on an MLflow server, or in another store that MLflow can reach."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlparse

from rarelabels.errors import UserError
from rarelabels.record.client import Client, place_of, reader, repository
from rarelabels.record.digests import fault, recorded
from rarelabels.record.entities import Run
from rarelabels.record.moved import path_of
from rarelabels.record.server import Server

OF_THE_SERVER = "mlflow-artifacts"  # scheme of the addresses of files that an MLflow server keeps itself
LOOKS, PAUSE_SECONDS = 4, 0.25  # look several times: another process may have written files but not yet their tags
T = TypeVar("T")


class DamagedError(UserError):
    """A file of a run is missing, or is not what was recorded. The message names the file and a remedy."""


def file_names(client: Client, run_id: str) -> set[str]:
    """Return the names of a run's files and folders at the top level, including those that are lost."""
    lost = {path.partition("/")[0] for path in _said(str(client.tracking_uri), run_id)}
    return names_there(client, run_id) | lost


def names_there(client: Client, run_id: str) -> set[str]:
    """Return the names of a run's files and folders at the top level that really exist."""
    place = place_of(str(client.tracking_uri), run_id)
    if folder := path_of(place):
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if server := _server(client, place):
        return set(server.list_files(_path(place)))
    return {found.path for found in repository(place, str(client.tracking_uri)).list_artifacts()}


def file(client: Client, run_id: str, path: str, tags: Mapping[str, str] | None = None) -> Path:
    """Return the local path of a file of a run: in the record if that is on this machine, else of a download.

    Downloads are deleted when the process ends. MLflow itself would copy even local files, and leave its copies.

    Args:
        client: of the record.
        run_id: of the run.
        path: of the file in its run.
        tags: of the run, if the caller has read them. The file is first checked against these tags; only if it does not
            match are the tags read again.

    Raises:
        DamagedError: the run has no such file, or the file is not what was recorded.
    """
    where = str(client.tracking_uri)
    said, wrong = _said(where, run_id) if tags is None else recorded(tags), ""
    for look in range(LOOKS):
        try:
            found = fetched(client, run_id, path)
            wrong = "" if found.exists() else "is missing"
            wrong = wrong or (fault(found, said[path]) if path in said else "")
        except FileNotFoundError:
            wrong = "is missing"
        if not wrong:
            return found
        if look:
            time.sleep(PAUSE_SECONDS)
        said = _read_said(where, run_id)  # the file may have been written anew
    raise damaged(client, run_id, path, wrong)


def read(client: Client, run_id: str, path: str, how: Callable[[Path], T], tags: Mapping[str, str] | None = None) -> T:
    """Return the content of a file of a run, as the function ``how`` reads it; see :func:`file`.

    Raises:
        DamagedError: see :func:`file`; also if ``how`` cannot read the file.
    """
    place = file(client, run_id, path, tags)
    try:
        return how(place)
    except Exception:  # pandas, pyarrow, NumPy, zipfile and json each have their own errors
        time.sleep(PAUSE_SECONDS)
        place = file(client, run_id, path)  # the file may just have been written anew
    try:
        return how(place)
    except Exception as error:
        raise damaged(client, run_id, path, "cannot be read") from error


def fetch(client: Client, run_id: str, paths: Sequence[str], folder: Path, without: str = "") -> None:
    """Copy files and folders of a run into a folder, except the file ``without``.

    Raises:
        DamagedError: one of the files is missing, or is not what was recorded.
    """
    for path in paths:
        try:
            client.download_artifacts(run_id, path, str(folder))
        except OSError as error:
            if type(error) not in (OSError, FileNotFoundError):  # an error of a request, which is an OSError too
                raise
            raise damaged(client, run_id, path, "is missing") from error
    if without:
        (folder / without).unlink(missing_ok=True)
    said = _read_said(str(client.tracking_uri), run_id)
    there = (one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())
    for path in said or there:
        is_meant = path.partition("/")[0] in paths and path != without
        if is_meant and (wrong := fault(folder / path, said.get(path, ""))):
            raise damaged(client, run_id, path, wrong)


def damaged(client: Client, run_id: str, path: str, wrong: str) -> DamagedError:
    """Return an error that says what is wrong with a file of a run, and names a remedy."""
    tags = reader(str(client.tracking_uri)).tags(run_id)
    return DamagedError(f"{called(tags, run_id)}: {path} {wrong}; {_what_mends(tags)}")


def called(tags: Mapping[str, str], run_id: str) -> str:
    """Return a run's name for people: trial, variant, overrides, seed and run id."""
    seed = f"seed {tags['seed']}" if "seed" in tags else ""
    changed = f"({tags['overrides']})" if tags.get("overrides") else ""
    of = [tags.get("trial", tags.get("study", "")), tags.get("variant", ""), changed, seed, f"(run {run_id})"]
    return " ".join(filter(None, ["search of" if tags.get("kind") == "search" else "", *of]))


def _what_mends(tags: Mapping[str, str]) -> str:
    study, trial = tags.get("study", ""), tags.get("trial", tags.get("study", ""))
    if tags.get("kind") in ("trial", "study") and not tags.get("overrides"):
        return f"`rarelabels run {trial}` makes it anew"
    if study and tags.get("kind") in ("trial", "run", "search"):
        again = "with the same --set " if tags.get("overrides") else ""
        return f"`rarelabels check {study} --repair`, and then `rarelabels run {trial}` {again}makes it anew"
    return "it cannot be made anew"


@lru_cache(maxsize=4096)
def _said(where: str, run_id: str) -> Mapping[str, str]:
    """Return digest and size of a run's files, by path, from its tags. They are read only once."""
    return _read_said(where, run_id)


def _read_said(where: str, run_id: str) -> Mapping[str, str]:
    """Return digest and size of a run's files, by path, from its tags as they are now."""
    return recorded(reader(where).tags(run_id))


def local_folder(run: Run) -> Path | None:
    """Return the folder of a run's files, if it is on this machine."""
    return path_of(run.info.artifact_uri)


def fetched(client: Client, run_id: str, path: str) -> Path:
    """Return the local path of a file of a run, in the record or of a download.

    The digest is not checked, and a local file may be missing.

    Raises:
        FileNotFoundError: a server has no such file.
    """
    place = place_of(str(client.tracking_uri), run_id)
    if folder := path_of(place):
        return folder / path
    target = Path(_downloads().name, run_id)
    target.mkdir(exist_ok=True)
    if server := _server(client, place):
        above, _, name = f"{_path(place)}/{path}".rpartition("/")
        is_folder = server.list_files(above).get(name, False)
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        _download(server, f"{above}/{name}", target / path, is_folder)
        return target / path
    return Path(repository(place, str(client.tracking_uri)).download_artifacts(path, str(target)))


def _download(server: Server, place: str, target: Path, is_folder: bool) -> None:
    if not is_folder:
        server.download(place, target)
        return
    target.mkdir(exist_ok=True)
    for name, below in server.list_files(place).items():
        _download(server, f"{place}/{name}", target / name, below)


@lru_cache(maxsize=1)
def _downloads() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="rarelabels-")


def _server(client: Client, place: str) -> Server | None:
    """Return the server that keeps the files at ``place``; None if another store keeps them."""
    parsed, asked = urlparse(place), reader(str(client.tracking_uri))
    own = parsed.scheme == OF_THE_SERVER and not parsed.netloc
    return asked if own and isinstance(asked, Server) else None


def _path(place: str) -> str:
    return urlparse(place).path.strip("/")
