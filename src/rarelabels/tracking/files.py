"""The files of runs: on this machine, on a server of MLflow's, or wherever else MLflow finds them."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlparse

from rarelabels.tracking.client import Client, place_of, reader, repository
from rarelabels.tracking.moved import path_of
from rarelabels.tracking.server import Server

OF_THE_SERVER = "mlflow-artifacts"  # scheme of what a server of MLflow's keeps itself


def file_names(client: Client, run_id: str) -> set[str]:
    """Return the names of the files and folders of a run, without those in its folders."""
    place = place_of(str(client.tracking_uri), run_id)
    if folder := path_of(place):
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if server := _server(client, place):
        return set(server.list_files(_path(place)))
    return {found.path for found in repository(place, str(client.tracking_uri)).list_artifacts()}


def file(client: Client, run_id: str, path: str) -> Path:
    """Return where a file or folder of a run is: in the record, if that is on this machine, else a download.

    MLflow copies even what is on this machine, and leaves its copies; downloads are deleted when the process ends.

    Raises:
        FileNotFoundError: the run has no such file.
    """
    place = place_of(str(client.tracking_uri), run_id)
    if folder := path_of(place):
        found = folder / path
        if not found.exists():
            raise FileNotFoundError(f"{found}: there is no such file")
        return found
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
    """Return the server that the files are on, if this process can ask it."""
    parsed, asked = urlparse(place), reader(str(client.tracking_uri))
    own = parsed.scheme == OF_THE_SERVER and not parsed.netloc
    return asked if own and isinstance(asked, Server) else None


def _path(place: str) -> str:
    return urlparse(place).path.strip("/")
