"""The comparison of a study's trials: headline metrics with intervals, floors, and ties with the best trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from rarelabels.compare import symptoms
from rarelabels.judging.metrics import LOWER_IS_BETTER
from rarelabels.judging.rules.table import BY_NAME, ORACLE, RULES, compared_by
from rarelabels.judging.statistics import inference
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.names import with_digest
from rarelabels.record import estimates, reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import ParentKey, parent_key

# The metrics in the columns of the table, with their headings.
HEADLINE = {
    "test/half/binary_accuracy": "binary accuracy\nat 0.5",
    "test/ranking/categorical_accuracy": "categorical\naccuracy",
    "test/half/subset_accuracy": "subset accuracy\nat 0.5",
    "test/most_likely_set/subset_accuracy": "subset accuracy\nmost likely set",
    "test/half/macro_f1": "macro-F1\nat 0.5",
    "test/global/macro_f1": "macro-F1\nglobal threshold",
    "test/per_label/macro_f1": "macro-F1\nper label",
    "test/global/micro_f1": "micro-F1\nglobal threshold",
    "test/ranking/macro_average_precision": "macro average\nprecision",
}
# The tables by rule: the rules that are compared by macro-F1, and the rules that are compared by another metric.
BY_RULE = compared_by("macro_f1")
ELSEWHERE = {metric: compared_by(metric) for metric in ("micro_f1", "samples_f1", "subset_accuracy")}
GAIN = "gain/per_label_over_half/macro_f1"  # a paired difference of thresholds: both sides have the same scores
LONGEST = 60  # characters of a value in the name of data; a list of label columns may have thousands
FLOORS = ("zeros", "ones", "prior")
TUNED_FLOORS = tuple(f"prior_{rule}" for rule in (*RULES, ORACLE.name) if rule != "half")


@dataclass(frozen=True)
class Row:
    """One trial, or a variant of a trial, in a comparison.

    Attributes:
        name: short name of the trial, with its variant.
        seeds: of the aggregated runs.
        overrides: the keys that were changed; empty for the trial as declared.
        notes: symptoms of its trainings, and notes of its runs.
        values: the aggregate, indexed by metric, with columns ``mean, low, high``.
        runs: the aggregated runs, by rising seed.
        tied: the metrics in which the trial cannot be told from the best.
        found: the result of its search in words; empty for a trial without a search.
    """

    name: str
    seeds: str
    overrides: str
    notes: tuple[str, ...]
    values: pd.DataFrame
    runs: tuple[Run, ...]
    tied: frozenset[str] = frozenset()
    found: str = ""

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over seeds; 0 if it is undefined."""
        return float(self.values["mean"].get(metric, 0.0))


@dataclass(frozen=True)
class Comparison:
    """The trials of a study that are scored on the same test rows.

    Attributes:
        data: names the data set.
        rows: the declared trials.
        overridden: the trials with overrides.
        floors: the values of each floor, by the floor's name and by metric.
        missing: the names of trials without a result.
        skipped: reasons why trials are skipped, such as data that are not here.
        left_out: a line for each run that would have taken longer than declared, with the reason.
        unsummed: a line for each trial whose runs are finished, but not summed up.
        rare_labels: why intervals of means over labels are not reliable; empty if they are.
    """

    data: str
    rows: list[Row]
    overridden: list[Row]
    floors: dict[str, dict[str, float]]
    missing: list[str]
    skipped: list[str]
    left_out: list[str] = field(default_factory=list)
    unsummed: list[str] = field(default_factory=list)
    rare_labels: str = ""

    @property
    def all_rows(self) -> list[Row]:
        """The declared trials, then the overridden trials."""
        return [*self.rows, *self.overridden]

    def long(self) -> pd.DataFrame:
        """Return columns ``data, trial, metric, mean, low, high`` of the declared trials."""
        frames = [row.values.reset_index().assign(trial=row.name, data=self.data) for row in self.rows]
        columns = ["data", "trial", "metric", "mean", "low", "high"]
        return pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)

    def best_floors(self) -> dict[str, float]:
        """Return the best value of any floor for each headline metric that floors have."""
        best: dict[str, float] = {}
        for metric in HEADLINE:
            values = [value for floor in FLOORS if (value := self.floor(floor, metric)) is not None]
            best |= {metric: max(values)} if values else {}
        return best

    def rules_of(self, metric: str) -> list[str]:
        """Return the rules under which a metric was measured on test, ``ranking`` for one of scores.

        Those of this package come first, then those of other packages, then the bound ``oracle``.
        """
        found = dict.fromkeys(rule for row in self.all_rows for rule in rules_of(row.values, metric))
        own = [rule for rule in found if rule not in BY_NAME]
        return [*(rule for rule in BY_NAME if rule in found and rule != ORACLE.name), *own] + [
            rule for rule in found if rule == ORACLE.name
        ]

    def floor(self, name: str, metric: str) -> float | None:
        """Return a floor's value of a test metric; None if there is no such value.

        The floors ``zeros`` and ``ones`` assign no label or all labels, whatever the rule. They have no value under a
        rule that looks at whole rows. The floor ``prior`` has base rates as scores, to which the rule is applied.
        """
        _, rule, short = metric.split("/")
        if name != "prior" and rule in BY_NAME and BY_NAME[rule].is_of_row:
            return None
        if name == "prior" and rule not in ("half", "ranking"):
            name = f"prior_{rule}"
        return self.floors.get(name, {}).get(short)


