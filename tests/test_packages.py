"""Kinds of other packages: found by their entry points, and left out with a line where they cannot be used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from plain_trial import TRIAL
from rarelabels import packages
from rarelabels.declare.losses import OurLosses
from rarelabels.declare.own import OwnLoss
from rarelabels.declare.own_kinds import with_own
from rarelabels.declare.trial import Trial
from rarelabels.spec import Spec

SPEC = """
from typing import ClassVar, Literal
from rarelabels.declare.own import OwnLoss

class Mine(OwnLoss):
    kind: Literal["mine"]
    strength: float = 1.0

    def build(self, prevalence):
        return None

class Taken(Mine):
    kind: Literal["bce"]

class Nameless(OwnLoss):
    pass

class Unbuilt(OwnLoss):
    kind: Literal["unbuilt"]

nothing = 3
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, as packages are installed in it, and no package found yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine_of_tests.py").write_text(SPEC)
    monkeypatch.setattr(packages, "_broken", [])
    monkeypatch.setattr(packages, "_packages", {})
    packages._points.cache_clear()
    yield tmp_path
    packages._points.cache_clear()
    sys.modules.pop("mine_of_tests", None)


def install(folder: Path, name: str, points: str, group: str = "rarelabels.losses") -> None:
    metadata = folder / f"{name}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{points}\n")


def found() -> tuple[type[OwnLoss], ...]:
    return packages.kinds("rarelabels.losses", OwnLoss, ["bce"])


def test_an_installed_class_is_a_kind_with_the_name_and_version_of_its_package(installed: Path) -> None:
    install(installed, "mine", "mine = mine_of_tests:Mine")
    install(installed, "other", "mine = no_such_module:Mine", group="somebody.else")
    (mine,) = found()
    assert packages.broken() == ()
    assert packages.of(mine(kind="mine"), Trial.model_validate(TRIAL).loss) == {"mine": "1.2"}


def test_a_union_has_it_beside_our_own_kinds(installed: Path) -> None:
    install(installed, "mine", "mine = mine_of_tests:Mine")

    class Holder(Spec):
        loss: with_own(OurLosses, "rarelabels.losses", OwnLoss)  # type: ignore[valid-type]  # made when it runs

    Holder.model_rebuild(_types_namespace={"with_own": with_own, "OurLosses": OurLosses, "OwnLoss": OwnLoss})
    assert Holder.model_validate({"loss": {"kind": "mine", "strength": 2.0}}).loss.strength == 2.0
    assert Holder.model_validate({"loss": {"kind": "hamming"}}).loss.kind == "hamming"
    with pytest.raises(ValidationError, match="'hamming', 'soft_f1', 'mine'"):
        Holder.model_validate({"loss": {"kind": "yours"}})


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("mine_of_nobody:Mine", "cannot be imported: ModuleNotFoundError: No module named 'mine_of_nobody'"),
        ("mine_of_tests:Mine.Deep", "cannot be imported: AttributeError"),
        ("mine_of_tests:nothing", "must name a subclass of rarelabels.declare.own.OwnLoss"),
        ("mine_of_tests:Taken", "names mine_of_tests:Taken, whose kind 'bce' is taken; it needs another one"),
        ("mine_of_tests:Unbuilt", "names mine_of_tests:Unbuilt, which must have a method build"),
        ("mine_of_tests:Nameless", 'which must have a key kind: Literal["<its kind>"]'),
    ],
)
def test_what_cannot_be_used_is_one_line_and_left_out(installed: Path, point: str, reason: str) -> None:
    install(installed, "bad", f"it = {point}")
    install(installed, "mine", "mine = mine_of_tests:Mine")
    assert [spec.__name__ for spec in found()] == ["Mine"]
    (line,) = packages.broken()
    assert line.startswith("bad 1.2: its entry point it (rarelabels.losses) ")
    assert reason in line
    assert line.endswith("; it is left out")
    assert "\n" not in line


def test_two_packages_cannot_bring_one_kind(installed: Path) -> None:
    install(installed, "one", "a = mine_of_tests:Mine")
    install(installed, "two", "b = mine_of_tests:Mine")
    (mine,) = found()
    assert packages.of(mine(kind="mine")) == {"one": "1.2"}
    assert "two 1.2" in packages.broken()[0]


def test_commands_say_what_cannot_be_used_and_go_on(tmp_path: Path) -> None:
    install(tmp_path, "bad", "it = mine_of_nobody:Mine")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from rarelabels.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "schema"], capture_output=True, text=True, check=True)
    assert done.stderr.startswith("rarelabels: bad 1.2: its entry point it (rarelabels.losses) cannot be imported: ")
    assert done.stderr.count("\n") == 1
    assert '"soft_f1"' in done.stdout


def test_nothing_of_others_is_in_our_own_kinds() -> None:
    assert all(spec.__module__ == "rarelabels.declare.losses" for spec in get_args(OurLosses))
