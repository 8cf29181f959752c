"""A plain trial as values, without YAML, and what refuses a change of it."""

import pytest
from pydantic import ValidationError

from rarelabels.declare.trial import Trial

TRAINING = {"epochs": 3, "batch_size": 256, "learning_rate": 0.004}
TRIAL = {
    "name": "movies/bce",
    "question": "Does the plain loss do?",
    "thread": "movie_genres, first trial",
    "dataset": {"kind": "movies"},
    "model": {"kind": "text_bag"},
    "loss": {"kind": "bce"},
    "weighting": {"kind": "none"},
    "training": TRAINING,
    "thresholds": {},
    "seeds": (0, 1),
}


def refusal(**changes: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Trial.model_validate({**TRIAL, **changes})
    return str(caught.value)
