"""Register the best model of a study in MLflow's registry, and predict rows of a file with a registered model."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pandas as pd

import rarelabels
from rarelabels.compare.ranking import Ranked, Ranking
from rarelabels.data import loading, raw
from rarelabels.data.raw import Raw
from rarelabels.data.table import cell_values, column_checks, encodings, opening, table_files, vector_files
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.dialect import PLAIN, Dialect, recognise
from rarelabels.data.table.opening import DELIMITERS, table_format
from rarelabels.declare.models import GradientBoostingSpec, SklearnSpec
from rarelabels.declare.table import TableSpec, VectorColumn
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError, nearest
from rarelabels.judging.evaluation import CALIBRATION
from rarelabels.record import connection, registry, run_files
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.serve import predictor
from rarelabels.serve.predictor import PROBABILITY, Predictor

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

# The libraries that a prediction imports, a part of all that rarelabels needs.
LIBRARIES = ("mlflow", "numpy", "pandas", "pyarrow", "pydantic", "scikit-learn", "scipy", "threadpoolctl")
FILES = f"artifacts/{predictor.FOLDER}"  # MLflow puts the predictor's files there in a model
OF_NETWORKS = ("keras", "tensorflow")  # the libraries that only a network imports, or what reads images


def choose(ranked: Ranking) -> tuple[Ranked, list[str]]:
    """Return the best trial whose model can be registered, and a line for each better trial, which says why not that.

    Raises:
        UserError: no trial has learnt anything, or no model can be registered.
    """
    passed_over: list[str] = []
    for one in ranked.ranked:
        reason = obstacle(one)
        if not reason:
            return one, passed_over
        passed_over.append(f"{one.name}: its model is not registered: {reason}")
    raise UserError(
        passed_over[0] if passed_over else "no trial with a model that learns is ranked; nothing to register"
    )


def obstacle(one: Ranked) -> str:
    """Return why the model of a trial cannot be registered; empty if it can be registered."""
    if not one.trial.stores_model:
        return _why_not_stored(one.trial)
    judged = one.runs[0].data.tags.get("model_is_judged", "")
    if judged.startswith("no"):
        return f"it is not what was judged: {judged.removeprefix('no: ')}"
    try:
        raw.checked(one.trial.dataset)
    except UserError as error:
        return str(error)
    return ""


def _why_not_stored(trial: Trial) -> str:
    if isinstance(trial.model, SklearnSpec):
        return (
            f"of a {trial.model.estimator} of scikit-learn only the scores are stored, for a pickle runs code when "
            "it is read; linear and gradient_boosting are stored without"
        )
    if trial.is_scored_elsewhere:
        return "its scores were made by another program, and there is no model here"
    return f"model.kind {trial.model.kind!r} is of another package, and only its scores are recorded"


def register_best(client: Client, ranked: Ranking, one: Ranked, refitted: Run | None = None) -> str:
    """Register the model of the first seed of a trial, and return a line on what was registered.

    Args:
        client: of the record.
        ranked: the ranking by which the trial was chosen.
        one: the trial.
        refitted: a run that trained the model anew on training and validation rows; its model is registered instead.

    Raises:
        UserError: see :func:`register`.
    """
    chosen, run, seed = ranked.chosen, refitted or one.runs[0], ranked.seeds[0]
    why = {"metric": chosen.recorded, "value": f"{one.value:.6f}", "seeds": " ".join(map(str, ranked.seeds))}
    version = register(client, run, one.trial, chosen.deployed_rule, why)
    name = f"{registry.registered_name(one.trial.study)} version {version} (alias {registry.BEST})"
    anew = ", trained anew on training and validation rows; the numbers are those of before" if refitted else ""
    return f"registered: {name}: {one.name}, seed {seed}, rule {chosen.deployed_rule}{anew}"


def register(client: Client, run: Run, trial: Trial, rule: str, why: dict[str, str]) -> str:
    """Register a run's model as the best of its study, and return the version. The same model is registered only once.

    Args:
        client: of the record.
        run: the run that trained the model, or a refit of it.
        trial: of the run.
        rule: the rule by which the model assigns labels; see ``predictor.Predictor``.
        why: tags that say why the model was chosen.

    Raises:
        UserError: the kind of the trial's data has no raw rows, or the data are not here.
    """
    spec = raw.checked(trial.dataset)

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as name:
            run_files.fetch(client, run.info.run_id, _files_of(client, run), Path(name))
            described = _described(trial, int(run.data.tags["seed"]))
            predictor.save(Path(name, predictor.FOLDER), trial, described, rule, Path(name))
            write_model(folder, Path(name), trial, rule, raw.examples(spec, described.columns))

    tags = {"trial": trial.name, "seed": run.data.tags["seed"], "variant": run.data.tags["variant"]}
    return registry.register(client, trial.study, run, {"rule": rule}, tags | why, FILES, build)


def _described(trial: Trial, seed: int) -> Raw:
    """Return the form of raw rows of a trial's data; numbers of a table may be missing."""
    spec = raw.checked(trial.dataset)
    described = raw.describe(spec)
    if not (isinstance(spec, TableSpec) and spec.numeric):
        return described
    by_itself = isinstance(trial.model, GradientBoostingSpec)
    return raw.with_medians(described, loading.load(spec, seed), by_itself=by_itself)


