"""A failure in one line, without the passwords in its addresses."""

from __future__ import annotations

from rarelabels import errors


def test_a_reason_is_one_line_without_a_password() -> None:
    error = OSError("API request to http://me:s3cret@host:5000/api failed\nand more")
    assert errors.failure(error) == "OSError: API request to http://me:***@host:5000/api failed"
    assert errors.failure(ValueError("postgresql+psycopg://me:p:w@db/mlflow")).endswith("//me:***@db/mlflow")
    odd = OSError("postgresql+psycopg://me:p/a@ss:w?rd@host:5432/runs, postgresql:///runs?user=me&password=s3cret")
    shown = "OSError: postgresql+psycopg://me:***@host:5432/runs, postgresql:///runs?user=me&password=***"
    assert errors.failure(odd) == shown
    assert errors.failure(ValueError("see http://host/a@b")) == "ValueError: see http://host/a@b"
    assert errors.failure(ValueError()) == "ValueError"
