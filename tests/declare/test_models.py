"""Models as they are declared."""

import pytest

from plain_trial import refusal


@pytest.mark.parametrize(
    "changes", [{"hidden": (8,)}, {"wide": False}, {"pooling": "mean"}, {"dropout": 0.5}, {"width": -1}]
)
def test_the_wide_path_alone_is_declared_without_contradiction(changes: dict[str, object]):
    assert "width" in refusal(model={"kind": "text_bag", "width": 0, "wide": True, **changes})
