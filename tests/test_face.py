"""The face, ``import rarelabels as rl``: light, typed, documented by examples that run, and not replaced by modules."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import rarelabels as rl

PACKAGE = Path(rl.__file__).parent
NAMES = sorted(rl._FACE)


def python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_importing_it_brings_no_library():
    """How long it takes is told by `make bench`."""
    program = """
import sys
before = set(sys.modules)
import rarelabels
print(sorted({name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))
"""
    assert python(program) == "['rarelabels']\n"


def typed() -> Iterator[str]:
    for node in ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8")).body:
        match node:
            case ast.ImportFrom():
                yield from (alias.asname for alias in node.names if alias.asname and not alias.asname.startswith("_"))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_every_name_has_a_type_and_every_type_a_name():
    assert sorted(typed()) == sorted(rl.__all__)
    assert {*rl.__all__} <= set(dir(rl))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'rarelabels' has no attribute 'juge'"):
        _ = rl.juge


def test_no_name_is_taken_by_a_module():
    """A module of the package takes the place of the face's name once it is imported, whoever imports it."""
    modules = {module.name for module in pkgutil.iter_modules([str(PACKAGE)])}
    wrong = {name for name, place in rl._FACE.items() if name in modules and ":" in place}
    assert not wrong, f"{sorted(wrong)}: modules or folders at the top of the package; name them differently"


def test_names_are_what_they_were_once_every_module_was_imported():
    program = """
import importlib, pkgutil, types
import rarelabels as rl
for module in pkgutil.walk_packages(rl.__path__, "rarelabels."):
    if not module.name.startswith(("rarelabels.learn", "rarelabels.probes", "rarelabels.__main__")):  # TensorFlow's
        importlib.import_module(module.name)
for name in rl._FACE:
    assert isinstance(getattr(rl, name), types.ModuleType) == (name == "losses"), name
    assert name == "losses" or callable(getattr(rl, name)), name
print("all")
"""
    assert python(program) == "all\n"


def test_the_rooms_that_import_tensorflow_have_no_module_of_a_name_either():
    for name in rl._FACE:
        assert not (PACKAGE / name).exists()
        assert not (PACKAGE / f"{name}.py").exists()


def public(name: str) -> list[object]:
    """Return what a name stands for: itself, or what a module makes public."""
    given = getattr(rl, name)
    return [getattr(given, key) for key in given.__all__] if isinstance(given, ModuleType) else [given]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_has_an_example_that_runs(name):
    for thing in public(name):
        assert (inspect.getdoc(thing) or "").strip(), f"{thing}: has no docstring"
        module = importlib.import_module(thing.__module__)
        found = doctest.DocTestFinder(recurse=False).find(thing, thing.__name__, module=module)
        assert any(test.examples for test in found), f"{thing}: its docstring has no example; write one after >>>"
        for test in found:
            told: list[str] = []
            failed = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=told.append).failed
            assert not failed, "".join(told)
