"""Files that appear complete or not at all, even if several processes write them at the same time."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and move it into place; its folder must exist.

    Raises:
        OSError: the file cannot be written.
    """
    # The temporary file is in the same folder: a file can be replaced in one step only within one file system.
    part = path.with_name(f"{path.name}-{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
