"""From the scores of validation and test to rules, to every metric under its recorded name, and to the files of a run.

No model is needed: the same function judges scores that were made elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels import csv_tables, json_files
from rarelabels.judging import calibration, metrics
from rarelabels.judging.arrays import Bools, Floats, is_one
from rarelabels.judging.calibration import Calibration
from rarelabels.judging.metrics import label_table
from rarelabels.judging.metrics import own as own_metrics
from rarelabels.judging.metrics.table import OF_CALIBRATION
from rarelabels.judging.own import NOTHING_OWN, Own
from rarelabels.judging.rules import choose, crossfit, definition, table
from rarelabels.judging.rules.definition import Rule, Rules
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.scores import NO_IDS, Scores
from rarelabels.judging.settings import ThresholdSpec

Objective = Callable[[Floats], float]  # of validation scores, (n, n_labels)
CALIBRATION = "calibration.json"
# The rules that are also measured on validation, although validation may have chosen them.
IN_SAMPLE = tuple(kind.name for kind in table.TABLE if kind.on_validation and kind.chosen_on != "model")
TUNED = ("global", "per_label")
# The metrics that are kept of base rates under the other rules, and of crossfit: a record of many runs is read whole.
KEPT = ("macro_f1", "micro_f1", "samples_f1", "subset_accuracy", "binary_accuracy")
SURE = 0.01  # a score nearer than this to 0 or 1 is all but a decision
REMEMBERED = 16  # splits whose floors are not measured again
_FLOORS: dict[str, dict[str, float]] = {}
UNCALIBRATED = OF_CALIBRATION  # measured before a calibration as well


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured: rules chosen on validation (``oracle`` on test), metrics by recorded name, per-label table.

    ``validation`` is None where no validation part was given. Both parts hold the scores as they were given.
    ``calibration`` is the map that was applied to these scores before any rule was chosen; None where none is declared.
    """

    labels: tuple[str, ...]
    validation: Scores | None
    test: Scores
    rules: Rules
    metrics: dict[str, float]
    per_label: pd.DataFrame
    calibration: Calibration | None = None

    def save(self, folder: Path) -> None:
        """Write ``thresholds.json`` (see ``definition.to_json``), ``per_label.csv`` and the calibration, if any."""
        stored = {"thresholds.json": definition.to_json(self.rules, self.labels)}
        if self.calibration:
            stored[CALIBRATION] = self.calibration.to_json(self.labels)
        for name, content in stored.items():
            json_files.write(folder / name, content, indent=1)
        csv_tables.write(folder / "per_label.csv", self.per_label)


def floors(prevalence: Floats) -> dict[str, Floats]:
    """Return the scores of the three floors, each (n_labels,), from known prevalences (the training part's).

    ``zeros`` predicts no label and ``ones`` every label; ``prior`` is each label's prevalence, so a label of 3 of 12
    rows scores 0.25.
    """
    return {"zeros": np.zeros(len(prevalence)), "ones": np.ones(len(prevalence)), "prior": prevalence}


def evaluate(
    labels: tuple[str, ...],
    validation: Scores | None,
    test: Scores,
    floors: Mapping[str, Floats],
    spec: ThresholdSpec,
    searched: Mapping[str, Rule] | None = None,
    *,
    decides: bool = False,
    own: Own = NOTHING_OWN,
) -> Evaluation:
    """Calibrate if declared, choose the rules on validation and measure both parts under each.

    Recorded names:

    - ``<part>/<rule>/<metric>`` and ``<part>/ranking/<metric>``.
    - ``<part>/count/<what is undefined>``; also ``sure_scores_share``, the share of scores within 0.01 of 0 or 1, and,
      if not all labels of all rows are known, ``known_share``, the share of cells that are.
    - ``floor/<floor>/<metric>``, on the test part. ``prior_<rule>`` has the base rates under the rule,
      chosen on them in place of the scores.
    - ``test/uncalibrated/<metric>``: the calibration metrics before the calibration.

    Validation is measured under ``half``, ``global`` and ``per_label``. The last two are in-sample there: they flatter,
    and are never an objective. Without a validation part the rules are ``half`` and the bound ``oracle``. A part with
    label sets is also measured under ``most_likely_set``, which the model assigns and no part chooses.

    Args:
        labels: names of the columns.
        validation: chooses the thresholds.
        test: is measured.
        floors: scores (n_labels,) of predictors that learn nothing; see :func:`floors`.
        spec: how thresholds are chosen.
        searched: further rules, which were chosen on the calibrated validation part elsewhere.
        decides: whether the scores are decisions, which no threshold changes; see ``choose.of_decisions``.
        own: metrics and rules of other packages, which are recorded like those of this one.

    Raises:
        UserError: a metric or a rule of another package fails.
    """
    given = validation, test
    measured: dict[str, float] = {}
    fitted = _fit_calibration(validation, spec) if validation else None
    if fitted and validation:
        before = metrics.measure_rankings(test)
        measured |= {f"test/uncalibrated/{name}": before[name] for name in UNCALIBRATED if name in before}
        measured["validation/count/labels_uncalibrated"] = fitted.unfitted
        validation, test = (replace(part, scores=fitted.apply(part.scores)) for part in (validation, test))
    rules = {"half": Rule("half", np.full(len(labels), definition.HALF), fallbacks=0)}
    if validation:
        rules = _choose(validation, spec, own) | dict(searched or {})
        rules = choose.of_decisions(rules) if decides else rules
        measured |= _part("validation", validation, {name: rules[name] for name in IN_SAMPLE}, own)
        measured["validation/count/labels_with_global_threshold"] = rules["per_label"].fallbacks
    bound = {"oracle": choose.choose_oracle(test, spec.objective)}
    rules |= choose.of_decisions(bound) if decides else bound
    measured |= _part("test", test, rules, own)
    measured |= _of_floors(validation, test, floors, spec, own)
    of_labels = label_table.tabulate(test, rules, labels)
    return Evaluation(labels, *given, rules, measured, of_labels, fitted)


