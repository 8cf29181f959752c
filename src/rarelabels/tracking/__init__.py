"""The record in MLflow: the only module that writes to it.

MLflow takes seconds to import: what only reads does without it (``client``).

One MLflow experiment per study; per trial a parent run with the aggregate, below it one child per seed. What a run is
called and which tags it carries is decided here, what counts as the same run in ``identity``.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from subprocess import run as run_command

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves the machine unasked
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # with the password, if the address has one

from rarelabels import __version__, lease, outbox
from rarelabels.schema import Trial, UserError
from rarelabels.tracking import empty, troubles
from rarelabels.tracking.client import Client, mend
from rarelabels.tracking.damage import OF_SCORES, SUMMARY, condemn, faults, forget, give_digests, lacks_digests
from rarelabels.tracking.database import SQLITE, file_of, folders_of
from rarelabels.tracking.entities import Experiment, Point, Run
from rarelabels.tracking.files import DamagedError, called, fetch, file, file_names, local_folder, names_there, read
from rarelabels.tracking.identity import (
    Identity,
    ParentKey,
    fingerprints,
    library_versions,
    parent_key,
    search_fingerprint,
    training_fingerprint,
)
from rarelabels.tracking.moved import ROOT, files_of
from rarelabels.tracking.record import (
    NOTE,
    PATIENCE,
    PAUSE_SECONDS,
    Record,
    WaitingError,
    deliver_left,
    is_away,
    is_of_record,
)
from rarelabels.tracking.registry import (
    BEST,
    REFIT,
    copy_files,
    how_to_register,
    register,
    registered,
    registered_name,
    versions,
)
from rarelabels.tracking.scratch import ScratchRecord, ScratchRun, scratch_record
from rarelabels.tracking.server import ADDRESSES
from rarelabels.tracking.troubles import trouble_of_file

logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every table it makes
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # and with a traceback what it raises as well

KIND = "mlflow.experimentKind"  # unset, MLflow's page opens in its mode for language models
PARENT = "mlflow.parentRunId"
HYPOTHESIS = "hypothesis."  # before its name: the digest of one that was declared when the run was made
VIEW = "mlflow.sharedViewState."  # before its key: a saved view of MLflow's page
COLOUR = "mlflow.runColor"
OF_SOURCE = ("trial", "study", "variant", "overrides", "definition", "seed")  # tags that a refit takes from its run
COPIED_TAGS = ("watched", "watched_rows", "test_part")
OF_TRAINING = ("curve/", "training/")  # metrics that do not depend on how scores are judged
FILES_OF_TRAINING = ("data.json", "model", "scores")
EPOCHS = "scores/epochs.npz"  # the scores of every epoch, of a training that records them
TUNING = "/tuning"  # added to a study's name: the experiment of its searches
JOURNAL = ".journal"  # how the file of a search ends
PING_SECONDS = 5  # that a server is given to answer the first time


__all__ = [
    "ADDRESSES",
    "BEST",
    "NOTE",
    "OF_SCORES",
    "PATIENCE",
    "ROOT",
    "SQLITE",
    "SUMMARY",
    "Client",
    "DamagedError",
    "Experiment",
    "Identity",
    "ParentKey",
    "Point",
    "Record",
    "Run",
    "ScratchRecord",
    "ScratchRun",
    "WaitingError",
    "called",
    "condemn",
    "copy_files",
    "deliver_left",
    "faults",
    "fetch",
    "file",
    "file_names",
    "fingerprints",
    "forget",
    "give_digests",
    "how_to_register",
    "is_away",
    "lacks_digests",
    "local_folder",
    "mend",
    "names_there",
    "parent_key",
    "read",
    "register",
    "registered",
    "registered_name",
    "scratch_record",
    "search_fingerprint",
    "training_fingerprint",
    "trouble_of_file",
    "versions",
]


def uri() -> str:
    """Return where the record is: ``MLFLOW_TRACKING_URI``, else an absolute SQLite file in ``runs/`` of this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('runs').resolve() / 'mlflow.db'}"


