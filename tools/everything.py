"""Run every declared study that is not published as it is declared now, with its searches, and publish each at its end.

`make everything`; `make everything ARGS="movies mulan"` for some. A published study is left out even if its record is
gone. Commit what was published: then hours of work are safe.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rarelabels.declare import checking, declarations, find
from rarelabels.errors import UserError
from rarelabels.study import publishing
from rarelabels.study.published_tables import PublishedTables

RESULTS = Path("docs", "results")
ROOT = Path("experiments")
MINUTE = 60


def published(study: str) -> Mapping[str, Any]:
    """What ``about.json`` says of a study; empty if it is not published, or not so that it can be read."""
    try:
        return PublishedTables(study, RESULTS).about
    except UserError:
        return {}


def is_done(study: str) -> bool:
    """Whether a study is published as it is declared now, with every trial and seed."""
    about = published(study)
    return about.get("digest") == publishing.digest(study, ROOT) and not about["missing"]


def expected(study: str) -> str:
    """How long it took when it was published last, searches left out."""
    seconds = published(study).get("seconds_of_runs")
    return "never run" if seconds is None else f"{seconds / MINUTE:.0f} minutes of runs last time"


def command(*arguments: str) -> int:
    """Call a command of Rarelabels, and return its exit code."""
    return subprocess.run([sys.executable, "-m", "rarelabels", *arguments], check=False).returncode


def run(study: str) -> bool:
    """Run a study, its searches first, and publish it; say whether all of it is done."""
    trials = [declarations.load_trial(path) for path in find.find([study], ROOT)]
    is_tuned_by_itself = (stated := declarations.load_study(ROOT / study)) and stated.protocol == "each_tuned"
    searched = [] if is_tuned_by_itself else [trial.name for trial in trials if trial.tuning]
    codes = [command("run", *searched)] if searched else []
    codes.append(command("run", study))
    codes.append(command("publish", study, "--to", str(RESULTS)))
    return not any(codes) and is_done(study)


def main(names: Sequence[str]) -> int:
    """Run and publish what is left; return the exit code."""
    try:
        studies = [checking.known_study(name) for name in names]
    except UserError as error:
        print(f"everything: {error}", file=sys.stderr)
        return 2
    studies = studies or sorted({path.parent.name for path in find.all_trials(ROOT)})
    left = [study for study in studies if not is_done(study)]
    for study in studies:
        print(f"{study}: {expected(study) if study in left else 'published as it is declared'}", flush=True)
    failed = []
    for study in left:
        began = time.monotonic()
        if not run(study):
            failed.append(study)
        print(f"{study}: {(time.monotonic() - began) / MINUTE:.0f} minutes", flush=True)
    for study in failed:
        print(f"{study}: not whole; the same command goes on", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
