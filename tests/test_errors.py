"""Hints at the nearest name, a failure in one line, and no password in what is told."""

import doctest
import pickle
from pathlib import Path
from unittest import mock

import pytest

from project import command
from rarelabels import errors
from rarelabels.declare import find
from rarelabels.errors import MissingDataError, UserError, failure, first_line, nearest, without_password

SECRET = "s3/cr@t"
ADDRESS = f"postgresql+psycopg://me:{SECRET}@10.0.0.1:5432/runs"
SHOWN = "postgresql+psycopg://me:***@10.0.0.1:5432/runs"


def test_the_examples() -> None:
    assert doctest.testmod(errors).failed == 0


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("gama", ["alpha", "gamma"], "; did you mean 'gamma'?"),
        ("zzz", ["alpha", "gamma"], ""),
        ("DRAMA", ["Drama", "Western"], "; did you mean 'Drama'?"),
        ("drama", [], ""),
    ],
)
def test_the_nearest_name_or_none(name: str, known: list[str], hint: str) -> None:
    assert nearest(name, known) == hint


def test_how_like_the_nearest_name_must_be() -> None:
    assert nearest("dev", ["validation", "test"]) == ""
    assert nearest("val", ["validation", "test"], cutoff=0.4) == "; did you mean 'validation'?"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (ValueError("\n\nfirst"), "ValueError: first"),
        (ValueError(), "ValueError"),
        (KeyError("gamma"), "KeyError: 'gamma'"),
        (
            OSError(f"{ADDRESS} does not answer"),
            f"OSError: {SHOWN} does not answer",
        ),
    ],
)
def test_a_failure_is_one_line(error: Exception, line: str) -> None:
    assert failure(error) == line
    assert first_line(error) == (line.partition(": ")[2] or line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f"{ADDRESS!r}, twice {ADDRESS}",
            f"{SHOWN!r}, twice {SHOWN}",
        ),
        (
            "postgresql:///runs?user=me&password=s3cret&sslmode=off",
            "postgresql:///runs?user=me&password=***&sslmode=off",
        ),
        ("http://127.0.0.1:5000/#/experiments/1", "http://127.0.0.1:5000/#/experiments/1"),
        ("sqlite:////home/me@work/runs/mlflow.db", "sqlite:////home/me@work/runs/mlflow.db"),
        ("tcp://host:8786 and me@host", "tcp://host:8786 and me@host"),
    ],
)
def test_a_password_is_three_stars(text: str, shown: str) -> None:
    assert without_password(text) == shown


@pytest.mark.parametrize("kind", [UserError, MissingDataError])
def test_an_error_of_the_user_holds_no_password_and_travels_to_another_process(kind: type[UserError]) -> None:
    error = pickle.loads(pickle.dumps(kind(f"{ADDRESS}: no")))
    assert type(error) is kind
    assert str(error) == f"{SHOWN}: no"


def test_a_defect_is_told_with_its_traceback_and_without_passwords(tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    with mock.patch.object(find, "load_many", side_effect=RuntimeError(f"no answer of {ADDRESS}")):
        answer = command(tmp_path, "list")
    assert answer.code == 1
    assert answer.err.startswith("Traceback (most recent call last):")
    assert answer.err.endswith(f"RuntimeError: no answer of {SHOWN}\n")
    assert SECRET not in answer.err
