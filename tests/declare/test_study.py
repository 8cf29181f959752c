"""Hypotheses of a study, and bounds that one number sets to another."""

import pytest
from pydantic import ValidationError

from rarelabels.declare.study import Bound, Hypothesis, StudySpec

HYPOTHESIS = {
    "name": "focal_ranks_better",
    "claim": "Focal loss ranks the labels better.",
    "source": "second answer",
    "trial": "focal",
    "against": "bce",
    "metric": "test/ranking/macro_average_precision",
    "direction": "greater",
    "margin": 0.01,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Focal ranks"},
        {"metric": "validation/half/macro_f1"},
        {"metric": "test/oracle/macro_f1"},
        {"direction": "more"},
        {"margin": -0.01},
        {"claim": "short"},
    ],
)
def test_a_hypothesis_is_checked(changes: dict[str, object]):
    Hypothesis.model_validate(HYPOTHESIS)
    with pytest.raises(ValidationError):
        Hypothesis.model_validate({**HYPOTHESIS, **changes})


def test_hypotheses_of_a_study_have_different_names():
    with pytest.raises(ValidationError, match="names must differ; more than once: focal_ranks_better"):
        StudySpec.model_validate({"title": "t", "question": "q", "thread": "t", "hypotheses": [HYPOTHESIS, HYPOTHESIS]})


def test_a_loss_bounds_the_accuracy():
    """A loss of ln 2 / 4 = 0.1733 allows a quarter of the labels to be wrong."""
    quarter = Bound(name="quarter", source="nowhere", loss=0.17328679513998632, binary_accuracy=0.75)
    assert quarter.least == pytest.approx(0.75)
    assert Bound(name="free", source="nowhere", loss=3, binary_accuracy=0).least == 0
    thread = Bound(name="thread", source="movie_genres", loss=0.003, binary_accuracy=0.98)
    assert thread.verdict() == (
        "movie_genres: a loss of 0.003 forces a binary accuracy of at least 0.9957; reported is 0.98, "
        "which cannot be binary accuracy at 0.5 on the same rows"
    )
    assert "reported is 0.999, which is possible" in thread.model_copy(update={"binary_accuracy": 0.999}).verdict()


def test_a_binary_accuracy_bounds_the_subset_accuracy():
    """2 % wrong labels of three are at most 6 % wrong rows."""
    thread = Bound(name="thread", source="three_classes", binary_accuracy=0.98, labels=3, subset_accuracy=0.1)
    assert thread.verdict() == (
        "three_classes: a binary accuracy of 0.98 on 3 labels forces a subset accuracy of at least 0.9400; reported is "
        "0.1, which cannot be the subset accuracy of the same decisions on the same rows"
    )
    answer = thread.model_copy(update={"binary_accuracy": 7 / 9, "subset_accuracy": 1 / 3})
    assert answer.least == pytest.approx(1 / 3)
    assert "which is possible" in answer.verdict()


@pytest.mark.parametrize("given", [{}, {"loss": 0.1, "subset_accuracy": 0.1, "labels": 3}, {"labels": 3}])
def test_a_bound_is_about_two_numbers(given: dict[str, float]):
    with pytest.raises(ValidationError, match="needs either loss, or subset_accuracy"):
        Bound(name="x", source="nowhere", binary_accuracy=0.5, **given)
