"""What every kind of data may declare."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rarelabels.declare.data import XedSpec


def test_all_rows_are_scored_where_they_are_cross_validated() -> None:
    with pytest.raises(ValidationError, match="train_fraction must be 1 with validation: cross_validated"):
        XedSpec(kind="xed", validation="cross_validated", train_fraction=0.5)
    assert XedSpec(kind="xed", validation="cross_validated").has_fixed_parts
    assert not XedSpec(kind="xed").has_fixed_parts


def test_what_a_block_defines_has_its_defaults_and_no_path() -> None:
    assert XedSpec(kind="xed").content() == {"kind": "xed", "validation": "stratified", "train_fraction": 1.0}
    assert XedSpec(kind="xed", test="repeated").content()["test"] == "repeated"
