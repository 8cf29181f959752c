"""Print a judgement: floors beside every number, and below each table what its columns mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from rarelabels.judging.evaluation import TUNED, Evaluation
from rarelabels.judging.metrics.table import BY_NAME
from rarelabels.judging.score_tables import some
from rarelabels.show.judgement import MOST_DRAWS, SPEC, Judgement
from rarelabels.show.tables.judgement_page import WIDE, Page, rules_shown
from rarelabels.show.tables.of_labels import print_gains, print_labels, shown_number, shown_threshold

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
    "labels_without_positives": ("labels without a positive", "macro and weighted means"),
    "labels_without_negatives": ("labels without a negative", "macro ROC AUC"),
    "rows_without_labels": ("rows without a label", "LRAP"),
}


def print_judgement(judgement: Judgement, validation: Path | None, test: Path) -> None:
    """Print on stdout what was measured of the file ``test``; thresholds are from ``validation``."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    page = Page(console)
    _print_head(page, judgement, validation, test)
    _print_decisions(page, judgement, validation)
    _print_rankings(page, judgement)
    print_labels(page, judgement.evaluation)
    print_gains(page, judgement)
    page.line("\nEvery number, every label: --format csv. To keep it beside your trials in MLflow: --log NAME.")


def _print_head(page: Page, judgement: Judgement, validation: Path | None, test: Path) -> None:
    measured = judgement.evaluation
    n_rows, n_labels = measured.test.y.shape
    ones = f"{measured.test.y.sum():,} positives ({100 * measured.test.y.mean():.3g} % of all)"
    page.line(f"{test}: {n_rows:,} rows × {n_labels:,} labels, {ones}")
    if measured.validation is None:
        page.line("No validation part: nothing is chosen, so decisions are at 0.5; oracle is only a bound.")
    else:
        page.line(f"Thresholds and base rates are from {validation}: {len(measured.validation.y):,} rows")
    fewer = "" if judgement.draws == MOST_DRAWS else f" (so many scores: not {MOST_DRAWS:,})"
    page.line(f"Intervals: 95 %, by bootstrap over the test rows, {judgement.draws:,} draws{fewer}")


def _print_decisions(page: Page, judgement: Judgement, validation: Path | None) -> None:
    measured, rules = judgement.evaluation.metrics, rules_shown(judgement.evaluation)
    page.title("Decisions: the labels that each rule assigns")
    rows = [
        [
            BY_NAME[metric].shown,
            *_floors(measured, metric),
            *(_cell(page, judgement, f"test/{rule}/{metric}") for rule in rules),
        ]
        for metric in DECISIONS
        if f"test/half/{metric}" in measured
    ]
    page.table(["", *FLOORS, *rules], [rows])
    for line in [*_floors_in_words(measured, validation), *_rules_in_words(judgement.evaluation, validation)]:
        page.line(line)
    page.line("↓: lower is better. head, medium, tail: groups of labels, see below.")


def _floors_in_words(measured: Mapping[str, float], validation: Path | None) -> Iterator[str]:
    base = f"in {validation}" if validation else "in these test labels themselves, for lack of others"
    yield f"Floors learn nothing: zeros gives no label, ones every label, prior scores each label's base rate {base}."
    if validation:
        micro, macro = (
            " and ".join(f"{shown_number(measured.get(f'floor/prior_{rule}/{mean}_f1'))} ({rule})" for rule in TUNED)
            for mean in ("micro", "macro")
        )
        yield f"All three are at 0.5. With thresholds like the scores', prior has micro-F1 {micro}, macro-F1 {macro}."


def _rules_in_words(measured: Evaluation, validation: Path | None) -> Iterator[str]:
    rules = measured.rules
    yield "half: score ≥ 0.5."
    if validation:
        if rules["global"].fallbacks:
            yield f"global: score ≥ 0.5, for {validation} has no positive to choose by."
        else:
            common = shown_threshold(rules["global"].thresholds[0])
            yield f"global: score ≥ {common}, the best micro-F1 on {validation}."
        few = ""
        if count := rules["per_label"].fallbacks:
            few = f"; {count:,} with fewer than {SPEC.min_positives} positives there take the global one"
        yield f"per_label: a threshold for each label, its best F1 on {validation}{few}."
    yield "oracle: a threshold for each label, its best F1 on the test rows themselves: a bound, never a result."


def _print_rankings(page: Page, judgement: Judgement) -> None:
    measured = judgement.evaluation.metrics
    page.title("Ranking and calibration: the scores before any threshold")
    rows = [
        [BY_NAME[metric].shown, *_floors(measured, metric), _cell(page, judgement, f"test/ranking/{metric}")]
        for metric in RANKINGS
        if f"test/ranking/{metric}" in measured
    ]
    page.table(["", *FLOORS, "scores"], [rows])
    for line in _left_out(judgement.evaluation):
        page.line(line)


def _left_out(measured: Evaluation) -> Iterator[str]:
    """Yield how much is undefined and left out of which metric; labels by name."""
    table = measured.per_label
    labels = {"labels_without_positives": 0, "labels_without_negatives": len(measured.test.y)}
    for what, (words, metrics) in UNDEFINED.items():
        if count := int(measured.metrics[f"test/count/{what}"]):
            names = list(table["label"][table["positives"] == labels[what]]) if what in labels else []
            which = f" ({some(names, '{}')})" if names else ""
            yield f"{words}: {count:,}{which}, undefined and left out of {metrics}"


def _floors(measured: Mapping[str, float], metric: str) -> list[str]:
    return [shown_number(measured.get(f"floor/{floor}/{metric}")) for floor in FLOORS]


def _cell(page: Page, judgement: Judgement, name: str) -> str:
    value = shown_number(judgement.evaluation.metrics.get(name))
    if name not in judgement.intervals:
        return value
    low, high = judgement.intervals[name]
    return f"{value}{page.between}{low:.3f}–{high:.3f}"
