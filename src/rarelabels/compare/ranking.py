"""Rank the trials of a study on validation. Test results are shown beside the ranking, but do not influence it.

Thresholds that are scored on the rows that chose them flatter rare labels. So a rule that chooses thresholds is scored
by cross-fitting (``evaluation.crossfit_metrics``). Means are over seeds, and all ranked trials have the same seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np

from rarelabels import packages
from rarelabels.declare import own_measures
from rarelabels.declare.models import FloorSpec, KnownProbabilitiesSpec
from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import TEST_IS_NO_OBJECTIVE, is_calibrated_in_sample
from rarelabels.errors import UserError, nearest
from rarelabels.judging.metrics import BY_NAME as METRICS
from rarelabels.judging.metrics.metric import Metric
from rarelabels.judging.rules.table import BY_NAME, TABLE
from rarelabels.judging.statistics import inference
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.record import estimates, reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity, ParentKey, parent_key

DEFAULT = "per_label/macro_f1"
RANKING = "ranking"
OF_RANKING = "per_label"  # if trials are ranked by a metric without a rule, the chosen model assigns labels by this one
RULES = tuple(kind.name for kind in TABLE if kind.chosen_on == "validation" or kind.on_validation)
NOT_CHOSEN = (*(name for name in RULES if BY_NAME[name].chosen_on != "validation"), RANKING)
RANKED_PARTS = ("crossfit", "validation")


@dataclass(frozen=True)
class ChosenBy:
    """The rule and the metric by which trials are ranked. A metric of rankings has ``ranking`` in place of a rule."""

    rule: str
    metric: str

    @property
    def short(self) -> str:
        """The name for users: ``per_label/macro_f1``."""
        return f"{self.rule}/{self.metric}"

    @property
    def recorded(self) -> str:
        """The name of the metric in the record: ``crossfit/per_label/macro_f1``."""
        return f"{'validation' if self.rule in NOT_CHOSEN else 'crossfit'}/{self.short}"

    @property
    def test(self) -> str:
        """The name of the same metric on the test part: ``test/per_label/macro_f1``."""
        return f"test/{self.short}"

    @property
    def record(self) -> Metric:
        """The record of the metric.

        Raises:
            UserError: it is a metric of another package, which is not installed here.
        """
        return METRICS.get(self.metric) or own_measures.metric(self.metric)

    @property
    def is_lower_better(self) -> bool:
        """Whether lower values are better."""
        return self.record.lower_is_better

    @property
    def is_calibrated_in_sample(self) -> bool:
        """Whether a calibration, which is fitted on validation, flatters it."""
        flattered = self.rule == RANKING and self.record.is_of_calibration
        return flattered or is_calibrated_in_sample(self.recorded)

    @property
    def deployed_rule(self) -> str:
        """The rule by which the chosen model assigns labels."""
        return OF_RANKING if self.rule == RANKING else self.rule


@dataclass(frozen=True, eq=False)
class Ranked:
    """A ranked trial, or a variant of a trial.

    Attributes:
        name: of the trial in its study, with its variant.
        trial: as it was run.
        runs: one for each of the ranking's seeds, in their order.
        value: the metric on validation, mean over seeds.
        test: the metric on the test part, mean over seeds; NaN if undefined.
        low, high: interval of ``test``; NaN if the trial was summed up over other seeds.
        tied: whether the trial cannot be told from the first trial on the test part.
    """

    name: str
    trial: Trial
    runs: tuple[Run, ...]
    value: float
    test: float
    low: float = np.nan
    high: float = np.nan
    tied: bool = False

    @property
    def is_searched(self) -> bool:
        """Whether its settings were searched on the same validation rows that rank it."""
        return self.trial.tuning is not None


@dataclass(frozen=True, eq=False)
class Ranking:
    """The trials of a study, best first.

    Attributes:
        chosen: the rule and the metric by which they are ranked.
        seeds: the seeds of all means.
        lacking: declared seeds that the ranking does without, because no trial has run all its seeds.
        ranked: trials with a model that has learnt.
        beside: floors and known probabilities, which cannot be chosen.
        left_out: a line for each reason why trials are not ranked.
        overridden: a line for each trial with overrides that would rank before the first.
    """

    chosen: ChosenBy
    seeds: tuple[int, ...]
    lacking: tuple[int, ...]
    ranked: tuple[Ranked, ...]
    beside: tuple[Ranked, ...]
    left_out: tuple[str, ...]
    overridden: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A trial as it is declared now, and its finished runs by seed."""

    name: str
    trial: Trial
    declared: tuple[int, ...]
    key: ParentKey
    runs: dict[int, Run] = field(default_factory=dict)

    @property
    def done(self) -> tuple[int, ...]:
        return tuple(seed for seed in self.declared if seed in self.runs)

    @property
    def rows(self) -> tuple[str, str]:
        """Identifies the test rows and the validation rows. Only scores on the same rows can be compared."""
        first = next(iter(self.runs.values()))
        return first.data.tags["test_part"], self.trial.dataset.validation


