"""Write what a study's record says as plain files, small enough for git: Parquet tables and ``about.json``.

No scores, texts or ids of rows are among them. :class:`~rarelabels.study.published_tables.PublishedTables` reads them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rarelabels import __version__, json_files
from rarelabels.compare import ranking
from rarelabels.declare import declarations, find
from rarelabels.errors import UserError
from rarelabels.record import connection
from rarelabels.record.entities import Run
from rarelabels.record.identities import EVALUATION
from rarelabels.record.reading import KEYS
from rarelabels.study import counted_runs, packing, standing
from rarelabels.study.published_tables import ABOUT, FORMAT, PublishedTables
from rarelabels.study.recorded_tables import RANKED, RecordedTables
from rarelabels.study.summary import CODE

LARGEST = 1_000_000  # bytes of a file
MILLISECONDS = 1000.0
LIBRARIES = ("tensorflow", "keras", "scikit_learn", "numpy", "threads")  # tags of a run


@dataclass(frozen=True)
class Published:
    """What was published of a study.

    Attributes:
        folder: of its files.
        size: of all files, in bytes.
        missing: why declared trials are not in it, a line each.
    """

    folder: Path
    size: int
    missing: tuple[str, ...]


def publish(name: str, where: str, to: Path) -> Published:
    """Publish a study: write its tables to a folder of its name in ``to``. What was published there before is replaced.

    Args:
        name: of the study.
        where: MLflow's tracking URI.
        to: the folder of all published studies; it is made if need be.

    Raises:
        UserError: no run of the study is finished; the study is published whole there, and here it is not; or the files
            cannot be written.
    """
    tables = RecordedTables(name, where, overridden=False)
    missing = standing.missing(name, where, tables.root)
    _refuse_to_replace_more(name, to, missing)
    ranked, not_ranked = _ranking(tables)
    files = {
        "trials": tables.trials(),
        "runs": packing.pack_runs(tables.runs()),
        "summary": tables.summary(None),
        "comparison": tables.comparison(),
        "verdicts": tables.verdicts(),
        "ranking": ranked,
        "per_label": packing.pack_labels(tables.per_label(None)),
        "curves": tables.curves(None),
        "reliability": _reliability(tables),
    }
    contents = dict(piece for table, frame in files.items() for piece in _files(table, frame))
    about = _about(name, tables, where) | {"missing": missing, "not_ranked": not_ranked, "files": list(contents)}
    contents[ABOUT] = (json_files.text(about, indent=1) + "\n").encode()
    folder = to / name
    try:
        _replace(folder, contents)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from error
    return Published(folder, sum(map(len, contents.values())), tuple(missing))


def digest(name: str, root: Path) -> str:
    """Return the hash of what decides a study's published numbers: its declarations and how results are judged.

    It tells whether a study must be run again, without a record and without its data.
    """
    stated = declarations.load_study(root / name)
    trials = [declarations.load_trial(path) for path in find.find([name], root)]
    content = {
        "results": __version__.rpartition(".")[0],
        "evaluation": EVALUATION,
        "summary": CODE,
        "study": stated.model_dump(mode="json") if stated else None,
        "trials": {
            trial.name: trial.definition()
            | trial.model_dump(mode="json", include={"seeds", "vary", "tuning", "question"})
            for trial in trials
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _refuse_to_replace_more(name: str, to: Path, missing: Sequence[str]) -> None:
    """Refuse to replace the whole results of a study by a part: the record they came from may be gone."""
    if missing and (to / name / ABOUT).exists() and not PublishedTables(name, to).about["missing"]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(
            f"{to / name}: holds the whole study, and this record does not ({missing[0]}{more}); "
            f"finish it with `rarelabels run {name}`, or publish to another folder (--to)"
        )


def _ranking(tables: RecordedTables) -> tuple[pd.DataFrame, str]:
    """Return the ranking, and why there is none; one of them is empty."""
    try:
        return tables.ranking(ranking.DEFAULT), ""
    except UserError as error:
        return pd.DataFrame(columns=RANKED), str(error)


def _reliability(tables: RecordedTables) -> pd.DataFrame:
    frames = []
    for run in tables.run_list:
        trial, variant, seed = counted_runs.key(run)
        frames.append(tables.reliability(trial, seed, variant).assign(trial=trial, variant=variant, seed=seed))
    return pd.concat(frames, ignore_index=True)[[*KEYS, "score", "true"]]


def _about(name: str, tables: RecordedTables, where: str) -> dict[str, Any]:
    """Return when, where, with which versions and from which data the results were made."""
    runs = tables.run_list
    times = [(run.info.start_time, run.info.end_time or run.info.start_time) for run in runs]
    return {
        "format": FORMAT,
        "study": name,
        "title": tables.title,
        "question": tables.question,
        "bounds": tables.bounds(),
        "digest": digest(name, tables.root),
        "published": f"{datetime.now(UTC):%Y-%m-%d}",
        "first_run": _day(min(begun for begun, _ in times)),
        "last_run": _day(max(end for _, end in times)),
        "seconds_of_runs": round(sum(end - begun for begun, end in times) / MILLISECONDS),
        "runs": len(runs),
        "trials": len(tables.names),
        "seeds": sorted({int(run.data.tags["seed"]) for run in runs}),
        "rarelabels": _tags(runs, "rarelabels"),
        "commits": _tags(runs, "mlflow.source.git.commit"),
        "versions": {name: _tags(runs, name) for name in LIBRARIES},
        "machine": f"{os.cpu_count()} x {processor()}, Python {platform.python_version()}",
        "data": list(_data(runs, where)),
    }


def _tags(runs: Sequence[Run], name: str) -> list[str]:
    return sorted({run.data.tags.get(name, "") for run in runs} - {""})


def _data(runs: Sequence[Run], where: str) -> Iterator[Mapping[str, object]]:
    """Yield the kind, the digest and the numbers of rows of each data set, as MLflow's dataset inputs have them."""
    client, seen = connection.connect(where), set[tuple[str, str]]()
    for run in {counted_runs.key(run)[:2]: run for run in runs}.values():
        for one in client.get_run(run.info.run_id).inputs.dataset_inputs:
            data = one.dataset
            if (data.name, data.digest) not in seen:
                seen.add((data.name, data.digest))
                yield {"kind": data.name, "digest": data.digest, "rows": json.loads(data.profile)}


