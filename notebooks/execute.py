"""Execute notebooks in place: `make notebooks`. The record is found as in any notebook, and only read.

A notebook is written back when all of it has run. Only what a reader sees is kept: no times, no paths, no machine.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of this Python, whatever others the user has installed
# What tqdm says of a widget that nobody needs here would stand in the notebook, with a path.
os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), "ignore:IProgress not found"]))

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

HERE = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path) -> None:
    """Run a notebook from top to bottom, in its own folder, and write it back with what it printed and drew.

    Raises:
        CellExecutionError: a cell failed; the file is as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=None,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        config=Config(KernelManager={"transport_encryption": "auto"}),  # other users of this machine hear nothing
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    whole = path.with_suffix(".partial")
    nbformat.write(notebook, whole)
    whole.replace(path)


def main(names: list[str]) -> int:
    """Execute the named notebooks, all of this folder by default; return 1 if one failed."""
    failed = 0
    for path in [Path(name).resolve() for name in names] or sorted(HERE.resolve().glob("*.ipynb")):
        print(f"{path.name} ...", flush=True)
        try:
            execute(path)
        except CellExecutionError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
