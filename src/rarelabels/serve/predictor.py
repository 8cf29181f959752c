"""A trained model with preprocessing, calibration and thresholds: from raw rows to label names and probabilities.

All its files are in one folder, without pickles. The code that read the training data also reads raw rows
(``data.raw``). A network scores batches of the same size as when it was measured; the last batch is padded. So the
probabilities of the test rows equal the recorded ones bit by bit, no matter in which batches the rows are sent.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rarelabels import json_files
from rarelabels.data import raw
from rarelabels.data.raw import Raw
from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.data.table.dialect import PLAIN, Dialect
from rarelabels.declare.data import backbone_of
from rarelabels.declare.table import TableSpec
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError, first_line
from rarelabels.judging.arrays import Bools, Floats
from rarelabels.judging.calibration import Calibration
from rarelabels.judging.evaluation import CALIBRATION
from rarelabels.judging.rules import definition
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.rules.table import SET_RULES
from rarelabels.learn.baselines import baseline
from rarelabels.learn.fitted_model import Fitted

FOLDER = "predictor"  # the name of the folder with these files in a registered model
TRIAL, RAW, MODEL, THRESHOLDS = "trial.json", "raw.json", "model", "thresholds.json"
PROBABILITY = "probability/"  # begins the name of a column; the label's name follows
SEPARATORS = ("|", ";", ",", "\t", "\n")


@dataclass(frozen=True, eq=False)
class Predicted:
    """The prediction for some rows: which labels are assigned, and all probabilities; both (n, n_labels)."""

    assigned: Bools
    probabilities: Floats


@dataclass(frozen=True, eq=False)
class Predictor:
    """A trained model that takes raw rows; see the module.

    Attributes:
        trial: the trial that was trained.
        raw: describes a raw row: its columns, id and separator.
        labels: the names of the labels, in the order of the stored model.
        scorer: the trained model.
        calibration: of its scores; None if they are not calibrated.
        rule_name: the rule that turns probabilities into labels, one of ``rules.table``.
        rule: the rule with its thresholds; None for a rule without thresholds.
    """

    trial: Trial
    raw: Raw
    labels: tuple[str, ...]
    scorer: Fitted
    calibration: Calibration | None
    rule_name: str
    rule: Rule | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row must have."""
        return tuple(column.name for column in self.raw.columns)

    @property
    def reads_images(self) -> bool:
        """Whether a column of its rows names image files."""
        return any(column.holds == "image" for column in self.raw.columns)

    @property
    def dialect(self) -> Dialect:
        """How the training data were written, if they were a CSV or TSV file."""
        spec = self.trial.dataset
        return Dialect.of(spec) if isinstance(spec, TableSpec) else PLAIN

    @property
    def separator(self) -> str:
        """The separator of labels in one cell: that of the training data, else one that no label contains."""
        free = (one for one in SEPARATORS if not any(one in label for label in self.labels))
        return self.raw.separator or next(free, SEPARATORS[0])

    def label_texts(self, predicted: Predicted) -> list[str]:
        """Return the names of each row's assigned labels as one text."""
        return [
            self.separator.join(label for label, is_one in zip(self.labels, row, strict=True) if is_one)
            for row in predicted.assigned
        ]

    def predict(self, batch: Batch, images: Path | None = None) -> Predicted:
        """Return the prediction for some rows.

        Args:
            batch: the rows.
            images: the folder that the names of images begin below, for a model of images.

        Raises:
            UserError: a column is missing, or a cell is not allowed, as in the training data; or a model of images is
                given no folder.
        """
        if missing := [name for name in self.columns if name not in batch.cells]:
            raise UserError(missing_columns(str(batch.path), missing, list(batch.cells)))
        spec = raw.checked(self.trial.dataset)
        part = raw.part(spec, self.raw.columns, batch, images)
        if isinstance(spec, TableSpec):
            part = raw.filled_in(self.raw, spec.numeric, part, batch)
        if not batch.rows:
            nothing = np.empty((0, len(self.labels)))
            return Predicted(nothing > 0, nothing)
        if images is not None and (backbone := backbone_of(spec)):
            from rarelabels.learn.backbones import extraction  # imports TensorFlow

            part = extraction.part_with_features(part, images, backbone)
        scores = self.scorer.scores(part)
        probabilities = self.calibration.apply(scores) if self.calibration else scores
        if self.rule is not None:
            return Predicted(self.rule.assign(probabilities), probabilities)
        label_sets = self.scorer.label_sets(part)
        assert label_sets is not None  # only models of label sets have a rule without thresholds
        return Predicted(label_sets > 0, probabilities)


