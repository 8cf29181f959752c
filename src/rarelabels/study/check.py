"""Check a whole record: runs, their files, summaries, searches, and results that wait. Repair what is safe to repair.

A damaged file that can be made again is only marked here; `rarelabels run` makes it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rarelabels.errors import UserError, counted
from rarelabels.record import connection, damage, moved, outbox, queries, reading, run_files, troubles, writing
from rarelabels.record.client import Client
from rarelabels.record.connection import is_url
from rarelabels.record.entities import Run
from rarelabels.study import summary

MADE_ANEW = ("run", "search", "trial", "study")  # the kinds of runs whose damaged files `rarelabels run` makes again


@dataclass(frozen=True)
class Fault:
    """A fault of the record, or a fact about it that is worth knowing.

    Attributes:
        text: one line that describes the finding.
        mend: repairs the fault and returns what it did; None if no repair is safe.
        is_fault: False for a fact that is no fault.
    """

    text: str
    mend: Callable[[], str] | None = None
    is_fault: bool = True


def check(where: str, study: str | None, say: Callable[[str], object], *, repair: bool = False) -> bool:
    """Report what is wrong with a record: a line for each fault, then a line that sums up.

    Return whether no fault is left.

    Args:
        where: the tracking URI.
        study: the study to check; all if None.
        say: called with each line.
        repair: also repair what is safe to repair.

    Raises:
        UserError: nothing is recorded of the study, or the record does not answer.
    """
    if not connection.is_begun(where):
        say("nothing is recorded yet")
        return True
    if wrong := troubles.trouble_of_file(where):
        say(wrong)
        return False
    client = connection.connect(where)
    looks = [partial(_waiting, client, where), partial(_cut_off, client, study)]
    looks += [partial(_summaries, client, study), partial(_files, client, study), partial(_journals, where)]
    faults = mended = 0
    for look in looks:  # in this order: results that waited are delivered first, and checked then
        for one in look():
            done = f": {one.mend()}" if repair and one.mend else ""
            say(f"{one.text}{done}")
            faults += one.is_fault
            mended += one.is_fault and bool(done)
    runs = sum(len(of_study) for _, of_study in _experiments(client, study))
    if not faults:
        say(f"all is well: {counted(runs, 'run')}")
    elif repair:
        say(f"{counted(faults, 'fault')}, of which {mended} mended or marked")
    else:
        of = f" {study}" if study else ""
        say(f"{counted(faults, 'fault')}; `rarelabels check{of} --repair` mends or marks what can be made anew")
    return faults == mended


def _experiments(client: Client, study: str | None) -> list[tuple[str, list[Run]]]:
    """Return the name of each experiment to check, with its runs."""
    by_name = {one.name.removeprefix(moved.ROOT): one for one in queries.experiments(client)}
    names = [name for name in by_name if study is None or name in (study, study + queries.TUNING)]
    if study is not None and not names:
        raise UserError(f"nothing is recorded of {study!r}; there are: {', '.join(by_name)}")
    return [(name, queries.heads(client, by_name[name].experiment_id)) for name in names]


def _waiting(client: Client, where: str) -> Iterator[Fault]:
    """Yield the results that processes left on disk and that are not in the record."""
    place = connection.outboxes(where)
    deliver = partial(writing.deliver_left, client, where, place)
    for box in outbox.left(place, where):
        ended = box.status is not None
        box.leave()
        what = f"the results of run {box.run_id} wait" if ended else f"run {box.run_id} was cut off; its results lie"
        yield Fault(
            f"{what} in {box.folder}",
            lambda: "delivered" if deliver() else "looked through",
            is_fault=ended,
        )


def _cut_off(client: Client, study: str | None) -> Iterator[Fault]:
    for _, runs in _experiments(client, study):
        for run in filter(partial(queries.is_orphan, client), runs):
            yield Fault(
                f"{_called(run)} is RUNNING, and its process is gone",
                partial(_mark, client, run),
            )


def _mark(client: Client, run: Run) -> str:
    return "marked" if queries.end_orphans(client, [run]) else "ended meanwhile"


def _files(client: Client, study: str | None) -> Iterator[Fault]:
    for name, runs in _experiments(client, study):
        lacking = []
        for run in runs:
            if run.info.status != "FINISHED":
                continue
            if wrong := damage.faults(client, run):
                damaged = "; ".join(f"{path} {what}" for path, what in wrong.items())
                can_be = run.data.tags.get("kind") in MADE_ANEW
                yield Fault(f"{_called(run)}: {damaged}", partial(_give_up, client, run, wrong) if can_be else None)
            elif damage.lacks_digests(run):
                lacking.append(run)
        if lacking:
            yield Fault(
                f"{name}: {counted(len(lacking), 'run')} without digests of the files, as 0.4.2 made them",
                partial(_give_digests, client, lacking),
                is_fault=False,
            )


def _give_up(client: Client, run: Run, wrong: Mapping[str, str]) -> str:
    tags = run.data.tags
    if tags["kind"] in ("run", "search"):
        damage.condemn(client, run, wrong)
    else:
        damage.forget(client, run, wrong)
    if set(wrong) == {"report.html"}:
        return "forgotten; `rarelabels report` writes it anew"
    again = " with the same --set" if tags.get("overrides") else ""
    return f"marked; `rarelabels run {tags.get('trial', tags['study'])}`{again} makes it anew"


def _give_digests(client: Client, runs: Sequence[Run]) -> str:
    for run in runs:
        damage.give_digests(client, run)
    return "given"


def _summaries(client: Client, study: str | None) -> Iterator[Fault]:
    """Yield the trials whose summary is not that of their finished runs. Studies that are running are skipped."""
    for _, runs in _experiments(client, study):
        if any(run.info.status == "RUNNING" and not queries.is_orphan(client, run) for run in runs):
            continue
        below, by_id = reading.below(runs), {run.info.run_id: run for run in runs}
        for key, run_id in reading.parents(runs).items():
            parent, children = by_id[run_id], below.get(key, [])
            stamp, said = parent.data.tags.get("summed_up"), parent.data.tags.get("seeds", "")
            finished = " ".join(run.data.tags["seed"] for run in children)
            if stamp and said != finished:
                yield Fault(
                    f"{_called(parent)}: its summary is of seeds {said}, and finished are {finished or 'none'}",
                    partial(_give_up, client, parent, dict.fromkeys(damage.SUMMARY, "")),
                )
            elif stamp and stamp != summary.stamp([run.info.run_id for run in children]):
                yield Fault(
                    f"{_called(parent)}: its summary is of other runs, or made by another version; `rarelabels run "
                    f"{parent.data.tags['trial']}` makes it anew",
                    is_fault=False,
                )


def _journals(where: str) -> Iterator[Fault]:
    """Yield the lines of journals that are unreadable or missing. A last line that is cut off is no fault."""
    storage = connection.storage_of_searches(where)
    for journal in [] if is_url(storage) else sorted(Path(storage).glob(f"*{queries.JOURNAL}")):
        for number, line in enumerate(journal.read_bytes().splitlines(keepends=True), 1):
            if line.endswith(b"\n") and not _is_entry(line, number - 1):
                yield Fault(f"{journal}: line {number} of the search cannot be read, or is not the one of that number")


def _is_entry(line: bytes, number: int) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and entry.get("line", number) == number  # 0.4.2 wrote no numbers


def _called(run: Run) -> str:
    return run_files.called(run.data.tags, run.info.run_id)
