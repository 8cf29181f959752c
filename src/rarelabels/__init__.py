"""Rarelabels: a study suite for multi-label classification with rare positives.

``import rarelabels as rl`` is light; each name below is imported when it is first used. Results made under the same
major.minor version are comparable (see CHANGELOG.md).
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("rarelabels")

_FACE: dict[str, str] = {  # what it is called here -> "module:name", or a module; __init__.pyi has the types
    "EpochScores": "learn.epoch_scores:EpochScores",
    "class_balanced": "learn.label_weights:class_balanced",
    "losses": "learn.losses",
    "pos_weight": "learn.label_weights:pos_weight",
    "prevalence": "learn.label_weights:prevalence",
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