def _files_of(client: Client, run: Run) -> list[str]:
    calibrated = CALIBRATION in run_files.file_names(client, run.info.run_id)
    return [predictor.MODEL, predictor.THRESHOLDS, *([CALIBRATION] if calibrated else [])]


def write_model(folder: Path, work: Path, trial: Trial, rule: str, examples: dict[str, list[object]]) -> None:
    """Write an MLflow model to ``folder``, made from the predictor's files in ``work``."""
    import mlflow

    from rarelabels.serve import pyfunc_model

    files = work / predictor.FOLDER
    loaded = predictor.load(files)
    code = _code(work / "code")
    names = LIBRARIES + (OF_NETWORKS if trial.needs_tensorflow else ())
    mlflow.pyfunc.save_model(
        folder,
        python_model=str(Path(pyfunc_model.__file__)),
        artifacts={predictor.FOLDER: str(files)},
        code_paths=[str(path) for path in code],
        signature=_signature(loaded),
        input_example=pd.DataFrame(examples),
        pip_requirements=[f"{name}=={version(name)}" for name in names],
        metadata={
            "trial": trial.name,
            "rule": rule,
            "columns": {column.name: column.holds for column in loaded.raw.columns},
            "rarelabels": rarelabels.__version__,
        },
    )


def _signature(loaded: Predictor) -> ModelSignature:
    """Return the columns of input and output as an MLflow signature.

    An input column may have any type. MLflow's ``double`` would refuse a column of whole numbers, and its ``string`` an
    empty column. The model's metadata state what each column must hold, and the model itself names a wrong cell.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType, Array

    inputs = Schema([ColSpec(AnyType(), name) for name in loaded.columns])
    probabilities = [ColSpec(DataType.double, PROBABILITY + label) for label in loaded.labels]
    return ModelSignature(inputs, Schema([ColSpec(Array(DataType.string), "labels"), *probabilities]))


def _code(folder: Path) -> list[Path]:
    """Copy this package as if installed: its modules, and the metadata with its version; return both paths."""
    package, metadata = folder / "rarelabels", folder / f"rarelabels-{rarelabels.__version__}.dist-info"
    here = Path(rarelabels.__file__).parent
    shutil.copytree(here, package, ignore=shutil.ignore_patterns("__pycache__"))
    metadata.mkdir()
    content = f"Metadata-Version: 2.1\nName: rarelabels\nVersion: {rarelabels.__version__}\n"
    (metadata / "METADATA").write_text(content, encoding="utf-8")
    return [package, metadata]


def load_best(study: str, where: str, say: Callable[[str], None]) -> Predictor:
    """Return the registered model of a study. This package reads its files; the code stored with them is not run.

    Args:
        study: its name.
        where: the record.
        say: called with a warning if the files cannot be checked.

    Raises:
        UserError: no model is registered, or its files are not those that a run of the study made.
    """
    version = registry.registered(connection.connect(where), study) if connection.is_begun(where) else None
    if version is None:
        raise UserError(f"no model of {study} is registered yet; `rarelabels best {study}` registers one")
    name = f"{version.name} version {version.version}"
    with tempfile.TemporaryDirectory() as folder:
        if not registry.copy_files(connection.connect(where), study, version, FILES, Path(folder)):
            say(
                f"{name}: its files are not checked, for it was registered before there were digests; "
                f"{registry.how_to_register(study)}"
            )
        try:
            return predictor.load(Path(folder))
        except UserError as error:
            what = str(error).replace(f"{folder}/", "").removeprefix(f"{folder}: ")
            raise UserError(f"{name} (run {version.run_id}): {what}; {registry.how_to_register(study)}") from error


def column_names(path: Path, written: Dialect = PLAIN) -> tuple[str, ...]:
    """Return the names of the columns of a file of rows.

    Args:
        path: the file.
        written: how a CSV or TSV file is written.

    Raises:
        UserError: the file does not exist, or cannot be read; see ``table_files.column_names``.
    """
    if not path.exists():
        raise UserError(f"{path}: there is no such file")
    return table_files.column_names(path, written)


def dialect_of(loaded: Predictor, path: Path, say: Callable[[str], None], in_files: Sequence[str] = ()) -> Dialect:
    """Return how a file of rows is written: as the training data were, or as it looks if it has all columns then.

    Args:
        loaded: the model.
        path: the file.
        say: called with a line if the file is read in another way than the training data.
        in_files: columns that are in files of their own.

    Raises:
        UserError: the file cannot be read.
    """
    declared = loaded.dialect
    if table_format(path) not in DELIMITERS:
        return declared
    seen = recognise(path, header=declared.header)
    is_plain = seen.encoding == PLAIN.encoding and not opening.is_utf_16(declared.encoding)
    if is_plain and not encodings.is_utf_8(path):
        seen = replace(seen, encoding=declared.encoding)
    if (seen.between(path), seen.encoding) == (declared.between(path), declared.encoding):
        return declared
    if set(loaded.columns) - set(in_files) - set(table_files.column_names(path, seen)):
        return declared
    say(
        f"{path}: is read with {seen.between(path)!r} between its cells in {seen.encoding}, as it looks; the training "
        f"data had {declared.between(path)!r} in {declared.encoding}"
    )
    return seen


def predict_file(
    study: str,
    path: Path,
    where: str,
    say: Callable[[str], None],
    out: TextIO,
    vectors: Sequence[str] = (),
    images: Path | None = None,
) -> None:
    """Predict the rows of a file with the registered model of a study; see :func:`predict` for the output.

    Args:
        study: its name.
        path: the file.
        where: the record.
        say: called with each warning.
        out: gets CSV.
        vectors: ``COLUMN=FILE.npy``, for each column of vectors that is in a file of its own.
        images: the folder that the names of images begin below; None: that of the file.

    Raises:
        UserError: a file cannot be read, no model is registered, or a row is wrong.
    """
    in_files = tuple(map(_vectors_in_file, vectors))
    if not path.exists():
        raise UserError(f"{path}: there is no such file")
    opening.check_content(path, encoding="utf-16")  # before the model is loaded, which takes longer
    loaded = load_best(study, where, say)
    _check_vectors(loaded, [one.column for one in in_files])
    written = dialect_of(loaded, path, say, [one.column for one in in_files])
    names = column_names(path, written)
    if loaded.raw.id and loaded.raw.id not in names:
        say(f"{path}: has no column {loaded.raw.id!r}, which named the rows in training; rows are numbered from 1")
    if images is not None and not loaded.reads_images:
        raise UserError("--images: this model reads no images; leave the option out")
    predict(loaded, path, names, out, written, in_files, images or path.parent)


def _vectors_in_file(option: str) -> VectorColumn:
    column, _, file = option.partition("=")
    if not (column and file):
        raise UserError(f"--vectors: allowed COLUMN=FILE.npy, a column of vectors and their file; given {option!r}")
    if not opening.is_text(option):
        raise UserError(f"--vectors: must be UTF-8 text; given {option!a}")
    return VectorColumn(column=column, file=file)


def _check_vectors(loaded: Predictor, given: Sequence[str]) -> None:
    """Raise if a column that is given in a file is none of the model's vectors, or is given twice."""
    known = [one.name for one in loaded.raw.columns if one.holds == "vector"]
    for name in given:
        if name not in known:
            read = f"the model reads {', '.join(map(repr, known))}" if known else "the model reads none"
            raise UserError(f"--vectors: {name!r} is no column of vectors{nearest(name, known)}; {read}")
        if given.count(name) > 1:
            raise UserError(f"--vectors: column {name!r} is given twice; name it once")


