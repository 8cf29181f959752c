"""Print a judgement: floors beside every number, and below each table what its columns mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rarelabels.judging.evaluation import TUNED, Evaluation
from rarelabels.judging.metrics import HEAD, MEDIUM
from rarelabels.judging.score_files import some
from rarelabels.judging.sweeps.ordered import ALWAYS, NEVER
from rarelabels.show.judgement import MOST_DRAWS, SPEC, Judgement

WIDE = 10_000  # without a terminal nothing is cut
ONE_LINE = 105  # columns from which an interval stands beside its number, not below it
EVERY_LABEL = 40  # with more labels only groups, the best and the worst are shown
ENDS = 5
NARROWEST = 12  # columns for the names of labels and metrics; longer ones go on below
FLOORS = ("zeros", "ones", "prior")
RULES = ("half", "global", "per_label", "oracle")  # those of the page; --format csv has every one
DECISIONS = {
    "binary_accuracy": "binary accuracy",
    "hamming_loss": "↓ Hamming loss",
    "subset_accuracy": "subset accuracy",
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted F1",
    "samples_f1": "samples F1",
    "micro_precision": "micro precision",
    "micro_recall": "micro recall",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "head_f1": "head F1",
    "medium_f1": "medium F1",
    "tail_f1": "tail F1",
}
RANKINGS = {
    "macro_average_precision": "macro average precision",
    "micro_average_precision": "micro average precision",
    "macro_roc_auc": "macro ROC AUC",
    "micro_roc_auc": "micro ROC AUC",
    "lrap": "LRAP",
    "brier": "↓ Brier score",
    "ece": "↓ calibration error, ECE",
    "macro_ece": "↓ macro ECE",
}
UNDEFINED = {
    "labels_without_positives": ("labels without a positive", "macro and weighted means"),
    "labels_without_negatives": ("labels without a negative", "macro ROC AUC"),
    "rows_without_labels": ("rows without a label", "LRAP"),
}
NOWHERE = "–"


def print_judgement(judgement: Judgement, validation: Path | None, test: Path) -> None:
    """Print on stdout what was measured of the file ``test``; thresholds are from ``validation``."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    page = _Page(console)
    _print_head(page, judgement, validation, test)
    _print_decisions(page, judgement, validation)
    _print_rankings(page, judgement)
    _print_labels(page, judgement.evaluation)
    _print_gains(page, judgement)
    page.line("\nEvery number, every label: --format csv. To keep it beside your trials in MLflow: --log NAME.")


