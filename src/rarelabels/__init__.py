"""Rarelabels: a study suite for multi-label classification with rare positives.

``import rarelabels as rl`` is light; each name below is imported when it is first used. Results made under the same
major.minor version are comparable (see CHANGELOG.md).
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("rarelabels")

_FACE: dict[str, str] = {  # what it is called here -> "module:name", or a module; __init__.pyi has the types
    "Study": "study.recorded_study:Study",
    "load_model": "study.from_python:load_model",
    "run": "study.from_python:run",
    "tune": "study.from_python:tune",
}

__all__ = ["__version__", *_FACE]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'rarelabels' has no attribute {name!r}")
    place, _, attribute = _FACE[name].partition(":")
    module = import_module(f"rarelabels.{place}")
    return getattr(module, attribute) if attribute else module


def __dir__() -> list[str]:
    return sorted({*globals(), *_FACE})
