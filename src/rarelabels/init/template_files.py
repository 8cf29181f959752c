"""The files that ``rarelabels init`` writes: YAML in the folder ``templates``, with ``$names`` to fill in."""

from __future__ import annotations

from importlib.resources import files
from string import Template

FLOORS = ("floor_zeros", "floor_prior")
LOSSES = ("bce", "pos_weight", "focal", "asymmetric")


def text(name: str, **values: object) -> str:
    """Return the text of a template with its names filled in.

    Args:
        name: its path below ``templates``, without ``.yaml``.
        **values: the value of each ``$name`` of the template.

    Raises:
        KeyError: a name has no value.

    >>> text("same_settings").splitlines()[-1]
    'protocol: same_settings'
    """
    found = files("rarelabels.init").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
    return Template(found).substitute(values)
