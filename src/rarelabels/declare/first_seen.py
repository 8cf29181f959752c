"""The file of a study that says when its hypotheses and trials were first seen, for records that do not know it.

It is committed beside ``study.yaml``. A new record knows nothing of runs that an earlier one holds; by this file a
hypothesis that was changed after these runs is still late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from rarelabels import whole_files
from rarelabels.declare import safe_yaml
from rarelabels.declare.problems import InputError, Origins, validate
from rarelabels.declare.yaml_files import read_file, shown
from rarelabels.errors import UserError
from rarelabels.spec import Name, Spec

NAME = "_first_seen.yaml"
MAX_BYTES = 20 * safe_yaml.MAX_BYTES  # nothing is ever dropped from the file: it must stay readable as it grows
HEAD = """\
# When the hypotheses of this study, by name and digest, and its trials were first run. A hypothesis that was changed
# after a run of its trials is late, in a new record too. `rarelabels findings {study} --keep-first-seen` adds to this.
"""


def _as_time(value: object) -> object:
    """Return the time that a text stands for, in UTC; what is no text is left to pydantic."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(time, datetime) or time.tzinfo is None:
            raise ValueError
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("allowed a time with its zone, such as 2026-11-30T12:00:00.000Z") from None


def _as_text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[datetime, BeforeValidator(_as_time), PlainSerializer(_as_text)]
DIGEST = r"^[0-9a-f]{12}$"
Digest = Annotated[str, Field(pattern=DIGEST)]


class FirstSeen(Spec):
    """When the hypotheses and trials of a study were first seen.

    Attributes:
        hypotheses: by name and digest, when the first run began that was tagged with the digest.
        trials: by short name, when the first finished run began, of any variant, seed and settings.
    """

    hypotheses: dict[Name, dict[Digest, Time]]
    trials: dict[Name, Time]

    def merged(self, other: FirstSeen) -> FirstSeen:
        """Return what either knows; of two times, the earlier one.

        >>> noon = FirstSeen(hypotheses={}, trials={"bce": "2026-11-30T12:00:00Z"})
        >>> earlier = FirstSeen(hypotheses={}, trials={"bce": "2026-11-30T12:30:00+01:00"})
        >>> noon.merged(earlier).model_dump()["trials"]
        {'bce': '2026-11-30T11:30:00.000Z'}
        """
        names = {**self.hypotheses, **other.hypotheses}
        hypotheses = {name: _earliest(self.hypotheses.get(name, {}), other.hypotheses.get(name, {})) for name in names}
        return FirstSeen(hypotheses=hypotheses, trials=_earliest(self.trials, other.trials))


NOTHING_SEEN = FirstSeen(hypotheses={}, trials={})


def read(folder: Path) -> FirstSeen:
    """Return what the file in a study's folder says; nothing if there is none.

    Raises:
        UserError: everything that is wrong with the file, one problem a line.
    """
    path = folder / NAME
    if not path.exists():
        return NOTHING_SEEN
    seen, problems = validate(FirstSeen, read_file(path, MAX_BYTES), Origins((shown(path),), {}))
    if seen is None:
        raise InputError(problems)
    return seen


def keep(folder: Path, seen: FirstSeen) -> Path:
    """Add what was seen to the file in a study's folder, whole or not at all, and return the file.

    Nothing is dropped from the file; of two times, the earlier one stays.

    Raises:
        UserError: the file is wrong, or cannot be written.
    """
    path = folder / NAME
    text = HEAD.format(study=folder.resolve().name) + safe_yaml.dump(_sorted(read(folder).merged(seen)))
    try:
        if not path.exists() or path.read_bytes() != text.encode():
            whole_files.write(path, text.encode())
    except OSError as error:
        raise UserError(f"{shown(path)}: cannot be written: {error.strerror}") from error
    return path


def _earliest(one: Mapping[str, datetime], other: Mapping[str, datetime]) -> dict[str, datetime]:
    return {**one, **{name: min(time, one.get(name, time)) for name, time in other.items()}}


def _sorted(seen: FirstSeen) -> dict[str, Any]:
    """Return what is written: names in their order, the digests of a hypothesis by their times."""
    written = seen.model_dump()
    by_time = {
        name: dict(sorted(of_name.items(), key=lambda one: (one[1], one[0])))
        for name, of_name in sorted(written["hypotheses"].items())
    }
    return {"hypotheses": by_time, "trials": dict(sorted(written["trials"].items()))}
