"""The best models of studies in MLflow's model registry.

Whoever may write to a registry can register anything under the name of a study's model. What is read of a version here
are files that a run of that study made, as its tags say by their digests; none of them is code.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rarelabels import __version__
from rarelabels.errors import UserError
from rarelabels.record.client import Client
from rarelabels.record.digests import digests, fault, recorded
from rarelabels.record.entities import Run, Version
from rarelabels.record.moved import ROOT
from rarelabels.record.run_files import fetched
from rarelabels.record.writing import Record

REFIT = "refit"  # kind of a run that trained the model of another anew, on more rows
BEST = "best"  # alias of the registered version that predicts
MODEL = "sha256."  # before the place of a registered model: begins the tags with the digests of its files
RUN = re.compile("[0-9a-f]{32}")  # MLflow's id of one
PLAIN = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)*", re.ASCII)  # a path that leads nowhere but downwards

Build = Callable[[Path], None]


def registered_name(study: str) -> str:
    """Return what the model of a study is called in the registry."""
    return f"rarelabels-{study.replace(':', '-')}"  # MLflow takes no colon, and no slash, which no study has


def registered(client: Client, study: str) -> Version | None:
    """Return the version of a study's model that was registered as the best; None if there is none."""
    return next((one for one in versions(client, study) if BEST in one.aliases), None)


def register(
    client: Client, study: str, run: Run, what: Mapping[str, str], why: Mapping[str, str], read: str, build: Build
) -> str:
    """Make a run's model the best of its study in the registry, and return its version.

    The files go below the run. What has been registered before, and is as it was, is not registered again.

    Args:
        client: of the record.
        study: of the run.
        run: the trained one.
        what: tags that tell whether a version is this very model.
        why: tags of what it was chosen by.
        read: the folder of the model whose files :func:`copy_files` copies.
        build: writes the model to a new folder.
    """
    name = registered_name(study)
    what = {"run": run.info.run_id, "rarelabels": __version__, **what}
    before = [one for one in versions(client, study) if what.items() <= one.tags.items()]
    same = [one for one in before if _is_whole(client, study, one, read)]
    if same:
        version = same[0].version
        for key, value in why.items():
            if same[0].tags.get(key) != value:
                client.set_model_version_tag(name, version, key, value)
    else:
        place = "/".join(["registered", *(what[key] for key in sorted(what) if key != "run")])
        place += f"-{len(before) + 1}" if before else ""  # beside what was changed or damaged
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder, "model"))
            client.log_artifacts(run.info.run_id, str(Path(folder, "model")), place)
            Record(client, run.info.run_id).tags(digests(Path(folder, "model", read), _tag(place)))
        with suppress(Exception):  # there already
            client.create_registered_model(name, description=f"The best model of the study {study}.")
        source = f"{run.info.artifact_uri}/{place}"
        version = client.create_model_version(name, source, run.info.run_id, {**what, **why}).version
    if not (same and BEST in same[0].aliases):
        client.set_registered_model_alias(name, BEST, version)
    return str(version)


def how_to_register(study: str) -> str:
    """Say how the model of a study is registered anew."""
    return f"`rarelabels best {study}` registers a model anew"


def versions(client: Client, study: str) -> list[Version]:
    """Return all registered versions of a study's model, newest first."""
    return client.read.versions(registered_name(study))


def copy_files(client: Client, study: str, version: Version, read: str, target: Path) -> bool:
    """Copy the files of a registered model, once they are known to be what a run of the study made.

    What is copied is what was checked, and nothing beside it.

    Args:
        client: of the record.
        study: whose model it should be.
        version: of it.
        read: the folder of the model in which they are.
        target: an empty folder.

    Returns:
        Whether they have digests: a version that was registered before there were any is copied unchecked.

    Raises:
        UserError: the version is of no finished run of the study, or a file is missing or has been changed.
    """
    made = _made_by(client, study, version)
    folder = f"{made.place}/{read}"
    for name, said in (made.said or dict.fromkeys(_names(client, made, folder), "")).items():
        content = _content(client, made, f"{folder}/{name}") if PLAIN.fullmatch(name) else None
        if content is None:
            raise made.wrong(f"its file {name} is missing, or no plain file")
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
        if said and (wrong := fault(target / name, said)):
            raise made.wrong(f"its file {name} {wrong}")
    return bool(made.said)


@dataclass(frozen=True)
class _Made:
    """Where a version comes from: the place among the files of its run, and what the run's tags say of what is read."""

    study: str
    version: Version
    place: str
    said: dict[str, str]

    def wrong(self, what: str) -> UserError:
        return _refused(self.study, self.version, f"run {self.version.run_id}", what)


def _refused(study: str, version: Version, run: str, what: str) -> UserError:
    return UserError(
        f"{version.name} version {version.version} ({run}): {what}; the model is not used. Ask who registered it; "
        f"{how_to_register(study)}"
    )


def _made_by(client: Client, study: str, version: Version) -> _Made:
    """Return where a version comes from; refuse one that is of no finished run of the study."""
    run = client.read.run(version.run_id) if RUN.fullmatch(version.run_id) else None
    if run is None:
        raise _refused(study, version, f"run {version.run_id or 'unknown'}", "its run is not in the record")
    place = version.source.removeprefix(run.info.artifact_uri.rstrip("/") + "/")
    made = _Made(study, version, place, recorded(run.data.tags, _tag(place)))
    is_of_study = run.info.experiment_id == client.read.experiment(ROOT + study)
    if not is_of_study or run.data.tags.get("kind") not in ("run", REFIT):
        raise made.wrong(f"its run is none of the trials of {study}")
    if run.info.status != "FINISHED":
        raise made.wrong(f"its run is not finished, but {run.info.status}")
    if place == version.source or not PLAIN.fullmatch(place):
        raise made.wrong("its files are not among those of its run")
    return made


def _is_whole(client: Client, study: str, version: Version, read: str) -> bool:
    """Return whether a version would be used, and has digests."""
    with tempfile.TemporaryDirectory() as folder, suppress(UserError):
        return copy_files(client, study, version, read, Path(folder))
    return False


def _names(client: Client, made: _Made, folder: str) -> list[str]:
    """Return the names of all that is in a folder of files, and in its folders."""
    try:
        found = fetched(client, made.version.run_id, folder)
    except (FileNotFoundError, LookupError):
        raise made.wrong("its files are not in the record") from None
    if not found.is_dir():
        raise made.wrong("its files are not in the record")
    return sorted(path.relative_to(found).as_posix() for path in found.rglob("*") if not _is_folder(path))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _content(client: Client, made: _Made, name: str) -> bytes | None:
    """Return what is in a file of a run; None if it is missing, or a symbolic link leads to it."""
    try:
        found = fetched(client, made.version.run_id, name)
    except (FileNotFoundError, LookupError):
        return None
    steps = [found, *found.parents][: len(PurePosixPath(name).parts)]
    return found.read_bytes() if found.is_file() and not any(step.is_symlink() for step in steps) else None


def _tag(place: str) -> str:
    """Return what the tags with the digests of a model begin with."""
    return f"{MODEL}{place.replace('+', '_')}/"  # a + of a local version MLflow takes in no name of a tag
