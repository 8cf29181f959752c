"""Every rule is one block of one table, and what is said of it there is what it does."""

from __future__ import annotations

import pytest

from choosing_rows import rows
from rarelabels.judging.metrics import measure_decisions
from rarelabels.judging.rules.choose import choose, choose_rules
from rarelabels.judging.rules.table import BY_NAME, ORACLE, RULES, TABLE, RuleKind, compared_by

CHOSEN = [kind for kind in TABLE if kind.choose]


def test_no_two_rules_share_a_name() -> None:
    assert len(BY_NAME) == len(TABLE)


@pytest.mark.parametrize("positives", [0.2, 0.0])
@pytest.mark.parametrize("kind", CHOSEN, ids=lambda kind: kind.name)
def test_a_rule_has_the_name_and_looks_at_what_the_table_says(kind: RuleKind, positives: float) -> None:
    on = rows(positives)
    rule = choose(on, [kind.name])[kind.name]
    assert rule.name == kind.name
    assert rule.thresholds.shape == (on.n_labels,)
    assert kind.is_of_row == bool(rule.at_least or rule.at_most)
    if not positives and kind.chosen_on == "validation":
        assert rule.fallbacks == on.n_labels


@pytest.mark.parametrize("kind", [kind for kind in CHOSEN if kind.best_for.endswith("_f1")], ids=lambda kind: kind.name)
def test_no_other_rule_of_its_kind_is_better_by_the_metric_a_rule_is_best_for(kind: RuleKind) -> None:
    on = rows(0.2)
    reached = {
        name: measure_decisions(on.scores.truth, rule.assign(on.scores.scores))[kind.best_for]
        for name, rule in choose(on).items()
    }
    common = ("half", "global", "global_macro", "global_samples", "global_subset")
    rivals = {"per_label_micro": RULES, "at_least_one": ("at_least_one",), "top_k": ("argmax", "top_k")}
    assert reached[kind.name] >= max(reached[name] for name in rivals.get(kind.name, common)) - 1e-12


def test_rows_choose_all_rules_but_those_of_searches_and_models() -> None:
    assert [kind.name for kind in CHOSEN] == [*RULES, ORACLE.name]
    with pytest.raises(AssertionError, match="searched: no rows choose it"):
        choose(rows(0.2), ["searched"])


def test_the_documentation_of_the_choice_says_what_every_rule_is() -> None:
    assert not [name for name in RULES if f"``{name}``" not in (choose_rules.__doc__ or "")]


def test_headers_are_short_and_a_bound_is_called_one() -> None:
    assert max(len(line) for kind in TABLE for line in kind.header.split("\n")) <= 14
    assert BY_NAME["per_label_shrunk"].header == "per label\nshrunk"
    assert [kind.name for kind in TABLE if "a bound" in kind.label] == ["oracle"]


def test_every_rule_but_two_is_in_a_table_that_compares_rules() -> None:
    compared = {
        name for metric in ("macro_f1", "micro_f1", "samples_f1", "subset_accuracy") for name in compared_by(metric)
    }
    assert compared == set(BY_NAME)