def is_begun(where: str) -> bool:
    """Return whether there may be anything to read: a local record is a file that the first run makes."""
    return not where.startswith(SQLITE) or file_of(where).exists()


def connect(where: str, patience: float = 0) -> Client:
    """Open the record, creating a local one.

    Args:
        where: the tracking URI.
        patience: seconds that it may be away.

    Raises:
        UserError: nothing answers there.
    """
    until = time.monotonic() + patience
    while True:
        try:
            if where.startswith(ADDRESSES):
                _ping(where)
            client = Client(where)
            if not client.read.is_begun():
                with _one_at_a_time(where):
                    if not is_begun(where):
                        empty.put(file_of(where))
                    if not client.read.is_begun():
                        _check_new(where)
                        client.search_experiments(max_results=1)
        except UserError:
            raise
        except Exception as error:
            if time.monotonic() >= until or not troubles.is_passing(error):
                raise troubles.of_record(where, error) from error
            time.sleep(PAUSE_SECONDS)
        else:
            return client


def one_sums_up(where: str) -> AbstractContextManager[None]:
    """Let one process at a time write the summary of a trial, into a local record."""
    return _one_at_a_time(where, ".summary.lock")


@contextmanager
def _one_at_a_time(where: str, lock: str = ".lock") -> Iterator[None]:
    """Let two processes not do the same to a local record at once: of two that make its tables one would fail."""
    if not where.startswith(SQLITE):
        yield
        return
    place = file_of(where)
    _make_folder(place.parent)
    with ExitStack() as opened:
        with suppress(OSError):  # a record that can only be read has its tables already
            fcntl.flock(opened.enter_context(place.with_suffix(lock).open("w")), fcntl.LOCK_EX)
        yield


@contextmanager
def answering(where: str) -> Iterator[None]:
    """Say in one line that the record went away while a block runs, for longer than MLflow asks again."""
    try:
        yield
    except Exception as error:
        if not (is_of_record(error) and is_away(error)):
            raise
        raise troubles.of_record(where, error) from error


def explained(error: Exception) -> UserError | None:
    """Return what to tell of an error of the record or of the disk that ends a command; None of another error."""
    if is_of_record(error) and (is_away(error) or troubles.is_refusal(error)):
        return troubles.of_record(uri(), error)
    line = troubles.of_disk(error) if isinstance(error, OSError) else None
    return UserError(line) if line else None


def alive(client: Client, run_ids: Sequence[str]) -> AbstractContextManager[None]:
    """Renew the leases of runs that this process answers for while a block runs."""

    def renew() -> None:
        end = lease.until(client.now())
        for run_id in run_ids:
            client.set_tag(run_id, "lease", end)

    return lease.renewed(renew)


def outboxes(where: str) -> Path:
    """Return the folder where results wait for a record: beside a local one, else ``runs/outbox`` of this folder."""
    runs = file_of(where).parent if where.startswith(SQLITE) else Path("runs").resolve()
    return runs / "outbox"


def storage_of_searches(where: str) -> str:
    """Return where searches are kept: ``OPTUNA_STORAGE``, else a folder beside a local record, else in ``runs/``.

    A folder has a file for each search, for to open one is to read it from its beginning.
    """
    return os.environ.get("OPTUNA_STORAGE") or str(outboxes(where).with_name("optuna"))


def find_experiment(client: Client, study: str) -> str | None:
    """Return the id of a study's experiment, None if nothing is recorded of it."""
    return client.read.experiment(ROOT + study)


def open_experiment(client: Client, study: str) -> str:
    """Return the id of a study's experiment, creating it if need be; two processes may do so at once."""
    if found := find_experiment(client, study):
        return found
    place = None
    where = str(client.tracking_uri)
    if where.startswith(SQLITE):
        place = files_of(folders_of(where)[0], study).as_uri()
    try:
        return str(client.create_experiment(ROOT + study, place, tags={KIND: "custom_model_development"}))
    except Exception:
        if found := find_experiment(client, study):
            return found
        raise