def chosen_by(name: str) -> ChosenBy:
    """Return the rule and the metric that a name stands for.

    The name may be short, ``per_label/macro_f1``, or that of the record, ``crossfit/per_label/macro_f1``.

    Raises:
        UserError: the name is that of a test metric or an in-sample metric, or it has no rule.
    """
    where = "--metric"
    if name.startswith("test/"):
        raise UserError(f"{where}: {name!r} is a test metric: {TEST_IS_NO_OBJECTIVE.replace('; use', '; rank by')}")
    part, _, rest = name.partition("/")
    given = rest if part in RANKED_PARTS else name
    rule, _, metric = given.partition("/")
    rules = (*RULES, *packages.names(own_measures.RULES), RANKING)
    if rule not in rules or not metric:
        near = nearest(rule, rules)
        raise UserError(
            f"{where}: must be <rule>/<metric>, as {DEFAULT}; given {name!r}{near or '; rules are ' + ', '.join(rules)}"
        )
    chosen = ChosenBy(rule, metric)
    if part in RANKED_PARTS and name != chosen.recorded:
        in_sample = "the thresholds of this rule were chosen on the rows that would score them"
        none = "this rule chooses no threshold, so there is nothing to cross-fit"
        raise UserError(f"{where}: {name!r}: {none if part == 'crossfit' else in_sample}; use {chosen.recorded}")
    return chosen


def rank(
    client: Client,
    runs: Sequence[Run],
    identities: Sequence[Identity],
    names: Mapping[ParentKey, str],
    skipped: Sequence[str],
    chosen: ChosenBy,
) -> Ranking:
    """Rank trials by the mean over seeds of a validation metric. Equal trials are sorted by name.

    All means are over the same seeds: the declared seeds of most trials that have run all their seeds. If there is no
    such trial, the seeds that most trials have run are taken, and the other seeds are ``lacking``. A trial without
    these seeds is left out. If trials have different validation or test rows, only those with the most common rows are
    ranked.

    Args:
        client: of the record.
        runs: all runs of the study.
        identities: the runs of the trials as declared now.
        names: from the keys of the parent runs to the names of the trials.
        skipped: lines on trials that have no run in ``identities``, and why.
        chosen: the rule and the metric by which to rank.

    Raises:
        UserError: no run has the metric, or no run is finished.
    """
    candidates = _candidates(runs, identities, names)
    finished = [one for one in candidates if one.runs]
    if not finished:
        raise UserError("no trial of the study as it stands has a finished run; call `rarelabels run` again")
    _check_metric(finished, chosen)
    seeds, lacking = _seeds([one for one in finished if not _learns_nothing(one.trial)] or finished)
    out = {one.name: _not_run(one, seeds, runs) for one in candidates if not set(seeds) <= set(one.runs)}
    whole = [one for one in finished if one.name not in out]
    rows = Counter(one.rows for one in whole if not _learns_nothing(one.trial)) or Counter(one.rows for one in whole)
    usual = rows.most_common(1)[0][0]
    out |= {one.name: "validated or tested on other rows" for one in whole if one.rows != usual}
    out |= {one.name: reason for one in whole if one.name not in out and (reason := _unfit(one, seeds, chosen))}
    fit = [_ranked(one, seeds, chosen) for one in whole if one.name not in out]
    sign = 1 if chosen.is_lower_better else -1
    fit.sort(key=lambda one: (sign * one.value, one.name))
    parents = {parent_key(run): run for run in runs if run.data.tags.get("kind") == "trial"}
    keys = {one.name: one.key for one in whole}
    fit = _with_test(client, fit, {one.name: parents.get(keys[one.name]) for one in fit}, seeds, chosen)
    learnt = tuple(one for one in fit if not _learns_nothing(one.trial))
    left_out = (*(f"{', '.join(having)}: {reason}" for reason, having in _by_reason(out).items()), *skipped)
    return Ranking(
        chosen,
        seeds,
        lacking,
        learnt,
        tuple(one for one in fit if _learns_nothing(one.trial)),
        left_out,
        _overridden(runs, learnt[0], seeds, chosen) if learnt else (),
    )


def _candidates(
    runs: Sequence[Run], identities: Sequence[Identity], names: Mapping[ParentKey, str]
) -> list[_Candidate]:
    found = reading.earliest_finished(list(runs))
    made: dict[str, _Candidate] = {}
    declared: dict[str, list[int]] = {}
    for one in identities:
        declared.setdefault(names[one.parent_key], []).append(one.seed)
    for one in identities:
        name = names[one.parent_key]
        candidate = made.setdefault(name, _Candidate(name, one.trial, tuple(declared[name]), one.parent_key))
        run = found.get((one.trial.name, one.variant, one.overrides, one.fingerprint))
        if run is not None:
            candidate.runs[one.seed] = run
    return list(made.values())


