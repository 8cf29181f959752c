"""The comparison, verdicts, winner and ranking of a study, from its record and its present declarations."""

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
from rarelabels.declare import first_seen as first_seen_files
from rarelabels.declare.first_seen import FirstSeen
from rarelabels.declare.study import StudySpec
from rarelabels.errors import NotSearchedError, UserError
from rarelabels.record import connection, first_seen, reading
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity, ParentKey
from rarelabels.study.selection import (
    NOTHING_SAID,
    Named,
    Searches,
    by_reason,
    identify_trials,
    reason_of,
    recorded,
    run_key,
)


def compare(
    study: str,
    where: str,
    named: Sequence[Identity] = (),
    said: Mapping[str, str] = NOTHING_SAID,
    root: Path = study_files.EXPERIMENTS,
) -> list[Comparison]:
    """Compare the trials of a study; see ``comparison.compare``.

    A study without a folder in ``root`` is compared as it was recorded. For a trial whose data are not here, the
    definition that was recorded last is compared.

    Args:
        study: its name.
        where: the record.
        named: runs of trials outside the study's folder, which are compared too.
        said: the reasons why trials were skipped that the user has already read, by name; they are not repeated.
        root: the folder of declared studies.
    """
    runs = recorded(study, where)
    declared = as_declared(study, where, runs, named, root)
    unsaid = {name: reason for name, reason in declared.skipped.items() if said.get(name) != reason}
    return compare_trials(runs, replace(declared, skipped=unsaid), where)


@dataclass(frozen=True)
class _Declared:
    """The trials of a study as they are declared now.

    Attributes:
        identities: the runs of the trials.
        others: the keys of the trials whose runs cannot be identified, mostly because their data are not here.
        skipped: why trials have no run in ``identities``, by name.
    """

    identities: list[Identity]
    others: list[ParentKey]
    skipped: dict[str, str]


def as_declared(
    study: str, where: str, runs: Sequence[Run], named: Sequence[Identity], root: Path = study_files.EXPERIMENTS
) -> _Declared:
    """Return the trials of a study as its folder declares them now, and the ``named`` trials from elsewhere."""
    folder = root / study
    declared = _Declared([i for i in named if i.trial.study == study and not i.overrides], [], {})
    latest = {key[:2]: key for key in reading.parents([run for run in runs if not run.data.tags.get("overrides")])}
    if not folder.is_dir():
        declared.others.extend(reading.parents(list(runs)))
        return declared
    searches, done = Searches(where), set(reading.finished(list(runs)))

    def is_known(identities: Sequence[Identity]) -> bool:
        return any(run_key(one) in done for one in identities)

    for path in find.find([study], root):
        trial = declarations.load_trial(path)
        try:
            selected = identify_trials([Named(trial, "")], None, is_known, searches)
            declared.identities.extend(selected.identities)
            declared.skipped.update(selected.skipped)
        except NotSearchedError as error:  # the result of an earlier search is not this trial's
            declared.skipped[trial.name] = reason_of(trial.name, error)
        except UserError as error:
            declared.others.extend(key for (name, _), key in latest.items() if name == trial.name)
            declared.skipped[trial.name] = reason_of(trial.name, error)
    return declared


def verdicts(study: str, where: str, root: Path = study_files.EXPERIMENTS) -> list[Finding]:
    """Return the verdicts on the hypotheses that a study's folder in ``root`` declares; see ``verdicts.decide``.

    Raises:
        UserError: the record does not answer, or a file of the study is wrong.
    """
    stated = declarations.load_study(root / study)
    if stated is None or not stated.hypotheses:
        return []
    runs = recorded(study, where)
    measured = _measured(stated, as_declared(study, where, runs, [], root), runs, where)
    seen = _first_seen(study, runs, root)
    return compare_verdicts.decide(stated.hypotheses, measured, stated.baselines, stated.competence_margin, seen)


def _first_seen(study: str, runs: Sequence[Run], root: Path) -> FirstSeen:
    """Return when hypotheses and trials were first seen, by the file in the study's folder or by the record."""
    return first_seen_files.read(root / study).merged(first_seen.of(runs))


def keep_first_seen(study: str, where: str, root: Path = study_files.EXPERIMENTS) -> Path:
    """Add when hypotheses and trials were first seen to the file in the study's folder, and return the file.

    Raises:
        UserError: the record does not answer, or the file is wrong or cannot be written.
    """
    return first_seen_files.keep(root / study, first_seen.of(recorded(study, where)))


@dataclass(frozen=True)
class Conclusions:
    """The conclusions of a study.

    Attributes:
        findings: the verdicts on its hypotheses.
        warnings: what a reader must know about the networks before any advice.
        winner: which trial to use; see ``winner.lines``.
    """

    findings: list[Finding]
    warnings: list[str]
    winner: list[str]