def experiments(client: Client) -> list[Experiment]:
    """Return what was recorded by this suite, by name: an experiment for each study, its searches, and others."""
    return [one for one in client.read.experiments() if one.name.startswith(ROOT)]


def offer_view(client: Client, experiment: Experiment, key: str, content: str) -> None:
    """Put a saved view of MLflow's page into an experiment, unless it is there."""
    if experiment.tags.get(VIEW + key) != content:
        client.set_experiment_tag(experiment.experiment_id, VIEW + key, content)


def colour_trials(client: Client, experiment: str, colours: Sequence[str]) -> int:
    """Give the trials of an experiment colours in turn, but those that have one; return how many trials there are."""
    trials = heads(client, experiment, "trial")
    for number, run in enumerate(trials):
        if COLOUR not in run.data.tags:
            client.set_tag(run.info.run_id, COLOUR, colours[number % len(colours)])
    return len(trials)


def start(client: Client, experiment: str, identity: Identity, parent: str, hypotheses: Mapping[str, str]) -> Record:
    """Open the run of one seed below its parent; what it tells waits in an outbox while the record is away."""
    tags = _tags(identity, "run") | {"seed": str(identity.seed), "fingerprint": identity.fingerprint, PARENT: parent}
    tags |= {"training": identity.training, "search": identity.search, "lease": lease.until(client.now())}
    tags |= {HYPOTHESIS + name: digest for name, digest in hypotheses.items()}
    return _start(client, experiment, tags, f"seed {identity.seed}")


def start_refit(client: Client, source: Run) -> Record:
    """Open the run of a model that is trained anew like that of ``source``; its kind lets nothing count it as a run."""
    own = {name: source.data.tags[name] for name in (*OF_SOURCE, PARENT) if name in source.data.tags}
    tags = own | {"kind": REFIT, "refit_of": source.info.run_id, "rarelabels": __version__}
    tags |= {"owner": lease.owner(), "lease": lease.until(client.now())}
    tags |= {NOTE: "The model of this seed, trained anew on training and validation rows; nothing has judged it."}
    run = client.create_run(source.info.experiment_id, tags=tags, run_name=f"refit of seed {source.data.tags['seed']}")
    return Record(client, run.info.run_id)


def refits(client: Client, runs: Iterable[Run], source: Run) -> list[Run]:
    """Return the models that this version trained anew like that of ``source``, and that have all their files."""
    return [
        run
        for run in runs
        if run.data.tags.get("refit_of") == source.info.run_id
        and (run.info.status, run.data.tags["rarelabels"]) == ("FINISHED", __version__)
        and not faults(client, run)
    ]


def _start(client: Client, experiment: str, tags: Mapping[str, str], name: str) -> Record:
    run_id = str(client.create_run(experiment, tags=dict(tags), run_name=name).info.run_id)
    where = str(client.tracking_uri)
    return Record(client, run_id, outbox.of_run(outboxes(where), where, run_id), tags[NOTE])


def open_parent(client: Client, experiment: str, identity: Identity) -> Record:
    """Open a new parent run of a trial (or of one variant of it)."""
    tags = _tags(identity, "trial") | {"search": identity.search}
    run = client.create_run(experiment, tags=tags, run_name=" ".join(_named(identity)))
    return Record(client, run.info.run_id)


def _named(identity: Identity) -> list[str]:
    changed = ["(overridden)"] if identity.overrides else []
    return [identity.trial.short_name, *filter(None, [identity.variant.rpartition(".")[2]]), *changed]


def study_run(client: Client, study: str) -> Run | None:
    """Return the one run that carries the study's comparison; None if there is none yet."""
    experiment = find_experiment(client, study)
    return next(iter(heads(client, experiment, "study")), None) if experiment else None