def predict(
    loaded: Predictor,
    path: Path,
    names: tuple[str, ...],
    out: TextIO,
    written: Dialect = PLAIN,
    vectors: Sequence[VectorColumn] = (),
    images: Path | None = None,
) -> None:
    """Write a header and a line for each row of a file, in the file's order. The file is read in batches of rows.

    The columns are ``id``, ``labels`` and ``probability/<label>``. ``id`` is the column that named the rows of the
    training data, if the file has it, else the number of the row, from 1. Nothing is written before the first batch has
    been predicted.

    Args:
        loaded: the model.
        path: the file.
        names: the columns of the file.
        out: gets CSV.
        written: how a CSV or TSV file is written.
        vectors: columns of vectors that are in files of their own.
        images: the folder that the names of images begin below.

    Raises:
        UserError: a column is missing, or a cell is wrong; the lines of earlier batches may have been written.
    """
    in_files = [one.column for one in vectors]
    column_checks.check_files(path, vectors, names)
    if missing := [name for name in loaded.columns if name not in (*names, *in_files)]:
        column_checks.check_delimiter(path, names, written)
        hint = column_checks.header_hint(path, names, written, "write one above it")
        raise UserError(predictor.missing_columns(str(path), missing, names) + hint)
    named_by = loaded.raw.id if loaded.raw.id in names else ""
    writer = csv.writer(out, lineterminator="\n")
    header = ["id", "labels", *(PROBABILITY + label for label in loaded.labels)]
    wanted = list(dict.fromkeys([*loaded.columns, *([named_by] if named_by else [])]))
    for batch in vector_files.batches(path, [name for name in wanted if name not in in_files], vectors, written):
        lines = list(_lines(loaded, batch, named_by, images))
        if batch.first == 1:
            writer.writerow(header)
        writer.writerows(lines)
        header = []
    if header:  # no rows
        writer.writerow(header)


def _lines(loaded: Predictor, batch: Batch, named_by: str, images: Path | None) -> Iterator[list[object]]:
    predicted = loaded.predict(batch, images)
    texts = loaded.label_texts(predicted)
    for row, (labels, probabilities) in enumerate(zip(texts, predicted.probabilities, strict=True)):
        name = cell_values.row_name(batch, row, named_by) if named_by else str(batch.first + row)
        yield [name, labels, *probabilities.tolist()]
