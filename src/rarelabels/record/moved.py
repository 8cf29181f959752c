"""A local record that was copied or moved. Its addresses of files are absolute, and name the folder it was made in.

A reader translates an address to the present folder and changes nothing. MLflow writes files to the addresses in the
database. So these are mended before MLflow writes to the record (``mending``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

ROOT = "rarelabels/"  # the name of a study's experiment is this and the study's name
MADE = "select name, artifact_location from experiments"  # the argument of :func:`made_in`
FILES = "artifacts"  # the folder of all files, beside the database


def files_of(folder: Path, study: str) -> Path:
    """Return the folder with the files of a study's runs, for a record in ``folder``."""
    return folder.joinpath(FILES, *study.split("/"))


def made_in(here: Sequence[Path], experiments: Iterable[Sequence[str | None]]) -> list[Path]:
    """Return the folders where the record was before, according to the addresses of this package's experiments.

    Args:
        here: the folder of the record, and the folder of its database file if that is a link; both without symbolic
            links.
        experiments: name and address of each experiment. The address of an experiment of this package ends as in
            :func:`files_of`.
    """
    found: dict[Path, None] = {}
    for name, address in experiments:
        path, of_ours = path_of(address or ""), (name or "").startswith(ROOT)
        if path is None or not of_ours:
            continue
        inside = files_of(Path(), (name or "").removeprefix(ROOT)).parts
        if path.parts[-len(inside) :] == inside:
            found[path.parents[len(inside) - 1]] = None
    return [made for made in found if made not in here and made.resolve() not in here]


def present(address: str, made: Sequence[Path], folder: Path) -> str:
    """Return the present address of files: an address below one of the folders ``made`` is moved to ``folder``.

    Any other address stays as it is.
    """
    path = path_of(address) if made else None
    if path is None or ".." in path.parts:
        return address
    inside = next((path.relative_to(one) for one in made if path.is_relative_to(one / FILES)), None)
    return (folder / inside).as_uri() if inside else address


def path_of(address: str) -> Path | None:
    """Return the path of an address on this machine; None if the address is elsewhere."""
    parsed = urlparse(address)
    is_here = parsed.scheme in ("", "file") and not parsed.netloc and parsed.path
    return Path(url2pathname(parsed.path)) if is_here else None