def open_study(client: Client, experiment: str, study: str) -> Record:
    """Return the one run that carries the study's comparison, creating it the first time."""
    if found := study_run(client, study):
        return Record(client, found.info.run_id)
    tags = {"kind": "study", "study": study, NOTE: f"The comparison of the trials of {study}."}
    return Record(client, client.create_run(experiment, tags=tags, run_name=f"= {study}").info.run_id)


def open_search(client: Client, experiment: str, identity: Identity, seed: int | None) -> Record:
    """Return the run of a search, the one that was begun before if there is one; ``fingerprint`` is the search's.

    A search of thresholds has a seed, and its run holds the training whose scores it searches.
    """
    found = _earliest(client, experiment, identity.fingerprint)
    if found:
        return found
    of_seed = {} if seed is None else {"seed": str(seed), "training": identity.training}
    tags = (
        _tags(identity, "search") | {"fingerprint": identity.fingerprint, "lease": lease.until(client.now())} | of_seed
    )
    # The seed first: MLflow's page cuts names after some letters.
    name = " ".join([*([] if seed is None else [f"seed {seed}"]), *_named(identity)])
    made = client.create_run(experiment, tags=tags, run_name=name)
    first = _earliest(client, experiment, identity.fingerprint)
    if first and first.run_id != made.info.run_id:  # another process was faster
        Record(client, made.info.run_id).stop(f"the same search as {first.run_id}")
        return first
    return Record(client, made.info.run_id)


def _earliest(client: Client, experiment: str, mark: str) -> Record | None:
    found = client.search_runs([experiment], f"tags.fingerprint = '{mark}'", 1, 1, ["start_time ASC"])
    return Record(client, found[0].info.run_id) if found else None


def start_tried(client: Client, experiment: str, search: str, trial: Trial, number: int) -> Record:
    """Open the run of one of Optuna's trials, below its search."""
    tags = {"kind": "tried", "trial": trial.name, "number": str(number), PARENT: search}
    tags |= {"owner": lease.owner(), "lease": lease.until(client.now())}
    tags |= {NOTE: f"Optuna's trial {number} of the search for {trial.name}: validation alone."}
    return _start(client, experiment, tags, f"trial {number}")


def start_judgement(client: Client, experiment: str, name: str) -> Record:
    """Open the run of scores that were made elsewhere."""
    return _start_alone(client, experiment, "judged", name, library_versions(with_tensorflow=False))


def start_probes(client: Client, experiment: str, name: str, versions: Mapping[str, str]) -> Record:
    """Open the run of one round of probes; ``versions`` of the libraries that they are about become tags."""
    return _start_alone(client, experiment, "probes", name, {**library_versions(with_tensorflow=True), **versions})


def _start_alone(client: Client, experiment: str, kind: str, name: str, versions: Mapping[str, str]) -> Record:
    """Open a run that belongs to no trial."""
    tags = {"kind": kind, "owner": lease.owner(), "rarelabels": __version__}
    tags |= {library.replace("-", "_"): installed for library, installed in versions.items()}
    return Record(client, client.create_run(experiment, tags=tags, run_name=name).info.run_id)


def copy_training(client: Client, source: str, target: Record) -> None:
    """Record a training once more, for a trial that differs only in what it watches or in its rules."""
    run = client.get_run(source)
    metrics = {key: value for key, value in run.data.metrics.items() if key.startswith(OF_TRAINING)}
    curves = [key for key in metrics if key.startswith("curve/")]
    history = chain.from_iterable(client.get_metric_history(source, key) for key in curves)
    target.curves((point.key, point.step, point.value) for point in history)
    target.metrics({key: value for key, value in metrics.items() if key not in curves})
    origin = run.data.tags.get("trained_by", source)
    target.tags({"trained_by": origin} | {name: run.data.tags[name] for name in COPIED_TAGS if name in run.data.tags})
    target.notes([note for note in run.data.tags.get("notes", "").split("\n") if note])
    target.data_of(run)
    with target.folder() as folder:
        fetch(client, source, FILES_OF_TRAINING, folder, without=EPOCHS)  # large, and read where it was made


