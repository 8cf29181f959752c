"""The union of our kinds and those of installed packages; ``tests/test_packages.py`` has the packages."""

from __future__ import annotations

from typing import get_args

from pydantic import TypeAdapter

from rarelabels.declare.models import OurModels, ScoresSpec
from rarelabels.declare.own import OwnModel
from rarelabels.declare.own_kinds import with_own


def test_without_packages_it_is_our_own_kinds() -> None:
    union = with_own(OurModels, "rarelabels.nothing", OwnModel)
    assert get_args(union)[0] == OurModels
    found = TypeAdapter(union).validate_python({"kind": "scores", "validation": "a", "test": "b"})
    assert isinstance(found, ScoresSpec)
