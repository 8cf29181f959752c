"""Losses, models, kinds of data, metrics and rules of other packages, found by their entry points.

A package that is installed beside this one joins by entry points: ``rarelabels.losses``, ``rarelabels.models`` and
``rarelabels.datasets`` name classes, which are imported when this package is, see ``declare.own``.
``rarelabels.metrics`` and ``rarelabels.rules`` name records, which are imported when a trial declares them, see
``declare.own_measures``. Nothing that a YAML file says imports anything: it can only
name a kind that is installed. A package that cannot be used is one line, see :func:`broken`, and costs nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import TypeVar, get_args

from rarelabels.errors import UserError, failure, nearest
from rarelabels.spec import Spec

T = TypeVar("T", bound=Spec)
R = TypeVar("R")
GROUP = b"[rarelabels."  # begins the name of each group in a file of entry points


@dataclass(frozen=True)
class Package:
    """An installed package: its name and its version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


_packages: dict[type[Spec], Package] = {}
_broken: list[str] = []


def kinds(group: str, base: type[T], taken: Collection[str]) -> tuple[type[T], ...]:
    """Return the classes that the entry points of a group name, sorted by kind.

    Args:
        group: ``rarelabels.losses``, for example.
        base: of which each class must be a subclass, with a kind of its own.
        taken: the kinds of this package.
    """
    found: dict[str, type[T]] = {}
    for point in sorted((one for one in _points() if one.group == group), key=lambda one: one.name):
        package = _package(point)
        try:
            kind, spec = _checked(point, base, {*taken, *found})
        except Exception as error:  # whatever the import of a stranger's module raises
            reason = str(error) if isinstance(error, _UnusableError) else f"cannot be imported: {failure(error)}"
            _broken.append(f"{package}: its entry point {point.name} ({group}) {reason}; it is left out")
            continue
        found[kind] = spec
        _packages[spec] = package
    return tuple(found[kind] for kind in sorted(found))


def of(*blocks: Spec) -> dict[str, str]:
    """Return the packages that brought the kinds of declared blocks, by name their versions; empty for our own."""
    brought = (_packages[type(block)] for block in blocks if type(block) in _packages)
    return {package.name: package.version for package in brought}


def names(group: str) -> tuple[str, ...]:
    """Return the names of the entry points of a group, sorted; nothing is imported."""
    return tuple(sorted({point.name for point in _points() if point.group == group}))


def versions(group: str, wanted: Collection[str]) -> dict[str, str]:
    """Return the packages that bring the records of these names, by name their versions; nothing is imported."""
    brought = (_package(point) for point in _points() if point.group == group and point.name in wanted)
    return {package.name: package.version for package in brought}


def record(group: str, name: str, base: type[R]) -> tuple[R, Package]:
    """Return the record that an entry point names, and its package. The entry point has the name of the record.

    Args:
        group: ``rarelabels.metrics``, for example.
        name: of the record.
        base: the class of such records.

    Raises:
        UserError: no package, or more than one, brings a record of this name, or what it brings cannot be used.
    """
    points = [point for point in _points() if point.group == group and point.name == name]
    if not points:
        known = names(group)
        listed = f"; installed packages bring {', '.join(map(repr, known)) or 'none'}"
        raise UserError(f"no installed package brings {name!r} ({group}){nearest(name, known) or listed}")
    if len(points) > 1:
        both = ", ".join(str(_package(point)) for point in points)
        raise UserError(f"more than one package brings {name!r} ({group}): {both}; uninstall all but one")
    package = _package(points[0])
    where = f"{package}: its entry point {name} ({group})"
    try:
        found = points[0].load()
    except Exception as error:  # whatever the import of a stranger's module raises
        raise UserError(f"{where} cannot be imported: {failure(error)}") from error
    if not isinstance(found, base):
        needed = f"{base.__module__}.{base.__name__}"
        raise UserError(f"{where} must name an object of the class {needed}; it names {points[0].value}")
    if getattr(found, "name", name) != name:
        named = f"names {points[0].value}, whose name is {found.name!r}"  # type: ignore[attr-defined]
        raise UserError(f"{where} {named}; the entry point must have the same name")
    return found, package


def broken() -> tuple[str, ...]:
    """Return a line for each entry point that cannot be used."""
    return tuple(_broken)


class _UnusableError(Exception):
    """An entry point names something else than a class of its group."""


def _checked(point: EntryPoint, base: type[T], taken: Collection[str]) -> tuple[str, type[T]]:
    spec = point.load()
    if not (isinstance(spec, type) and issubclass(spec, base)):
        raise _UnusableError(f"must name a subclass of rarelabels.declare.own.{base.__name__}; it names {point.value}")
    kind = get_args(spec.model_fields["kind"].annotation)
    if len(kind) != 1 or not isinstance(kind[0], str):
        raise _UnusableError(f'names {point.value}, which must have a key kind: Literal["<its kind>"]')
    if lacking := sorted(getattr(spec, "__abstractmethods__", ())):
        raise _UnusableError(f"names {point.value}, which must have a method {lacking[0]}")
    if kind[0] in taken:
        raise _UnusableError(f"names {point.value}, whose kind {kind[0]!r} is taken; it needs another one")
    return kind[0], spec


def _package(point: EntryPoint) -> Package:
    return Package(point.dist.name, point.dist.version) if point.dist else Package(point.value, "unknown")


@lru_cache(maxsize=1)
def _points() -> tuple[EntryPoint, ...]:
    """Return the entry points of all packages that have one for this package.

    ``importlib.metadata.entry_points`` parses those of every installed package, which takes a tenth of a command's
    start. As there, a package that is on the path twice counts once.
    """
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for file in (file for folder in sys.path for file in Path(folder).glob("*-info/entry_points.txt")):
        if GROUP in _content(file):
            package = Distribution.at(file.parent)
            found.setdefault(package.name, tuple(package.entry_points))
    return tuple(point for of_package in found.values() for point in of_package)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