def all_runs(client: Client, experiment: str, kind: str = "") -> list[Run]:
    """Return the runs of an experiment, or those of a kind, as their tag says, with their metrics, oldest first."""
    return client.read.runs(experiment, kind, with_metrics=True)


def heads(client: Client, experiment: str, kind: str = "") -> list[Run]:
    """Return what :func:`all_runs` does without metrics, of which a run has hundreds; of a server, whole runs."""
    return client.read.runs(experiment, kind)


def end_cut_off(where: str) -> None:
    """Mark what was cut off in a whole record, see :func:`end_orphans`; one that can only be read stays as it is."""
    if not is_begun(where) or _is_read_only(where):
        return
    client = connect(where)
    running = client.read.running([one.experiment_id for one in experiments(client)])
    try:
        end_orphans(client, running)
    except Exception as error:
        if not is_of_record(error):
            raise


def _is_read_only(where: str) -> bool:
    """Return whether a local record is known to let nothing be written; a server says so when it is asked to."""
    place = file_of(where)
    return where.startswith(SQLITE) and not (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK))


def end_orphans(client: Client, runs: Iterable[Run]) -> list[str]:
    """Mark as KILLED the RUNNING runs that never end, see ``lease.is_over``; return their ids.

    One that was only away for long comes to its end all the same, and is FINISHED then; so is a trial whose study is
    run again.
    """
    ended = []
    for run in runs:
        # looked at again: since the runs were read it may have come to its end, or its results been delivered
        if is_orphan(client, run) and is_orphan(client, client.run(run.info.run_id)):
            client.set_tag(run.info.run_id, "reason", "cut off: the process that ran it is gone, or silent for minutes")
            client.set_terminated(run.info.run_id, "KILLED")
            ended.append(run.info.run_id)
    return ended


def is_orphan(client: Client, run: Run) -> bool:
    """Return whether a run is RUNNING and never ends."""
    tags = run.data.tags
    return run.info.status == "RUNNING" and lease.is_over(tags.get("owner", ""), tags.get("lease", ""), client.now)


def _tags(identity: Identity, kind: str) -> dict[str, str]:
    trial = identity.trial
    tags = {
        "kind": kind,
        "trial": trial.name,
        "study": trial.study,
        "variant": identity.variant,
        "definition": identity.definition,
        "overrides": identity.overrides,
        "owner": lease.owner(),
        "rarelabels": __version__,
        NOTE: f"{trial.question}\n\nThread: {trial.thread}",
    }
    tags |= {name.replace("-", "_"): value for name, value in library_versions(trial.needs_tensorflow).items()}
    if commit := _commit():
        tags["mlflow.source.git.commit"] = commit
    return tags


@lru_cache(maxsize=1)
def _commit() -> str:
    try:
        here = Path(__file__).parent
        command = ["git", "-C", str(here), "rev-parse", "HEAD"]
        return run_command(command, capture_output=True, text=True, timeout=PING_SECONDS).stdout.strip()
    except OSError:
        return ""


def _check_new(where: str) -> None:
    """Refuse a local record that cannot be made, for which MLflow would try for minutes, or that lost its content.

    Raises:
        sqlite3.Error: it cannot be made, or written.
        UserError: it has no byte, but there are files of runs: one that was begun a moment ago has none.
    """
    place = file_of(where)
    if where.startswith(SQLITE):
        with closing(sqlite3.connect(place)) as tried:
            tried.execute("begin immediate")
    if (
        where.startswith(SQLITE)
        and place.exists()
        and not place.stat().st_size
        and any(place.parent.glob("artifacts/*"))
    ):
        raise UserError(troubles.damaged(place, "it is empty, though there are files of runs beside it"))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: the record's folder cannot be made: {error.strerror}") from error


def _ping(where: str) -> None:
    """Ask a server for its health once; MLflow itself would go on asking for minutes."""
    import requests

    requests.get(f"{where.rstrip('/')}/health", timeout=PING_SECONDS).raise_for_status()
