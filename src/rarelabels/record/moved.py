"""A local record that was copied or moved: its addresses of files are absolute, and name the folder it was made in.

Whoever reads takes an address of there as one of here, and changes nothing; before MLflow writes to the record, which
it does where the database says, the addresses in the database are mended (``mending``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

ROOT = "rarelabels/"  # before a study's name, the name of its experiment
MADE = "select name, artifact_location from experiments"  # the argument of :func:`made_in`
FILES = "artifacts"  # the folder of all files, beside the database


def files_of(folder: Path, study: str) -> Path:
    """Return where the files of a study's runs are, in the record in ``folder``."""
    return folder.joinpath(FILES, *study.split("/"))


def made_in(here: Sequence[Path], experiments: Iterable[Sequence[str | None]]) -> list[Path]:
    """Return the folders that the record was in before, as the addresses of our experiments tell.

    Args:
        here: the folder of the record and, if its database is a link, that of the file; without symbolic links.
        experiments: name and address of each; the address of one of ours ends as :func:`files_of` has it.
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
    """Return an address of files as it is now, in ``folder``; one that is in none of the folders ``made`` stays."""
    path = path_of(address) if made else None
    if path is None or ".." in path.parts:
        return address
    inside = next((path.relative_to(one) for one in made if path.is_relative_to(one / FILES)), None)
    return (folder / inside).as_uri() if inside else address


def path_of(address: str) -> Path | None:
    """Return the path that an address names on this machine; None if it is none of files here."""
    parsed = urlparse(address)
    is_here = parsed.scheme in ("", "file") and not parsed.netloc and parsed.path
    return Path(url2pathname(parsed.path)) if is_here else None
