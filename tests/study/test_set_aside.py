"""What is not the main work of a command may fail without it; a record that fails, and a user's mistake, are raised."""

from __future__ import annotations

import doctest

import pytest
from mlflow.exceptions import MlflowException

from rarelabels.errors import UserError
from rarelabels.study import set_aside


def test_the_examples() -> None:
    assert doctest.testmod(set_aside).failed == 0


def test_without_a_name_the_line_is_the_reason() -> None:
    failures: list[str] = []
    with set_aside.set_aside(failures):
        raise KeyError("label")
    with set_aside.set_aside(failures):
        pass
    assert failures == ["KeyError: 'label'"]


@pytest.mark.parametrize("error", [UserError("mend it"), MlflowException("away"), KeyboardInterrupt()])
def test_other_errors_are_raised(error: BaseException) -> None:
    failures: list[str] = []
    with pytest.raises(type(error)), set_aside.set_aside(failures):
        raise error
    assert failures == []
