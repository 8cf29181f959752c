"""YAML files in the current folder, and the one problem that reading them has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rarelabels.declare.problems import InputError
from rarelabels.declare.yaml_files import read_with_parents

BASE = "loss: {kind: bce, form: textbook}\nmodel: {kind: text_bag, width: 32}\nseeds: [0, 1, 2]\n"


def write(text: str | bytes, name: str = "t.yaml") -> Path:
    path = Path(name)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problem_of(text: str | bytes, read: Callable[[Path], object] = read_with_parents) -> str:
    with pytest.raises(InputError) as caught:
        read(write(text))
    (line,) = str(caught.value).split("\n")
    return line