def conclude(study: str, where: str, root: Path = study_files.EXPERIMENTS) -> Conclusions:
    """Return the conclusions of a study: verdicts, warnings and winner.

    Raises:
        UserError: the record does not answer, or a file of the study is wrong.
    """
    runs = recorded(study, where, with_metrics=True)
    declared = as_declared(study, where, runs, [], root)
    stated = declarations.load_study(root / study) or StudySpec(title=study, question="", thread="")
    measured = _measured(stated, declared, runs, where)
    given = measured, stated.baselines, stated.competence_margin
    return Conclusions(
        compare_verdicts.decide(stated.hypotheses, *given, _first_seen(study, runs, root)),
        competence.warnings(*given),
        _winner(stated, declared, runs, where) if runs else [],
    )


def _winner(stated: StudySpec, declared: _Declared, runs: Sequence[Run], where: str) -> list[str]:
    """Return lines that say which trial to use: first for the test rows that most trials share.

    Trials on other test rows follow if a baseline is among them.
    """
    client, chosen, names = connection.connect(where), ranking.chosen_by(ranking.DEFAULT), _names(declared)
    lines: list[str] = []
    for number, identities in enumerate(_by_test_rows(declared.identities, runs)):
        has_baseline = any(competence.is_baseline(names[one.parent_key], stated.baselines) for one in identities)
        if number and not has_baseline:
            continue
        try:
            ranked = ranking.rank(client, runs, identities, names, [], chosen)
        except UserError as error:
            lines.append(f"No trial is named the winner: {error}")
        else:
            lines += winner.lines(client, runs, ranked, stated.baselines)
    return lines


def _by_test_rows(identities: Sequence[Identity], runs: Sequence[Run]) -> list[list[Identity]]:
    """Return the runs grouped by the test rows of their trial; the group with the most trials is first.

    A trial without a finished run is left out.
    """
    finished = reading.finished(list(runs))
    part_of = {
        one.parent_key: finished[run_key(one)][0].data.tags["test_part"]
        for one in identities
        if run_key(one) in finished
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


def rank(study: str, where: str, metric: str, root: Path = study_files.EXPERIMENTS) -> Ranking:
    """Rank the trials of a study as they are declared now by a validation metric; see ``ranking.rank``.

    Raises:
        UserError: the record does not answer, trials cannot be ranked by that metric, or no trial can be ranked.
    """
    chosen = ranking.chosen_by(metric)
    runs = recorded(study, where, with_metrics=True)
    if not runs:
        raise UserError(f"nothing is recorded of {study} yet; `rarelabels run {study}` runs it")
    declared = as_declared(study, where, runs, [], root)
    client = connection.connect(where)
    return ranking.rank(client, runs, declared.identities, _names(declared), by_reason(declared.skipped), chosen)


def missing(study: str, where: str, root: Path = study_files.EXPERIMENTS) -> list[str]:
    """Return a line for each declared trial that is not recorded as it is declared now, or not with every seed.

    Raises:
        UserError: the record does not answer, or a file of the study is wrong.
    """
    runs = recorded(study, where)
    declared = as_declared(study, where, runs, [], root)
    done, names = set(reading.finished(list(runs))), _names(declared)
    lacking: dict[str, list[int]] = {}
    for identity in declared.identities:
        if run_key(identity) not in done:
            lacking.setdefault(names[identity.parent_key], []).append(identity.seed)
    not_run = [
        f"{name}: not run with seed{'s'[: len(seeds) > 1]} {', '.join(map(str, seeds))}"
        for name, seeds in lacking.items()
    ]
    return [*not_run, *(f"{name.partition('/')[2]}: {reason}" for name, reason in declared.skipped.items())]


def _names(declared: _Declared) -> dict[ParentKey, str]:
    """Return the name of each trial within its study, with its variant."""
    keys = [*declared.others, *(identity.parent_key for identity in declared.identities)]
    return {key: " ".join(filter(None, [key[0].split("/")[1], key[1]])) for key in keys}


def shown_name(key: ParentKey) -> str:
    """Return the full name of a trial, with its variant and overrides."""
    return " ".join(filter(None, [*key[:2], f"({key[3]})" if key[3] else ""]))


def compare_trials(runs: Sequence[Run], declared: _Declared, where: str) -> list[Comparison]:
    """Compare the trials of a study as they are declared; see ``comparison.compare``."""
    client = connection.connect(where) if runs else None
    return comparison.compare(client, runs, _names(declared), by_reason(declared.skipped))