def calibrated(validation: Scores, spec: ThresholdSpec) -> Scores:
    """Return the validation part with its scores calibrated, if a calibration is declared."""
    fitted = _fit_calibration(validation, spec)
    return replace(validation, scores=fitted.apply(validation.scores)) if fitted else validation


def validation_metrics(validation: Scores, spec: ThresholdSpec, judged_by: str) -> dict[str, float]:
    """Return the metric that a search is judged by, and the metrics that cost little beside it.

    ``validation/{half,ranking}/<metric>`` are always among them. If ``judged_by`` is ``crossfit/per_label/<metric>``,
    all metrics of that rule are added. If it is ``crossfit/<rule>/<metric>`` of another rule, the metrics of all rules
    are added: on a thousand labels these take longer than the training. Where a calibration is declared, ``half`` and
    the calibration metrics are in-sample, because the calibration is fitted on these rows.
    """
    part = calibrated(validation, spec)
    half = {"half": Rule("half", np.full(part.y.shape[1], definition.HALF), fallbacks=0)}
    measured = _part("validation", part, half)
    kind, _, rest = judged_by.partition("/")
    if kind == "crossfit":
        alone = rest.startswith("per_label/")
        measured |= crossfit_metrics(validation, spec, per_label_alone=alone)
    return measured


def crossfit_metrics(
    validation: Scores,
    spec: ThresholdSpec,
    *,
    decides: bool = False,
    per_label_alone: bool = False,
    own: Own = NOTHING_OWN,
) -> dict[str, float]:
    """Return ``crossfit/<rule>/<metric>``: the rule and the calibration of a row are fitted on the other folds.

    Args:
        validation: with the scores as the model gave them.
        spec: how thresholds are chosen.
        decides: whether the scores are decisions; see ``choose.of_decisions``.
        per_label_alone: leave out all other rules.
        own: metrics and rules of other packages.
    """
    kind = spec.calibration
    decided = crossfit.decide_by_folds(
        Rows(validation, spec.objective, spec.min_positives),
        calibrate=None if kind == "none" else lambda others: calibration.fit_to(kind, others).apply,
        decides=decides,
        per_label_alone=per_label_alone,
        own=own.rules,
    )
    return {
        f"crossfit/{rule}/{metric}": value
        for rule, assigned in decided.items()
        for metric, value in _decided(validation, assigned, own).items()
    }


def objective(metric: str, y: npt.NDArray[np.uint8], spec: ThresholdSpec, known: Bools | None = None) -> Objective:
    """Return one of the metrics of :func:`validation_metrics` as a function of scores; NaN where it is undefined.

    Args:
        metric: its recorded name.
        y: of the validation part, (n, n_labels); 0 where it is not known.
        spec: how thresholds are chosen.
        known: which cells of ``y`` are known, (n, n_labels); None: all.
    """
    kind, rule, name = metric.split("/")

    def value(scores: Floats) -> float:
        given = Scores(NO_IDS, y, scores, known=known)
        if kind == "crossfit":
            return crossfit_metrics(given, spec, per_label_alone=rule == "per_label").get(metric, np.nan)
        part = calibrated(given, spec)
        if rule == "half":
            return _decided(part, part.scores >= definition.HALF).get(name, np.nan)
        return metrics.measure_rankings(part).get(name, np.nan)

    return value