def _seeds(finished: Sequence[_Candidate]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the seeds by which to rank, and the declared seeds that are lacking."""
    whole = [one.declared for one in finished if one.done == one.declared]
    # The most frequent set of seeds; among equally frequent sets, the largest.
    counts = Counter(whole or [one.done for one in finished])
    seeds = max(counts, key=lambda seeds: (counts[seeds], len(seeds)))
    declared = next(one.declared for one in finished if set(seeds) <= set(one.declared))
    return seeds, () if whole else tuple(seed for seed in declared if seed not in seeds)


def _not_run(one: _Candidate, seeds: Sequence[int], runs: Sequence[Run]) -> str:
    missing = [seed for seed in seeds if seed not in one.runs]
    if not one.runs:
        tags = [run.data.tags for run in runs if run.data.tags.get("kind") == "run"]
        own = [one_run for one_run in tags if one_run["trial"] == one.trial.name]
        if any(not one_run["overrides"] for one_run in own):
            return "recorded with other settings, data or versions, or not finished; run it again"
        return "run with overrides alone" if own else "not run"
    return f"seed{'s' if len(missing) > 1 else ''} {', '.join(map(str, missing))} not run"


def _unfit(one: _Candidate, seeds: Sequence[int], chosen: ChosenBy) -> str:
    """Return why a trial that was run cannot be ranked by the metric; empty if it can be ranked."""
    calibration = one.trial.thresholds.calibration
    if calibration != "none" and chosen.is_calibrated_in_sample:
        return f"its {calibration} calibration was fitted on the rows that would score it; rank by {DEFAULT}"
    undefined = [str(seed) for seed in seeds if chosen.recorded not in one.runs[seed].data.metrics]
    return f"{chosen.recorded} is undefined in seed {', '.join(undefined)}" if undefined else ""


def _learns_nothing(trial: Trial) -> bool:
    return isinstance(trial.model, FloorSpec | KnownProbabilitiesSpec)


def _check_metric(finished: Sequence[_Candidate], chosen: ChosenBy) -> None:
    measured = {name for one in finished for run in one.runs.values() for name in run.data.metrics}
    if chosen.recorded in measured:
        return
    known = sorted(
        name.partition("/")[2]
        for name in measured
        if name.startswith(("crossfit/", *(f"validation/{rule}/" for rule in NOT_CHOSEN)))
    )
    of_rule = [name for name in known if name.startswith(f"{chosen.rule}/")]
    near = nearest(chosen.short, of_rule or known)
    listed = f"; allowed {', '.join(of_rule)}" if of_rule else ""
    raise UserError(f"--metric: no validation metric {chosen.short!r} is recorded{near}{listed}")


def _ranked(one: _Candidate, seeds: Sequence[int], chosen: ChosenBy) -> Ranked:
    runs = tuple(one.runs[seed] for seed in seeds)
    value = fmean(run.data.metrics[chosen.recorded] for run in runs)
    tested = [run.data.metrics[chosen.test] for run in runs if chosen.test in run.data.metrics]
    return Ranked(one.name, one.trial, runs, value, fmean(tested) if tested else np.nan)


def _with_test(
    client: Client,
    ranked: Sequence[Ranked],
    parents: Mapping[str, Run | None],
    seeds: Sequence[int],
    chosen: ChosenBy,
) -> list[Ranked]:
    """Add intervals on the test part, and mark the trials that cannot be told from the first.

    That is possible only for trials that were summed up over the same seeds.
    """
    wanted = " ".join(map(str, sorted(seeds)))
    estimated: dict[str, Mapping[str, Estimate]] = {}
    with_interval = []
    for one in ranked:
        parent = parents[one.name]
        if parent is not None and parent.data.tags.get("seeds") == wanted:
            table = reading.summary(client, parent).set_index("metric")
            found = estimates.of_trial(client, parent, one.runs, [chosen.test])
            if chosen.test in found:
                estimated[one.name] = found
                low, high = (float(table[end][chosen.test]) for end in ("low", "high"))
                one = replace(one, low=low, high=high)
        with_interval.append(one)
    first = next((one.name for one in ranked if not _learns_nothing(one.trial)), "")
    if first not in estimated:
        return with_interval
    estimated = estimates.by_the_same_groups(client, estimated, {one.name: one.runs for one in ranked})
    tied = inference.not_told_from(first, {name: found[chosen.test] for name, found in estimated.items()})
    return [replace(one, tied=one.name in tied) for one in with_interval]


def _overridden(runs: Sequence[Run], first: Ranked, seeds: Sequence[int], chosen: ChosenBy) -> tuple[str, ...]:
    """Return a line for each trial with overrides that would rank before the first, on the same rows and seeds."""
    rows = first.runs[0].data.tags["test_part"], first.trial.dataset.validation
    lines = []
    for key, made in reading.below(list(runs)).items():
        values = {int(run.data.tags["seed"]): run.data.metrics.get(chosen.recorded, np.nan) for run in made}
        same_rows = (made[0].data.tags.get("test_part"), made[0].data.params.get("dataset.validation")) == rows
        if not key[3] or not same_rows or not set(seeds) <= set(values):
            continue
        value = fmean(values[seed] for seed in seeds)
        if value < first.value if chosen.is_lower_better else value > first.value:
            name = " ".join(filter(None, [key[0].partition("/")[2], key[1]]))
            lines.append(f"{name} ({key[3]}): overridden; it has {value:.4f}, {first.name} {first.value:.4f}")
    return tuple(sorted(lines))


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        found.setdefault(reason, []).append(name)
    return found
