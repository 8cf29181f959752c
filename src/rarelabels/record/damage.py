"""Find runs whose files are missing or are not what was recorded, and mark them so that they are made again."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from rarelabels.errors import UserError
from rarelabels.record.client import Client, reader
from rarelabels.record.digests import DIGEST, digests, fault, recorded
from rarelabels.record.entities import Run
from rarelabels.record.run_files import PAUSE_SECONDS, fetched, local_folder, names_there
from rarelabels.record.writing import Record

SUMMARY = ("summary.csv", "by_seed.parquet", "influence.parquet")  # of a trial's parent run
OF_SUMMARY = ["summed_up", "seeds"]  # tags that say which runs the summary is of
FIGURES = (".png", ".json")  # endings of the figures of a trial's parent run or a study's run
OF_SCORES = ("scores/validation.parquet", "scores/test.parquet")
OF_RUN = ("data.json", "model/preprocessing.json", "model/weights.npz", "per_label.csv", "thresholds.json")
REGISTERED = "registered/"  # a folder of a run: the models that were registered from it
CONDEMNED = "damaged: "  # begins the reason for which a finished run with damaged files is marked as failed
WRITTEN_AGAIN = ("trial", "study")  # kinds of runs whose files change; the files of other runs are written once


def faults(client: Client, run: Run, *, deep: bool = True) -> dict[str, str]:
    """Return what is wrong with the files of a finished run, by path.

    The files with digests are checked, and the files that later steps read.

    Args:
        client: of the record.
        run: a finished run.
        deep: whether to read whole files. If False, only the size of a large file is checked. And on a server, where
            each look is a request, only the files of a trial's parent run or a study's run are looked for.

    Returns:
        What is wrong with each damaged file, by its path in the run; empty if nothing is wrong.

    Raises:
        UserError: the folder that holds the files of all runs is missing.
    """
    expected = _expected(run.data.tags)
    found = _faults(client, run, expected, deep)
    if found:
        if run.data.tags.get("kind") in WRITTEN_AGAIN:
            time.sleep(PAUSE_SECONDS)  # another process may be between files and their tags at this moment
        now = _expected(reader(str(client.tracking_uri)).tags(run.info.run_id))
        found = _faults(client, run, {path: said for path, said in now.items() if path in found}, deep)
    return found


def condemn(client: Client, run: Run, wrong: Mapping[str, str]) -> None:
    """Mark a finished run with damaged files as FAILED, so that it is trained again. Its metrics stay."""
    reason = "; ".join(f"{path} {what}" for path, what in wrong.items())
    client.set_tag(run.info.run_id, "reason", f"{CONDEMNED}{reason}"[:5000])
    client.set_terminated(run.info.run_id, "FAILED", run.info.end_time)


def is_condemned(run: Run) -> bool:
    """Return whether a run was finished once, and then marked as failed because its files are damaged."""
    return run.info.status == "FAILED" and run.data.tags.get("reason", "").startswith(CONDEMNED)


def forget(client: Client, run: Run, paths: Iterable[str]) -> None:
    """Drop the tags on damaged files of a trial's parent run or a study's run, so that these files are made anew."""
    run_id, lost = run.info.run_id, list(paths)
    dropped = [DIGEST + path for path in lost] + ([] if set(lost).isdisjoint(SUMMARY) else OF_SUMMARY)
    for key in dropped:
        if key in run.data.tags:
            client.delete_tag(run_id, key)
    if any(path.endswith(FIGURES) for path in lost):
        client.set_tag(run_id, "drawn", "")
        if "pictures" in run.data.tags:
            client.set_tag(run_id, "pictures", "")


def lacks_digests(run: Run) -> bool:
    """Return whether a file that later steps read has no digest. Then version 0.4.2 or older made the run."""
    return any(not said for said in _expected(run.data.tags).values())


def give_digests(client: Client, run: Run) -> None:
    """Record digests of the present files of a run, for the files that have no digest."""
    with tempfile.TemporaryDirectory() as name:
        folder = local_folder(run) or Path(client.download_artifacts(run.info.run_id, "", name))
        found = digests(folder)
    lacking = {key: said for key, said in found.items() if key not in run.data.tags}
    Record(client, run.info.run_id).tags(
        {key: said for key, said in lacking.items() if not key.startswith(DIGEST + REGISTERED)}
    )


def _expected(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the files that a finished run must have, each with its tag; the tag is empty if there is none."""
    return dict.fromkeys(_read_later(tags), "") | recorded(tags)


def _read_later(tags: Mapping[str, str]) -> tuple[str, ...]:
    match tags.get("kind"):
        case "run":
            return OF_RUN + OF_SCORES
        case "search":
            return ("thresholds.json", *OF_SCORES) if "seed" in tags else ("best.json",)
        case "trial":
            return SUMMARY[:1] if tags.get("summed_up") else ()
        case _:
            return ()


def _faults(client: Client, run: Run, expected: Mapping[str, str], deep: bool) -> dict[str, str]:
    run_id, folder = run.info.run_id, local_folder(run)
    found: dict[str, str] = {}
    if folder and not (root := folder.parents[1]).is_dir():  # the files of all runs are gone, not of this run alone
        raise UserError(f"{root}: the files of the record are not there; mount that folder, or put it back")
    if not deep and folder is None:
        if run.data.tags.get("kind") in WRITTEN_AGAIN and expected:
            there = names_there(client, run_id)
            found = {path: "is missing" for path in expected if path.partition("/")[0] not in there}
        return found
    for path, said in expected.items():
        try:
            wrong = fault(folder / path if folder else fetched(client, run_id, path), said, deep=deep)
        except FileNotFoundError:
            wrong = "is missing"
        if wrong:
            found[path] = wrong
    return found