def gap(train: Scores, test: Scores) -> dict[str, float]:
    """Return by how much the metrics are better on the training part than on the test part; a small gap is normal.

    ``training/gap_macro_average_precision`` and ``training/gap_half_macro_f1``, each training minus test. A metric that
    is undefined in a part is left out.
    """
    values = []
    for part in (train, test):
        decided = _decided(part, part.scores >= definition.HALF)
        ranked = metrics.macro_average_precision(part.y_or_nan, part.scores)
        values.append({"macro_average_precision": ranked, "half_macro_f1": decided.get("macro_f1", np.nan)})
    gaps = {f"training/gap_{name}": value - values[1][name] for name, value in values[0].items()}
    return {name: value for name, value in gaps.items() if np.isfinite(value)}


def _fit_calibration(validation: Scores, spec: ThresholdSpec) -> Calibration | None:
    if spec.calibration == "none":
        return None
    return calibration.fit_to(spec.calibration, validation)


def _choose(validation: Scores, spec: ThresholdSpec, own: Own) -> Rules:
    return choose.choose(Rows(validation, spec.objective, spec.min_positives), own=own.rules)


def _of_floors(
    validation: Scores | None, test: Scores, floors: Mapping[str, Floats], spec: ThresholdSpec, own: Own
) -> dict[str, float]:
    """Measure the floors. The values of the last splits are remembered, because the trials of a study share splits."""
    told = hashlib.sha256(f"{spec.model_dump_json()} {list(floors)} {own}".encode())
    parts = [test] if validation is None else [validation, test]
    known = [part.known for part in parts if part.known is not None]
    arrays: list[npt.NDArray[Any]] = [*(part.y for part in parts), *floors.values(), *known]
    for array in arrays:
        told.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    key = told.hexdigest()
    if key not in _FLOORS:
        measured: dict[str, float] = {}
        for name, scores in floors.items():
            constant = np.broadcast_to(scores, test.y.shape)
            values = _decided(test, constant >= definition.HALF, own)
            values |= _ranked(replace(test, scores=constant), own)
            measured |= {f"floor/{name}/{metric}": value for metric, value in values.items()}
        if validation:
            measured |= _tuned_floors(validation, test, floors["prior"], spec, own)
        while len(_FLOORS) >= REMEMBERED:
            del _FLOORS[next(iter(_FLOORS))]
        _FLOORS[key] = measured
    return dict(_FLOORS[key])


def _tuned_floors(validation: Scores, test: Scores, prior: Floats, spec: ThresholdSpec, own: Own) -> dict[str, float]:
    """Measure the base rates under rules chosen on them: what a rule gains without a model."""
    known, fresh = (replace(part, scores=np.broadcast_to(prior, part.y.shape)) for part in (validation, test))
    kept = {*KEPT, *(metric.name for metric in own.metrics)}
    rules = _choose(known, spec, own) | {"oracle": choose.choose_oracle(fresh, spec.objective)}
    return {
        f"floor/prior_{name}/{metric}": value
        for name, rule in rules.items()
        if name != "half"
        for metric, value in _decided(test, rule.assign(fresh.scores), own).items()
        if name in TUNED or metric in kept
    }


def _part(name: str, part: Scores, rules: Rules, own: Own = NOTHING_OWN) -> dict[str, float]:
    values: dict[str, float] = {
        f"{name}/count/{what}": n for what, n in metrics.counts_of(part.truth, part.known).items()
    }
    if part.known is not None:
        values[f"{name}/count/known_share"] = part.known_share
    scores = part.cells()[1]
    sure = np.minimum(scores, 1 - scores) < SURE
    values[f"{name}/count/sure_scores_share"] = float(sure.mean())
    values |= {f"{name}/ranking/{metric}": v for metric, v in _ranked(part, own).items()}
    for rule in rules.values():
        decided = _decided(part, rule.assign(part.scores), own)
        values |= {f"{name}/{rule.name}/{metric}": v for metric, v in decided.items()}
    for rule_name, assigned in part.decided.items():
        decided = _decided(part, is_one(assigned), own)
        values |= {f"{name}/{rule_name}/{metric}": v for metric, v in decided.items()}
    return values


def _decided(part: Scores, assigned: Bools, own: Own = NOTHING_OWN) -> dict[str, float]:
    measured = metrics.measure_decisions(part.truth, assigned, known=part.known)
    return measured | own_metrics.values(own.of_decisions, part, assigned)


def _ranked(part: Scores, own: Own) -> dict[str, float]:
    return metrics.measure_rankings(part) | own_metrics.values(own.of_scores, part, part.as_probabilities().scores)
