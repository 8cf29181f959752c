"""Models as they are declared."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from plain_trial import refusal
from rarelabels.declare.models import ScoresSpec


@pytest.mark.parametrize(
    "changes", [{"hidden": (8,)}, {"wide": False}, {"pooling": "mean"}, {"dropout": 0.5}, {"width": -1}]
)
def test_the_wide_path_alone_is_declared_without_contradiction(changes: dict[str, object]):
    assert "width" in refusal(model={"kind": "text_bag", "width": 0, "wide": True, **changes})


def test_scores_of_each_seed_are_in_files_of_their_own_or_all_in_the_same() -> None:
    one = ScoresSpec(kind="scores", validation="v_{seed}.csv", test="{seed}/t.csv")
    assert one.files(3) == (Path("v_3.csv"), Path("3/t.csv"))
    assert one.is_by_seed
    assert not ScoresSpec(kind="scores", validation="v.csv", test="v.csv").is_by_seed
    with pytest.raises(ValidationError, match=r"must both have \{seed\} in their paths, or neither"):
        ScoresSpec(kind="scores", validation="v_{seed}.csv", test="t.csv")
