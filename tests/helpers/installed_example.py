"""An example package, installed as a user would install it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def install(name: str, folder: Path) -> Path:
    """Build a copy of ``examples/<name>`` and install it below ``folder``, without the network; return where it is."""
    source, installed = folder / "source", folder / "installed"
    shutil.copytree(EXAMPLES / name, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(installed), str(source)], check=True, capture_output=True)
    return installed