def _files(table: str, frame: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the files of a table: one, or numbered ones if one would be too large."""
    plain = _plain(frame)
    whole = _parquet(plain)
    if len(whole) <= LARGEST:
        yield f"{table}.parquet", whole
        return
    pieces = -(-len(whole) // LARGEST)
    while True:
        contents = [_parquet(plain.iloc[rows]) for rows in np.array_split(np.arange(len(plain)), pieces)]
        if max(map(len, contents)) <= LARGEST:
            break
        pieces += 1
    for number, content in enumerate(contents, 1):
        yield f"{table}-{number}.parquet", content


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with 32-bit numbers, and with text where a column holds anything else."""
    columns = {}
    for name, column in frame.items():
        if pd.api.types.is_float_dtype(column):
            columns[name] = column.astype("float32")
        elif column.dtype == object and not column.map(lambda cell: cell is None or isinstance(cell, str)).all():
            columns[name] = column.map(str)
        else:
            columns[name] = column
    return pd.DataFrame(columns, columns=frame.columns).reset_index(drop=True)


def _parquet(frame: pd.DataFrame) -> bytes:
    written = io.BytesIO()
    frame.to_parquet(written, index=False, compression="zstd", compression_level=19, write_statistics=False)
    return written.getvalue()


def _replace(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files to a folder that has them all or none; the folder of before stays until they are complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex
    new, old = (folder.with_name(f".{folder.name}-{mark}-{which}") for which in ("new", "old"))
    try:
        new.mkdir()
        for name, content in contents.items():
            (new / name).write_bytes(content)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for rest in (new, old):
            shutil.rmtree(rest, ignore_errors=True)


def _day(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / MILLISECONDS, UTC):%Y-%m-%d}"


def processor() -> str:
    """Return the name of this machine's processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
