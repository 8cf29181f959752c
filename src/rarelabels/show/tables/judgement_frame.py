"""A judgement as a data frame: metrics beside floors, with intervals."""

from __future__ import annotations

import pandas as pd

from rarelabels.show.judgement import Judgement
from rarelabels.show.tables.judgement_page import rules_shown
from rarelabels.show.tables.of_judgement import DECISIONS, FLOORS, RANKINGS


def table(judgement: Judgement) -> pd.DataFrame:
    """Return a row for each shown metric, with the metric's recorded name as the index; see ``Judgement.table``."""
    rules = rules_shown(judgement.evaluation)
    columns = [*FLOORS, *(name for rule in [*rules, "scores"] for name in _columns(rule))]
    rows = {metric: _row(judgement, metric, {rule: rule for rule in rules}) for metric in DECISIONS}
    rows |= {metric: _row(judgement, metric, {"scores": "ranking"}) for metric in RANKINGS}
    measured = {metric: row for metric, row in rows.items() if set(row) - set(FLOORS)}
    return pd.DataFrame(measured.values(), index=list(measured), columns=columns, dtype=float).rename_axis("metric")


def _columns(rule: str) -> list[str]:
    return [rule] if rule == "oracle" else [rule, f"{rule}/low", f"{rule}/high"]


def _row(judgement: Judgement, metric: str, recorded: dict[str, str]) -> dict[str, float]:
    """Return the cells of a metric, without empty cells.

    Args:
        judgement: that was measured.
        metric: its recorded name, without part and rule.
        recorded: from a column's name to its rule in the record.
    """
    measured = judgement.evaluation.metrics
    row = {floor: measured[f"floor/{floor}/{metric}"] for floor in FLOORS if f"floor/{floor}/{metric}" in measured}
    for column, name in recorded.items():
        if (key := f"test/{name}/{metric}") in measured:
            row[column] = measured[key]
            if key in judgement.intervals:
                row[f"{column}/low"], row[f"{column}/high"] = judgement.intervals[key]
    return row