def rules_of(values: pd.DataFrame, metric: str) -> list[str]:
    """Return the rules under which an aggregate, indexed by metric, has a test metric."""
    parts = (str(name).split("/") for name in values.index if str(name).endswith(f"/{metric}"))
    return [rule for part, rule, _ in (one for one in parts if len(one) == 3) if part == "test" and rule != "count"]


def by_macro_f1(comparison: Comparison) -> list[str]:
    """Return the rules that are compared by macro-F1: some of this package's, and all of other packages."""
    own = [rule for rule in comparison.rules_of("macro_f1") if rule not in BY_NAME]
    return [*(rule for rule in BY_RULE if rule != ORACLE.name), *own, ORACLE.name]


def by_rule(comparison: Comparison) -> pd.DataFrame:
    """Return macro-F1 of every trial and then of every floor, under every rule.

    The columns are ``trial, rule, mean, low, high``.
    """
    rules = by_macro_f1(comparison)
    cells = [
        (row.name, rule, *row.values.loc[metric, ["mean", "low", "high"]])
        for row in comparison.rows
        for rule in rules
        if (metric := f"test/{rule}/macro_f1") in row.values.index
    ]
    cells += [
        (f"floor: {name}", rule, np.nan if value is None else value, np.nan, np.nan)
        for name in FLOORS
        for rule in rules
        for value in [comparison.floor(name, f"test/{rule}/macro_f1")]
    ]
    return pd.DataFrame(cells, columns=["trial", "rule", "mean", "low", "high"])


def compared_by_rule() -> list[str]:
    """Return the metrics of the tables by rule, without those of the bound ``oracle``."""
    own = [f"test/{rule}/macro_f1" for rule in BY_RULE if rule != ORACLE.name]
    return own + [f"test/{rule}/{metric}" for metric, rules in ELSEWHERE.items() for rule in rules]


def compared() -> tuple[str, ...]:
    """Return the metrics in which the tables of a study compare its trials."""
    return tuple(dict.fromkeys([*HEADLINE, *compared_by_rule()]))


def compare(
    client: Client | None, runs: Sequence[Run], declared: Mapping[ParentKey, str], skipped: Sequence[str]
) -> list[Comparison]:
    """Compare the trials of a study: one comparison for each set of test rows, the largest comparison first.

    The first comparison also has the trials that are missing, skipped, left out or not summed up.

    Args:
        client: of the record; None if there is no record yet.
        runs: all runs of the study's experiment; their metrics are not used.
        declared: from the key of the parent run of each trial, as declared now, to the trial's name.
        skipped: reasons why trials are skipped.
    """
    parents = [run for run in runs if run.data.tags.get("kind") == "trial" and "summed_up" in run.data.tags]
    by_key = {parent_key(run): run for run in parents}
    left_out = _left_out(runs, declared)
    below = reading.below(list(runs))
    without = [key for key in declared if key not in by_key and key not in left_out]
    missing = [declared[key] for key in without if key not in below]
    unsummed = [
        f"{declared[key]}: {_finished(len(below[key]))} not summed up; run `rarelabels run {key[0]}`"
        for key in without
        if key in below
    ]
    reasons = [reason for of_trial in left_out.values() for reason in of_trial]
    parts: dict[str, list[Run]] = {}
    for run in parents:
        if parent_key(run) in declared or run.data.tags["overrides"]:
            parts.setdefault(run.data.tags["test_part"], []).append(run)
    if client is None or not parts:
        return [Comparison("", [], [], {}, missing, list(skipped), reasons, unsummed)]
    groups = sorted(parts.values(), key=len, reverse=True)
    named = zip(groups, _names([_shared([run.data.params for run in group]) for group in groups]), strict=True)
    compared = [_compare(client, group, declared, below, data) for group, data in named]
    first = replace(compared[0], missing=missing, skipped=list(skipped), left_out=reasons, unsummed=unsummed)
    return [first, *compared[1:]]


def _finished(count: int) -> str:
    return "1 finished run is" if count == 1 else f"{count} finished runs are"


def _left_out(runs: Sequence[Run], declared: Mapping[ParentKey, str]) -> dict[ParentKey, list[str]]:
    """Return a line for each declared run that was left out when it was last begun, by the key of its trial."""
    begun = [run for run in runs if run.data.tags.get("kind") == "run"]
    last = {run.data.tags["fingerprint"]: run for run in begun if "fingerprint" in run.data.tags}
    lines: dict[ParentKey, list[str]] = {}
    for run in last.values():
        key, reason = parent_key(run), run.data.tags.get("left_out")
        if reason and key in declared:
            lines.setdefault(key, []).append(f"{declared[key]} seed {run.data.tags['seed']}: left out: {reason}")
    return lines


