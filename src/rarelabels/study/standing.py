"""How a study stands: its comparison, verdicts, winner and ranking, from what is recorded now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rarelabels.compare import comparison, competence, measured_trials, ranking, winner
from rarelabels.compare import verdicts as compare_verdicts
from rarelabels.compare.comparison import Comparison
from rarelabels.compare.measured_trials import MeasuredTrial
from rarelabels.compare.ranking import Ranking
from rarelabels.compare.verdicts import Finding
from rarelabels.declare import declarations, find, study_files
from rarelabels.declare.study import StudySpec
from rarelabels.errors import NotSearchedError, UserError
from rarelabels.record import connection, reading
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity, ParentKey
from rarelabels.study.selection import (
    NOTHING_TOLD,
    Named,
    Searches,
    by_reason,
    identify_trials,
    reason_of,
    recorded,
    run_key,
)


def compare(
    study: str, where: str, asked: Sequence[Identity], told: Mapping[str, str] = NOTHING_TOLD
) -> list[Comparison]:
    """Compare the trials of a study: those declared in its folder, and those ``asked`` for from elsewhere.

    Of a study without a folder here, all that is recorded is compared; of a trial whose data are not here (any more),
    what was recorded last. Why trials are left out is not said again where it is among what was ``told``, by name. See
    ``comparison.compare``.
    """
    runs = recorded(study, where)
    declared = as_declared(study, where, runs, asked)
    untold = {name: reason for name, reason in declared.skipped.items() if told.get(name) != reason}
    return compare_trials(runs, replace(declared, skipped=untold), where)


@dataclass(frozen=True)
class _Declared:
    """The trials of a study as they stand: the runs that can be told, parents by key of others; why, by name."""

    identities: list[Identity]
    others: list[ParentKey]
    skipped: dict[str, str]


def as_declared(
    study: str, where: str, runs: Sequence[Run], asked: Sequence[Identity], root: Path = study_files.EXPERIMENTS
) -> _Declared:
    """Return the trials of a study as its folder declares them now, and of others what is recorded."""
    folder = root / study
    found = _Declared([i for i in asked if i.trial.study == study and not i.overrides], [], {})
    latest = {key[:2]: key for key in reading.parents([run for run in runs if not run.data.tags.get("overrides")])}
    if not folder.is_dir():
        found.others.extend(reading.parents(list(runs)))
        return found
    searches, done = Searches(where), set(reading.finished(list(runs)))

    def is_known(asked_for: Sequence[Identity]) -> bool:
        return any(run_key(one) in done for one in asked_for)

    for path in find.find([study], root):
        trial = declarations.load_trial(path)
        try:
            asked_for = identify_trials([Named(trial, "")], None, is_known, searches)
            found.identities.extend(asked_for.identities)
            found.skipped.update(asked_for.skipped)
        except NotSearchedError as error:  # what an earlier search found is not this trial's
            found.skipped[trial.name] = reason_of(trial.name, error)
        except UserError as error:
            found.others.extend(key for (name, _), key in latest.items() if name == trial.name)
            found.skipped[trial.name] = reason_of(trial.name, error)
    return found


def verdicts(study: str, where: str, root: Path = study_files.EXPERIMENTS) -> list[Finding]:
    """Return what became of the hypotheses of a study, as its folder in ``root`` declares them.

    See ``verdicts.decide``.

    Raises:
        UserError: the record does not answer, or ``study.yaml`` is wrong.
    """
    stated = declarations.load_study(root / study)
    if stated is None or not stated.hypotheses:
        return []
    runs = recorded(study, where)
    measured = _measured(stated, as_declared(study, where, runs, [], root), runs, where)
    return compare_verdicts.decide(stated.hypotheses, measured, stated.baselines, stated.competence_margin)


@dataclass(frozen=True)
class Conclusions:
    """What follows from what was measured.

    Attributes:
        findings: what became of the hypotheses.
        warnings: what a reader must know of the networks before any advice.
        winner: which trial to use; see ``winner.lines``.
    """

    findings: list[Finding]
    warnings: list[str]
    winner: list[str]


def conclude(study: str, where: str) -> Conclusions:
    """Return what follows from what was measured of a study: its winner, its verdicts, and what speaks against them.

    Raises:
        UserError: the record does not answer, or ``study.yaml`` is wrong.
    """
    runs = recorded(study, where, with_metrics=True)
    declared = as_declared(study, where, runs, [])
    stated = declarations.load_study(study_files.EXPERIMENTS / study) or StudySpec(title=study, question="", thread="")
    measured = _measured(stated, declared, runs, where)
    given = measured, stated.baselines, stated.competence_margin
    return Conclusions(
        compare_verdicts.decide(stated.hypotheses, *given),
        competence.warnings(*given),
        _winner(stated, declared, runs, where) if runs else [],
    )


def _winner(stated: StudySpec, declared: _Declared, runs: Sequence[Run], where: str) -> list[str]:
    """Say which trial to use on the test rows that most trials have, and on others on which a baseline was run."""
    client, chosen, names = connection.connect(where), ranking.chosen_by(ranking.DEFAULT), _names(declared)
    told: list[str] = []
    for number, identities in enumerate(_by_test_rows(declared.identities, runs)):
        has_baseline = any(competence.is_baseline(names[one.parent_key], stated.baselines) for one in identities)
        if number and not has_baseline:
            continue
        try:
            ranked = ranking.rank(client, runs, identities, names, [], chosen)
        except UserError as error:
            told.append(f"No trial is named the winner: {error}")
        else:
            told += winner.lines(client, runs, ranked, stated.baselines)
    return told


def _by_test_rows(identities: Sequence[Identity], runs: Sequence[Run]) -> list[list[Identity]]:
    """Return the runs that are asked for by the test rows of those that are finished, most trials first.

    Those of a trial of which no run is finished are left out.
    """
    found = reading.finished(list(runs))
    part_of = {
        one.parent_key: found[run_key(one)][0].data.tags["test_part"] for one in identities if run_key(one) in found
    }
    parts: dict[str, list[Identity]] = {}
    for one in identities:
        if one.parent_key in part_of:
            parts.setdefault(part_of[one.parent_key], []).append(one)
    return sorted(parts.values(), key=lambda of: -len({one.parent_key for one in of}))


def _measured(stated: StudySpec, declared: _Declared, runs: Sequence[Run], where: str) -> dict[str, MeasuredTrial]:
    names = _names(declared)
    seeds: dict[str, list[int]] = {}
    for identity in declared.identities:
        seeds.setdefault(names[identity.parent_key], []).append(identity.seed)
    wanted = compare_verdicts.metrics(stated.hypotheses)
    return measured_trials.read(connection.connect(where), runs, names, seeds, wanted) if runs else {}


def rank(study: str, where: str, metric: str) -> Ranking:
    """Rank the trials of a study as they stand by a validation metric; see ``ranking.rank``.

    Raises:
        UserError: the record does not answer, the metric is none to choose by, or no trial can be ranked.
    """
    chosen = ranking.chosen_by(metric)
    runs = recorded(study, where, with_metrics=True)
    if not runs:
        raise UserError(f"nothing is recorded of {study} yet; `rarelabels run {study}` runs it")
    declared = as_declared(study, where, runs, [])
    client = connection.connect(where)
    return ranking.rank(client, runs, declared.identities, _names(declared), by_reason(declared.skipped), chosen)


def _names(declared: _Declared) -> dict[ParentKey, str]:
    """Return what the trials of a study are called in it, with their variant."""
    keys = [*declared.others, *(identity.parent_key for identity in declared.identities)]
    return {key: " ".join(filter(None, [key[0].split("/")[1], key[1]])) for key in keys}


def shown_name(key: ParentKey) -> str:
    """Return what a trial is called, with its variant and overrides."""
    return " ".join(filter(None, [*key[:2], f"({key[3]})" if key[3] else ""]))


def compare_trials(runs: Sequence[Run], declared: _Declared, where: str) -> list[Comparison]:
    """Return the comparison of trials that stand so; see ``comparison.compare``."""
    client = connection.connect(where) if runs else None
    return comparison.compare(client, runs, _names(declared), by_reason(declared.skipped))
