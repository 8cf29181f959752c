"""Scores of the validation and test part -> rules, every number under its recorded name, and what a run keeps of them.

Needs no model: scores that were made elsewhere are judged by the same function.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels import metrics, thresholds
from rarelabels.schema import ThresholdSpec
from rarelabels.thresholds import Rule, Rules

Floats = npt.NDArray[np.float64]

IN_SAMPLE = ("half", "global", "per_label")  # the rules that are also measured on the rows that chose them


@dataclass(frozen=True, eq=False)
class Scored:
    """A part and its scores: ids (n,), y (n, n_labels) 0/1, scores (n, n_labels) probabilities."""

    ids: npt.NDArray[np.str_]
    y: npt.NDArray[np.uint8]
    scores: Floats

    def frame(self, labels: tuple[str, ...]) -> pd.DataFrame:
        """Return the stored form: columns ``id``, ``true/<label>``, ``score/<label>``."""
        truth = pd.DataFrame(self.y, columns=[f"true/{label}" for label in labels])
        scores = pd.DataFrame(self.scores, columns=[f"score/{label}" for label in labels])
        return pd.concat([pd.Series(self.ids, name="id").astype(str), truth, scores], axis=1)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Scored:
        """Return what :meth:`frame` stored."""
        return cls(
            frame["id"].to_numpy(str),
            frame.filter(regex="^true/").to_numpy(np.uint8),
            frame.filter(regex="^score/").to_numpy(np.float64),
        )


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured: rules chosen on validation (``oracle`` on test), metrics by recorded name, per-label table.

    ``validation`` is None for scores that came without one.
    """

    labels: tuple[str, ...]
    validation: Scored | None
    test: Scored
    rules: Rules
    metrics: dict[str, float]
    per_label: pd.DataFrame

    def save(self, folder: Path) -> None:
        """Write ``scores/*.parquet``, ``thresholds.json`` (see ``thresholds.to_json``) and ``per_label.csv``."""
        (folder / "scores").mkdir()
        for name, part in (("validation", self.validation), ("test", self.test)):
            if part is not None:
                file = folder / "scores" / f"{name}.parquet"
                part.frame(self.labels).to_parquet(file, compression="zstd", index=False)
        chosen = thresholds.to_json(self.rules, self.labels)
        (folder / "thresholds.json").write_text(json.dumps(chosen, indent=1, ensure_ascii=False), encoding="utf-8")
        self.per_label.to_csv(folder / "per_label.csv", index=False)


def floors(y: npt.NDArray[np.uint8]) -> dict[str, Floats]:
    """Return the scores of the three floors, each (n_labels,), from known labels (the training part's), (n, n_labels).

    ``zeros`` predicts no label and ``ones`` every label; ``prior`` is each label's prevalence, so a label of 3 of 12
    rows scores 0.25.
    """
    n_labels = y.shape[1]
    return {"zeros": np.zeros(n_labels), "ones": np.ones(n_labels), "prior": y.mean(axis=0, dtype=np.float64)}


def evaluate(
    labels: tuple[str, ...],
    validation: Scored | None,
    test: Scored,
    floors: Mapping[str, Floats],
    spec: ThresholdSpec,
) -> Evaluation:
    """Choose the rules on validation and measure both parts under each.

    Names: ``<part>/<rule>/<metric>``, ``<part>/ranking/<metric>``, ``<part>/count/<what is undefined>``,
    ``crossfit/<rule>/<metric>`` (validation part, each row decided by the rule chosen on the other folds) and
    ``floor/<floor>/<metric>`` (test part). Validation is also measured under ``half``, and in-sample under ``global``
    and ``per_label``: those two flatter, and are never an objective. Without a validation part the rules are ``half``
    and the bound ``oracle``.

    Args:
        labels: names of the columns.
        validation: chooses the thresholds.
        test: is measured.
        floors: scores (n_labels,) of predictors that learn nothing; see :func:`floors`.
        spec: how thresholds per label are chosen.
    """
    measured: dict[str, float] = {}
    if validation is None:
        rules = {"half": Rule("half", np.full(len(labels), thresholds.HALF), fallbacks=0)}
    else:
        rules = thresholds.choose_rules(
            validation.y, validation.scores, min_positives=spec.min_positives, objective=spec.objective
        )
        measured |= _part("validation", validation, {name: rules[name] for name in IN_SAMPLE})
        measured |= _crossfit(validation, spec)
        measured["validation/count/labels_with_global_threshold"] = rules["per_label"].fallbacks
    rules |= {"oracle": thresholds.oracle(test.y, test.scores, spec.objective)}
    measured |= _part("test", test, rules)
    for name, scores in floors.items():
        constant = np.broadcast_to(scores, test.y.shape)
        values = metrics.decision_metrics(test.y, constant >= 0.5) | metrics.ranking_metrics(test.y, constant)
        measured |= {f"floor/{name}/{metric}": value for metric, value in values.items()}
    table = metrics.per_label(test.y, test.scores, rules, labels=labels)
    return Evaluation(labels, validation, test, rules, measured, table)


def gap(train: Scored, test: Scored) -> dict[str, float]:
    """Return how much better the training part fares than the test part: a little of it is the price of learning.

    ``training/gap_macro_average_precision`` and ``training/gap_half_macro_f1``, each training minus test; a metric that
    is undefined in a part is left out.
    """
    values = []
    for part in (train, test):
        decided = metrics.decision_metrics(part.y, part.scores >= thresholds.HALF)
        ranked = metrics.macro_average_precision(part.y, part.scores)
        values.append({"macro_average_precision": ranked, "half_macro_f1": decided.get("macro_f1", np.nan)})
    gaps = {f"training/gap_{name}": value - values[1][name] for name, value in values[0].items()}
    return {name: value for name, value in gaps.items() if np.isfinite(value)}


def _crossfit(validation: Scored, spec: ThresholdSpec) -> dict[str, float]:
    decisions = thresholds.crossfit(
        validation.y, validation.scores, min_positives=spec.min_positives, objective=spec.objective
    )
    values: dict[str, float] = {}
    for name, decided in decisions.items():
        measured = metrics.decision_metrics(validation.y, decided)
        values |= {f"crossfit/{name}/{metric}": value for metric, value in measured.items()}
    return values


def _part(name: str, part: Scored, rules: Rules) -> dict[str, float]:
    values: dict[str, float] = {f"{name}/count/{what}": n for what, n in metrics.counts(part.y).items()}
    values |= {f"{name}/ranking/{metric}": v for metric, v in metrics.ranking_metrics(part.y, part.scores).items()}
    for rule in rules.values():
        decided = metrics.decision_metrics(part.y, rule.assign(part.scores))
        values |= {f"{name}/{rule.name}/{metric}": v for metric, v in decided.items()}
    return values
