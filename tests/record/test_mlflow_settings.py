"""MLflow sends nothing and says little, whichever is imported first, it or the record."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TELL = """
import logging, os
print(os.environ["MLFLOW_DISABLE_TELEMETRY"], logging.getLogger("mlflow.pyfunc").getEffectiveLevel())
"""


@pytest.mark.parametrize("first", ["rarelabels.record.client", "mlflow"])
def test_it_is_quiet_and_sends_nothing(first: str) -> None:
    then = {"mlflow": "rarelabels.record.client"}.get(first, "mlflow")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    command = [sys.executable, "-c", f"import {first}\nimport {then}\n{TELL}"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout == "true 30\n"
