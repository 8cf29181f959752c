"""A judgement in sections, with floors beside every number and an explanation below each table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rarelabels.errors import counted
from rarelabels.judging.evaluation import TUNED, Evaluation
from rarelabels.judging.metrics.table import BY_NAME
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics.reliability import few_positives, little_known, rare_labels
from rarelabels.names import one_line, some
from rarelabels.show.judgement import SPEC, Judgement
from rarelabels.show.tables import of_labels
from rarelabels.show.tables.console import open_console
from rarelabels.show.tables.judgement_page import Page, Section, rules_shown
from rarelabels.show.tables.of_labels import shown_number, shown_threshold

FLOORS = ("zeros", "ones", "prior")
DECISIONS = (
    "binary_accuracy",
    "hamming_loss",
    "subset_accuracy",
    "micro_f1",
    "macro_f1",
    "weighted_f1",
    "samples_f1",
    "micro_precision",
    "micro_recall",
    "macro_precision",
    "macro_recall",
    "head_f1",
    "medium_f1",
    "tail_f1",
)
RANKINGS = (
    "macro_average_precision",
    "micro_average_precision",
    "macro_roc_auc",
    "micro_roc_auc",
    "lrap",
    "brier",
    "ece",
    "macro_ece",
)
UNDEFINED = {
    "labels_without_positives": ("labels without a positive", "macro and weighted means leave"),
    "labels_without_negatives": ("labels that all rows have, 100 % ones", "macro ROC AUC leaves"),
    "rows_without_labels": ("rows without a label", "LRAP leaves"),
    "rows_without_known_labels": ("rows without a known label", "means over rows leave"),
}


@dataclass(frozen=True)
class Sections:
    """The sections of a judgement, in the order in which they are shown.

    Attributes:
        measured: lines on the data and the intervals.
        decisions: metrics of each rule.
        rankings: metrics of the scores before any threshold.
        labels: results of each label, or of groups of labels.
        prices: found positives and false alarms of each threshold.
    """

    measured: list[str]
    decisions: Section
    rankings: Section
    labels: Section
    prices: Section


def sections(judgement: Judgement, validation: str | None, test: str) -> Sections:
    """Return the sections of a judgement.

    Args:
        judgement: to show.
        validation: a name for the validation part; None if there is none.
        test: a name for the test part.
    """
    return Sections(
        list(_head(judgement, validation, test)),
        _decisions(judgement, validation),
        _rankings(judgement),
        of_labels.labels(judgement.evaluation),
        of_labels.prices(judgement),
    )


def print_judgement(judgement: Judgement, validation: Path | None, test: Path) -> None:
    """Print a judgement on stdout; ``test`` and ``validation`` are the judged files."""
    page, shown = Page(open_console()), sections(judgement, str(validation) if validation else None, str(test))
    for line in shown.measured:
        page.line(line)
    for section in (shown.decisions, shown.rankings, shown.labels, shown.prices):
        page.section(section)
    page.line(
        "\nAll metrics of all labels: --format csv. To record the judgement beside your trials in MLflow: --log NAME."
    )


def _head(judgement: Judgement, validation: str | None, test: str) -> Iterator[str]:
    measured = judgement.evaluation
    part = measured.test
    (n_rows, n_labels), truth = part.y.shape, part.cells()[0]
    of = "all" if part.known is None else "these"
    ones = f"{counted(int(truth.sum()), 'positive')} ({100 * truth.mean():.3g} % of {of})"
    yield f"{test}: {counted(n_rows, 'row')} × {counted(n_labels, 'label')}, {_known_in_words(part)}{ones}"
    if measured.validation is None:
        yield "Without a validation part no threshold is chosen: decisions are at 0.5, and oracle is only a bound."
    else:
        rows = counted(len(measured.validation.y), "row")
        chosen = f"{rows}{_known_in_words(measured.validation, before=', ', after='')}"
        yield f"Thresholds and base rates are from {validation}: {chosen}"
    if part.known is not None:
        yield "A label that is not known in a row counts nowhere: neither as right nor as wrong."
    if little := little_known(measured.labels, part.n_known, part.positives, n_rows):
        yield f"Too little known to judge: {some(little, '{}')}"
    if not judgement.intervals:
        yield "No intervals: one test row says nothing about others"
        return
    yield "Intervals: 95 %, over test rows alone: other seeds of a model vary beyond them"
    if few := few_positives(measured.test.positives):
        yield f"No interval is reliable: {few}. One without width, such as 1.000–1.000, is no certainty"
    elif rare := rare_labels(measured.test.positives):
        yield f"Intervals of macro means are not reliable: {rare}"


def _known_in_words(part: Scores, before: str = "", after: str = ": ") -> str:
    """Return how much of a part is known; nothing if all is."""
    if part.known is None:
        return ""
    return f"{before}{100 * part.known_share:.3g} % known ({part.known.sum():,} of {part.known.size:,} cells){after}"


def _decisions(judgement: Judgement, validation: str | None) -> Section:
    measured, rules = judgement.evaluation.metrics, rules_shown(judgement.evaluation)
    rows = [
        [BY_NAME[metric].shown, *_floors(measured, metric)]
        + [_cell(judgement, f"test/{rule}/{metric}") for rule in rules]
        for metric in DECISIONS
        if f"test/half/{metric}" in measured
    ]
    lines = [
        *_floors_in_words(measured, validation),
        *_rules_in_words(judgement.evaluation, validation),
        "↓: lower is better. head, medium, tail: groups of labels, see below.",
    ]
    return Section("Decisions: the labels that each rule assigns", ["", *FLOORS, *rules], [rows], lines)


def _floors_in_words(measured: Mapping[str, float], validation: str | None) -> Iterator[str]:
    base = f"in {validation}" if validation else "in the test labels themselves, because there is no validation part"
    yield (
        "Floors learn nothing: zeros assigns no label, ones every label; the scores of prior are the labels' "
        f"base rates {base}."
    )
    if validation:
        micro, macro = (
            " and ".join(f"{shown_number(measured.get(f'floor/prior_{rule}/{mean}_f1'))} ({rule})" for rule in TUNED)
            for mean in ("micro", "macro")
        )
        yield (
            "All three are decided at 0.5. With thresholds chosen as for the scores, prior has micro-F1 "
            f"{micro}, macro-F1 {macro}."
        )


def _rules_in_words(measured: Evaluation, validation: str | None) -> Iterator[str]:
    rules = measured.rules
    yield "half: score ≥ 0.5."
    if validation:
        if rules["global"].fallbacks:
            yield f"global: score ≥ 0.5, because {validation} has no positive to choose a threshold by."
        else:
            common = shown_threshold(rules["global"].thresholds[0])
            yield f"global: score ≥ {common}, the threshold with the best micro-F1 on {validation}."
        few = ""
        if count := rules["per_label"].fallbacks:
            which = "label that has" if count == 1 else "labels that have"
            few = f"; the global one for {count:,} {which} fewer than {SPEC.min_positives} positives there"
        yield f"per_label: for each label the threshold with its best F1 on {validation}{few}."
        yield from _constant(measured, validation)
    yield (
        "oracle: for each label the threshold with its best F1 on the test rows themselves; this is a bound, "
        "never a result."
    )


def _constant(measured: Evaluation, validation: str) -> Iterator[str]:
    """Yield a line on labels that all known rows of the validation part have: their threshold is below all scores."""
    part = measured.validation
    if part is None:
        return
    constant = (part.positives == part.n_known) & (part.positives >= SPEC.min_positives)
    if names := [measured.labels[place] for place in np.flatnonzero(constant)]:
        which, them = ("label has", "it") if len(names) == 1 else ("labels have", "them")
        ones = f"100 % ones on {validation} ({some(names, '{}')})"
        yield f"{len(names):,} {which} {ones}: per_label always assigns {them}."


def _rankings(judgement: Judgement) -> Section:
    measured = judgement.evaluation.metrics
    rows = [
        [BY_NAME[metric].shown, *_floors(measured, metric), _cell(judgement, f"test/ranking/{metric}")]
        for metric in RANKINGS
        if f"test/ranking/{metric}" in measured
    ]
    title = "Ranking and calibration: the scores before any threshold"
    return Section(title, ["", *FLOORS, "scores"], [rows], list(_left_out(judgement.evaluation)))


def _left_out(measured: Evaluation) -> Iterator[str]:
    """Yield a line for each kind of undefined label or row: how many, which labels, and the metrics without them."""
    table = measured.per_label
    labels = {"labels_without_positives": 0, "labels_without_negatives": measured.test.n_known}
    for what, (words, metrics) in UNDEFINED.items():
        if count := int(measured.metrics.get(f"test/count/{what}", 0)):
            names = list(table["label"][table["positives"] == labels[what]]) if what in labels else []
            which = f" ({some([one_line(name) for name in names], '{}')})" if names else ""
            yield f"{words}: {count:,}{which}; {metrics} them out, because they are undefined there"


def _floors(measured: Mapping[str, float], metric: str) -> list[str]:
    return [shown_number(measured.get(f"floor/{floor}/{metric}")) for floor in FLOORS]


def _cell(judgement: Judgement, name: str) -> str:
    value = shown_number(judgement.evaluation.metrics.get(name))
    if name not in judgement.intervals:
        return value
    low, high = judgement.intervals[name]
    return f"{value}\n{low:.3f}–{high:.3f}"
