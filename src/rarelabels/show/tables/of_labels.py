"""A judgement label by label: results and thresholds, found positives and false alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from rarelabels.judging.evaluation import TUNED, Evaluation
from rarelabels.judging.metrics import HEAD, MEDIUM
from rarelabels.judging.sweeps.ordered import ALWAYS, NEVER
from rarelabels.names import one_line
from rarelabels.show.judgement import Judgement
from rarelabels.show.tables.judgement_page import NOWHERE, Section, rules_shown

EVERY_LABEL = 40  # if there are more labels, only groups, the best and the worst labels are shown
ENDS = 5  # so many best and so many worst labels


def labels(measured: Evaluation) -> Section:
    """Return the section on labels: each label and groups, or, of many labels, only the best, the worst and groups."""
    table, rules = measured.per_label, rules_shown(measured)
    known = ["known\nrows"] if "known" in table else []
    header = ["", *known, "posi-\ntives", "preva-\nlence", "average\nprec.", "ROC\nAUC"]
    header += [{"per_label": "per_label\n≥    F1"}.get(rule, f"{rule}\nF1") for rule in rules]
    blocks = [
        [_label_cells(table.loc[[label]], str(table["label"][label]), rules) for label in block]
        for block in _chosen(table)
    ]
    groups = [_label_cells(members, name, rules, one=False) for name, members in _groups(table)]
    lines = [
        f"Groups: head has the labels with at least {HEAD} positives, medium those with {MEDIUM} to {HEAD - 1}, "
        "tail those with fewer. Prevalence, average precision and ROC AUC of a group are means over its labels; "
        "F1 is that of the pooled counts."
    ]
    if (table["positives"] < MEDIUM).any():
        lines.append(
            f"The numbers of a label with fewer than {MEDIUM} positives are mostly chance: read the tail as a group."
        )
    return Section(f"Labels{_which(table)}", header, [*blocks, groups], lines)


def _label_cells(members: pd.DataFrame, name: str, rules: Sequence[str], *, one: bool = True) -> list[str]:
    """Return the cells of one label, or of all members of a group together."""
    f1 = {rule: shown_number(_pooled_f1(members, rule)) for rule in rules}
    if one and "per_label" in f1:
        f1["per_label"] = f"{shown_threshold(members['per_label/threshold'].iloc[0])} {f1['per_label']}"
    means = (shown_number(members[metric].mean()) for metric in ("average_precision", "roc_auc"))
    counts = [f"{members[column].sum():,}" for column in ("known", "positives") if column in members]
    return [one_line(name), *counts, shown_number(members["prevalence"].mean(), ".4f"), *means, *f1.values()]


def prices(judgement: Judgement) -> Section:
    """Return the section on prices: how many more positives and false alarms each threshold has than 0.5."""
    gains = judgement.prices()
    counts = list(gains.columns[2:])
    header = [name.replace("more_", "").replace("/", "\n") for name in counts]
    total = gains.sum(numeric_only=True).to_dict() | {"label": "all"}
    records = [gains.loc[block].to_dict("records") for block in _chosen(judgement.evaluation.per_label)]
    blocks = [
        [
            [one_line(row["label"]), f"{row['positives']:,}", *(_count(name, row[name]) for name in counts)]
            for row in block
        ]
        for block in [*records, [total]]
    ]
    lines = ["half: positives found and false alarms at 0.5."]
    if judgement.evaluation.validation is not None:
        lines.append("global, per_label: how many more (+) or fewer (−) than at 0.5; for all labels together:")
        for rule in TUNED:
            found, false = (int(gains[f"{rule}/more_{what}"].sum()) for what in ("found", "false"))
            lines.append(f"{rule}: {_gain_in_words(found, false)}")
    return Section("What each threshold finds and costs", ["", "positives", *header], blocks, lines)


def _gain_in_words(found: int, false: int) -> str:
    each = f": {false / found:.1f} for each positive" if found > 0 and false > 0 else ""
    positives, alarms = (f"{abs(n):,} {'more' if n >= 0 else 'fewer'}" for n in (found, false))
    return f"{positives} positives found, {alarms} false alarms{each}"


def _which(table: pd.DataFrame) -> str:
    if len(table) <= EVERY_LABEL:
        return ""
    return f": the {ENDS} best and the {ENDS} worst of {len(table):,} by average precision, then all in groups"


def _chosen(table: pd.DataFrame) -> list[list[int]]:
    """Return blocks of positions of the shown labels: all labels in one block, or the best and the worst in two."""
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


def shown_number(value: float | None, form: str = ".3f") -> str:
    """Return a number, with three decimals unless said otherwise, or a dash if there is no number."""
    return NOWHERE if value is None or pd.isna(value) else format(value, form)


def shown_threshold(value: float) -> str:
    """Return a threshold as text; "never" or "always" for a threshold above or below all scores."""
    if value >= NEVER or value <= ALWAYS:
        return "never" if value >= NEVER else "always"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1g}"


def _count(name: str, value: int) -> str:
    return f"{value:+,}".replace("-", "−") if "more" in name else f"{value:,}"
