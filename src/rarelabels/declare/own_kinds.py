"""A union of the kinds of this package and of those that installed packages bring."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

from pydantic import Field

from rarelabels import packages
from rarelabels.spec import Spec


def with_own(ours: Any, group: str, base: type[Spec]) -> Any:
    """Return a union of specs that their kind tells apart.

    Args:
        ours: the union of this package's specs.
        group: of entry points.
        base: of the specs of other packages.
    """
    taken = [str(get_args(spec.model_fields["kind"].annotation)[0]) for spec in get_args(ours)]
    return Annotated[reduce(or_, packages.kinds(group, base, taken), ours), Field(discriminator="kind")]
