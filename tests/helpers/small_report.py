"""A report on one trial of a study that nobody ran, and a finding for it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rarelabels.compare.comparison import Comparison, Row
from rarelabels.compare.verdicts import Finding, Verdict
from rarelabels.declare.study import Hypothesis, StudySpec
from rarelabels.show.report import contents
from rarelabels.show.report.contents import Contents, ReportPart
from rarelabels.show.report.pictures import Picture


def labels(**counts: tuple[int, int]) -> pd.DataFrame:
    """The table of two labels of which the second has all counts twice."""
    cells = {
        f"{rule}/{cell}": [n, 2 * n] for rule, of in counts.items() for cell, n in zip(("tp", "fp"), of, strict=True)
    }
    return pd.DataFrame({"label": ["a", "b"], "positives": [10, 20]} | cells)


def finding(verdict: Verdict, name: str = "claim", *, advice: bool = True, reason: str = "") -> Finding:
    said = {"about": "loss", "upheld": "Take the one.", "refuted": "Take the other."} if advice else None
    hypothesis = Hypothesis.model_validate(
        {"name": name, "claim": "One is better & <so on>.", "source": "here", "trial": "a", "against": "b"}
        | {"metric": "test/half/macro_f1", "direction": "greater", "margin": 0.02, "advice": said}
    )
    return Finding(hypothesis, verdict, 0.1, 0.05, 0.15, 0.99, reason=reason)


def small(*findings: Finding) -> Contents:
    metrics = ["test/half/macro_f1", "test/ranking/macro_average_precision"]
    values = pd.DataFrame({"mean": [0.5, 0.4], "low": [0.4, np.nan], "high": [0.6, np.nan]}, index=metrics)
    comparison = Comparison(
        "films", [Row("a", "0 1", "", ("A note.",), values, (), frozenset(metrics))], [], {}, [], []
    )
    rules = pd.DataFrame({"trial": ["a"], "rule": ["half"], "mean": [0.5], "low": [0.4], "high": [0.6]})
    picture = Picture("comparison", "A title", "A caption.", 'What "it" shows.', 200, 100, "data:,")
    study = StudySpec(title="Small", question="What is it?", thread="none")
    part = ReportPart(comparison, rules, 30, {"a": contents._prices([labels(half=(2, 1), global_=(1, 0))])}, [picture])
    return Contents("small", study, findings, [part], {"keras": ["3.15"]}, ("2026-11-24", "2026-11-25"), 2)
