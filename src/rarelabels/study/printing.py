"""Print what is recorded of studies: results, verdicts and ranking; write the report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rarelabels import csv_tables
from rarelabels.compare import verdicts as compare_verdicts
from rarelabels.declare import checking, declarations, find, study_files
from rarelabels.declare.study import Bound
from rarelabels.errors import UserError, without_password
from rarelabels.record import connection, reading
from rarelabels.show.tables import of_study
from rarelabels.study import project, selection, standing
from rarelabels.study.run_trials import Outcome
from rarelabels.study.set_aside import set_aside


def outcome(of: Outcome) -> None:
    """Print the comparison of each study that was run. Then print on stderr what was skipped and what failed."""
    try:
        for name in of.studies:
            of_study.print_comparisons(name, of.compare(name), _bounds(name))
        if of.studies:
            place = "" if of.where.startswith("sqlite:///") else f" (record: {without_password(of.where)})"
            print(f"\nCurves, figures and all metrics: `rarelabels ui`{place}", file=sys.stderr)
    finally:  # even if the comparison cannot be printed, because nobody reads stdout
        for line in of.lines():
            print(line, file=sys.stderr)


def results(name: str, *, by_rule: bool = False, metric: str | None = None, as_csv: bool = False) -> None:
    """Print the recorded results of a study: means with intervals, floors and ties, or a row for each run.

    Args:
        name: of the study.
        by_rule: print every loss under every threshold rule, instead of one column for each metric.
        metric: print this test metric under every rule that has it, in place of the headline metrics.
        as_csv: print a row for each run, overridden runs too, as CSV.

    Raises:
        UserError: there is no such study, no trial has the metric, or the record does not answer.
    """
    where = project.record_here()
    runs = selection.recorded(name, where) if "/" not in name else []
    if not runs:
        checking.known_study(name)
    if as_csv:
        frame = reading.runs(selection.recorded(name, where, with_metrics=True) if runs else [])
        print(csv_tables.text(frame), end="")
    elif not runs:
        print(_nothing_recorded(name))
    elif metric is not None:
        of_study.print_metric(name, standing.compare(name, where), metric)
    elif by_rule:
        of_study.print_by_rule(name, standing.compare(name, where))
    else:
        of_study.print_comparisons(name, standing.compare(name, where), _bounds(name))


def verdicts(name: str | None, *, as_csv: bool = False, keep_first_seen: bool = False) -> None:
    """Print the verdicts on the hypotheses of a study, or of all, and below them what to use.

    Args:
        name: of the study; all if None.
        as_csv: print a row for each hypothesis as CSV.
        keep_first_seen: first write when hypotheses and trials were first seen to a file in the study's folder.

    Raises:
        UserError: there is no such study, or the record does not answer; a file of the study is wrong.
    """
    where, names = project.record_here(), _studies(name)
    recorded = [study for study in names if selection.recorded(study, where)]
    for study in recorded if keep_first_seen else ():
        _warn(f"{standing.keep_first_seen(study, where)} is up to date; commit it")
    if as_csv:
        of_each = {study: standing.verdicts(study, where) for study in recorded}
        print(csv_tables.text(compare_verdicts.long(of_each)), end="")
        return
    concluded = {study: standing.conclude(study, where) for study in recorded}
    for study in names:
        if study not in concluded:
            print(_nothing_recorded(study))
            continue
        conclusions = concluded[study]
        if conclusions.findings:
            of_study.print_findings(study, conclusions.findings, _bounds(study))
        else:
            print(f"{study} declares no hypotheses")
        of_study.print_advice(study, conclusions.warnings, conclusions.winner, conclusions.findings)


def best(name: str, metric: str, *, refit: bool = False) -> None:
    """Print the ranking of a study's trials, register the best trial's model, and print what was registered.

    Args:
        name: of the study.
        metric: ``<rule>/<metric>`` on validation.
        refit: train the best trial anew on training and validation rows, and register that model.

    Raises:
        UserError: there is no such study, trials cannot be ranked by that metric, or no model can be registered.
    """
    from rarelabels.serve import deployment

    where = project.record_here()
    ranked = standing.rank(checking.known_study(name), where, metric)
    of_study.print_ranking(name, ranked)
    chosen, passed_over = deployment.choose(ranked)
    for line in passed_over:
        print(line)
    client, refitted = connection.connect(where), None
    if refit:
        from rarelabels.study import refit as training_anew

        refitted = training_anew.refit(client, selection.recorded(name, where), chosen, _warn)
    print(deployment.register_best(client, ranked, chosen, refitted))


def report(name: str | None, target: Path) -> list[str]:
    """Write the HTML report of a study, or of all that are recorded; return a line for each part that is missing.

    Args:
        name: of the study; all if None.
        target: the file to write.

    Raises:
        UserError: there is no such study, or nothing is recorded of it; the file cannot be written.
    """
    from rarelabels.show.report import page
    from rarelabels.show.report.contents import gather

    where, names = project.record_here(), _studies(name)
    pages, failures = [], list[str]()
    for study in [study for study in names if selection.recorded(study, where)]:
        _warn(f"reading {study}")
        with set_aside(failures, f"{study}: not on the page"):
            if compared := [part for part in standing.compare(study, where) if part.rows]:
                stated = declarations.load_study(study_files.EXPERIMENTS / study)
                ends, client = standing.conclude(study, where), connection.connect(where)
                contents = gather(client, study, stated, compared, ends.findings, failures, ends.warnings, ends.winner)
                pages.append(contents)
    if pages:
        page.write(pages, target)
        print(f"{target}: {', '.join(one.name for one in pages)}")
    elif not failures:
        raise UserError(f"nothing is recorded of {', '.join(names)} yet; run `rarelabels run {names[0]}`")
    for one in pages:
        with set_aside(failures, f"{one.name}: its page is not in the record"):
            page.attach(one, where)
    return failures


def publish(names: Sequence[str], to: Path) -> None:
    """Publish studies as plain files, and print where; then print on stderr what is missing of them.

    Args:
        names: of the studies.
        to: the folder of all published studies.

    Raises:
        UserError: there is no such study, or no run of it is finished; a file cannot be written.
    """
    from rarelabels.study import publishing

    where = project.record_here()
    for name in [checking.known_study(name) for name in names]:
        published = publishing.publish(name, where, to)
        print(f"{published.folder}: {published.size / 1000:,.0f} kB")
        for line in published.missing:
            _warn(f"{name}: not published: {line}")


def _studies(name: str | None) -> Sequence[str]:
    if name is not None:
        return [checking.known_study(name)]
    return sorted({path.parent.name for path in find.all_trials()})


def _bounds(study: str) -> tuple[Bound, ...]:
    declared = declarations.load_study(study_files.EXPERIMENTS / study)
    return declared.bounds if declared else ()


def _nothing_recorded(study: str) -> str:
    return f"nothing is recorded of {study} yet; run `rarelabels run {study}`"


def _warn(line: str) -> None:
    print(f"rarelabels: {without_password(line)}", file=sys.stderr)
