"""The record of a rule: its header, its legend, and what it falls back to."""

from __future__ import annotations

from choosing_rows import rows
from rarelabels.judging.rules.kind import RuleKind, half_without_positives


def test_a_header_has_short_lines_and_the_remark_below() -> None:
    assert RuleKind(name="half", words="the threshold 0.5", remark="0.5").header == "half\n(0.5)"
    assert RuleKind(name="per_label_shrunk", words="").header == "per label\nshrunk"
    assert RuleKind(name="most_likely_set", words="").header == "most likely\nset"


def test_only_what_is_chosen_on_test_is_marked_in_a_legend() -> None:
    assert RuleKind(name="best", words="", chosen_on="test", remark="a bound").label == "best (a bound)"
    assert RuleKind(name="half", words="", chosen_on="nothing", remark="0.5").label == "half"


def test_rows_without_a_label_give_half_and_count_every_label() -> None:
    kind = RuleKind(name="some", words="")
    assert kind.fallback is half_without_positives
    rule = kind.fallback(kind, rows(0.0))
    assert (rule.name, rule.thresholds.tolist(), rule.fallbacks) == ("some", [0.5] * 6, 6)
