"""What a search may vary."""

import pytest

from declared_search import search
from declared_trials import HEAD, HERE, problem_of, trial_of

pytestmark = pytest.mark.usefixtures("house")


@pytest.mark.parametrize(
    ("key", "trouble"),
    [
        ("model.c", "is a list, from which validation chooses already; declare one number to search"),
        (
            "model.field_weights",
            "is a number for each field, which cannot be searched; declare a trial for each choice",
        ),
    ],
)
def test_what_of_the_linear_model_is_not_searched(key: str, trouble: str):
    text = HEAD + "model: {kind: linear, c: [1.0, 5.0]}\n" + search(f"{{{key}: {{low: 0.1, high: 9.0}}}}")
    assert problem_of(text) == f"{HERE}tuning.space.{key}: {trouble}"
    searched = text.replace("[1.0, 5.0]", "5.0").replace(key, "model.c")
    assert trial_of(searched).tuning is not None