class _Page:
    """Tables, and lines of text around them."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.between = " " if console.width >= ONE_LINE else "\n"  # a number and its interval

    def title(self, text: str) -> None:
        self.console.print(Text(f"\n{text}\n", style="bold"))

    def line(self, text: str) -> None:
        self.console.print(Text(text))

    def table(self, header: Sequence[str], blocks: Sequence[Sequence[Sequence[str]]]) -> None:
        """Print blocks of rows with a gap between them; all but the first column are numbers."""
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        table.add_column(header[0], overflow="fold", min_width=NARROWEST)
        for name in header[1:]:
            table.add_column(name, justify="right", no_wrap=True)
        for block in blocks:
            for row in block:
                table.add_row(*(Text(cell) for cell in row))
            table.add_section()
        self.console.print(table)


# The whole part


def _print_head(page: _Page, judgement: Judgement, validation: Path | None, test: Path) -> None:
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


def _print_decisions(page: _Page, judgement: Judgement, validation: Path | None) -> None:
    measured, rules = judgement.evaluation.metrics, _shown(judgement.evaluation)
    page.title("Decisions: the labels that each rule assigns")
    rows = [
        [name, *_floors(measured, metric), *(_cell(page, judgement, f"test/{rule}/{metric}") for rule in rules)]
        for metric, name in DECISIONS.items()
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
            " and ".join(f"{_number(measured.get(f'floor/prior_{rule}/{mean}_f1'))} ({rule})" for rule in TUNED)
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
            yield f"global: score ≥ {_threshold(rules['global'].thresholds[0])}, the best micro-F1 on {validation}."
        few = ""
        if count := rules["per_label"].fallbacks:
            few = f"; {count:,} with fewer than {SPEC.min_positives} positives there take the global one"
        yield f"per_label: a threshold for each label, its best F1 on {validation}{few}."
    yield "oracle: a threshold for each label, its best F1 on the test rows themselves: a bound, never a result."


def _print_rankings(page: _Page, judgement: Judgement) -> None:
    measured = judgement.evaluation.metrics
    page.title("Ranking and calibration: the scores before any threshold")
    rows = [
        [name, *_floors(measured, metric), _cell(page, judgement, f"test/ranking/{metric}")]
        for metric, name in RANKINGS.items()
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


def _shown(measured: Evaluation) -> list[str]:
    return [rule for rule in RULES if rule in measured.rules]


def _floors(measured: Mapping[str, float], metric: str) -> list[str]:
    return [_number(measured.get(f"floor/{floor}/{metric}")) for floor in FLOORS]


def _cell(page: _Page, judgement: Judgement, name: str) -> str:
    value = _number(judgement.evaluation.metrics.get(name))
    if name not in judgement.intervals:
        return value
    low, high = judgement.intervals[name]
    return f"{value}{page.between}{low:.3f}–{high:.3f}"


# Label by label


def _print_labels(page: _Page, measured: Evaluation) -> None:
    table, rules = measured.per_label, _shown(measured)
    page.title(f"Labels{_which(table)}")
    header = ["", "posi-\ntives", "preva-\nlence", "average\nprec.", "ROC\nAUC"]
    header += [{"per_label": "per_label\n≥    F1"}.get(rule, f"{rule}\nF1") for rule in rules]
    blocks = [
        [_label_cells(table.loc[[label]], str(table["label"][label]), rules) for label in block]
        for block in _chosen(table)
    ]
    groups = [_label_cells(members, name, rules, one=False) for name, members in _groups(table)]
    page.table(header, [*blocks, groups])
    page.line(
        f"Groups: head, labels with at least {HEAD} positives; medium, with {MEDIUM} to {HEAD - 1}; tail, with fewer. "
        "Means of prevalence, average precision and ROC AUC; F1 of the pooled counts."
    )
    if (table["positives"] < MEDIUM).any():
        page.line(f"A label with fewer than {MEDIUM} positives is mostly chance: read the tail together.")


def _label_cells(members: pd.DataFrame, name: str, rules: Sequence[str], *, one: bool = True) -> list[str]:
    """Return the row of one label, or of the members of a group together."""
    f1 = {rule: _number(_pooled_f1(members, rule)) for rule in rules}
    if one and "per_label" in f1:
        f1["per_label"] = f"{_threshold(members['per_label/threshold'].iloc[0])} {f1['per_label']}"
    means = (_number(members[metric].mean()) for metric in ("average_precision", "roc_auc"))
    return [name, f"{members['positives'].sum():,}", f"{members['prevalence'].mean():.4f}", *means, *f1.values()]


def _print_gains(page: _Page, judgement: Judgement) -> None:
    gains = judgement.gains
    page.title("What each threshold finds and costs")
    counts = list(gains.columns[2:])
    header = [name.replace("more_", "").replace("/", "\n") for name in counts]
    total = gains.sum(numeric_only=True).to_dict() | {"label": "all"}
    records = [gains.loc[block].to_dict("records") for block in _chosen(judgement.evaluation.per_label)]
    blocks = [
        [[row["label"], f"{row['positives']:,}", *(_count(name, row[name]) for name in counts)] for row in block]
        for block in [*records, [total]]
    ]
    page.table(["", "positives", *header], blocks)
    page.line("half: positives found and false alarms at 0.5.")
    if judgement.evaluation.validation is None:
        return
    page.line("global, per_label: how many more (+) or fewer (−) than at 0.5; in all:")
    for rule in TUNED:
        found, false = (int(gains[f"{rule}/more_{what}"].sum()) for what in ("found", "false"))
        page.line(f"{rule}: {_gain_in_words(found, false)}")


def _gain_in_words(found: int, false: int) -> str:
    each = f": {false / found:.1f} for each positive" if found > 0 and false > 0 else ""
    positives, alarms = (f"{abs(n):,} {'more' if n >= 0 else 'fewer'}" for n in (found, false))
    return f"{positives} positives found, {alarms} false alarms{each}"


def _which(table: pd.DataFrame) -> str:
    if len(table) <= EVERY_LABEL:
        return ""
    return f": the {ENDS} best and the {ENDS} worst of {len(table):,} by average precision, then all in groups"


def _chosen(table: pd.DataFrame) -> list[list[int]]:
    """Return blocks of the positions of the labels that are printed: all, or the best and the worst."""
    if len(table) <= EVERY_LABEL:
        return [table.sort_values("positives", ascending=False, kind="stable").index.tolist()]
    readable = table[table["positives"] >= MEDIUM]
    if len(readable) < 2 * ENDS:
        readable = table
    ranked = readable["average_precision"].sort_values(ascending=False, kind="stable").index.tolist()
    return [ranked[:ENDS], ranked[-ENDS:]]


def _groups(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    positives = table["positives"]
    inside = {
        "head": positives >= HEAD,
        "medium": (positives >= MEDIUM) & (positives < HEAD),
        "tail": positives < MEDIUM,
    }
    for name, members in inside.items():
        if members.any():
            yield f"{name}: {members.sum():,}", table[members]


def _pooled_f1(labels: pd.DataFrame, rule: str) -> float | None:
    if not labels["positives"].any():
        return None
    hits, wrong = labels[f"{rule}/tp"].sum(), labels[f"{rule}/fp"].sum() + labels[f"{rule}/fn"].sum()
    return float(2 * hits / (2 * hits + wrong))


def _number(value: float | None) -> str:
    return NOWHERE if value is None or pd.isna(value) else f"{value:.3f}"


def _threshold(value: float) -> str:
    if value >= NEVER or value <= ALWAYS:
        return "never" if value >= NEVER else "always"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1g}"


def _count(name: str, value: int) -> str:
    return f"{value:+,}".replace("-", "−") if "more" in name else f"{value:,}"
