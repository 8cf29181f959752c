"""Rarelabels: a study suite for multi-label classification with rare positives.

``import rarelabels as rl`` is light; each name below is imported when it is first used. Results made under the same
major.minor version are comparable (see CHANGELOG.md).
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("rarelabels")

_FACE = {  # a name here -> the module that has it; __init__.pyi has the types
    **dict.fromkeys(("BalancedAccuracy", "Cost", "FBeta", "Jaccard"), "judging.settings"),
    **dict.fromkeys(("best_thresholds", "choose_rules"), "judging.thresholds"),
    "ThresholdedClassifier": "judging.thresholded_classifier",
    "judge": "show.judgement",
    **dict.fromkeys(("class_balanced", "pos_weight", "prevalence"), "learn.label_weights"),
    "EpochScores": "learn.epoch_scores",
    "losses": "learn",
    **dict.fromkeys(("load_model", "run", "tune"), "study.from_python"),
    "Study": "study.recorded_study",
}

__all__ = ["__version__", *_FACE]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'rarelabels' has no attribute {name!r}")
    module = import_module(f"rarelabels.{_FACE[name]}")
    return getattr(module, name, None) or import_module(f"{module.__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FACE})
