"""Declared values: frozen, without unknown keys, and as they are hashed."""

from typing import Annotated

from pydantic import Field

from rarelabels.spec import LATER, Spec


def test_a_later_key_at_its_default_is_no_part_of_what_is_defined():
    class Inner(Spec):
        old: int = 1
        later: Annotated[tuple[int, ...], LATER] = Field((1, 2), description="of a block within")

    class Outer(Spec):
        inner: Inner = Inner()
        several: tuple[Inner, ...] = ()
        named: dict[str, Inner] = Field({})
        later: Annotated[float | None, LATER] = None

    assert Outer().defined() == {"inner": {"old": 1}, "several": [], "named": {}}
    assert Outer(several=(Inner(later=(3,)),), named={"a": Inner()}, later=0.5).defined() == {
        "inner": {"old": 1},
        "several": [{"old": 1, "later": [3]}],
        "named": {"a": {"old": 1}},
        "later": 0.5,
    }
    assert Outer().model_dump()["inner"] == {"old": 1, "later": (1, 2)}