def as_batch(frame: pd.DataFrame) -> Batch:
    """Return the rows of a DataFrame as a batch like that of a file. Missing values of pandas become None."""
    cells = {str(name): [_cell(value) for value in frame[name].tolist()] for name in frame.columns}
    return Batch(Path("input"), 1, len(frame), None, cells)


def _cell(value: Any) -> Any:
    if hasattr(value, "tolist"):  # an array in place of a list
        value = value.tolist()
    return None if not isinstance(value, list) and pd.isna(value) else value


def missing_columns(where: str, missing: Sequence[str], there: Sequence[str]) -> str:
    """Return the message about missing columns."""
    plural = "s" if len(missing) > 1 else ""
    return (
        f"{where}: has no column{plural} {', '.join(map(repr, missing))}, which the model was trained on; the columns "
        f"are {', '.join(map(repr, there[:20]))}{', ...' if len(there) > 20 else ''}"
    )


def save(folder: Path, trial: Trial, described: Raw, rule: str, files: Path) -> None:
    """Write the files of a predictor; :func:`load` reads them.

    Args:
        folder: to write; it must not exist yet.
        trial: as it was run.
        described: describes a raw row of its data.
        rule: name of the rule, see :class:`Predictor`.
        files: folder with files of the run: ``model/``, ``thresholds.json`` and, if calibrated, ``calibration.json``.
    """
    folder.mkdir()
    declared = trial.model_dump(mode="json")
    if "path" in declared["dataset"]:  # the path of the file is useless on other machines, and it may be private
        declared["dataset"]["path"] = Path(declared["dataset"]["path"]).name
    for one in declared["dataset"].get("vectors", ()):
        one["file"] = None  # in new rows they are a column like any other
    if declared["dataset"].get("images"):
        declared["dataset"]["images"]["folder"] = None  # new rows have a folder of their own
    _write(folder / TRIAL, declared)
    stored = asdict(described) | {"rule": rule}
    if described.medians is None:
        del stored["medians"]  # as models were registered before numbers could be missing
    stored["columns"] = [{key: value for key, value in one.items() if value != 0} for one in stored["columns"]]
    _write(folder / RAW, stored)
    shutil.copytree(files / MODEL, folder / MODEL)
    for name in (THRESHOLDS, CALIBRATION):
        if (files / name).exists():
            shutil.copy(files / name, folder / name)


def load(folder: Path) -> Predictor:
    """Return the predictor that :func:`save` wrote. TensorFlow is imported only for a network.

    Raises:
        UserError: a file is missing or damaged, two files have different labels, or the data have no raw rows.
    """
    try:
        return _load(folder)
    except UserError:
        raise
    except Exception as error:  # json, pydantic, zipfile, zlib and NumPy raise different errors
        raise UserError(f"{folder}: cannot be read: {first_line(error)}") from error


def _load(folder: Path) -> Predictor:
    trial = Trial.model_validate(_read(folder / TRIAL))
    raw.checked(trial.dataset)  # refuse other data, for which a network may open files that the trial names
    described = _read(folder / RAW)
    rule_name = described.pop("rule")
    columns = tuple(RawColumn(**column) for column in described.pop("columns"))
    scorer = _scorer(trial, folder / MODEL)
    labels = tuple(scorer.labels)
    calibration = None
    if (folder / CALIBRATION).exists():
        stored = _read(folder / CALIBRATION)
        _check_labels(folder / CALIBRATION, stored["labels"], labels)
        calibration = Calibration.from_json(stored)
    rule = None
    if rule_name not in SET_RULES:
        stored = _read(folder / THRESHOLDS)[rule_name]
        _check_labels(folder / THRESHOLDS, stored["thresholds"], labels)
        rule = definition.from_json({rule_name: stored})[rule_name]
    return Predictor(trial, Raw(columns, **described), labels, scorer, calibration, rule_name, rule)


def _scorer(trial: Trial, folder: Path) -> Fitted:
    if trial.is_network:
        from rarelabels.learn import training  # imports TensorFlow, which takes seconds and only networks need

        return training.load_saved(trial, folder)
    return baseline.load_saved(folder)


def _check_labels(path: Path, stored: dict[str, Any], labels: tuple[str, ...]) -> None:
    """Refuse labels that are not those of the model in their order.

    Thresholds belong to labels by name, and columns of scores by their order in the model. Both must agree.
    """
    if tuple(stored) != labels:
        raise UserError(f"{path}: its labels are not those of the model, in their order")


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; the folder holds no model of rarelabels") from error
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    json_files.write(path, content, indent=1)
