"""What Python prints in a process of its own: for what must not hang on the process, its hash seed or its threads."""

from __future__ import annotations

import os
import subprocess
import sys


def printed(code: str, *arguments: str, **environment: str) -> str:
    """Run code in a new process, with some more environment variables, and return what it printed."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, check=True, text=True
    ).stdout.strip()