def _shared(params: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the parameters that are the same in all trials."""
    return {key: value for key, value in params[0].items() if all(other.get(key) == value for other in params)}


def _names(groups: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name for the data of each group of trials.

    The name is the kind of the data set. If several groups have the same kind, the parameters that differ are added.

    Args:
        groups: of each group, the parameters that are the same in all its trials.
    """
    names = []
    for params in groups:
        alike = [other for other in groups if other["dataset.kind"] == params["dataset.kind"]]
        keys = [key for key in sorted(params) if key.startswith("dataset.") and all(key in other for other in alike)]
        apart = [key for key in keys if len({other[key] for other in alike}) > 1 and params[key] != "None"]
        values = {key.removeprefix("dataset."): with_digest(params[key], LONGEST) for key in apart}
        told = ", ".join(f"{key} {value}" for key, value in values.items())
        names.append(params["dataset.kind"] + (f" ({told})" if told else ""))
    return names


def _compare(
    client: Client,
    parents: Sequence[Run],
    declared: Mapping[ParentKey, str],
    below: Mapping[ParentKey, Sequence[Run]],
    data: str,
) -> Comparison:
    named = [(run, declared[parent_key(run)]) for run in parents if parent_key(run) in declared]
    found: dict[str, Mapping[str, Estimate]] = {}
    read: dict[str, Row] = {}
    for run, name in named:
        read[name] = _row(client, run, name, below)
        found[name] = estimates.of_trial(client, run, read[name].runs, _compared_in(read[name]))
    found = estimates.by_the_same_groups(client, found, {name: row.runs for name, row in read.items()})
    rows = [_with_gain(row, found[name]) for name, row in read.items()]
    others = [run for run in parents if run.data.tags["overrides"]]
    overridden = [_row(client, run, run.data.tags["trial"].split("/")[1], below) for run in others]
    means = reading.summary(client, parents[0]).set_index("metric")["mean"]
    floors = {name: _floor(means, name) for name in (*FLOORS, *TUNED_FLOORS)}
    for row in rows:
        floors |= {f"prior_{rule}": _floor(row.values["mean"], f"prior_{rule}") for rule in _own_rules(row)}
    rows.sort(key=lambda row: row.mean("test/ranking/macro_average_precision"), reverse=True)
    rare = parents[0].data.tags.get(reading.RARE_LABELS, "")
    return Comparison(data, _marked(rows, found), overridden, floors, missing=[], skipped=[], rare_labels=rare)


def _own_rules(row: Row) -> list[str]:
    """Return the rules of other packages that a trial was measured under."""
    return [rule for rule in rules_of(row.values, "macro_f1") if rule not in BY_NAME]


def _compared_in(row: Row) -> list[str]:
    return [*compared(), *(f"test/{rule}/macro_f1" for rule in _own_rules(row))]


def _row(client: Client, parent: Run, name: str, below: Mapping[ParentKey, Sequence[Run]]) -> Row:
    table = reading.summary(client, parent).set_index("metric")
    tags = parent.data.tags
    notes = (*symptoms.recorded(parent), *(note for note in tags.get("notes", "").split("\n") if note))
    found = client.run(tags["search"]).data.tags["found"] if tags.get("search") else ""
    runs = tuple(reading.summed_up(parent, below.get(parent_key(parent), [])))
    return Row(name, tags["seeds"], tags["overrides"], notes, table, runs, found=found)


def _with_gain(row: Row, found: Mapping[str, Estimate]) -> Row:
    """Add the gain in macro-F1 of thresholds per label over 0.5."""
    ends = [f"test/{rule}/macro_f1" for rule in ("per_label", "half")]
    if not set(ends) <= set(found):
        return row
    gained = found[ends[0]] - found[ends[1]]
    low, high = gained.interval()
    gain = pd.DataFrame({"mean": gained.value, "low": low, "high": high}, index=[GAIN])
    return replace(row, values=pd.concat([row.values, gain]).rename_axis("metric"))


def _floor(means: pd.Series, name: str) -> dict[str, float]:
    prefix = f"floor/{name}/"
    return {str(key).removeprefix(prefix): float(value) for key, value in means.items() if str(key).startswith(prefix)}


def _marked(rows: list[Row], found: Mapping[str, Mapping[str, Estimate]]) -> list[Row]:
    """Mark ties with the best trial. Only trials with the most common seeds are compared, because these are paired."""
    if not rows:
        return rows
    seeds = pd.Series([row.seeds for row in rows]).mode()[0]
    paired = [row for row in rows if row.seeds == seeds]
    tied: dict[str, set[str]] = {row.name: set() for row in rows}
    for metric in dict.fromkeys(metric for row in paired for metric in _compared_in(row)):
        having = {row.name: found[row.name][metric] for row in paired if metric in found[row.name]}
        higher = metric.rpartition("/")[2] not in LOWER_IS_BETTER
        for name in inference.not_worse_than_best(having, higher) if having else ():
            tied[name].add(metric)
    return [replace(row, tied=frozenset(tied[row.name])) for row in rows]
