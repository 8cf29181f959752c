"""Trials of the study movies in a small project, and the lines that refuse them."""

from pathlib import Path

import pytest

from rarelabels.declare import declarations
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError

BASE = """
loss: {kind: bce}
weighting: {kind: none}
thresholds: {min_positives: 5}
seeds: [0, 1, 2]
dataset: {kind: movies, labels: 17}
"""
STUDY_BASE = """
extends: ../../conf/base.yaml
model: {kind: text_bag, pooling: tfidf, width: 32}
training: {epochs: 12, batch_size: 256, learning_rate: 4.0e-3}
"""
HEAD = """
extends: _base.yaml
question: Does focal loss do better?
thread: movie_genres, third trial
"""
FOCAL = HEAD + "loss: {kind: binary_focal, gamma: 2.0, alpha: 0.25}\nwatch: [auc]\n"
FLOOR = HEAD + "model: {kind: floor, predicts: zeros}\n"
HERE = "experiments/movies/t.yaml: "


def write(text: str | bytes, name: str = "t") -> Path:
    path = Path(f"experiments/movies/{name}.yaml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def trial_of(text: str, overrides: dict[str, object] | None = None) -> Trial:
    return declarations.load_trial(write(text), overrides or {})


def problems_of(text: str | bytes, overrides: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(UserError) as caught:
        declarations.load_trial(write(text), overrides or {})
    return str(caught.value).split("\n")


def problem_of(text: str | bytes, overrides: dict[str, object] | None = None) -> str:
    (line,) = problems_of(text, overrides)
    return line
