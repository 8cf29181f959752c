"""The base of every declared block, and the plain types of its values.

Used where YAML is read (``declare``) and where its objectives and rules are defined (``judging.settings``).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class _Later:
    """Marks a key that came after version 0.4.2; see :data:`LATER`."""


# ``Annotated[float, LATER] = 1.0``: ``Spec.defined`` leaves such a key out while it has its default. So a run that was
# made before the key existed keeps its fingerprint. The default must do what the code did before the key existed.
LATER = _Later()


class _Open:
    """Marks a mapping whose entries are keys of their own; see :data:`OPEN`."""


# ``Annotated[dict[str, int], OPEN]``: --set, ``vary`` and a search address each entry of the mapping by its dotted key.
OPEN = _Open()


class Spec(BaseModel):
    """Base of every declared block: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    def defined(self) -> dict[str, Any]:
        """Return the block in the form of JSON, without the :data:`LATER` keys that have their default."""
        return {
            key: _defined(getattr(self, key))
            for key, field in type(self).model_fields.items()
            if not (LATER in field.metadata and getattr(self, key) == field.get_default(call_default_factory=True))
        }


def _defined(value: Any) -> Any:
    match value:
        case Spec():
            return value.defined()
        case tuple():
            return [_defined(one) for one in value]
        case dict():
            return {key: _defined(one) for key, one in value.items()}
        case _:
            return value


def _without_repeats(value: Any) -> Any:
    if isinstance(value, tuple) and len(set(value)) < len(value):
        twice = next(one for one in value if value.count(one) > 1)
        raise ValueError(f"{twice!r} is listed twice")
    return value


DISTINCT = AfterValidator(_without_repeats)  # checks a tuple, and lets every other value through
Probability = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
OwnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]  # of an entry point of another package
Name = Annotated[str, Field(min_length=1)]
