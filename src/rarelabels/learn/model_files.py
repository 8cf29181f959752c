"""The two files of a saved model, network or baseline: JSON and arrays, no pickles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels import json_files
from rarelabels.errors import UserError

Arrays = dict[str, npt.NDArray[Any]]

_PREPROCESSING = "preprocessing.json"
_WEIGHTS = "weights.npz"


def save(folder: Path, preprocessing: dict[str, Any], weights: Arrays) -> None:
    """Write ``preprocessing.json`` and ``weights.npz`` to ``folder``, which is made if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    json_files.write(folder / _PREPROCESSING, preprocessing)
    np.savez_compressed(folder / _WEIGHTS, allow_pickle=False, **weights)


def load(folder: Path, model: str) -> tuple[dict[str, Any], Arrays]:
    """Return preprocessing and weights that :func:`save` wrote.

    Args:
        folder: of the model.
        model: the kind of model that is expected, "network" or "baseline", for the error message.

    Raises:
        UserError: a file is missing.
    """
    try:
        stored = json.loads((folder / _PREPROCESSING).read_text(encoding="utf-8"))
        with np.load(folder / _WEIGHTS, allow_pickle=False) as archive:
            return stored, dict(archive)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: missing; {folder} holds no saved {model}") from error
