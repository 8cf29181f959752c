"""The best models of studies in MLflow's model registry.

Whoever may write to a registry can register anything under the name of a study's model. So this module reads a version
only if a run of that study made its files; the digests in the run's tags prove it. None of the files is code.
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
from rarelabels.names import digest_of, with_digest
from rarelabels.record.client import Client
from rarelabels.record.digests import digests, fault, recorded
from rarelabels.record.entities import Run, Version
from rarelabels.record.moved import ROOT
from rarelabels.record.run_files import fetched
from rarelabels.record.writing import Record

REFIT = "refit"  # kind of a run that trained the model of another run anew, on more rows
BEST = "best"  # alias of the registered version that is used to predict
MODEL = "sha256."  # begins the tags with the digests of a registered model's files; the model's place follows
REFUSED = re.compile("[:'\"`]")  # MLflow allows no colon in a model's name, and no quote where it looks for one
LONGEST_NAME = 250  # characters of a model's name in MLflow's databases
RUN = re.compile("[0-9a-f]{32}")  # MLflow's id of a run
PLAIN = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)*", re.ASCII)  # a relative path that cannot lead upwards

Build = Callable[[Path], None]


def registered_name(study: str) -> str:
    """Return the name of a study's model in the registry. Studies have different names, so their models have, too.

    >>> registered_name("movies"), registered_name("a:b")
    ('rarelabels-movies', 'rarelabels-a-b-6783a31e')
    """
    plain = REFUSED.sub("-", study)  # a study's name has no slash, which MLflow refuses as well
    plain = plain if plain == study else f"{plain}-{digest_of(study)}"
    return with_digest(f"rarelabels-{plain}", LONGEST_NAME)


def registered(client: Client, study: str) -> Version | None:
    """Return the version of a study's model that was registered as the best; None if there is none."""
    return next((one for one in versions(client, study) if BEST in one.aliases), None)


def register(
    client: Client, study: str, run: Run, what: Mapping[str, str], why: Mapping[str, str], read: str, build: Build
) -> str:
    """Make a run's model the best of its study in the registry, and return its version.

    The files are stored with the run. A model that is already registered with unchanged files is not registered again.

    Args:
        client: of the record.
        study: of the run.
        run: the run that trained the model.
        what: tags that identify the model among the versions.
        why: tags that say why the model was chosen.
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
        place += f"-{len(before) + 1}" if before else ""  # the changed or damaged files stay where they are
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
    """Return a phrase that says how to register the model of a study anew."""
    return f"`rarelabels best {study}` registers a model anew"


def versions(client: Client, study: str) -> list[Version]:
    """Return all registered versions of a study's model, newest first."""
    return client.read.versions(registered_name(study))


def copy_files(client: Client, study: str, version: Version, read: str, target: Path) -> bool:
    """Copy the files of a registered model, after checking that a run of the study made them.

    Only files that were checked are copied.

    Args:
        client: of the record.
        study: the study whose model it should be.
        version: the registered version.
        read: the folder of the model with the files.
        target: an empty folder.

    Returns:
        Whether the files have digests. Old versions have none, and their files are copied unchecked.

    Raises:
        UserError: no finished run of the study made the version, or a file is missing or has been changed.
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
    """The origin of a registered version.

    Attributes:
        study: whose model it is.
        version: the registered version.
        place: path of the model in the files of its run.
        said: digest and size of the files that are read, by path, from the run's tags.
    """

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
    """Return the origin of a version; refuse a version that no finished run of the study made."""
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
    """Return whether :func:`copy_files` accepts a version, and its files have digests."""
    with tempfile.TemporaryDirectory() as folder, suppress(UserError):
        return copy_files(client, study, version, read, Path(folder))
    return False


def _names(client: Client, made: _Made, folder: str) -> list[str]:
    """Return the paths of all files in a folder of a run and in the folders below it."""
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
    """Return the content of a file of a run; None if it is missing, or if its path has a symbolic link in it."""
    try:
        found = fetched(client, made.version.run_id, name)
    except (FileNotFoundError, LookupError):
        return None
    steps = [found, *found.parents][: len(PurePosixPath(name).parts)]
    return found.read_bytes() if found.is_file() and not any(step.is_symlink() for step in steps) else None


def _tag(place: str) -> str:
    """Return the beginning of the tags with the digests of a model's files."""
    return f"{MODEL}{place.replace('+', '_')}/"  # a local version may have a +, which MLflow forbids in a tag's name
