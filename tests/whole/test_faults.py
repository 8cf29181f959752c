"""The table of faults names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROWS = [line for line in (TESTS.parent / "docs" / "faults.md").read_text("utf-8").splitlines() if line.startswith("| ")]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`(test_\w+\.py::\w+)`", row)})


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_exists(name: str) -> None:
    file, _, function = name.partition("::")
    trees = [ast.parse(path.read_text("utf-8")) for path in TESTS.rglob(file)]
    assert function in {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_fault_has_a_test() -> None:
    faults = [row for row in ROWS if not row.startswith("| fault ")]
    assert len(faults) > 40
    assert [row for row in faults if "::" not in row.rpartition(" | ")[2]] == []
